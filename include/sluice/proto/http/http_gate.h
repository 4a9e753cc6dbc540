/* The gate before llhttp: passes the head of an HTTP/1.1 request byte by byte, refuses what no head
 * may contain, and finds its end. What the head means is http_request's business. */
#ifndef SLUICE_PROTO_HTTP_HTTP_GATE_H
#define SLUICE_PROTO_HTTP_HTTP_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_HEADERS_MAX = 64 };

/* A zeroed struct is ready to use. */
struct http_gate {
	uint8_t n_lines; /* header lines that have begun */
	/* private */
	uint8_t state;
	uint8_t scheme_len;  /* how much of "https://" has come */
	uint8_t version_len; /* how much of "HTTP/1.1" has come */
};

enum http_gate_result {
	HTTP_GATE_MORE,     /* the bytes are used up, and belong to the head */
	HTTP_GATE_HEAD_END, /* the last byte passed ends the head's empty line */
	HTTP_GATE_REFUSED,  /* the last byte passed is not allowed there */
	HTTP_GATE_TOO_MANY, /* it begins one header line more than HTTP_HEADERS_MAX */
};

/* Passes bytes until one of them has another result than HTTP_GATE_MORE, which is final.
 * `ret_passed`: how many bytes were passed, with that one. */
enum http_gate_result http_gate_pass(
	struct http_gate *gate, const char *bytes, size_t len, size_t *ret_passed);

/* Is this byte allowed in a token (RFC 9110 §5.6.2): a method, a field name, a subprotocol? */
bool http_is_token_char(char byte);

#endif
