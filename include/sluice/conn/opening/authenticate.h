/* Finds out who sent the request. */
#ifndef SLUICE_CONN_OPENING_AUTHENTICATE_H
#define SLUICE_CONN_OPENING_AUTHENTICATE_H

#include "sluice/conn/opening/opening.h"

/* Asks Redis for the request's ticket or session. The request has passed every check that needs no
 * Redis, and its purpose is set. An answer or an open connection follows within a second, possibly
 * within this call. */
void authenticate(struct conn *conn);

#endif
