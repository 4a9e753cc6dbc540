#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/base/defs.h"
#include "sluice/redis/resp.h"

enum { REPLY_BYTES = 256 };

static const char *mark_of(int type)
{
	if (type == REDIS_REPLY_STRING)
		return "$";
	return type == REDIS_REPLY_STATUS ? "+" : "-";
}

/* The reply as a string, for the tables below. */
static void print(const struct redisReply *reply, struct buffer *text)
{
	switch (reply->type) {
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
	case REDIS_REPLY_ERROR:
		assert_int_equal(buffer_append(text, mark_of(reply->type), 1), 0);
		assert_int_equal(buffer_append_slice(text, reply_text(reply)), 0);
		break;
	case REDIS_REPLY_INTEGER:
		assert_int_equal(buffer_printf(text, ":%lld", reply->integer), 0);
		break;
	case REDIS_REPLY_NIL:
		assert_int_equal(buffer_printf(text, "nil"), 0);
		break;
	case REDIS_REPLY_ARRAY:
		assert_int_equal(buffer_printf(text, "["), 0);
		for (size_t i = 0; i < reply->elements; i++)
			print(reply->element[i], text);
		assert_int_equal(buffer_printf(text, "]"), 0);
		break;
	default:
		assert_int_equal(buffer_printf(text, "?"), 0);
	}
}

static int read_all(struct resp_reader *reader, struct buffer *text)
{
	struct redisReply *reply;
	int got;
	while ((got = resp_reader_next(reader, &reply)) == 1) {
		print(reply, text);
		assert_int_equal(buffer_append(text, ";", 1), 0);
		freeReplyObject(reply);
	}
	return got;
}

static int feed(struct resp_reader *reader, struct slice piece, struct buffer *text)
{
	char *copy = malloc(piece.len);
	if (piece.len)
		memcpy(copy, piece.at, piece.len);
	assert_int_equal(resp_reader_feed(reader, copy, piece.len), 0);
	free(copy);
	return read_all(reader, text);
}

/* Feeds two pieces, the second one perhaps byte by byte. Returns the last result. */
static int feed_split(struct slice bytes, size_t at, bool bytewise, struct buffer *text)
{
	struct resp_reader reader;
	assert_int_equal(resp_reader_init(&reader, REPLY_BYTES), 0);
	int got = feed(&reader, slice_make(bytes.at, at), text);
	size_t step = bytewise ? 1 : bytes.len - at;
	for (size_t i = at; i < bytes.len && got == 0; i += step)
		got = feed(&reader, slice_make(bytes.at + i, step), text);
	resp_reader_finish(&reader);
	return got;
}

static void expect(struct slice bytes, int result, struct slice replies)
{
	for (size_t at = 0; at <= bytes.len; at++) {
		struct buffer text = { 0 };
		int got = feed_split(bytes, at, at == 0, &text);
		if (got != result || !slice_equal(buffer_slice(&text), replies))
			fail_msg("%.*s: %d %.*s at %zu", SLICE_ARGS(bytes), got, (int)text.len,
				text.bytes, at);
		buffer_finish(&text);
	}
}

static void reads_replies_however_they_are_split(void **state)
{
	(void)state;
	static const struct {
		struct slice bytes, replies;
	} cases[] = {
		{ SLICE("+OK\r\n"), SLICE("+OK;") },
		{ SLICE("-ERR no\r\n"), SLICE("-ERR no;") },
		{ SLICE(":-42\r\n"), SLICE(":-42;") },
		{ SLICE("$5\r\na\r\n\0b\r\n"), SLICE("$a\r\n\0b;") },
		{ SLICE("$0\r\n\r\n"), SLICE("$;") },
		{ SLICE("$-1\r\n"), SLICE("nil;") },
		{ SLICE("*-1\r\n"), SLICE("nil;") },
		{ SLICE("*0\r\n"), SLICE("[];") },
		{ SLICE("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n"),
			SLICE("[$message$c$hi];") },
		{ SLICE("*2\r\n*1\r\n:1\r\n*2\r\n$-1\r\n+x\r\n"), SLICE("[[:1][nil+x]];") },
		{ SLICE("+A\r\n+B\r\n*1\r\n:3\r\n"), SLICE("+A;+B;[:3];") },
		{ SLICE("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"),
			SLICE("[[[[[[[[:1]]]]]]]];") },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		expect(cases[i].bytes, 0, cases[i].replies);
		expect(slice_make(cases[i].bytes.at, cases[i].bytes.len - 1), 0,
			i == 10 ? SLICE("+A;+B;") : SLICE(""));
	}
}

static void rejects_malformed_replies(void **state)
{
	(void)state;
	static const struct {
		struct slice bytes, replies;
	} cases[] = {
		{ SLICE("HTTP/1.1 400 Bad Request\r\n"), SLICE("") },
		{ SLICE("\0"), SLICE("") },
		{ SLICE("\x15\x03\x01\x00"), SLICE("") },
		{ SLICE("$-2\r\n"), SLICE("") },
		{ SLICE("$99999999999999999999\r\n"), SLICE("") },
		{ SLICE("*-2\r\n"), SLICE("") },
		{ SLICE("*x\r\n"), SLICE("") },
		{ SLICE("*99999999999999999999\r\n"), SLICE("") },
		{ SLICE("*2147483647\r\n"), SLICE("") },
		{ SLICE("*86\r\n"), SLICE("") },
		{ SLICE("*1\r\n?\r\n"), SLICE("") },
		{ SLICE("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"),
			SLICE("") },
		{ SLICE(">3\r\n+a\r\n+b\r\n+c\r\n"), SLICE("") },
		{ SLICE("%1\r\n+a\r\n+b\r\n"), SLICE("") },
		{ SLICE("~1\r\n+a\r\n"), SLICE("") },
		{ SLICE("+OK\r\nNO\r\n"), SLICE("+OK;") },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		expect(cases[i].bytes, -EPROTO, cases[i].replies);
	}
}

/* The next reply starts from zero. */
static void counts_the_elements_of_all_arrays_of_a_reply(void **state)
{
	(void)state;
	expect(SLICE("*2\r\n*0\r\n*83\r\n"), 0, SLICE(""));
	expect(SLICE("*2\r\n*0\r\n*84\r\n"), -EPROTO, SLICE(""));
	expect(SLICE("*1\r\n*0\r\n*85\r\n"), 0, SLICE("[[]];"));
}

/* ---- an array for a taker ---- */

struct owner {
	struct resp_reader reader;
	struct buffer text; /* what it has got */
};

static bool wants(struct resp_reader *reader)
{
	(void)reader;
	return true;
}

static void take(struct resp_reader *reader, struct slice text)
{
	struct owner *owner = container_of(reader, struct owner, reader);
	assert_int_equal(buffer_printf(&owner->text, "<%.*s>", SLICE_ARGS(text)), 0);
}

static int take_all(struct owner *owner)
{
	struct redisReply *reply;
	int got;
	while ((got = resp_reader_next(&owner->reader, &reply)) == 1) {
		if (reply->type == REDIS_REPLY_ARRAY) {
			assert_null(reply->element);
			assert_int_equal(buffer_printf(&owner->text, "%zu", reply->elements), 0);
		} else {
			print(reply, &owner->text);
		}
		assert_int_equal(buffer_append(&owner->text, ";", 1), 0);
		freeReplyObject(reply);
	}
	return got;
}

/* In two pieces. What has been made of a reply that does not end is freed with the reader. */
static int feed_taker(struct owner *owner, struct slice bytes, size_t at)
{
	static const struct resp_taker taker = { .wants = wants, .take = take };
	*owner = (struct owner){ .text = { 0 } };
	assert_int_equal(resp_reader_init(&owner->reader, REPLY_BYTES), 0);
	owner->reader.taker = &taker;
	assert_int_equal(resp_reader_feed(&owner->reader, bytes.at, at), 0);
	int got = take_all(owner);
	if (got == 0) {
		assert_int_equal(
			resp_reader_feed(&owner->reader, bytes.at + at, bytes.len - at), 0);
		got = take_all(owner);
	}
	resp_reader_finish(&owner->reader);
	return got;
}

static void gives_an_array_of_strings_to_its_taker(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *text;
		int result;
	} cases[] = {
		{ "*2\r\n$1\r\na\r\n$2\r\nbc\r\n", "<a><bc>2;", 0 },
		{ "*1\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n", "<a>1;<b>1;", 0 },
		{ "*0\r\n+OK\r\n", "0;+OK;", 0 },
		{ "$1\r\na\r\n*2\r\n+b\r\n$0\r\n\r\n:7\r\n$-1\r\n*-1\r\n", "$a;<b><>2;:7;nil;nil;",
			0 },
		{ "*2\r\n$1\r\na\r\n$1\r\n", "<a>", 0 },
		{ "*2\r\n$1\r\na\r\n:1\r\n", "<a>", -EPROTO },
		{ "*2\r\n$-1\r\n$1\r\na\r\n", "<a>", -EPROTO },
		{ "*2\r\n$1\r\na\r\n*-1\r\n", "<a>", -EPROTO },
		{ "*2\r\n$1\r\na\r\n*0\r\n", "<a>", -EPROTO },
		{ "*2\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n", "<a>", -EPROTO },
		{ "*86\r\n", "", -EPROTO },
		{ "*2\r\n$1\r\na\r\n?\r\n", "<a>", -EPROTO },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct slice bytes = slice_of(cases[i].bytes);
		for (size_t at = 0; at <= bytes.len; at++) {
			struct owner owner;
			assert_int_equal(feed_taker(&owner, bytes, at), cases[i].result);
			if (!slice_equal(buffer_slice(&owner.text), slice_of(cases[i].text)))
				fail_msg("%zu at %zu: %.*s", i, at, (int)owner.text.len,
					owner.text.bytes);
			buffer_finish(&owner.text);
		}
	}
}

static struct buffer string_reply(size_t wire_len)
{
	struct buffer bytes = { 0 };
	assert_int_equal(buffer_printf(&bytes, "$%zu\r\n", wire_len - 8), 0);
	while (bytes.len < wire_len - 2)
		assert_int_equal(buffer_append(&bytes, "x", 1), 0);
	assert_int_equal(buffer_append(&bytes, "\r\n", 2), 0);
	assert_int_equal(bytes.len, wire_len);
	return bytes;
}

static void expect_size(struct buffer *bytes, int result)
{
	for (size_t at = 0; at <= bytes->len; at++) {
		struct buffer text = { 0 };
		assert_int_equal(feed_split(buffer_slice(bytes), at, at == 0, &text), result);
		buffer_finish(&text);
	}
	buffer_finish(bytes);
}

static void limits_the_bytes_of_a_reply(void **state)
{
	(void)state;
	struct buffer bytes = string_reply(REPLY_BYTES);
	expect_size(&bytes, 0);
	bytes = string_reply(REPLY_BYTES + 1);
	expect_size(&bytes, -EMSGSIZE);
	/* a line without an end, and an array whose elements the reader drops as it reads */
	while (bytes.len < REPLY_BYTES + 1)
		assert_int_equal(buffer_append(&bytes, bytes.len ? "x" : "+", 1), 0);
	expect_size(&bytes, -EMSGSIZE);
	assert_int_equal(buffer_printf(&bytes, "*80\r\n"), 0);
	while (bytes.len < REPLY_BYTES + 1)
		assert_int_equal(buffer_printf(&bytes, ":123456\r\n"), 0);
	expect_size(&bytes, -EMSGSIZE);
}

/* Feeds `bytes` in pieces until there is an error, and returns it; `fed` is how far it came. */
static int feed_pieces(struct slice bytes, size_t piece, size_t *fed)
{
	struct resp_reader reader;
	struct buffer text = { 0 };
	int got = 0;
	assert_int_equal(resp_reader_init(&reader, 1 << 26), 0);
	for (*fed = 0; *fed < bytes.len && got == 0; *fed += piece)
		got = feed(
			&reader, slice_make(bytes.at + *fed, MIN(piece, bytes.len - *fed)), &text);
	resp_reader_finish(&reader);
	buffer_finish(&text);
	return got;
}

/* An unfinished line is read from its beginning with every piece, so its length is limited. */
static void limits_the_bytes_of_a_line(void **state)
{
	(void)state;
	static const char *const begins[] = { "+", "-ERR ", "$", "*", ":", "*2\r\n:1\r\n+" };
	enum { LINE = 4 << 20, PIECE = 4096 };
	char *line = malloc(LINE);
	assert_non_null(line);
	for (size_t i = 0; i < COUNT_OF(begins); i++) {
		size_t fed, len = strlen(begins[i]);
		memset(line, '1', LINE);
		memcpy(line, begins[i], len);
		assert_int_equal(feed_pieces(slice_make(line, LINE), PIECE, &fed), -EMSGSIZE);
		assert_in_range(fed, RESP_LINE_MAX, RESP_LINE_MAX + 2 * PIECE);
		assert_int_equal(feed_pieces(slice_make(line, LINE), 1 << 20, &fed), -EMSGSIZE);
		memcpy(line + LINE - 2, "\r\n", 2);
		assert_true(feed_pieces(slice_make(line, LINE), LINE, &fed) < 0);
		memcpy(line + RESP_LINE_MAX - 2, "\r\n", 2);
		if (*begins[i] == '+' || *begins[i] == '-')
			assert_int_equal(
				feed_pieces(slice_make(line, RESP_LINE_MAX), PIECE, &fed), 0);
	}
	/* a string has no lines */
	int len = sprintf(line, "$%d\r\n", LINE - 32);
	memset(line + len, 'x', (size_t)(LINE - len));
	size_t fed;
	assert_int_equal(feed_pieces(slice_make(line, LINE - 32), PIECE, &fed), 0);
	free(line);
}

static void does_not_limit_the_bytes_of_many_replies(void **state)
{
	(void)state;
	struct resp_reader reader;
	struct buffer bytes = { 0 }, text = { 0 };
	assert_int_equal(resp_reader_init(&reader, REPLY_BYTES), 0);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(buffer_printf(&bytes, "*2\r\n+a\r\n+b\r\n"), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(feed(&reader, slice_make(bytes.bytes, bytes.len - 3), &text), 0);
		assert_int_equal(feed(&reader, SLICE("b\r\n"), &text), 0);
	}
	assert_int_equal(text.len, 3 * 1000 * 7);
	resp_reader_finish(&reader);
	buffer_finish(&bytes);
	buffer_finish(&text);
}

static void formats_commands(void **state)
{
	(void)state;
	struct buffer out = { 0 };
	struct slice words[] = { SLICE("GET"), SLICE("a\r\n\0b"), { NULL, 0 } };
	assert_int_equal(resp_format(&out, words, 1), 0);
	assert_int_equal(resp_format(&out, words, 3), 0);
	assert_true(slice_equal(buffer_slice(&out),
		SLICE("*1\r\n$3\r\nGET\r\n*3\r\n$3\r\nGET\r\n$5\r\na\r\n\0b\r\n$0\r\n\r\n")));
	expect(buffer_slice(&out), 0, SLICE("[$GET];[$GET$a\r\n\0b$];"));
	buffer_finish(&out);
}

static void gives_no_text_for_other_replies(void **state)
{
	(void)state;
	struct redisReply integer = { .type = REDIS_REPLY_INTEGER };
	assert_null(reply_text(&integer).at);
	assert_null(reply_text(NULL).at);
}

static void cuts_an_error_at_its_first_quote(void **state)
{
	(void)state;
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "ERR unknown command 'GETDEL', with args: 'ticket:a'", "ERR unknown command " },
		{ "ERR unknown command `GETDEL`, `ticket:a`", "ERR unknown command " },
		{ "ERR \"a\"", "ERR " },
		{ "LOADING Redis is loading", "LOADING Redis is loading" },
		{ "NOPERM no permissions to run 'get'", "NOPERM no permissions to run 'get'" },
		{ "", "" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[64];
		struct redisReply reply = { .type = REDIS_REPLY_ERROR, .str = text };
		reply.len = (size_t)snprintf(text, sizeof(text), "%s", cases[i].text);
		assert_true(slice_equal(reply_error_reason(&reply), slice_of(cases[i].reason)));
	}
	assert_null(reply_error_reason(NULL).at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_replies_however_they_are_split),
		cmocka_unit_test(rejects_malformed_replies),
		cmocka_unit_test(counts_the_elements_of_all_arrays_of_a_reply),
		cmocka_unit_test(gives_an_array_of_strings_to_its_taker),
		cmocka_unit_test(limits_the_bytes_of_a_reply),
		cmocka_unit_test(limits_the_bytes_of_a_line),
		cmocka_unit_test(does_not_limit_the_bytes_of_many_replies),
		cmocka_unit_test(formats_commands),
		cmocka_unit_test(gives_no_text_for_other_replies),
		cmocka_unit_test(cuts_an_error_at_its_first_quote),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
