/* Limits how long a request may take to arrive, and how many slow requests an address may have. See
 * half_open.c. */
#ifndef SLUICE_CONN_OPENING_HALF_OPEN_H
#define SLUICE_CONN_OPENING_HALF_OPEN_H

#include "sluice/conn/opening/opening.h"

/* From now on the request has limits.handshake_seconds to arrive, or it is refused. */
void half_open_begin(struct conn *conn);

/* Descriptors are short: aborts up to 64 half-open connections, the oldest first. Returns how
 * many. */
int half_open_make_room(struct opening_shared *shared);

#endif
