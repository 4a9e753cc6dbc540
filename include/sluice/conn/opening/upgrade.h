/* A request for a WebSocket, at the endpoint's path. */
#ifndef SLUICE_CONN_OPENING_UPGRADE_H
#define SLUICE_CONN_OPENING_UPGRADE_H

#include "sluice/conn/opening/opening.h"

/* Both: is it asked for, by the path? Then the second answers or begins to ask Redis. */
bool upgrade_is_asked(const struct conn *conn);
void upgrade_begin(struct conn *conn);

#ifdef SLUICE_ECHO
/* The same for the echo of conformance runs, which nobody has to be logged in for. */
bool upgrade_echo_is_asked(const struct conn *conn);
void upgrade_echo_begin(struct conn *conn);
#endif

#endif
