/* Sec-WebSocket-Protocol (RFC 6455 §11.3.4): which of the offered subprotocols is chosen. A page
 * cannot set other headers, so it offers a ticket here too, as "ticket.…". */
#ifndef SLUICE_PROTO_WS_WS_SUBPROTOCOL_H
#define SLUICE_PROTO_WS_WS_SUBPROTOCOL_H

#include <stdbool.h>

#include "sluice/base/slice.h"
#include "sluice/proto/http/http_request.h"

/* Chooses the first offer that `is_spoken` accepts; else the first one that is not a ticket;
 * absent: there is none. `ret_ticket`: the text behind "ticket."; absent: none is offered. Both are
 * borrowed from the request. NULL; or why the handshake is refused, one line, a literal. */
const char *ws_subprotocol_choose(const struct http_request *request,
	bool (*is_spoken)(struct slice name), struct slice *ret_subprotocol,
	struct slice *ret_ticket);

#endif
