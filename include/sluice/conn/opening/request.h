/* The first phase of a connection: its HTTP request arrives. */
#ifndef SLUICE_CONN_OPENING_REQUEST_H
#define SLUICE_CONN_OPENING_REQUEST_H

#include "sluice/conn/opening/opening.h"

/* Starts to wait for the request of a new connection. 0 or -ENOMEM. */
MUST_CHECK int request_begin(struct conn *conn, const struct sockaddr_storage *peer);

#endif
