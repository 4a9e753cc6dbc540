/* A request to open a WebSocket, at the endpoint's path. */
#ifndef SLUICE_CONN_OPENING_UPGRADE_H
#define SLUICE_CONN_OPENING_UPGRADE_H

#include "sluice/conn/opening/opening.h"

/* The first: does the path ask for it? If so, the second answers, or begins to ask Redis. */
bool upgrade_is_asked(const struct conn *conn);
void upgrade_begin(struct conn *conn);

#ifdef SLUICE_ECHO
/* The same for the echo of conformance runs, which needs no log-in. */
bool upgrade_echo_is_asked(const struct conn *conn);
void upgrade_echo_begin(struct conn *conn);
#endif

#endif
