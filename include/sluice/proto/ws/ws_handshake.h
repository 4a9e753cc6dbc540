/* The opening handshake, server side (RFC 6455 §4.2): is this request valid, and how is it
 * answered? */
#ifndef SLUICE_PROTO_WS_WS_HANDSHAKE_H
#define SLUICE_PROTO_WS_WS_HANDSHAKE_H

#include <stdbool.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"
#include "sluice/proto/http/http_request.h"
#include "sluice/proto/ws/ws_extension.h"

/* The slices are borrowed from the request. */
struct ws_handshake {
	struct slice key;                 /* Sec-WebSocket-Key */
	struct slice subprotocol, ticket; /* by ws_subprotocol_choose; absent: none */
	struct slice host, origin;        /* absent: no such header */
	struct ws_extension extension;
};

/* 0 and the handshake; else the status to refuse the request with: 405 the method is not GET, 400
 * not a valid opening handshake, 426 the version is not 13. The caller checks the path.
 * `compression`: an offer of permessage-deflate may be accepted. `is_spoken`: does the caller speak
 * a subprotocol of this name? `ret_problem`: one line for the body and the log, a literal:
 * "Sec-WebSocket-Key is missing". */
int ws_handshake_check(const struct http_request *request, bool compression,
	bool (*is_spoken)(struct slice subprotocol), struct ws_handshake *ret_handshake,
	const char **ret_problem);

/* The same for Host and Origin alone, of a request that need not be a handshake. 0 or 400. */
int ws_handshake_check_page(const struct http_request *request, struct ws_handshake *ret_handshake,
	const char **ret_problem);

/* Appends the 101 response. 0 or -ENOMEM. */
MUST_CHECK int ws_handshake_accept(const struct ws_handshake *handshake, struct buffer *answer);

/* base64(SHA-1(key GUID)), NUL-terminated (§4.2.2 step 5.4). */
void ws_handshake_accept_key(struct slice key, char accept[29]);

#endif
