/* The part of a payload that has arrived, in one block on the heap. NULL: nothing is held. */
#ifndef SLUICE_PROTO_WS_WS_HELD_H
#define SLUICE_PROTO_WS_WS_HELD_H

#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

struct ws_held;

/* Appends `piece`. The block grows with the bytes that have arrived, to at most twice their size
 * and never beyond `limit`, which all pieces together must not exceed. 0 or -ENOMEM (nothing
 * changed). */
MUST_CHECK int ws_held_add(struct ws_held **held, struct slice piece, uint64_t limit);

/* Turns `piece`, the last one, into the whole payload: unchanged if nothing is held, else all
 * pieces in one block. Afterwards nothing is held; the caller passes `ret_block` to ws_held_free
 * after use. 0 or -ENOMEM (nothing changed). */
MUST_CHECK int ws_held_complete(
	struct ws_held **held, struct slice *piece, uint64_t limit, struct ws_held **ret_block);

/* Its memory in bytes; 0 for NULL. */
size_t ws_held_size(const struct ws_held *held);

void ws_held_free(struct ws_held *held);

/* Discards the held pieces. */
void ws_held_drop(struct ws_held **held);

#endif
