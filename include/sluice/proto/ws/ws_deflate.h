/* Compresses messages, each by itself (RFC 7692 §7.2.1, without context takeover). */
#ifndef SLUICE_PROTO_WS_WS_DEFLATE_H
#define SLUICE_PROTO_WS_WS_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

struct ws_deflater;

/* One per worker. NULL: out of memory. The memory for a window is allocated when it is first
 * used. */
struct ws_deflater *ws_deflater_create(void);
void ws_deflater_destroy(struct ws_deflater *deflater); /* may be NULL */

/* Compresses `payload` for a peer with a window of `window_bits`, 8 to 15. `len`: the room in
 * `out`, then the length used. 0; -E2BIG: the room is not 5 bytes more than the result needs, so
 * that with a room of payload.len the result is always shorter than the payload; or -ENOMEM. */
MUST_CHECK int ws_deflate(struct ws_deflater *deflater, unsigned window_bits, struct slice payload,
	void *out, size_t *len);

/* How many messages it has compressed or tried to. */
uint64_t ws_deflater_count(const struct ws_deflater *deflater);

/* A room that is enough for any payload of this length. */
static inline size_t ws_deflate_room(size_t payload_len)
{
	return payload_len + payload_len / 6 + 64;
}

#endif
