/* Compressed messages, inflated in steps (RFC 7692 §7.2.2, without context takeover). */
#ifndef SLUICE_PROTO_WS_WS_INFLATE_H
#define SLUICE_PROTO_WS_WS_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

/* A worker's pool, and one message under way. */
struct ws_inflaters;
struct ws_inflater;

/* NULL: no memory. */
struct ws_inflaters *ws_inflaters_create(void);

/* May be NULL. None may be taken. */
void ws_inflaters_destroy(struct ws_inflaters *inflaters);

/* For one message; NULL: no memory. About 40 KiB, which count as buffered until it is given back. */
MUST_CHECK struct ws_inflater *ws_inflater_take(struct ws_inflaters *inflaters);

/* Takes it back, wherever its message is. */
void ws_inflater_give(struct ws_inflater *inflater);

/* Inflates more of the message, of which `input` is the next part and, if `last`, the end; drops
 * from it what was read. Gives what came out, which lies in the pool's memory until the next call
 * for any of the pool; there may be some in every case:
 *
 *	0          the input is used up; if `last`, the message is complete
 *	1          there is more: call again
 *	-EMSGSIZE  there is more than `limit` octets, which is the message's as a whole
 *	-EBADMSG   it is no DEFLATE data, or it is cut
 *	-ENOMEM */
MUST_CHECK int ws_inflate(struct ws_inflater *inflater, struct slice *input, bool last,
	uint64_t limit, struct slice *ret_octets);

#endif
