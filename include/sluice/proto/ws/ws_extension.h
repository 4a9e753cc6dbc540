/* Sec-WebSocket-Extensions (RFC 6455 §9.1): which offer of permessage-deflate (RFC 7692 §7.1) is
 * taken, and what is answered. */
#ifndef SLUICE_PROTO_WS_WS_EXTENSION_H
#define SLUICE_PROTO_WS_WS_EXTENSION_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/buffer.h"
#include "sluice/proto/http/http_request.h"

enum { WS_WINDOW_BITS_MIN = 8, WS_WINDOW_BITS_MAX = 15 };

/* A permessage-deflate that both sides can live with. */
struct ws_extension {
	uint8_t window_bits;   /* of what we compress; 0: no offer was acceptable */
	bool names_our_window; /* the offer did, so the answer must */
};

/* Reads all headers of that name and gives the first acceptable offer. 0; or -EPROTO when a header
 * is against the grammar, for which the handshake is refused whatever it offers. */
int ws_extension_choose(const struct http_request *request, struct ws_extension *ret_chosen);

/* Appends the answer's header line, with its CRLF; nothing when no offer was acceptable. 0 or
 * -ENOMEM. */
MUST_CHECK int ws_extension_answer(const struct ws_extension *chosen, struct buffer *answer);

#endif
