/* Logging in with a ticket. */
#ifndef SLUICE_CONN_OPENING_TICKET_H
#define SLUICE_CONN_OPENING_TICKET_H

#include "sluice/conn/opening/opening.h"

/* Goes on with the ticket that the request presents, to an answer or an open connection, possibly within
 * this call. False: it presents none, and nothing has happened. */
bool opening_take_ticket(struct conn *conn);

#endif
