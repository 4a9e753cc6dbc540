/* The channels of a connection that speaks sluice.v1, as they come and go. */
#ifndef SLUICE_CONN_OPEN_V1_CHANNELS_H
#define SLUICE_CONN_OPEN_V1_CHANNELS_H

#include "sluice/conn/conn.h"

/* Two commands; the answer is sent, now or later. The channel's name is valid. */
void v1_subscribe(struct conn *conn, struct slice channel, struct slice id);
void v1_unsubscribe(struct conn *conn, struct slice channel, struct slice id);

/* For the dialect's table, as dialect.h has them. */
void v1_on_confirmed(struct conn *conn, struct slice channel);
void v1_on_joined(struct conn *conn, struct slice channel);
void v1_on_revoked(struct conn *conn, struct slice channel);
bool v1_withholds(struct conn *conn, struct slice channel);
void v1_leave(struct conn *conn);

#endif
