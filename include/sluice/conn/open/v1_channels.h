/* Subscribes and unsubscribes for a connection that speaks sluice.v1. */
#ifndef SLUICE_CONN_OPEN_V1_CHANNELS_H
#define SLUICE_CONN_OPEN_V1_CHANNELS_H

#include "sluice/conn/conn.h"

/* Two commands. Each is answered, now or later. The channel's name must be valid. */
void v1_subscribe(struct conn *conn, struct slice channel, struct slice id);
void v1_unsubscribe(struct conn *conn, struct slice channel, struct slice id);

/* For the dialect's table; see dialect.h. */
void v1_on_confirmed(struct conn *conn, struct slice channel);
void v1_on_refused(struct conn *conn, struct slice channel);
void v1_on_joined(struct conn *conn, struct slice channel);
void v1_on_revoked(struct conn *conn, struct slice channel);
bool v1_withholds(struct conn *conn, struct slice channel);
void v1_leave(struct conn *conn);

#endif
