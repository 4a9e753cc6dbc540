/* The channels of a connection, by what its log-in allows. */
#ifndef SLUICE_CONN_OPEN_CHANNELS_H
#define SLUICE_CONN_OPEN_CHANNELS_H

#include "sluice/conn/conn.h"

/* By the rules of now. `identity`: NULL when anonymous. */
bool channels_allow(const struct conn *conn, const struct identity *identity, struct slice channel);

/* May the connection have one more? If not, limits.channels is counted as reached. */
bool channels_have_room(struct conn *conn);

/* 0 (also when subscribed already, then on_confirmed does not follow if it is confirmed); -EDQUOT:
 * limits.channels; or what bridge_subscribe gives. */
MUST_CHECK int channels_subscribe(struct conn *conn, struct slice channel);

/* Leaves the channels that the log-in does not allow any more; the dialect is told of each, which may end
 * the connection, and then the rest is left alone. True: there was one. */
bool channels_leave_forbidden(struct conn *conn, const struct identity *identity);

/* Joins the automatic channels that the connection does not have yet, as far as limits.channels allows; a
 * link to Redis that is away is waited for. The dialect is told, which may end the connection. */
void channels_join_automatic(struct conn *conn, const struct identity *identity);

#endif
