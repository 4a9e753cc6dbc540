/* Who is it? */
#ifndef SLUICE_CONN_OPENING_AUTHENTICATE_H
#define SLUICE_CONN_OPENING_AUTHENTICATE_H

#include "sluice/conn/opening/opening.h"

/* The request is good as far as can be said without Redis, and has its purpose. Asks Redis for the ticket or
 * the session that it presents. An answer or an open connection follows, possibly within this call, in any
 * case within a second. */
void authenticate(struct conn *conn);

#endif
