/* The channels that a connection's log-in allows. */
#ifndef SLUICE_CONN_OPEN_CHANNELS_H
#define SLUICE_CONN_OPEN_CHANNELS_H

#include "sluice/conn/conn.h"

/* By the current rules. `identity`: NULL if anonymous. */
bool channels_allow(const struct conn *conn, const struct identity *identity, struct slice channel);

/* May the connection have one more channel? If not, limits.channels is counted as reached. */
bool channels_have_room(struct conn *conn);

/* 0 (also when subscribed already, then on_confirmed does not follow if it is confirmed); -EDQUOT:
 * limits.channels; or what bridge_subscribe returns. */
MUST_CHECK int channels_subscribe(struct conn *conn, struct slice channel);

/* Unsubscribes from the channels that the log-in does not allow any more, and notifies the dialect
 * of each. That may end the connection; then nothing more is done. True: there was such a
 * channel. */
bool channels_leave_forbidden(struct conn *conn, const struct identity *identity);

/* The same for the channels that the rules allow to nobody, whoever is logged in. */
bool channels_leave_impossible(struct conn *conn);

/* Subscribes to the automatic channels that the connection does not have yet, as far as
 * limits.channels allows. If the link to Redis is down, they are confirmed when it is back. The
 * dialect is notified, which may end the connection. */
void channels_join_automatic(struct conn *conn, const struct identity *identity);

#endif
