/* Parses the head of an HTTP/1.1 request to method, target and headers. llhttp parses; before it a
 * stricter gate (http_gate) refuses bare CR or LF, control characters, folded lines, a space before
 * the colon, an empty field name and leading empty lines.
 *
 * The head is collected up to its empty line and then parsed in one go, so every slice points into
 * the collected bytes. A peer can make a request hold header_bytes, and the bytes behind the
 * head. */
#ifndef SLUICE_PROTO_HTTP_HTTP_REQUEST_H
#define SLUICE_PROTO_HTTP_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"
#include "sluice/proto/http/http_gate.h"

struct http_header {
	struct slice name, value; /* value trimmed */
};

struct http_request {
	/* valid once http_request_feed has returned 1 */
	struct slice method;
	struct slice target; /* as sent: "/ws?channel=a", or "http://host/ws?channel=a" */
	struct slice path;   /* of the target */
	struct slice query;  /* without '?'; absent if there is none */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	size_t content_length; /* 0 without the header; a chunked body is refused */
	bool has_body;         /* a Content-Length above 0 */
	/* private */
	bool head_is_complete;
	size_t header_bytes;
	struct buffer head; /* with its empty line; does not move once it is complete */
	struct buffer rest;
	int status; /* what http_request_feed returned last */
	struct http_gate gate;
};

/* `header_bytes`: the longest head that is accepted. */
void http_request_init(struct http_request *request, size_t header_bytes);
void http_request_finish(struct http_request *request);

/* Feeds bytes. 0: more are needed; 1: the head is complete; else the status to refuse the request
 * with: 400 malformed (or an HTTP version other than 1.1, or Transfer-Encoding), 431 the head is
 * longer than header_bytes or has more than 64 headers, 500 out of memory. A refusal is final.
 * After 1, further bytes are appended to the rest, and no slice moves; the caller limits how
 * many. */
int http_request_feed(struct http_request *request, const char *bytes, size_t len);

/* The memory that it holds. */
size_t http_request_holds(const struct http_request *request);

/* The bytes behind the head (a body, or early frames). */
struct slice http_request_rest(const struct http_request *request);

/* The number of headers with this name (case-insensitive); `ret_value` (may be NULL): the value of
 * the first. */
size_t http_request_header(
	const struct http_request *request, struct slice name, struct slice *ret_value);

/* Appends all headers of this name to `joined`, with `separator` between them ("; " for Cookie, ",
 * " for lists). 0 or -ENOMEM. */
MUST_CHECK int http_request_join(const struct http_request *request, struct slice name,
	const char *separator, struct buffer *joined);

#endif
