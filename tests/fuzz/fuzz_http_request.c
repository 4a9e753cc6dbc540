/* The head of a request, and the opening handshake. Everything accepted must follow RFC 9112 and
 * RFC 6455 §4.2.1, checked byte by byte, and the slices must lie in the head in the order in which
 * they were sent; pieces make no difference. */
#include "fuzz.h"
#include "sluice/proto/http/http_answer.h"
#include "sluice/proto/http/http_request.h"
#include "sluice/proto/ws/ws_handshake.h"

enum { HEADER_BYTES = 2048 };

static bool is_v1(struct slice subprotocol)
{
	return slice_equal(subprotocol, SLICE("sluice.v1"));
}

static void feed(void *context, char *bytes, size_t len)
{
	struct http_request *request = context;
	int before = request->status;
	int status = http_request_feed(request, bytes, len);
	MUST(before == 0 || status == before); /* a refusal and an end are final */
	MUST(status == 0 || status == 1 || status == 400 || status == 431);
}

static void check_token(struct slice token)
{
	MUST(token.len > 0);
	for (size_t i = 0; i < token.len; i++) {
		unsigned char byte = (unsigned char)token.at[i];
		MUST(byte > ' ' && byte < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", byte));
	}
}

static void check_value(struct slice value)
{
	MUST(slice_equal(slice_trim(value), value));
	for (size_t i = 0; i < value.len; i++) {
		unsigned char byte = (unsigned char)value.at[i];
		MUST(byte == '\t' || (byte >= ' ' && byte != 0x7f));
	}
}

/* Behind the authority if the target is a whole URI; a missing path is "/". */
static void check_absolute(const struct http_request *request)
{
	struct slice target = request->target, path = request->path, host;
	size_t before = (size_t)(path.at - target.at);
	MUST(http_request_header(request, SLICE("Host"), &host) == 1);
	MUST(strncasecmp(target.at, "http://", 7) == 0 ||
		strncasecmp(target.at, "https://", 8) == 0);
	const char *slash = memchr(target.at, '/', target.len), *authority = slash + 2;
	MUST(slice_equal_nocase(slice_make(authority, host.len), host) && host.len);
	MUST(path.at == authority + host.len || (path.len == 1 && path.at == slash));
	MUST(before + path.len <= target.len);
}

static void check_target(const struct http_request *request)
{
	struct slice target = request->target, path = request->path;
	MUST(target.len > 0 && path.len > 0 && path.at[0] == '/');
	for (size_t i = 0; i < target.len; i++)
		MUST(target.at[i] > ' ' && target.at[i] < 0x7f && target.at[i] != '#');
	MUST(!memchr(path.at, '?', path.len));
	if (target.at[0] != '/') {
		check_absolute(request);
		return;
	}
	MUST(path.at == target.at);
	MUST(path.len + (request->query.at ? 1 + request->query.len : 0) == target.len);
}

/* Writes the head again from its parts: nothing is missing and nothing invented. */
static void check_head(const struct http_request *request, struct slice head)
{
	const char *at = head.at;
	MUST(request->method.at == at);
	at += request->method.len + 1;
	MUST(request->target.at == at);
	at += request->target.len;
	MUST(memcmp(at, " HTTP/1.1\r\n", 11) == 0);
	at += 11;
	for (size_t i = 0; i < request->n_headers; i++) {
		struct slice name = request->headers[i].name, value = request->headers[i].value;
		MUST(name.at == at && at[name.len] == ':');
		at += name.len + 1;
		at += strspn(at, " \t");
		MUST(value.at == at || value.len == 0);
		at += value.len;
		at += strspn(at, " \t");
		MUST(at[0] == '\r' && at[1] == '\n');
		at += 2;
	}
	MUST(at + 2 == head.at + head.len && at[0] == '\r' && at[1] == '\n');
}

static void check_accepted(const struct http_request *request, struct slice bytes)
{
	struct slice head = buffer_slice(&request->head), rest = http_request_rest(request);
	MUST(head.len <= HEADER_BYTES && head.len + rest.len == bytes.len);
	MUST(slice_equal(head, slice_make(bytes.at, head.len)));
	MUST(slice_equal(rest, slice_skip(bytes, head.len)));
	check_token(request->method);
	check_target(request);
	MUST(request->n_headers <= HTTP_HEADERS_MAX);
	for (size_t i = 0; i < request->n_headers; i++) {
		check_token(request->headers[i].name);
		check_value(request->headers[i].value);
	}
	check_head(request, head);
	MUST(http_request_header(request, SLICE("transfer-encoding"), NULL) == 0);
	MUST(http_request_header(request, SLICE("content-length"), NULL) <= 1);
	MUST(request->has_body == (request->content_length > 0));
}

/* ---- the handshake ---- */

/* The expected number of lines, each ended by CR LF: no header was injected. */
static void check_lines(struct slice answer, size_t n_lines)
{
	size_t n = 0;
	for (size_t i = 0; i < answer.len; i++) {
		MUST((answer.at[i] == '\n') == (i > 0 && answer.at[i - 1] == '\r'));
		n += answer.at[i] == '\n';
	}
	MUST(n == n_lines);
}

static void check_handshake(const struct http_request *request)
{
	struct ws_handshake handshake;
	const char *problem = NULL;
	struct buffer answer = { 0 };
	int status = ws_handshake_check(request, true, is_v1, &handshake, &problem);
	if (status) {
		MUST(status == 400 || status == 405 || status == 426);
		MUST(problem && *problem && http_refusal(status, problem, &answer) == 0);
	} else {
		MUST(slice_equal(request->method, SLICE("GET")) && !request->has_body);
		MUST(handshake.key.len == 24 && handshake.host.len > 0);
		if (handshake.subprotocol.at)
			check_token(handshake.subprotocol);
		MUST(ws_handshake_accept(&handshake, &answer) == 0);
		check_lines(buffer_slice(&answer), 5u + (handshake.subprotocol.at != NULL) +
							   (handshake.extension.window_bits != 0));
	}
	buffer_finish(&answer);
}

/* ---- pieces ---- */

static void check_same_slice(const struct http_request *a, struct slice part_of_a,
	const struct http_request *b, struct slice part_of_b)
{
	MUST(slice_equal(part_of_a, part_of_b));
	MUST(!part_of_a.at == !part_of_b.at);
	MUST(!part_of_a.at || part_of_a.at - a->head.bytes == part_of_b.at - b->head.bytes);
}

static void check_same(const struct http_request *a, const struct http_request *b)
{
	MUST(a->status == b->status && a->n_headers == b->n_headers);
	MUST(a->content_length == b->content_length && a->has_body == b->has_body);
	check_same_slice(a, a->method, b, b->method);
	check_same_slice(a, a->target, b, b->target);
	check_same_slice(a, a->path, b, b->path);
	check_same_slice(a, a->query, b, b->query);
	for (size_t i = 0; i < a->n_headers; i++) {
		check_same_slice(a, a->headers[i].name, b, b->headers[i].name);
		check_same_slice(a, a->headers[i].value, b, b->headers[i].value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = fuzz_rest(data, size);
	struct http_request whole, pieces;
	http_request_init(&whole, HEADER_BYTES);
	http_request_init(&pieces, HEADER_BYTES);
	fuzz_feed(FUZZ_WHOLE, bytes, feed, &whole);
	fuzz_feed(size ? data[0] : FUZZ_WHOLE, bytes, feed, &pieces);
	check_same(&whole, &pieces);
	if (whole.status == 1) {
		check_accepted(&whole, bytes);
		check_accepted(&pieces, bytes);
		check_handshake(&pieces);
	}
	http_request_finish(&whole);
	http_request_finish(&pieces);
	return 0;
}
