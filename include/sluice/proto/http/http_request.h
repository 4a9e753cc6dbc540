/* The head of an HTTP/1.1 request, from bytes to method, target and headers, through llhttp
 * (compiled strict), behind a gate of our own for what llhttp 8 lets pass: bare CR or LF, NUL and
 * other control characters, folded lines, a blank before the colon, an empty field name, leading
 * empty lines.
 *
 * The head is gathered until its empty line is there and then read in one go, so every slice points
 * into the gathered bytes. A peer can make a request hold header_bytes and what came behind. */
#ifndef SLUICE_PROTO_HTTP_HTTP_REQUEST_H
#define SLUICE_PROTO_HTTP_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"

enum { HTTP_HEADERS_MAX = 64 };

struct http_header {
	struct slice name, value; /* value trimmed */
};

struct http_request {
	/* valid once http_request_feed has given 1 */
	struct slice method;
	struct slice target; /* as sent: "/ws?channel=a", or "http://host/ws?channel=a" */
	struct slice path;   /* of the target */
	struct slice query;  /* without '?'; absent if there is none */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	size_t content_length; /* 0 when there is no such header; a chunked body is refused */
	bool has_body;         /* a Content-Length above 0 */
	/* private */
	size_t header_bytes;
	struct buffer head; /* with its empty line; never moves once it is complete */
	struct buffer rest;
	int status;          /* what http_request_feed has given last */
	uint8_t gate;        /* which state of the gate the next byte meets */
	uint8_t scheme_len;  /* how much of "https://" has come */
	uint8_t version_len; /* how much of "HTTP/1.1" has come */
	uint8_t n_lines;     /* header lines that the gate has seen begin */
};

/* `header_bytes`: the longest head that is taken. */
void http_request_init(struct http_request *request, size_t header_bytes);
void http_request_finish(struct http_request *request);

/* Feeds bytes. 0: more is wanted; 1: the head is complete; else the status to refuse with: 400
 * malformed (also HTTP versions other than 1.1, and Transfer-Encoding), 431 the head is longer than
 * header_bytes or has more than 64 headers, 500 no memory. A refusal stays. After 1, further bytes
 * are kept behind and no slice moves; how many of them is the caller's business. */
int http_request_feed(struct http_request *request, const char *bytes, size_t len);

/* What came behind the head (a body, or early frames). */
struct slice http_request_rest(const struct http_request *request);

/* May this byte stand in a token (RFC 9110 §5.6.2): a method, a field name, a subprotocol? */
bool http_is_token_char(char byte);

/* How many headers have this name (case-insensitive); `ret_value` (may be NULL) is the first's. */
size_t http_request_header(
	const struct http_request *request, struct slice name, struct slice *ret_value);

/* All headers of this name joined with `separator` ("; " for Cookie, ", " for lists) into `joined`.
 * 0 or -ENOMEM. */
MUST_CHECK int http_request_join(const struct http_request *request, struct slice name,
	const char *separator, struct buffer *joined);

#endif
