/* The transport of an open connection that is a WebSocket (RFC 6455). */
#ifndef SLUICE_CONN_OPEN_WS_H
#define SLUICE_CONN_OPEN_WS_H

#include "sluice/conn/conn.h"
#include "sluice/conn/open/ws_shared.h"

extern const struct ws_reader_events_pair ws_reader_events;

/* The 101 is queued: from here on the connection is a WebSocket and speaks the dialect at this
 * index of the table. `window_bits`: of permessage-deflate, 0 if it was not negotiated. `user`: for
 * the welcome, absent if anonymous. May end the connection. The caller hands bytes that arrived
 * behind the request to the connection's phase. */
void ws_begin(struct conn *conn, unsigned dialect, unsigned window_bits, struct slice user);

#endif
