/* Inflates compressed messages in steps (RFC 7692 §7.2.2, without context takeover). */
#ifndef SLUICE_PROTO_WS_WS_INFLATE_H
#define SLUICE_PROTO_WS_WS_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

/* A worker's pool; and the inflater of one message. */
struct ws_inflaters;
struct ws_inflater;

/* NULL: out of memory. */
struct ws_inflaters *ws_inflaters_create(void);

/* May be NULL. No inflater may be in use. */
void ws_inflaters_destroy(struct ws_inflaters *inflaters);

/* Takes an inflater for one message; NULL: out of memory. It is about 40 KiB. */
MUST_CHECK struct ws_inflater *ws_inflater_take(struct ws_inflaters *inflaters);

/* Returns it to the pool, at any point of the message. */
void ws_inflater_give(struct ws_inflater *inflater);

/* Its memory in bytes. */
size_t ws_inflater_size(const struct ws_inflater *inflater);

/* The bytes of the message that have been inflated so far. */
uint64_t ws_inflater_produced(const struct ws_inflater *inflater);

/* Inflates more of the message: `input` is its next part and, if `last`, its end; consumed bytes
 * are removed from `input`. `ret_bytes` is the output, which may be there with every result. It is
 * in the pool's memory and valid until the next call for any inflater of the pool.
 *
 *	0          the input is used up; if `last`, the message is complete
 *	1          there is more: call again
 *	-EMSGSIZE  the message as a whole is longer than `limit` bytes
 *	-EBADMSG   the input is not DEFLATE data, or is truncated
 *	-ENOMEM */
MUST_CHECK int ws_inflate(struct ws_inflater *inflater, struct slice *input, bool last,
	uint64_t limit, struct slice *ret_bytes);

#endif
