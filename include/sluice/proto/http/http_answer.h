/* HTTP answers: complete, sent at once, and the last thing on their connection (RFC 9110, RFC 9112). */
#ifndef SLUICE_PROTO_HTTP_HTTP_ANSWER_H
#define SLUICE_PROTO_HTTP_HTTP_ANSWER_H

#include <stdbool.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"

/* Nothing in here may be what a peer has sent, unless http_request has let it pass. */
struct http_answer {
	int status;
	struct slice headers; /* more of them, each with its CR LF; absent: none */
	const char *type;     /* Content-Type; NULL: there is no content (204, 304) */
	struct slice body;
	bool head; /* it answers HEAD: the body is only counted (RFC 9110 §9.3.2) */
};

/* Appends status line, Connection: close, and the rest; Sec-WebSocket-Version: 13 with a 426;
 * Retry-After with a 503 or 429; Allow: GET with a 405. 0 or -ENOMEM (nothing changed). */
MUST_CHECK int http_answer_print(const struct http_answer *answer, struct buffer *out);

/* The same for one line of text that says why somebody is refused. 0 or -ENOMEM (nothing changed). */
MUST_CHECK int http_refusal(int status, const char *problem, struct buffer *answer);

/* "Bad Request"; "" for a status that sluice does not use. */
const char *http_status_text(int status);

#endif
