/* The part of a payload that has come, in one block on the heap. NULL: nothing is held. */
#ifndef SLUICE_PROTO_WS_WS_HELD_H
#define SLUICE_PROTO_WS_WS_HELD_H

#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

struct ws_held;

/* Holds `piece` behind what is held. The block grows with what has come, to at most its double and
 * never beyond `limit`, which all pieces together keep to. 0 or -ENOMEM (nothing changed). */
MUST_CHECK int ws_held_add(struct ws_held **held, struct slice piece, uint64_t limit);

/* Makes `piece`, the last one, the whole payload: it stays as it is when nothing is held, else it is
 * what is held with it. Nothing is held then; ws_held_free(ret_block) when the payload has been
 * used. 0 or -ENOMEM (nothing changed). */
MUST_CHECK int ws_held_complete(
	struct ws_held **held, struct slice *piece, uint64_t limit, struct ws_held **ret_block);

void ws_held_free(struct ws_held *held);

/* What is held is thrown away. */
void ws_held_drop(struct ws_held **held);

#endif
