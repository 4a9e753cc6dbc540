/* The codecs without memory. Each attempt is repeated with its first allocation failing, then its
 * second, until there is none left to fail. Each time it must report the failure, free its memory
 * and leave its arguments unchanged. The linker routes the allocations of the codecs, not those of
 * their libraries, through this file (--wrap). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/proto/http/http_answer.h"
#include "sluice/proto/http/http_request.h"
#include "sluice/proto/record/session_hash.h"
#include "sluice/proto/record/session_value.h"
#include "sluice/proto/ws/ws_close.h"
#include "sluice/proto/ws/ws_deflate.h"
#include "sluice/proto/ws/ws_handshake.h"
#include "sluice/proto/ws/ws_inflate.h"
#include "sluice/proto/ws/ws_reader.h"
#include "sluice/redis/resp.h"
#include "unit.h"

/* ---- the allocations ---- */

__typeof__(malloc) __real_malloc, __wrap_malloc;
__typeof__(calloc) __real_calloc, __wrap_calloc;
__typeof__(realloc) __real_realloc, __wrap_realloc;

static size_t n_allocations, fails_at; /* 0: none fails */

static bool fails(void)
{
	return ++n_allocations == fails_at;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *block, size_t size)
{
	return fails() ? NULL : __real_realloc(block, size);
}

/* Returns how often the attempt failed. The attempt must return 0 or -ENOMEM. */
static size_t try_all(int (*attempt)(void))
{
	for (size_t n = 0;; n++) {
		n_allocations = 0;
		fails_at = n + 1;
		int error = attempt();
		bool failed = n_allocations >= fails_at;
		fails_at = 0;
		assert_int_equal(error, failed ? -ENOMEM : 0);
		if (!failed)
			return n;
	}
}

/* ---- requests ---- */

static const struct slice HEAD = SLICE("GET /ws HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=2; c=3; d=4; "
				       "e=5; f=6\r\nCookie: g=7\r\n\r\n");

static int feed_request(struct http_request *request)
{
	http_request_init(request, 1024);
	int status = http_request_feed(request, HEAD.at, 10);
	if (status == 0)
		status = http_request_feed(request, HEAD.at + 10, HEAD.len - 10);
	if (status == 1)
		status = http_request_feed(request, "behind", 6);
	if (status == 500)
		assert_int_equal(http_request_feed(request, "more", 4), 500);
	return status == 1 ? 0 : -ENOMEM;
}

static int request(void)
{
	struct http_request request;
	int error = feed_request(&request);
	http_request_finish(&request);
	return error;
}

static int join(void)
{
	struct http_request request;
	struct buffer joined = { 0 };
	int error = feed_request(&request);
	if (!error)
		error = http_request_join(
			&request, SLICE("Cookie"), "; and a long separator ", &joined);
	buffer_finish(&joined);
	http_request_finish(&request);
	return error;
}

/* ---- output ---- */

static int accept_browser(struct buffer *out)
{
	const struct ws_handshake handshake = { .key = SLICE("dGhlIHNhbXBsZSBub25jZQ=="),
		.subprotocol = SLICE("a_subprotocol_with_a_name_that_makes_the_answer_much_longer"),
		.extension = { .window_bits = 15 } };
	return ws_handshake_accept(&handshake, out);
}

static int refuse_browser(struct buffer *out)
{
	return http_refusal(503, "Redis cannot be reached", out);
}

static int format_command(struct buffer *out)
{
	const struct slice words[] = { SLICE("SUBSCRIBE"),
		SLICE("a channel whose name is longer than sixty-four bytes, so that it has to "
		      "grow"),
		SLICE("b") };
	return resp_format(out, words, COUNT_OF(words));
}

/* Appended to bytes that must not change. */
static int write_behind(int (*write)(struct buffer *out))
{
	struct buffer out = { 0 };
	int error = buffer_append_slice(&out, SLICE("before"));
	if (!error) {
		error = write(&out);
		assert_memory_equal(out.bytes, "before", 6);
		assert_int_equal(out.len > 6, error == 0);
	}
	buffer_finish(&out);
	return error;
}

static int write_accept(void)
{
	return write_behind(accept_browser);
}

static int write_refusal(void)
{
	return write_behind(refuse_browser);
}

static int write_command(void)
{
	return write_behind(format_command);
}

static int deflater(void)
{
	struct ws_deflater *deflater = ws_deflater_create();
	ws_deflater_destroy(deflater);
	return deflater ? 0 : -ENOMEM;
}

/* ---- sessions ---- */

static int session(void)
{
	const struct session_value_settings settings = { .user = SLICE("user") };
	struct identity identity;
	int error = identity_parse(&identity, &settings, SLICE("{\"user\":{\"a\":[1,{}]}}"));
	if (!error)
		identity_finish(&identity);
	return error;
}

/* ---- records: each longer than the buffer's first capacity ---- */

#define LONG "a text that is much longer than the first room that a buffer has for it is"

static int read_record(enum record_format format, struct slice record)
{
	const struct slice fields[] = { SLICE("/v/1/a") };
	const struct session_value_settings settings = { .fields = fields, .n_fields = 1 };
	struct identity identity;
	int error = identity_begin(&identity, &settings, format, record, 8);
	if (!error)
		error = identity_go_on(&identity, &settings, SIZE_MAX);
	if (!error) {
		struct identity_texts texts = identity_texts(&identity, fields[0]);
		assert_true(slice_equal(identity_texts_next(&texts), SLICE(LONG)));
		identity_finish(&identity);
	}
	assert_null(identity.record);
	return error;
}

static int msgpack(void)
{
	return read_record(
		RECORD_FORMAT_MSGPACK, SLICE("\x81\xa1v\x92\xc0\x81\xa1\x61\xd9\x4a" LONG));
}

static int php(void)
{
	return read_record(
		RECORD_FORMAT_PHP, SLICE("v|a:2:{i:0;N;i:1;a:1:{s:1:\"a\";s:74:\"" LONG "\";}}"));
}

static int json_with_escapes(void)
{
	return read_record(RECORD_FORMAT_JSON, SLICE("{\"v\":[null,{\"\\u0061\":\"\\u0061"
						     " text that is much longer than the first "
						     "room that a buffer has for it is\"}]}"));
}

/* Enough for a set of them that grows. */
static int many_strings(void)
{
	char json[2048];
	size_t len = (size_t)snprintf(json, sizeof(json), "{\"v\":[0,{\"a\":[\"" LONG "\"");
	for (int i = 1; i < 200; i++)
		len += (size_t)snprintf(json + len, sizeof(json) - len, ",%d", i);
	len += (size_t)snprintf(json + len, sizeof(json) - len, "]}]}");
	return read_record(RECORD_FORMAT_JSON, slice_make(json, len));
}

static int hash_field(void)
{
	struct buffer record = { 0 };
	int error = session_hash_add(&record, SLICE("v"), SLICE("[0,{\"a\":\"" LONG "\"}]"));
	if (!error)
		error = read_record(RECORD_FORMAT_HASH, buffer_slice(&record));
	buffer_finish(&record);
	return error;
}

/* ---- messages ---- */

static unsigned n_messages;

static void on_message(struct ws_reader *reader, enum ws_opcode opcode, struct slice payload)
{
	(void)reader;
	(void)opcode;
	assert_true(slice_equal(payload, SLICE("Hello")));
	n_messages++;
}

static void on_control(struct ws_reader *reader, struct slice payload)
{
	(void)reader;
	assert_true(slice_equal(payload, SLICE("Hello")));
	n_messages++;
}

static void on_close(struct ws_reader *reader, unsigned code, struct slice reason)
{
	(void)reader;
	fail_msg("%u %.*s", code, SLICE_ARGS(reason));
}

/* Byte by byte, so that everything has to be held. The masking keys are zero. */
static int read_message(struct slice bytes)
{
	const struct ws_reader_events events = { on_message, on_control, on_control, on_close };
	struct ws_inflaters *inflaters = ws_inflaters_create();
	struct ws_reader_settings settings = {
		.events = &events, .message_bytes = 100, .inflaters = inflaters
	};
	struct ws_reader reader;
	int failure = 0;
	if (!inflaters)
		return -ENOMEM;
	ws_reader_init(&reader, &settings);
	ws_reader_allow_compression(&reader);
	n_messages = 0;
	for (size_t i = 0; i < bytes.len && !failure; i++) {
		char byte = bytes.at[i];
		failure = ws_reader_feed(&reader, &byte, 1);
	}
	ws_reader_finish(&reader);
	ws_inflaters_destroy(inflaters);
	assert_int_equal(n_messages, failure == 0);
	assert_true(failure == 0 || failure == WS_CLOSE_INTERNAL);
	return failure ? -ENOMEM : 0;
}

static int read_text(void)
{
	return read_message(SLICE("\x01\x83\0\0\0\0Hel\x80\x82\0\0\0\0lo"));
}

static int read_ping(void)
{
	return read_message(SLICE("\x89\x85\0\0\0\0Hello"));
}

static int read_compressed(void)
{
	return read_message(SLICE("\xC1\x87\0\0\0\0\xf2\x48\xcd\xc9\xc9\x07\0"));
}

static void each_codec_reports_failed_allocations(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int (*attempt)(void);
	} attempts[] = {
		{ "request", request },
		{ "join", join },
		{ "accept", write_accept },
		{ "refusal", write_refusal },
		{ "command", write_command },
		{ "deflater", deflater },
		{ "session", session },
		{ "msgpack", msgpack },
		{ "php", php },
		{ "json with escapes", json_with_escapes },
		{ "many strings", many_strings },
		{ "hash", hash_field },
		{ "text", read_text },
		{ "ping", read_ping },
		{ "compressed", read_compressed },
	};
	for (size_t i = 0; i < COUNT_OF(attempts); i++) {
		size_t n = try_all(attempts[i].attempt);
		print_message("%s: %zu\n", attempts[i].name, n);
		assert_true(n > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
		each_codec_reports_failed_allocations) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
