/* Two parsers look at every request head, and must agree.
 *
 *	bytes -> gate, byte by byte -> head (until its empty line) -> llhttp, in one go -> slices
 *	                                 bytes behind it -> rest
 *
 * The gate (http_gate) is ours and strict; llhttp then gives the head its meaning. llhttp is
 * compiled strict, yet version 8 accepts some of what the gate refuses (folded lines, "Host : x",
 * an empty name), and had bugs with bare CR (CVE-2023-30589, CVE-2025-23167) by which two servers
 * see two different requests, the root of request smuggling. That is why the gate goes first, why
 * it alone finds the end of the head (llhttp would skip a body before it hands over to another
 * protocol), and why both must count the same number of headers.
 *
 * Invariants: once the status is 1, `head` is never touched again, so that the slices stay valid;
 * head.len is at most header_bytes; at most HTTP_HEADERS_MAX header lines have passed the gate. */
#include "sluice/proto/http/http_request.h"

#include <stdint.h>
#include <sys/types.h>

#include "llhttp_versions.h"

/* Takes the bytes that belong to the head. Returns how many, or the status to refuse the request
 * with, negated. */
static ssize_t pass(struct http_request *request, const char *bytes, size_t len)
{
	size_t room = request->header_bytes - request->head.len, n;
	switch (http_gate_pass(&request->gate, bytes, MIN(len, room), &n)) {
	case HTTP_GATE_MORE:
		return n < len ? -431 : (ssize_t)n;
	case HTTP_GATE_HEAD_END:
		request->head_is_complete = true;
		return (ssize_t)n;
	case HTTP_GATE_REFUSED:
		return -400;
	case HTTP_GATE_TOO_MANY:
		break;
	}
	return -431;
}

static int on_method(llhttp_t *parser, const char *at, size_t len)
{
	struct http_request *request = parser->data;
	request->method = slice_make(at, len);
	return 0;
}

static int on_target(llhttp_t *parser, const char *at, size_t len)
{
	struct http_request *request = parser->data;
	request->target = slice_make(at, len);
	return 0;
}

static int on_header_name(llhttp_t *parser, const char *at, size_t len)
{
	struct http_request *request = parser->data;
	if (request->n_headers == HTTP_HEADERS_MAX)
		return HPE_USER;
	request->headers[request->n_headers++] =
		(struct http_header){ slice_make(at, len), slice_make(at + len, 0) };
	return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
	struct http_request *request = parser->data;
	if (request->n_headers == 0)
		return HPE_USER;
	request->headers[request->n_headers - 1].value = slice_trim(slice_make(at, len));
	return 0;
}

/* True: llhttp accepts the head, and finds as many headers as the gate did. */
static bool read_head(struct http_request *request)
{
	static const llhttp_settings_t settings = {
		.on_method = on_method,
		.on_url = on_target,
		.on_header_field = on_header_name,
		.on_header_value = on_header_value,
	};
	llhttp_t parser;
	llhttp_init(&parser, HTTP_REQUEST, &settings);
	parser.data = request;
	llhttp_errno_t error = llhttp_execute(&parser, request->head.bytes, request->head.len);
	if (!llhttp_accepts_head(error))
		return false;
	return request->n_headers == request->gate.n_lines && request->method.len &&
	       request->target.len;
}

/* RFC 9110 §8.6: only digits, not a list of equal lengths. */
static bool parse_length(struct slice text, size_t *ret_length)
{
	uint64_t length;
	if (!slice_number(text, SIZE_MAX, &length))
		return false;
	*ret_length = (size_t)length;
	return true;
}

static bool read_body_length(struct http_request *request)
{
	if (http_request_header(request, SLICE("Transfer-Encoding"), NULL))
		return false;
	struct slice text;
	size_t n = http_request_header(request, SLICE("Content-Length"), &text);
	if (n > 1 || (n == 1 && !parse_length(text, &request->content_length)))
		return false;
	request->has_body = request->content_length > 0;
	return true;
}

static bool is_host(const struct http_request *request, struct slice authority)
{
	struct slice host;
	return http_request_header(request, SLICE("Host"), &host) == 1 &&
	       slice_equal_nocase(host, authority);
}

/* Skips scheme and authority of an absolute URI. The authority must equal the Host header (RFC 9112
 * §3.2), as servers differ in which of the two they follow. */
static bool skip_authority(const struct http_request *request, struct slice *rest)
{
	size_t len = 0;
	slice_cut(rest, '/');
	*rest = slice_skip(*rest, 1); /* the scheme's second slash */
	while (len < rest->len && !strchr("/?", rest->at[len]))
		len++;
	bool good = is_host(request, slice_make(rest->at, len));
	*rest = slice_skip(*rest, len);
	return good;
}

static bool read_target(struct http_request *request)
{
	struct slice target = request->target;
	request->query = target;
	if (target.at[0] != '/' && !skip_authority(request, &request->query))
		return false;
	request->path = slice_cut(&request->query, '?');
	/* No path means "/" (RFC 9110 §4.2.3); the scheme has a slash to point to. */
	if (!request->path.len)
		request->path = slice_make(memchr(target.at, '/', target.len), 1);
	return true;
}

static int understand(struct http_request *request)
{
	bool good = read_head(request) && read_target(request) && read_body_length(request);
	return good ? 1 : 400;
}

void http_request_init(struct http_request *request, size_t header_bytes)
{
	*request = (struct http_request){ .header_bytes = header_bytes };
}

void http_request_finish(struct http_request *request)
{
	buffer_finish(&request->head);
	buffer_finish(&request->rest);
	*request = (struct http_request){ 0 };
}

int http_request_feed(struct http_request *request, const char *bytes, size_t len)
{
	if (request->status > 1)
		return request->status;
	if (request->status == 0) {
		ssize_t n = pass(request, bytes, len);
		if (n < 0)
			return request->status = (int)-n;
		if (buffer_append(&request->head, bytes, (size_t)n))
			return request->status = 500;
		if (!request->head_is_complete)
			return 0;
		request->status = understand(request);
		bytes += n;
		len -= (size_t)n;
	}
	if (request->status == 1 && buffer_append(&request->rest, bytes, len))
		request->status = 500;
	return request->status;
}

size_t http_request_holds(const struct http_request *request)
{
	return request->head.capacity + request->rest.capacity;
}

struct slice http_request_rest(const struct http_request *request)
{
	return buffer_slice(&request->rest);
}

size_t http_request_header(
	const struct http_request *request, struct slice name, struct slice *ret_value)
{
	size_t n = 0;
	for (size_t i = 0; i < request->n_headers; i++) {
		const struct http_header *header = &request->headers[i];
		if (slice_equal_nocase(header->name, name) && n++ == 0 && ret_value)
			*ret_value = header->value;
	}
	return n;
}

int http_request_join(const struct http_request *request, struct slice name, const char *separator,
	struct buffer *joined)
{
	size_t n = 0;
	for (size_t i = 0; i < request->n_headers; i++) {
		if (!slice_equal_nocase(request->headers[i].name, name))
			continue;
		int error = n++ ? buffer_append_slice(joined, slice_of(separator)) : 0;
		if (!error)
			error = buffer_append_slice(joined, request->headers[i].value);
		if (error)
			return error;
	}
	return 0;
}
