/* Complete HTTP responses, each the last thing on its connection (RFC 9110, RFC 9112). */
#ifndef SLUICE_PROTO_HTTP_HTTP_ANSWER_H
#define SLUICE_PROTO_HTTP_HTTP_ANSWER_H

#include <stdbool.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"

/* Must contain nothing from a peer that http_request has not accepted. */
struct http_answer {
	int status;
	struct slice headers; /* further headers, each with its CR LF; absent: none */
	const char *type;     /* Content-Type; NULL: no content (204, 304) */
	struct slice body;
	bool head; /* the request was HEAD: the body is only counted (RFC 9110 §9.3.2) */
};

/* Appends the response with Connection: close; a 405 gets Allow, a 426 Sec-WebSocket-Version, a 429
 * or 503 Retry-After. 0 or -ENOMEM (nothing changed). */
MUST_CHECK int http_answer_print(const struct http_answer *answer, struct buffer *out);

/* The same for a refusal, whose body is one line of text, `problem`. 0 or -ENOMEM (nothing
 * changed). */
MUST_CHECK int http_refusal(int status, const char *problem, struct buffer *answer);

/* The reason phrase ("Bad Request"); "" for a status that Sluice does not use. */
const char *http_status_text(int status);

#endif
