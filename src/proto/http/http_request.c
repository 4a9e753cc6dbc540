/* Two readers look at every request head, and both must agree.
 *
 *	bytes -> gate, byte by byte -> head (until its empty line) -> llhttp, in one go -> slices
 *	                                 what comes behind -> rest
 *
 * The gate is a small state machine of our own. It knows only where lines, names and values begin
 * and end, and is as strict as RFC 9112 allows: CR LF and nothing else ends a line (§2.2), a line
 * never goes on in the next one (§5.2), no blank before the colon (§5.1), no control character. It
 * refuses with the very byte that is wrong, so a peer cannot keep a hopeless request open. llhttp
 * then gives the head its meaning. It is compiled strict, yet version 8 takes some of what the gate
 * refuses (folded lines, "Host : x", an empty name), and had bugs with bare CR (CVE-2023-30589,
 * CVE-2025-23167) by which two readers see two different requests: the root of request smuggling.
 * That is why the gate goes first, why it alone finds the end of the head (llhttp would skip a body
 * before it hands over to another protocol), and why both must count the same number of headers.
 *
 * Invariants: once the status is 1, `head` is never touched again, so that the slices stay good;
 * head.len is at most header_bytes; at most HTTP_HEADERS_MAX header lines have passed the gate. */
#include "sluice/proto/http/http_request.h"

#include <ctype.h>
#include <llhttp.h>
#include <stdint.h>

enum gate {
	GATE_METHOD_START,
	GATE_METHOD,
	GATE_TARGET_START,
	GATE_SCHEME,
	GATE_AUTHORITY_START,
	GATE_TARGET,
	GATE_VERSION,
	GATE_LINE_END,
	GATE_LINE_START,
	GATE_NAME,
	GATE_VALUE,
	GATE_HEAD_END,
	GATE_OPEN, /* the head is complete */
	GATE_SHUT, /* the last byte was wrong */
};

static const char VERSION[] = "HTTP/1.1";

static bool is_value_char(unsigned char byte)
{
	return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

/* A target begins with a path, or with all of an http URI (RFC 9112 §3.2.2). */
static enum gate pass_target_start(char byte)
{
	if (byte == '/')
		return GATE_TARGET;
	return byte == 'h' || byte == 'H' ? GATE_SCHEME : GATE_SHUT;
}

/* Behind its first letter: "http://" or "https://", in any case. */
static enum gate pass_scheme(struct http_request *request, char byte)
{
	static const char rest[] = "ttps://";
	size_t without_s = 3;
	if (request->scheme_len == without_s && byte == ':')
		request->scheme_len++;
	if (tolower((unsigned char)byte) != rest[request->scheme_len++])
		return GATE_SHUT;
	return request->scheme_len == sizeof(rest) - 1 ? GATE_AUTHORITY_START : GATE_SCHEME;
}

static bool is_target_char(char byte)
{
	return byte > ' ' && byte < 0x7f && byte != '#';
}

static enum gate pass_version(struct http_request *request, char byte)
{
	size_t len = sizeof(VERSION) - 1;
	if (request->version_len == len)
		return byte == '\r' ? GATE_LINE_END : GATE_SHUT;
	return byte == VERSION[request->version_len++] ? GATE_VERSION : GATE_SHUT;
}

static enum gate pass_line_start(struct http_request *request, char byte)
{
	if (byte == '\r')
		return GATE_HEAD_END;
	request->n_lines++;
	return http_is_token_char(byte) ? GATE_NAME : GATE_SHUT;
}

/* Where the byte leads to. */
static enum gate pass(struct http_request *request, char byte)
{
	switch ((enum gate)request->gate) {
	case GATE_METHOD_START:
		return http_is_token_char(byte) ? GATE_METHOD : GATE_SHUT;
	case GATE_METHOD:
		if (byte == ' ')
			return GATE_TARGET_START;
		return http_is_token_char(byte) ? GATE_METHOD : GATE_SHUT;
	case GATE_TARGET_START:
		return pass_target_start(byte);
	case GATE_SCHEME:
		return pass_scheme(request, byte);
	case GATE_AUTHORITY_START:
		return is_target_char(byte) && !strchr("/?", byte) ? GATE_TARGET : GATE_SHUT;
	case GATE_TARGET:
		if (byte == ' ')
			return GATE_VERSION;
		return is_target_char(byte) ? GATE_TARGET : GATE_SHUT;
	case GATE_VERSION:
		return pass_version(request, byte);
	case GATE_LINE_END:
		return byte == '\n' ? GATE_LINE_START : GATE_SHUT;
	case GATE_LINE_START:
		return pass_line_start(request, byte);
	case GATE_NAME:
		if (byte == ':')
			return GATE_VALUE;
		return http_is_token_char(byte) ? GATE_NAME : GATE_SHUT;
	case GATE_VALUE:
		if (byte == '\r')
			return GATE_LINE_END;
		return is_value_char((unsigned char)byte) ? GATE_VALUE : GATE_SHUT;
	case GATE_HEAD_END:
		return byte == '\n' ? GATE_OPEN : GATE_SHUT;
	case GATE_OPEN:
	case GATE_SHUT:
		break;
	}
	return GATE_SHUT;
}

/* Takes bytes of the head, at most to its end. Gives how many; the rest is refused, or no head. */
static size_t pass_all(struct http_request *request, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (request->head.len + i == request->header_bytes) {
			request->status = 431;
			return i;
		}
		request->gate = (uint8_t)pass(request, bytes[i]);
		if (request->gate == GATE_SHUT || request->n_lines > HTTP_HEADERS_MAX) {
			request->status = request->gate == GATE_SHUT ? 400 : 431;
			return i;
		}
		if (request->gate == GATE_OPEN)
			return i + 1;
	}
	return len;
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

/* Gives whether llhttp takes the head, and sees as many headers in it as the gate did. */
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
	if (error != HPE_OK && error != HPE_PAUSED_UPGRADE)
		return false;
	return request->n_headers == request->n_lines && request->method.len && request->target.len;
}

/* Digits only (RFC 9110 §8.6): neither a sign nor a list of equal lengths. */
static bool parse_length(struct slice text, size_t *ret_length)
{
	size_t length = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9' || length > (SIZE_MAX - 9) / 10)
			return false;
		length = length * 10 + (size_t)(text.at[i] - '0');
	}
	*ret_length = length;
	return text.len > 0;
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

/* Leaves what follows the authority of an absolute URI. Its Host must be the same (RFC 9112 §3.2):
 * where a reader may go by either, two of them could reach two hosts. */
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
	/* No path at all means "/" (RFC 9110 §4.2.3), and there is one in the scheme. */
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
		size_t n = pass_all(request, bytes, len);
		if (request->status)
			return request->status;
		if (buffer_append(&request->head, bytes, n))
			return request->status = 500;
		if (request->gate != GATE_OPEN)
			return 0;
		request->status = understand(request);
		bytes += n;
		len -= n;
	}
	if (request->status == 1 && buffer_append(&request->rest, bytes, len))
		request->status = 500;
	return request->status;
}

struct slice http_request_rest(const struct http_request *request)
{
	return buffer_slice(&request->rest);
}

bool http_is_token_char(char byte)
{
	if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
		(byte >= 'A' && byte <= 'Z'))
		return true;
	return byte && strchr("!#$%&'*+-.^_`|~", byte);
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
