#include "unit.h"

#include <stdlib.h>

#include "exact.h"
#include "sluice/proto/ws/ws_handshake.h"

#define LINE       "GET /ws HTTP/1.1\r\n"
#define HOST       "Host: a.example\r\n"
#define UPGRADE    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION    "Sec-WebSocket-Version: 13\r\n"
#define ALL        HOST UPGRADE KEY VERSION
#define END        "\r\n"
#define OFFER      "Sec-WebSocket-Protocol: "
#define EXTENSIONS "Sec-WebSocket-Extensions: "

static bool is_v1(struct slice subprotocol)
{
	return slice_equal(subprotocol, SLICE("sluice.v1"));
}

static int feed(struct http_request *request, const char *bytes, size_t len)
{
	char *copy = exact_copy(slice_make(bytes, len));
	int status = http_request_feed(request, copy, len);
	free(copy);
	return status;
}

/* The status with which the request or the handshake is refused; 0: both are accepted. */
static int check(struct http_request *request, struct ws_handshake *handshake, const char **problem,
	struct slice text, size_t at, bool bytewise)
{
	http_request_init(request, 8192);
	int status = feed(request, text.at, at);
	size_t step = bytewise ? 1 : text.len - at;
	for (size_t i = at; i < text.len && status <= 1; i += step)
		status = feed(request, text.at + i, step);
	*problem = "http_request";
	return status == 1 ? ws_handshake_check(request, true, is_v1, handshake, problem) : status;
}

static const struct {
	int status;
	const char *text;
} cases[] = {
	/* valid */
	{ 0, LINE ALL END },
	{ 0, LINE HOST
		"upgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n" KEY VERSION END },
	{ 0, LINE HOST "Upgrade: h2c, websocket\r\nConnection: upgrade\r\n" KEY VERSION END },
	{ 0, LINE HOST
		"Upgrade: websocket\r\nConnection: close\r\nConnection:,UPGRADE ,\r\n" KEY VERSION
			END },
	{ 0, LINE ALL "Origin: https://a.example\r\n" END },
	{ 0, LINE ALL OFFER "a, b\r\n" OFFER "c\r\n" END },
	{ 0, LINE ALL OFFER "a, A\r\n" END },
	{ 0, LINE ALL
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" END },
	{ 0, LINE "Host: [::1]:8080\r\n" UPGRADE KEY VERSION END },
	{ 0, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key:  +/AZaz09AZaz09AZaz09+/==\t\r\n" END },
	/* other methods */
	{ 405, "POST /ws HTTP/1.1\r\n" ALL END },
	{ 405, "HEAD /ws HTTP/1.1\r\n" ALL END },
	{ 405, "OPTIONS /ws HTTP/1.1\r\n" ALL END },
	{ 405, "PUT /ws HTTP/1.1\r\n" ALL "Content-Length: 3\r\n" END "abc" },
	{ 400, "get /ws HTTP/1.1\r\n" ALL END },
	{ 400, "BREW /ws HTTP/1.1\r\n" ALL END },
	/* the request line */
	{ 400, "GET /ws HTTP/1.0\r\n" ALL END },
	{ 400, "GET /ws HTTP/2.0\r\n" ALL END },
	{ 400, "GET /ws\r\n" ALL END },
	{ 0, "GET http://a.example/ws HTTP/1.1\r\n" ALL END },
	{ 400, "GET http://b.example/ws HTTP/1.1\r\n" ALL END },
	{ 400, "GET /ws#x HTTP/1.1\r\n" ALL END },
	{ 400, "GET  /ws HTTP/1.1\r\n" ALL END },
	{ 400, "\r\n" LINE ALL END },
	/* Upgrade and Connection */
	{ 400, LINE HOST END },
	{ 400, LINE HOST "Connection: Upgrade\r\n" VERSION END },
	{ 400, LINE HOST "Connection: Upgrade\r\n" KEY VERSION END },
	{ 400, LINE HOST "Upgrade: websocket\r\n" KEY VERSION END },
	{ 400, LINE HOST "Upgrade:\r\nConnection: Upgrade\r\n" KEY VERSION END },
	{ 400, LINE HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" KEY VERSION END },
	{ 400, LINE HOST "Upgrade: websocket/13\r\nConnection: Upgrade\r\n" KEY VERSION END },
	{ 400, LINE HOST "Upgrade: web socket\r\nConnection: Upgrade\r\n" KEY VERSION END },
	{ 400, LINE HOST "Upgrade: xwebsocket\r\nConnection: Upgrade\r\n" KEY VERSION END },
	{ 400, LINE HOST "Upgrade: websocket; x\r\nConnection: Upgrade\r\n" KEY VERSION END },
	{ 400, LINE HOST "Upgrade: websocket\r\nConnection: keep-alive\r\n" KEY VERSION END },
	{ 400, LINE HOST "Upgrade: websocket\r\nConnection: Upgrade2\r\n" KEY VERSION END },
	{ 400, LINE HOST "Upgrade : websocket\r\nConnection: Upgrade\r\n" KEY VERSION END },
	{ 400, LINE HOST "Upgrade:\r\n websocket\r\nConnection: Upgrade\r\n" KEY VERSION END },
	/* Host */
	{ 400, LINE UPGRADE KEY VERSION END },
	{ 400, LINE "Host:\r\n" UPGRADE KEY VERSION END },
	{ 400, LINE "Host: \t \r\n" UPGRADE KEY VERSION END },
	{ 400, LINE HOST ALL END },
	{ 400, LINE ALL "host: b.example\r\n" END },
	{ 400, LINE "Host: a.example, b.example\r\n" UPGRADE KEY VERSION END },
	{ 400, LINE "Host: a.example/x\r\n" UPGRADE KEY VERSION END },
	{ 400, LINE "Host: u@a.example\r\n" UPGRADE KEY VERSION END },
	{ 400, LINE "Host: a\xc3\xa9\r\n" UPGRADE KEY VERSION END },
	/* Sec-WebSocket-Version */
	{ 400, LINE HOST UPGRADE KEY END },
	{ 426, LINE HOST UPGRADE KEY "Sec-WebSocket-Version:\r\n" END },
	{ 426, LINE HOST UPGRADE KEY "Sec-WebSocket-Version: 8\r\n" END },
	{ 426, LINE HOST UPGRADE KEY "Sec-WebSocket-Version: 0\r\n" END },
	{ 426, LINE HOST UPGRADE KEY "Sec-WebSocket-Version: 14\r\n" END },
	{ 426, LINE HOST UPGRADE KEY "Sec-WebSocket-Version: 013\r\n" END },
	{ 426, LINE HOST UPGRADE KEY "Sec-WebSocket-Version: +13\r\n" END },
	{ 426, LINE HOST UPGRADE KEY "Sec-WebSocket-Version: 13, 8\r\n" END },
	{ 426, LINE HOST UPGRADE "Sec-WebSocket-Version: 25\r\n" END },
	{ 400, LINE ALL VERSION END },
	{ 400, LINE ALL "Sec-WebSocket-Version: 8\r\n" END },
	/* Sec-WebSocket-Key */
	{ 400, LINE HOST UPGRADE VERSION END },
	{ 400, LINE ALL KEY END },
	{ 400, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key:\r\n" END },
	{ 400, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n" END },
	{ 400, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n" END },
	{ 400, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=a\r\n" END },
	{ 400, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQa=\r\n" END },
	{ 400, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===\r\n" END },
	{ 400, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n" END },
	{ 400, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ===\r\n" END },
	{ 400, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j-_==\r\n" END },
	{ 400, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBs ZSBub25jZ==\r\n" END },
	{ 400, LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub2==\r\n" END },
	{ 400, LINE HOST UPGRADE VERSION
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ\xc3\xa9==\r\n" END },
	/* a body */
	{ 400, LINE ALL "Content-Length: 1\r\n" END "x" },
	{ 400, LINE ALL "Content-Length: 0\r\n" END },
	{ 400, LINE ALL "Content-Length: 0\r\nContent-Length: 0\r\n" END },
	{ 400, LINE ALL "Content-Length: x\r\n" END },
	{ 400, LINE ALL "Transfer-Encoding: chunked\r\n" END },
	/* Origin */
	{ 400, LINE ALL "Origin: https://a.example\r\nOrigin: https://b.example\r\n" END },
	{ 400, LINE ALL "Origin: https://a.example\r\norigin: https://a.example\r\n" END },
	/* Sec-WebSocket-Protocol */
	{ 0, LINE ALL OFFER "sluice.v1\r\n" END },
	{ 0, LINE ALL OFFER "chat, sluice.v1\r\n" END },
	{ 0, LINE ALL OFFER "ticket.abc\r\n" END },
	{ 400, LINE ALL OFFER "ticket.a, ticket.b\r\n" END },
	{ 400, LINE ALL OFFER "sluice.v1, sluice.v1\r\n" END },
	{ 400, LINE ALL OFFER "\r\n" END },
	{ 400, LINE ALL OFFER "a,\r\n" END },
	{ 400, LINE ALL OFFER ",a\r\n" END },
	{ 400, LINE ALL OFFER "a,,b\r\n" END },
	{ 400, LINE ALL OFFER "a, ,b\r\n" END },
	{ 400, LINE ALL OFFER "a b\r\n" END },
	{ 400, LINE ALL OFFER "a;b\r\n" END },
	{ 400, LINE ALL OFFER "\"a\"\r\n" END },
	{ 400, LINE ALL OFFER "a/b\r\n" END },
	{ 400, LINE ALL OFFER "\xc3\xa9\r\n" END },
	{ 400, LINE ALL OFFER "a, b, a\r\n" END },
	{ 400, LINE ALL OFFER "a\r\n" OFFER "a\r\n" END },
	{ 400, LINE ALL OFFER "a\r\n" OFFER "\r\n" END },
	{ 0, LINE ALL OFFER
		"1,2,3,4,5,6,7,8,9,0,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v\r\n" END },
	{ 400, LINE ALL OFFER
		"1,2,3,4,5,6,7,8,9,0,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w\r\n" END },
	/* Sec-WebSocket-Extensions: bad offers are skipped, a bad header is refused */
	{ 0, LINE ALL EXTENSIONS "permessage-deflate; server_max_window_bits=99\r\n" END },
	{ 0, LINE ALL EXTENSIONS "a\r\n" EXTENSIONS "b; c=\"d\"\r\n" END },
	{ 400, LINE ALL EXTENSIONS "\r\n" END },
	{ 400, LINE ALL EXTENSIONS "permessage-deflate;\r\n" END },
	{ 400, LINE ALL EXTENSIONS "permessage-deflate\r\n" EXTENSIONS "a b\r\n" END },
	/* bytes that are not allowed in a head */
	{ 400, LINE HOST UPGRADE KEY VERSION "a: b\nc: d\r\n" END },
	{ 400, LINE HOST UPGRADE KEY VERSION "a: b\rc: d\r\n" END },
	{ 400, LINE HOST UPGRADE KEY VERSION "a: \x01\r\n" END },
	{ 400, LINE HOST UPGRADE KEY VERSION ": b\r\n" END },
	{ 400, LINE HOST UPGRADE KEY VERSION "\rX" },
};

static void refuses_each_mistake_with_its_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct slice text = slice_of(cases[i].text);
		for (size_t at = 0; at <= text.len; at++) {
			struct http_request request;
			struct ws_handshake handshake;
			const char *problem;
			int status = check(&request, &handshake, &problem, text, at, at == 0);
			if (status != cases[i].status)
				fail_msg("%d, not %d, at %zu of %s", status, cases[i].status, at,
					cases[i].text);
			assert_int_equal(problem == NULL, status == 0);
			http_request_finish(&request);
		}
	}
}

static void finds_the_parts_of_a_handshake(void **state)
{
	(void)state;
	struct http_request request;
	struct ws_handshake handshake;
	const char *problem;
	struct slice text =
		SLICE(LINE ALL "Origin: null\r\n" OFFER " one ,two\r\n" OFFER "three\r\n" END);
	assert_int_equal(check(&request, &handshake, &problem, text, 0, true), 0);
	assert_true(slice_equal(handshake.key, SLICE("dGhlIHNhbXBsZSBub25jZQ==")));
	assert_true(slice_equal(handshake.subprotocol, SLICE("one")));
	assert_true(slice_equal(handshake.host, SLICE("a.example")));
	assert_true(slice_equal(handshake.origin, SLICE("null")));
	http_request_finish(&request);
	assert_int_equal(check(&request, &handshake, &problem, SLICE(LINE ALL END), 0, false), 0);
	assert_null(handshake.subprotocol.at);
	assert_null(handshake.origin.at);
	http_request_finish(&request);
}

static void chooses_the_subprotocol(void **state)
{
	(void)state;
	static const struct {
		const char *offer, *chosen, *ticket; /* NULL: none */
		bool v1;
	} offers[] = {
		{ "chat", "chat", NULL, false },
		{ "chat, superchat", "chat", NULL, false },
		{ "sluice.v1", "sluice.v1", NULL, true },
		{ "chat, sluice.v1", "sluice.v1", NULL, true },
		{ "sluice.v1, chat", "sluice.v1", NULL, true },
		{ "chat\r\n" OFFER "sluice.v1", "sluice.v1", NULL, true },
		{ "Sluice.v1, sluice.v10, sluice.v", "Sluice.v1", NULL, false },
		{ "ticket.s3cret", NULL, "s3cret", false },
		{ "ticket.", NULL, "", false },
		{ "ticket.s3cret, chat", "chat", "s3cret", false },
		{ "ticket.s3cret, sluice.v1", "sluice.v1", "s3cret", true },
		{ "chat, sluice.v1, ticket.s3cret", "sluice.v1", "s3cret", true },
		{ "ticket, Ticket.x", "ticket", NULL, false },
	};
	for (size_t i = 0; i < COUNT_OF(offers); i++) {
		struct http_request request;
		struct ws_handshake handshake;
		const char *problem;
		char text[512];
		snprintf(text, sizeof(text), LINE ALL OFFER "%s\r\n" END, offers[i].offer);
		assert_int_equal(
			check(&request, &handshake, &problem, slice_of(text), 0, false), 0);
		assert_int_equal(is_v1(handshake.subprotocol), offers[i].v1);
		assert_int_equal(handshake.subprotocol.at == NULL, offers[i].chosen == NULL);
		assert_true(slice_equal(handshake.subprotocol, slice_of(offers[i].chosen)));
		assert_int_equal(handshake.ticket.at == NULL, offers[i].ticket == NULL);
		assert_true(slice_equal(handshake.ticket, slice_of(offers[i].ticket)));
		struct buffer answer = { 0 };
		assert_int_equal(ws_handshake_accept(&handshake, &answer), 0);
		assert_null(memmem(answer.bytes, answer.len, "ticket.", 7));
		buffer_finish(&answer);
		http_request_finish(&request);
	}
}

/* A server that accepts no offer also refuses a bad header. */
static void accepts_no_compression_unless_wanted(void **state)
{
	(void)state;
	static const struct {
		const char *offer;
		bool compression;
		int status;
		unsigned window_bits;
	} offers[] = {
		{ "permessage-deflate; server_max_window_bits=11", true, 0, 11 },
		{ "permessage-deflate; server_max_window_bits=11", false, 0, 0 },
		{ "permessage-deflate; server_max_window_bits=99", true, 0, 0 },
		{ "permessage-deflate; server_max_window_bits=", true, 400, 0 },
		{ "permessage-deflate; server_max_window_bits=", false, 400, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(offers); i++) {
		struct http_request request;
		struct ws_handshake handshake;
		const char *problem;
		char text[512];
		int len = snprintf(
			text, sizeof(text), LINE ALL EXTENSIONS "%s\r\n" END, offers[i].offer);
		http_request_init(&request, 8192);
		assert_int_equal(feed(&request, text, (size_t)len), 1);
		int status = ws_handshake_check(
			&request, offers[i].compression, is_v1, &handshake, &problem);
		assert_int_equal(status, offers[i].status);
		if (!status)
			assert_int_equal(handshake.extension.window_bits, offers[i].window_bits);
		http_request_finish(&request);
	}
}

static void tells_a_plain_request_what_the_endpoint_is(void **state)
{
	(void)state;
	struct http_request request;
	struct ws_handshake handshake;
	const char *problem;
	assert_int_equal(
		check(&request, &handshake, &problem, SLICE(LINE HOST END), 0, false), 400);
	assert_non_null(strstr(problem, "this is a WebSocket endpoint"));
	http_request_finish(&request);
}

/* The example of RFC 6455 §1.3. */
static void computes_the_accept_key(void **state)
{
	(void)state;
	char accept[29];
	ws_handshake_accept_key(SLICE("dGhlIHNhbXBsZSBub25jZQ=="), accept);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void prints_the_101_response(void **state)
{
	(void)state;
	struct ws_handshake handshake = { .key = SLICE("dGhlIHNhbXBsZSBub25jZQ==") };
	struct buffer answer = { 0 };
	assert_int_equal(ws_handshake_accept(&handshake, &answer), 0);
	assert_true(slice_equal(buffer_slice(&answer),
		SLICE("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		      "Connection: Upgrade\r\nSec-WebSocket-Accept: "
		      "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		      "\r\n")));
	answer.len = 0;
	handshake.subprotocol = SLICE("chat");
	assert_int_equal(ws_handshake_accept(&handshake, &answer), 0);
	assert_non_null(
		memmem(answer.bytes, answer.len, "=\r\nSec-WebSocket-Protocol: chat\r\n\r\n", 35));
	answer.len = 0;
	handshake.extension.window_bits = 15;
	static const char end[] = "chat\r\nSec-WebSocket-Extensions: permessage-deflate; "
				  "server_no_context_takeover; client_no_context_takeover\r\n\r\n";
	assert_int_equal(ws_handshake_accept(&handshake, &answer), 0);
	assert_non_null(memmem(answer.bytes, answer.len, end, sizeof(end) - 1));
	buffer_finish(&answer);
}

static void checks_host_and_origin_of_other_requests(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int status;
	} requests[] = {
		{ LINE HOST END, 0 },
		{ LINE HOST "Origin: https://b.example\r\n" END, 0 },
		{ LINE END, 400 },
		{ LINE HOST HOST END, 400 },
		{ LINE "Host: a b\r\n" END, 400 },
		{ LINE HOST "Origin: a\r\nOrigin: a\r\n" END, 400 },
	};
	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		struct http_request request;
		struct ws_handshake handshake;
		const char *problem;
		http_request_init(&request, 8192);
		assert_int_equal(feed(&request, requests[i].text, strlen(requests[i].text)), 1);
		int status = ws_handshake_check_page(&request, &handshake, &problem);
		assert_int_equal(status, requests[i].status);
		assert_int_equal(status != 0, problem != NULL);
		if (!status)
			assert_true(slice_equal(handshake.host, SLICE("a.example")));
		assert_true(i != 0 || !handshake.origin.at);
		assert_true(i != 1 || slice_equal(handshake.origin, SLICE("https://b.example")));
		http_request_finish(&request);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_each_mistake_with_its_status),
		cmocka_unit_test(finds_the_parts_of_a_handshake),
		cmocka_unit_test(chooses_the_subprotocol),
		cmocka_unit_test(accepts_no_compression_unless_wanted),
		cmocka_unit_test(tells_a_plain_request_what_the_endpoint_is),
		cmocka_unit_test(checks_host_and_origin_of_other_requests),
		cmocka_unit_test(computes_the_accept_key),
		cmocka_unit_test(prints_the_101_response),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
