/* Finds browsers that have gone without closing the connection. */
#ifndef SLUICE_CONN_OPEN_HEARTBEAT_H
#define SLUICE_CONN_OPEN_HEARTBEAT_H

#include "sluice/conn/conn.h"

/* The first ping follows within the interval; none when heartbeat.interval is 0. */
void heartbeat_begin(struct conn *conn);

/* The peer has sent a pong. */
void heartbeat_pong(struct conn *conn);

#endif
