/* Matches one channel's name against texts, from all offsets at once.
 *
 * A set of offsets in the name says where the match of a pattern so far may end. A text moves all
 * of them in one pass over its bytes, which ends at the first byte that none of them continues
 * with. So the work is linear in the texts, however many offsets have been reached.
 *
 * Of many texts there is a set. Then the name is looked at instead of the texts: once from each
 * offset that has been reached, for as many bytes as the longest text has. */
#ifndef SLUICE_PROTO_CHANNEL_MATCH_H
#define SLUICE_PROTO_CHANNEL_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/slice.h"
#include "sluice/proto/channel_name.h"
#include "sluice/proto/record/text_set.h"

enum { CHANNEL_OFFSET_WORDS = (CHANNEL_NAME_MAX + 1 + 63) / 64 };

/* A bit for each offset in the name, from 0 to its length. */
struct channel_offsets {
	uint64_t words[CHANNEL_OFFSET_WORDS];
};

/* A prepared name. About 11 KiB, for the stack: only what the name needs is written. */
struct channel_match {
	uint64_t steps; /* bytes and texts that were looked at so far */
	/* private */
	struct slice name;
	size_t len;
	uint16_t row[256];                                    /* by byte; 0: not in the name */
	struct channel_offsets offsets[CHANNEL_NAME_MAX + 1]; /* by row: where the byte is */
};

/* Prepares a name of at most CHANNEL_NAME_MAX bytes. It must outlive the match. */
void channel_match_init(struct channel_match *match, struct slice name);

/* Adds to `to` each offset at which `text` ends that begins at an offset in `from`. */
void channel_match_advance(struct channel_match *match, const struct channel_offsets *from,
	struct channel_offsets *to, struct slice text);

/* The same for all texts of a set. False, and nothing is done: to read them one by one is less
 * work. */
bool channel_match_advance_by_set(struct channel_match *match, const struct channel_offsets *from,
	struct channel_offsets *to, const struct text_set *set);

/* Is there any offset? */
bool channel_offsets_any(const struct channel_offsets *offsets);

/* Is the end of the name among them? */
bool channel_match_is_complete(
	const struct channel_match *match, const struct channel_offsets *offsets);

#endif
