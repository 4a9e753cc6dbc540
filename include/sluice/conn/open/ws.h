/* The transport of a browser that has opened a WebSocket (RFC 6455). */
#ifndef SLUICE_CONN_OPEN_WS_H
#define SLUICE_CONN_OPEN_WS_H

#include "sluice/conn/conn.h"
#include "sluice/conn/open/ws_shared.h"

/* A close frame may take this long to be answered. Again, and again, while the peer still takes what was
 * queued before. */
enum { WS_CLOSING_MS = 5000 };

extern const struct ws_reader_events_pair ws_reader_events;

/* The 101 is queued: from here on it is a WebSocket that speaks the dialect at this place in the table.
 * `window_bits`: of permessage-deflate, 0 when it was not negotiated. `user`: for the welcome, absent when
 * anonymous. May end the connection. What came behind the request is handed to its phase by the caller. */
void ws_begin(struct conn *conn, unsigned dialect, unsigned window_bits, struct slice user);

#endif
