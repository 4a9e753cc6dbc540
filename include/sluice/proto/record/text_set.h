/* The set of the texts at one path, for paths with many of them: which of the texts does a string
 * begin with? The answer costs a step for each byte of the string, however many texts there are.
 *
 *	hash = 0
 *	for each byte: hash = text_set_hash(set, hash, byte)
 *	               text_set_has(set, hash, the bytes so far)?
 *
 * A peer cannot choose texts that collide without knowing the process' seed (base/hash.h). */
#ifndef SLUICE_PROTO_RECORD_TEXT_SET_H
#define SLUICE_PROTO_RECORD_TEXT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

enum { TEXT_SET_LEN_MAX = 256 }; /* of a text in it; longer ones are in no name */

struct text_set {
	/* private */
	const struct buffer *texts; /* holds the bytes */
	struct text_slot *slots;    /* open addressing */
	unsigned bits;              /* there are 1 << bits of them */
	size_t n;                   /* in use */
	size_t reading;             /* steps that reading all texts one by one may take */
	size_t longest;
	uint64_t base;
	uint64_t lengths[TEXT_SET_LEN_MAX / 64 + 1]; /* bit i: there is a text of i bytes */
};

/* An empty set of texts whose bytes are in `texts`, which may grow but must stay where it is. NULL:
 * out of memory. */
struct text_set *text_set_create(const struct buffer *texts);
void text_set_destroy(struct text_set *set); /* NULL is allowed */

/* Adds the text of `len` bytes (at least 1) at this offset. 0 or -ENOMEM. */
MUST_CHECK int text_set_add(struct text_set *set, size_t offset, size_t len);

/* The hash of a string and one more byte, from that of the string; of the empty string it is 0. */
uint64_t text_set_hash(const struct text_set *set, uint64_t hash, char byte);

/* Is this text in the set? `hash` is its hash. */
bool text_set_has(const struct text_set *set, uint64_t hash, struct slice text);

#endif
