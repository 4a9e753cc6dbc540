#include "unit.h"

#include "sluice/proto/http/http_answer.h"

static void assert_answer(const struct http_answer *answer, const char *expected)
{
	struct buffer out = { 0 };
	assert_int_equal(buffer_append_slice(&out, SLICE("before ")), 0);
	assert_int_equal(http_answer_print(answer, &out), 0);
	assert_int_equal(out.len, 7 + strlen(expected));
	assert_memory_equal(out.bytes, "before ", 7);
	assert_memory_equal(out.bytes + 7, expected, strlen(expected));
	buffer_finish(&out);
}

static void prints_responses(void **state)
{
	(void)state;
	assert_answer(&(const struct http_answer){ .status = 204 },
		"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
	assert_answer(&(const struct http_answer){ .status = 304, .headers = SLICE("A: 1\r\n") },
		"HTTP/1.1 304 Not Modified\r\nConnection: close\r\nA: 1\r\n\r\n");
	assert_answer(
		&(const struct http_answer){ .status = 200, .type = "a/b", .body = SLICE("cde") },
		"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: a/b\r\n"
		"Content-Length: 3\r\n\r\ncde");
	assert_answer(&(const struct http_answer){ .status = 200,
			      .type = "a/b",
			      .headers = SLICE("A: 1\r\nB: 2\r\n"),
			      .body = SLICE("cde"),
			      .head = true },
		"HTTP/1.1 200 OK\r\nConnection: close\r\nA: 1\r\nB: 2\r\n"
		"Content-Type: a/b\r\nContent-Length: 3\r\n\r\n");
}

static void prints_refusals_with_the_headers_of_their_status(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *text;
	} answers[] = {
		{ 400, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
		       "Content-Type: text/plain; charset=utf-8\r\nContent-Length: "
		       "4\r\n\r\nbad\n" },
		{ 405, "\r\nAllow: GET\r\n" },
		{ 426, "\r\nSec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n" },
		{ 429, "\r\nRetry-After: 1\r\n" },
		{ 503, "\r\nRetry-After: 1\r\n" },
	};
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		struct buffer answer = { 0 };
		assert_int_equal(http_refusal(answers[i].status, "bad", &answer), 0);
		assert_non_null(
			memmem(answer.bytes, answer.len, answers[i].text, strlen(answers[i].text)));
		assert_non_null(memmem(answer.bytes, answer.len, "\r\n\r\nbad\n", 8));
		buffer_finish(&answer);
	}
	assert_string_equal(http_status_text(431), "Request Header Fields Too Large");
	assert_string_equal(http_status_text(418), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_responses),
		cmocka_unit_test(prints_refusals_with_the_headers_of_their_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
