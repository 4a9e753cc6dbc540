/* The first phase of a connection: its HTTP request arrives. */
#ifndef SLUICE_CONN_OPENING_REQUEST_H
#define SLUICE_CONN_OPENING_REQUEST_H

#include "sluice/conn/opening/opening.h"

/* Takes an accepted descriptor, makes a connection and waits for its request. Closes the descriptor
 * if there is no memory, or if it cannot be used. */
void request_begin(struct conn_shared *shared, int fd, const struct sockaddr_storage *peer);

#endif
