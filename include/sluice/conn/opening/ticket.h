/* Logging in with a ticket. */
#ifndef SLUICE_CONN_OPENING_TICKET_H
#define SLUICE_CONN_OPENING_TICKET_H

#include "sluice/conn/opening/opening.h"

/* Logs in with the request's ticket. An answer or an open connection follows, possibly within this
 * call. False: the request has no ticket, and nothing has happened. */
bool opening_take_ticket(struct conn *conn);

#endif
