#include "unit.h"

#include <llhttp.h>
#include <stdlib.h>

#include "exact.h"
#include "sluice/proto/http/http_request.h"

enum { HEADER_BYTES = 1024 };

/* Feeds from a block of the exact size, so that a sanitizer sees a read beyond it. */
static int feed(struct http_request *request, const char *bytes, size_t len)
{
	char *copy = exact_copy(slice_make(bytes, len));
	int status = http_request_feed(request, copy, len);
	free(copy);
	return status;
}

/* In two pieces, the second one byte by byte on request. Stops at a refusal, as a connection
 * does. */
static int feed_split(struct http_request *request, struct slice text, size_t at, bool bytewise)
{
	http_request_init(request, HEADER_BYTES);
	int status = feed(request, text.at, at);
	size_t step = bytewise ? 1 : text.len - at;
	for (size_t i = at; i < text.len && status <= 1; i += step)
		status = feed(request, text.at + i, step);
	return status;
}

/* The status is the same if the bytes come whole, byte by byte, or split at any point. */
static void expect_status(struct slice text, int status)
{
	struct http_request request;
	for (size_t at = 0; at <= text.len; at++) {
		int got = feed_split(&request, text, at, at == 0);
		if (got != status)
			fail_msg("%.*s: %d at %zu, not %d", SLICE_ARGS(text), got, at, status);
		http_request_finish(&request);
	}
	assert_int_equal(feed_split(&request, text, text.len, false), status);
	http_request_finish(&request);
}

static void check_complete(const struct http_request *request)
{
	struct slice value = { NULL, 0 };
	assert_true(slice_equal(request->method, SLICE("GET")));
	assert_true(slice_equal(request->target, SLICE("/ws?channel=a&channel=b?")));
	assert_true(slice_equal(request->path, SLICE("/ws")));
	assert_true(slice_equal(request->query, SLICE("channel=a&channel=b?")));
	assert_int_equal(request->n_headers, 5);
	assert_int_equal(http_request_header(request, SLICE("host"), &value), 1);
	assert_true(slice_equal(value, SLICE("a.example:80")));
	assert_int_equal(http_request_header(request, SLICE("COOKIE"), &value), 2);
	assert_true(slice_equal(value, SLICE("a=1;\tb")));
	assert_int_equal(http_request_header(request, SLICE("X-Empty"), &value), 1);
	assert_int_equal(value.len, 0);
	assert_int_equal(http_request_header(request, SLICE("Cook"), NULL), 0);
	assert_true(slice_equal(http_request_rest(request), SLICE("\x81\x00 early \r\n\r\n")));
	assert_false(request->has_body);
}

static void parses_a_request(void **state)
{
	(void)state;
	struct slice text = SLICE("GET /ws?channel=a&channel=b? HTTP/1.1\r\n"
				  "Host:a.example:80\r\n"
				  "Cookie: \t a=1;\tb \t\r\n"
				  "X-Empty:\r\n"
				  "cookie: c=\xc3\xa9\r\n"
				  "Upgrade: websocket\r\n"
				  "\r\n"
				  "\x81\x00 early \r\n\r\n");
	struct http_request request;
	for (size_t at = 0; at <= text.len; at++) {
		assert_int_equal(feed_split(&request, text, at, at % 2), 1);
		check_complete(&request);
		http_request_finish(&request);
	}
}

static void splits_the_target(void **state)
{
	(void)state;
	static const struct {
		struct slice text, path, query;
	} cases[] = {
		{ SLICE("GET / HTTP/1.1\r\n\r\n"), SLICE("/"), { NULL, 0 } },
		{ SLICE("GET /? HTTP/1.1\r\n\r\n"), SLICE("/"), SLICE("") },
		{ SLICE("GET //x/../%2e?a?b HTTP/1.1\r\n\r\n"), SLICE("//x/../%2e"), SLICE("a?b") },
		{ SLICE("GET http://a:80/ws?b HTTP/1.1\r\nHost: a:80\r\n\r\n"), SLICE("/ws"),
			SLICE("b") },
		{ SLICE("GET hTTPs://a//b HTTP/1.1\r\nHost: A\r\n\r\n"), SLICE("//b"),
			{ NULL, 0 } },
		{ SLICE("GET HTTP://a HTTP/1.1\r\nHost: a\r\n\r\n"), SLICE("/"), { NULL, 0 } },
		{ SLICE("GET http://a?b/c HTTP/1.1\r\nHost: a\r\n\r\n"), SLICE("/"), SLICE("b/c") },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct http_request request;
		assert_int_equal(feed_split(&request, cases[i].text, 0, true), 1);
		assert_true(slice_equal(request.path, cases[i].path));
		assert_true(slice_equal(request.query, cases[i].query));
		assert_int_equal(request.query.at != NULL, cases[i].query.at != NULL);
		http_request_finish(&request);
	}
}

static void slices_stay_valid_when_more_bytes_arrive(void **state)
{
	(void)state;
	static const char body[4096];
	struct http_request request;
	http_request_init(&request, HEADER_BYTES);
	struct slice head = SLICE("POST /x HTTP/1.1\r\nContent-Length: 4098\r\n\r\nab");
	assert_int_equal(feed(&request, head.at, head.len), 1);
	const char *method = request.method.at;
	assert_int_equal(feed(&request, body, sizeof(body)), 1);
	assert_ptr_equal(request.method.at, method);
	assert_true(slice_equal(request.method, SLICE("POST")));
	assert_true(request.has_body);
	assert_int_equal(request.content_length, 4098);
	assert_int_equal(http_request_rest(&request).len, 4098);
	http_request_finish(&request);
}

static void joins_headers_of_one_name(void **state)
{
	(void)state;
	struct http_request request;
	struct buffer joined = { 0 };
	struct slice text =
		SLICE("GET / HTTP/1.1\r\nCookie: a=1\r\nHost: x\r\ncookie: b=2\r\n\r\n");
	assert_int_equal(feed_split(&request, text, 0, false), 1);
	assert_int_equal(http_request_join(&request, SLICE("Nothing"), "; ", &joined), 0);
	assert_int_equal(joined.len, 0);
	assert_int_equal(http_request_join(&request, SLICE("Cookie"), "; ", &joined), 0);
	assert_true(slice_equal(buffer_slice(&joined), SLICE("a=1; b=2")));
	buffer_finish(&joined);
	http_request_finish(&request);
}

/* Each is refused on the first byte of `bad`, and not before. */
static const struct {
	struct slice good, bad;
} early[] = {
#define LINE "GET / HTTP/1.1\r\n"
	{ SLICE(""), SLICE("\r\nGET / HTTP/1.1\r\n\r\n") },
	{ SLICE(""), SLICE("\nGET / HTTP/1.1\r\n\r\n") },
	{ SLICE(""), SLICE(" GET / HTTP/1.1\r\n\r\n") },
	{ SLICE(""), SLICE("\x16\x03\x01") }, /* a TLS client */
	{ SLICE(""), SLICE("\x80") },
	{ SLICE(""), SLICE("\0") },
	{ SLICE("GET"), SLICE("\t/ HTTP/1.1\r\n\r\n") },
	{ SLICE("GE"), SLICE("\xc3\xa9 / HTTP/1.1\r\n\r\n") },
	{ SLICE("G"), SLICE("(T / HTTP/1.1\r\n\r\n") },
	{ SLICE("GET"), SLICE("\r\n\r\n") },
	{ SLICE("GET "), SLICE(" / HTTP/1.1\r\n\r\n") },
	{ SLICE("GET "), SLICE("ftp://a/ HTTP/1.1\r\n\r\n") },
	{ SLICE("GET "), SLICE("ws://a/ HTTP/1.1\r\n\r\n") },
	{ SLICE("GET http"), SLICE("x://a/ HTTP/1.1\r\n\r\n") },
	{ SLICE("GET https"), SLICE("s://a/ HTTP/1.1\r\n\r\n") },
	{ SLICE("GET http:"), SLICE("a/ HTTP/1.1\r\n\r\n") },
	{ SLICE("GET http:/"), SLICE("a/ HTTP/1.1\r\n\r\n") },
	{ SLICE("GET http://"), SLICE("/ HTTP/1.1\r\n\r\n") },
	{ SLICE("GET http://"), SLICE("?a HTTP/1.1\r\n\r\n") },
	{ SLICE("GET http://"), SLICE(" HTTP/1.1\r\n\r\n") },
	{ SLICE("GET http://"), SLICE("#a HTTP/1.1\r\n\r\n") },
	{ SLICE("GET http://a/"), SLICE("\x80 HTTP/1.1\r\n\r\n") },
	{ SLICE("OPTIONS "), SLICE("* HTTP/1.1\r\n\r\n") },
	{ SLICE("CONNECT "), SLICE("a:80 HTTP/1.1\r\n\r\n") },
	{ SLICE("CONNECT h"), SLICE(":80 HTTP/1.1\r\n\r\n") },
	{ SLICE("GET "), SLICE("?a HTTP/1.1\r\n\r\n") },
	{ SLICE("GET /a"), SLICE("#b HTTP/1.1\r\n\r\n") },
	{ SLICE("GET /a"), SLICE("\xff HTTP/1.1\r\n\r\n") },
	{ SLICE("GET /a"), SLICE("\x7f HTTP/1.1\r\n\r\n") },
	{ SLICE("GET /a"), SLICE("\tb HTTP/1.1\r\n\r\n") },
	{ SLICE("GET /a"), SLICE("\0 HTTP/1.1\r\n\r\n") },
	{ SLICE("GET /a"), SLICE("\r\n\r\n") }, /* HTTP/0.9 */
	{ SLICE("GET /a "), SLICE("b HTTP/1.1\r\n\r\n") },
	{ SLICE("GET / "), SLICE("\r\n\r\n") },
	{ SLICE("GET / HTTP/1."), SLICE("0\r\n\r\n") },
	{ SLICE("GET / HTTP/1."), SLICE("2\r\n\r\n") },
	{ SLICE("GET / HTTP/"), SLICE("2.0\r\n\r\n") },
	{ SLICE("GET / HTTP/"), SLICE("0.9\r\n\r\n") },
	{ SLICE("GET / HTTP/"), SLICE("01.1\r\n\r\n") },
	{ SLICE("GET / "), SLICE("http/1.1\r\n\r\n") },
	{ SLICE("GET / "), SLICE("RTSP/1.0\r\n\r\n") },
	{ SLICE("GET / "), SLICE("ICE/1.0\r\n\r\n") },
	{ SLICE("GET / HTTP/1.1"), SLICE(" \r\n\r\n") },
	{ SLICE("GET / HTTP/1.1"), SLICE("\n\r\n") },
	{ SLICE("GET / HTTP/1.1\r"), SLICE("\r\n\r\n") },
	{ SLICE("PRI "), SLICE("* HTTP/2.0\r\n\r\nSM\r\n\r\n") },
	{ SLICE(LINE), SLICE(" a: b\r\n\r\n") },
	{ SLICE(LINE), SLICE("\ta: b\r\n\r\n") },
	{ SLICE(LINE), SLICE(": b\r\n\r\n") },
	{ SLICE(LINE), SLICE("\n") },
	{ SLICE(LINE "a"), SLICE(" : b\r\n\r\n") },
	{ SLICE(LINE "a"), SLICE("\t: b\r\n\r\n") },
	{ SLICE(LINE "a"), SLICE("(b: c\r\n\r\n") },
	{ SLICE(LINE "a"), SLICE("\x80: c\r\n\r\n") },
	{ SLICE(LINE "a"), SLICE("\0: c\r\n\r\n") },
	{ SLICE(LINE "a"), SLICE("\r\n\r\n") },
	{ SLICE(LINE "a: b"), SLICE("\nc: d\r\n\r\n") },
	{ SLICE(LINE "a: b"), SLICE("\0\r\n\r\n") },
	{ SLICE(LINE "a: b"), SLICE("\x01\r\n\r\n") },
	{ SLICE(LINE "a: b"), SLICE("\x0b\r\n\r\n") },
	{ SLICE(LINE "a: b"), SLICE("\x7f\r\n\r\n") },
	{ SLICE(LINE "X-Abc:\r"), SLICE("xTransfer-Encoding: chunked\r\n\r\n") },
	{ SLICE(LINE "a: b\r"), SLICE("\r\n\r\n") },
	{ SLICE(LINE "a: b\r\n"), SLICE(" folded\r\n\r\n") },
	{ SLICE(LINE "a: b\r\n"), SLICE("\tfolded\r\n\r\n") },
	{ SLICE(LINE "a: b\r\n"), SLICE("\n") },
	{ SLICE(LINE "a: b\r\n\r"), SLICE("X") },
	{ SLICE(LINE "a: b\r\n\r"), SLICE("\r\n") },
	{ SLICE(LINE "\r"), SLICE("a: b\r\n\r\n") },
	/* headers that one server takes for the header of a body and another does not */
	{ SLICE(LINE "Transfer-Encoding"), SLICE(" : chunked\r\n\r\n") },
	{ SLICE(LINE "Transfer-Encoding"), SLICE("\x0b: chunked\r\n\r\n") },
	{ SLICE(LINE "Transfer-Encoding"), SLICE("\r\n : chunked\r\n\r\n") },
	{ SLICE(LINE "Transfer-Encoding"), SLICE("\0: chunked\r\n\r\n") },
	{ SLICE(LINE "Transfer-Encoding:"), SLICE("\x0b"
						  "chunked\r\n\r\n") },
	{ SLICE(LINE "Transfer-Encoding: chunk"), SLICE("\0ed\r\n\r\n") },
	{ SLICE(LINE "Transfer-Encoding: chunked"), SLICE("\x0c\r\n\r\n") },
	{ SLICE(LINE "Transfer-Encoding:\r\n"), SLICE(" chunked\r\n\r\n") },
	{ SLICE(LINE "a: b"), SLICE("\nTransfer-Encoding: chunked\r\n\r\n") },
	{ SLICE(LINE "a: b\r"), SLICE("Transfer-Encoding: chunked\r\n\r\n") },
	{ SLICE(LINE "a: b\r\n"), SLICE("\0Transfer-Encoding: chunked\r\n\r\n") },
	{ SLICE(LINE "\r"), SLICE("Transfer-Encoding: chunked\r\n\r\n") },
	{ SLICE(LINE "Content-Length"), SLICE(" : 3\r\n\r\n") },
	{ SLICE(LINE "Content-Length:"), SLICE("\x0b"
					       "3\r\n\r\n") },
	{ SLICE(LINE "Content-Length: 3"), SLICE("\0\r\n\r\n") },
	{ SLICE(LINE "Content-Length:\r\n"), SLICE(" 3\r\n\r\n") },
};

static void refuses_on_the_first_wrong_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(early); i++) {
		struct http_request request;
		struct buffer text = { 0 };
		assert_int_equal(buffer_append_slice(&text, early[i].good), 0);
		assert_int_equal(buffer_append_slice(&text, early[i].bad), 0);
		expect_status(buffer_slice(&text), 400);
		expect_status(early[i].good, 0);
		expect_status(slice_make(text.bytes, early[i].good.len + 1), 400);
		assert_int_equal(feed_split(&request, buffer_slice(&text), 0, false), 400);
		assert_int_equal(feed(&request, "x", 1), 400);
		http_request_finish(&request);
		buffer_finish(&text);
	}
}

static void refuses_a_wrong_meaning_at_the_end_of_the_head(void **state)
{
	(void)state;
	static const struct slice texts[] = {
		SLICE(LINE "Transfer-Encoding: chunked\r\n\r\n"),
		SLICE(LINE "transfer-encoding:\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding: identity\r\n\r\n"),
		SLICE(LINE "TRANSFER-ENCODING: CHUNKED\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding:chunked\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding:\tchunked\t\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding: chunked, identity\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding: , chunked\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding: xchunked\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding: \"chunked\"\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding: chunked;a=b\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding: \xa0"
			   "chunked\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"),
		SLICE(LINE "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"),
		SLICE(LINE "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"),
		SLICE(LINE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			   "Transfer-Encoding: chunked\r\n\r\n"),
		SLICE(LINE "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
		SLICE(LINE "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"),
		SLICE(LINE "Content-Length: 0\r\ncontent-length: 3\r\n\r\n"),
		SLICE(LINE "Content-Length: 3, 3\r\n\r\n"),
		SLICE(LINE "Content-Length: 0,\r\n\r\n"),
		SLICE(LINE "Content-Length: 3;3\r\n\r\n"),
		SLICE(LINE "Content-Length: \"3\"\r\n\r\n"),
		SLICE(LINE "Content-Length: 1e1\r\n\r\n"),
		SLICE(LINE "Content-Length: 3.0\r\n\r\n"),
		SLICE(LINE "Content-Length: 1_0\r\n\r\n"),
		SLICE(LINE "Content-Length: +0\r\n\r\n"),
		SLICE(LINE "Content-Length: -0\r\n\r\n"),
		SLICE(LINE "Content-Length: \xa0"
			   "3\r\n\r\n"),
		SLICE(LINE "Content-Length: 18446744073709551616\r\n\r\n"),
		SLICE(LINE "Content-Length: +3\r\n\r\n"),
		SLICE(LINE "Content-Length: -1\r\n\r\n"),
		SLICE(LINE "Content-Length: 0x3\r\n\r\n"),
		SLICE(LINE "Content-Length: 1 2\r\n\r\n"),
		SLICE(LINE "Content-Length:\r\n\r\n"),
		SLICE(LINE "Content-Length: 99999999999999999999999\r\n\r\n"),
		SLICE("GET http://a/ HTTP/1.1\r\n\r\n"),
		SLICE("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"),
		SLICE("GET http://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n"),
		SLICE("GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
		SLICE("GET http://b@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
		SLICE("GET http://a\\@b/ HTTP/1.1\r\nHost: b\r\n\r\n"),
		SLICE("BREW / HTTP/1.1\r\n\r\n"),
		SLICE("get / HTTP/1.1\r\n\r\n"),
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		expect_status(texts[i], 400);
		expect_status(slice_make(texts[i].at, texts[i].len - 1), 0);
	}
}

static void accepts_valid_requests(void **state)
{
	(void)state;
	static const struct slice texts[] = {
		SLICE("GET / HTTP/1.1\r\n\r\n"),
		SLICE("HEAD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
		SLICE("DELETE /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
		SLICE(LINE "!#$%&'*+-.^_`|~09azAZ: \x80\xff\t~\r\n\r\n"),
		SLICE(LINE "Connection: close\r\n\r\nmore"),
		SLICE(LINE "Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\nabcd"),
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		expect_status(texts[i], 1);
}

/* llhttp must neither skip the body of an upgrade nor take it for the next request. */
static void keeps_the_body_behind_the_head(void **state)
{
	(void)state;
	struct slice text =
		SLICE(LINE "Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\nabcdGET");
	for (size_t at = 0; at <= text.len; at++) {
		struct http_request request;
		assert_int_equal(feed_split(&request, text, at, true), 1);
		assert_true(slice_equal(http_request_rest(&request), SLICE("abcdGET")));
		assert_int_equal(request.content_length, 4);
		http_request_finish(&request);
	}
}

static struct buffer head_of_length(size_t len)
{
	struct buffer text = { 0 };
	assert_int_equal(buffer_append_slice(&text, SLICE(LINE "a: ")), 0);
	while (text.len < len - 4)
		assert_int_equal(buffer_append(&text, "x", 1), 0);
	assert_int_equal(buffer_append_slice(&text, SLICE("\r\n\r\n")), 0);
	return text;
}

static void limits_the_length_of_the_head(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct buffer text = head_of_length(HEADER_BYTES + over);
		assert_int_equal(text.len, HEADER_BYTES + over);
		expect_status(buffer_slice(&text), over ? 431 : 1);
		buffer_finish(&text);
	}
	char endless[HEADER_BYTES + 1] = "GET /";
	memset(endless + 5, 'a', sizeof(endless) - 5);
	expect_status(slice_make(endless, HEADER_BYTES), 0);
	expect_status(slice_make(endless, HEADER_BYTES + 1), 431);
}

static void limits_the_number_of_headers(void **state)
{
	(void)state;
	for (size_t n = HTTP_HEADERS_MAX; n <= HTTP_HEADERS_MAX + 1; n++) {
		struct buffer text = { 0 };
		assert_int_equal(buffer_append_slice(&text, SLICE(LINE)), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(buffer_append_slice(&text, SLICE("a: b\r\n")), 0);
		assert_int_equal(buffer_append_slice(&text, SLICE("\r\n")), 0);
		expect_status(buffer_slice(&text), n == HTTP_HEADERS_MAX ? 1 : 431);
		buffer_finish(&text);
	}
}

/* Without our gate. Fails if llhttp was compiled lenient. */
static void llhttp_itself_is_strict(void **state)
{
	(void)state;
	static const struct slice texts[] = {
		SLICE(LINE "X-Abc:\rxTransfer-Encoding: chunked\r\n\r\n"), /* CVE-2023-30589 */
		SLICE(LINE "a: b\r\n\rX"),                                 /* CVE-2025-23167 */
		SLICE(LINE "Host : x\r\n\r\n"),
		SLICE(LINE "a: b\nc: d\r\n\r\n"),
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		llhttp_settings_t settings;
		llhttp_t parser;
		llhttp_settings_init(&settings);
		llhttp_init(&parser, HTTP_REQUEST, &settings);
		assert_int_not_equal(llhttp_execute(&parser, texts[i].at, texts[i].len), HPE_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_a_request),
		cmocka_unit_test(splits_the_target),
		cmocka_unit_test(slices_stay_valid_when_more_bytes_arrive),
		cmocka_unit_test(joins_headers_of_one_name),
		cmocka_unit_test(refuses_on_the_first_wrong_byte),
		cmocka_unit_test(refuses_a_wrong_meaning_at_the_end_of_the_head),
		cmocka_unit_test(accepts_valid_requests),
		cmocka_unit_test(keeps_the_body_behind_the_head),
		cmocka_unit_test(limits_the_length_of_the_head),
		cmocka_unit_test(limits_the_number_of_headers),
		cmocka_unit_test(llhttp_itself_is_strict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
