/* Sec-WebSocket-Extensions (RFC 6455 §9.1): which offer of permessage-deflate (RFC 7692 §7.1) is
 * accepted, and how it is answered. */
#ifndef SLUICE_PROTO_WS_WS_EXTENSION_H
#define SLUICE_PROTO_WS_WS_EXTENSION_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/buffer.h"
#include "sluice/proto/http/http_request.h"

enum { WS_WINDOW_BITS_MIN = 8, WS_WINDOW_BITS_MAX = 15 };

/* The accepted offer. */
struct ws_extension {
	uint8_t window_bits;   /* for what we compress; 0: no offer was acceptable */
	bool names_our_window; /* the offer has server_max_window_bits, so the answer must */
};

/* Reads all headers of that name and returns the first acceptable offer. 0; or -EPROTO: a header
 * violates the grammar, and the handshake must be refused. */
int ws_extension_choose(const struct http_request *request, struct ws_extension *ret_chosen);

/* Appends the header line of the answer, with its CR LF; nothing if no offer was acceptable. 0 or
 * -ENOMEM. */
MUST_CHECK int ws_extension_answer(const struct ws_extension *chosen, struct buffer *answer);

#endif
