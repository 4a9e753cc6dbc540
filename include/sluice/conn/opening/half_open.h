/* A request has its time to arrive, and an address only so many that take long. See half_open.c. */
#ifndef SLUICE_CONN_OPENING_HALF_OPEN_H
#define SLUICE_CONN_OPENING_HALF_OPEN_H

#include "sluice/conn/opening/opening.h"

/* The request has limits.handshake_seconds from now on; else it is refused. */
void half_open_begin(struct conn *conn);

/* Descriptors are short: aborts up to 64 of those whose request takes long, the oldest first. */
void half_open_make_room(struct opening_shared *shared);

#endif
