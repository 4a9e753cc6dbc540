/* Single messages. Each is inflated whole, byte by byte, and in two parts split at every byte;
 * every part is a heap block of its exact size. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "exact.h"
#include "payloads.h"
#include "sluice/proto/ws/ws_deflate.h"
#include "sluice/proto/ws/ws_inflate.h"

enum { STEP_MAX = 16384 };

/* ---- one message, in parts ---- */

static struct ws_inflater *take(struct ws_inflaters *pool)
{
	struct ws_inflater *inflater = ws_inflater_take(pool);
	assert_non_null(inflater);
	return inflater;
}

/* The last result of ws_inflate for this part. */
static int inflate_part(struct ws_inflater *inflater, struct slice part, bool last, uint64_t limit,
	struct buffer *out)
{
	char *copy = exact_copy(part);
	struct slice rest = slice_make(copy, part.len), bytes;
	int more;
	do {
		more = ws_inflate(inflater, &rest, last, limit, &bytes);
		assert_in_range(bytes.len, 0, STEP_MAX);
		assert_int_equal(buffer_append_slice(out, bytes), 0);
	} while (more > 0);
	if (more == 0)
		assert_int_equal(rest.len, 0);
	free(copy);
	return more;
}

/* Feeds `first` bytes, then `step` at a time. Returns the last result. */
static int inflate_message(struct ws_inflaters *pool, struct slice payload, size_t first,
	size_t step, uint64_t limit, struct buffer *out)
{
	struct ws_inflater *inflater = take(pool);
	int result = 0;
	size_t len = MIN(first, payload.len);
	bool last;
	do {
		last = len == payload.len;
		result = inflate_part(inflater, slice_make(payload.at, len), last, limit, out);
		payload = slice_skip(payload, len);
		len = MIN(step, payload.len);
	} while (!result && !last);
	ws_inflater_give(inflater);
	return result;
}

/* ---- the cases ---- */

#define HELLO         "\xf2\x48\xcd\xc9\xc9\x07\x00"
#define TAIL          "\x00\x00\xff\xff"
#define EMPTY_STORED  "\0\0\0\xff\xff"
#define EMPTY_FINAL   "\x03\x00"
#define FOUR(x)       x x x x
#define SIXTY_FOUR(x) FOUR(FOUR(FOUR(x)))

#define BYTES(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

static const struct {
	const char *name;
	struct slice payload, expected;
	int result;
} cases[] = {
	/* RFC 7692 §7.2.3 */
	{ "one block", BYTES(HELLO), BYTES("Hello") },
	{ "a block with no compression", BYTES("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"),
		BYTES("Hello") },
	{ "a block with BFINAL", BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), BYTES("Hello") },
	{ "two blocks", BYTES("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"),
		BYTES("Hello") },
	{ "an empty fragment", BYTES("\x00"), BYTES("") },
	{ "a reference to the message before", BYTES("\xf2\x00\x11\x00\x00"), BYTES("H"),
		-EBADMSG },

	{ "no bytes at all", BYTES(""), BYTES("") },

	/* blocks */
	{ "an empty block", BYTES("\x02\x00"), BYTES("") },
	{ "many empty blocks", BYTES(SIXTY_FOUR(EMPTY_STORED) "\x00"), BYTES("") },
	{ "many empty blocks, and one", BYTES(SIXTY_FOUR(EMPTY_STORED) HELLO), BYTES("Hello") },
	{ "many empty blocks with BFINAL", BYTES(SIXTY_FOUR(EMPTY_FINAL) "\x00"), BYTES("") },
	{ "three flushes", BYTES(HELLO TAIL HELLO TAIL HELLO), BYTES("HelloHelloHello") },
	{ "a reference to before BFINAL", BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x00\x11\x00\x00"),
		BYTES("HelloHello") },
	{ "the tail ends a stored block with BFINAL", BYTES("\x01"), BYTES("") },
	{ "the tail is data of a stored block",
		BYTES("\x00\x06\x00\xf9\xff"
		      "ab"),
		BYTES("ab\0\0\xff\xff") },

	/* truncated */
	{ "1 of 7", BYTES("\xf2"), BYTES("H"), -EBADMSG },
	{ "BFINAL without padding", BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00"), BYTES("Hello"),
		-EBADMSG },
	{ "the tail was not removed", BYTES(HELLO TAIL), BYTES("Hello"), -EBADMSG },
	{ "three bytes of the tail", BYTES(HELLO "\x00\xff\xff"), BYTES("Hello\0\xff\xff"),
		-EBADMSG },
	{ "half of a stored block",
		BYTES("\x00\x10\x00\xef\xff"
		      "abc"),
		BYTES("abc\0\0\xff\xff"), -EBADMSG },

	/* not DEFLATE data */
	{ "a block of type 3", BYTES("\x06"), BYTES(""), -EBADMSG },
	{ "a block of type 3 behind a valid one", BYTES(HELLO "\x00\x00\xff\xff\x07"),
		BYTES("Hello"), -EBADMSG },
	{ "a stored block without the complement of its length",
		BYTES("\x00\x05\x00\xfa\xfeHello\x00"), BYTES(""), -EBADMSG },
	{ "distance 30", BYTES("\x4a\x04\x3e\x00\x00"), BYTES("a"), -EBADMSG },
	{ "a distance beyond the beginning", BYTES("\x4a\x04\x42\x00\x00"), BYTES("a"), -EBADMSG },
	{ "code 287", BYTES("\x1a\x07\x00\x00\x00"), BYTES(""), -EBADMSG },
	{ "code 286", BYTES("\x1a\x03\x00\x00\x00"), BYTES(""), -EBADMSG },
	{ "too many length codes", BYTES("\xfc\x00\x00\x00"), BYTES(""), -EBADMSG },
	{ "oversubscribed code lengths", BYTES("\x04\x00\xfe\xff\xff\xff"), BYTES(""), -EBADMSG },
	{ "text", BYTES("Hello"), BYTES(""), -EBADMSG },
	{ "a zlib header", BYTES("\x78\x9c\xf2\x48\xcd\xc9\xc9\x07\x00"), BYTES(""), -EBADMSG },
};

static void try_case(struct ws_inflaters *pool, size_t i, size_t first, size_t step)
{
	struct buffer out = { 0 };
	int result = inflate_message(pool, cases[i].payload, first, step, 1000, &out);
	struct slice bytes = buffer_slice(&out);
	if (result != cases[i].result || !slice_equal(bytes, cases[i].expected))
		fail_msg("%s, %zu then %zu: %d and %zu bytes \"%.*s\"", cases[i].name, first, step,
			result, bytes.len, SLICE_ARGS(bytes));
	buffer_finish(&out);
}

static void inflates_every_case_at_every_split(void **state)
{
	(void)state;
	struct ws_inflaters *pool = ws_inflaters_create();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t len = cases[i].payload.len;
		try_case(pool, i, 1, 1);
		try_case(pool, i, 0, 1);
		for (size_t split = 0; split <= len; split++)
			try_case(pool, i, split, len);
	}
	ws_inflaters_destroy(pool);
}

/* However many bytes are missing at the end; the whole message is accepted. */
static void refuses_a_truncated_message(void **state)
{
	(void)state;
	static const char text[] = "what is cut here is cut there and what is cut there is missing";
	char compressed[200];
	size_t len = sizeof(compressed);
	struct ws_deflater *deflater = ws_deflater_create();
	struct ws_inflaters *pool = ws_inflaters_create();
	assert_int_equal(ws_deflate(deflater, 15, slice_of(text), compressed, &len), 0);
	for (size_t cut = 1; cut <= len; cut++) {
		struct buffer out = { 0 };
		int result =
			inflate_message(pool, slice_make(compressed, cut), cut, cut, 1000, &out);
		assert_int_equal(result, cut == len ? 0 : -EBADMSG);
		buffer_finish(&out);
	}
	ws_inflaters_destroy(pool);
	ws_deflater_destroy(deflater);
}

static void inflates_what_zlib_deflated(void **state)
{
	(void)state;
	static const size_t steps[] = { SIZE_MAX, 1, 2, 7, 1000, STEP_MAX };
	struct ws_deflater *deflater = ws_deflater_create();
	struct ws_inflaters *pool = ws_inflaters_create();
	for (enum payload_kind kind = 0; kind < PAYLOAD_KINDS; kind++) {
		struct buffer payload = { 0 };
		payload_fill(&payload, kind);
		size_t room = ws_deflate_room(payload.len);
		char *compressed = calloc(1, room);
		for (unsigned bits = 8; bits <= 15; bits++) {
			size_t len = room, step = steps[bits % COUNT_OF(steps)];
			assert_int_equal(ws_deflate(deflater, bits, buffer_slice(&payload),
						 compressed, &len),
				0);
			struct buffer out = { 0 };
			assert_int_equal(inflate_message(pool, slice_make(compressed, len), step,
						 step, payload.len, &out),
				0);
			assert_true(slice_equal(buffer_slice(&out), buffer_slice(&payload)));
			buffer_finish(&out);
		}
		free(compressed);
		buffer_finish(&payload);
	}
	ws_inflaters_destroy(pool);
	ws_deflater_destroy(deflater);
}

/* ---- limits ---- */

/* `len` zeros, compressed a thousandfold. */
static struct buffer bomb(size_t len)
{
	struct ws_deflater *deflater = ws_deflater_create();
	struct buffer compressed = { 0 };
	char *zeros = calloc(1, len);
	assert_non_null(zeros);
	assert_int_equal(buffer_reserve(&compressed, ws_deflate_room(len)), 0);
	memset(compressed.bytes, 0, compressed.capacity);
	compressed.len = compressed.capacity;
	assert_int_equal(
		ws_deflate(deflater, 15, slice_make(zeros, len), compressed.bytes, &compressed.len),
		0);
	free(zeros);
	ws_deflater_destroy(deflater);
	return compressed;
}

static void try_limit(
	struct ws_inflaters *pool, struct slice compressed, size_t len, uint64_t limit, size_t step)
{
	struct buffer out = { 0 };
	int result = inflate_message(pool, compressed, step, step, limit, &out);
	assert_int_equal(result, limit < len ? -EMSGSIZE : 0);
	assert_int_equal(out.len, MIN(limit, len));
	buffer_finish(&out);
}

static void keeps_every_limit_around_the_length(void **state)
{
	(void)state;
	static const size_t lens[] = { 1, 2, 100, STEP_MAX - 1, STEP_MAX, STEP_MAX + 1,
		3 * STEP_MAX, 65536 };
	struct ws_inflaters *pool = ws_inflaters_create();
	for (size_t i = 0; i < COUNT_OF(lens); i++) {
		struct buffer compressed = bomb(lens[i]);
		struct slice bytes = buffer_slice(&compressed);
		for (uint64_t limit = lens[i] > 4 ? lens[i] - 4 : 0; limit < lens[i] + 4; limit++) {
			try_limit(pool, bytes, lens[i], limit, bytes.len);
			try_limit(pool, bytes, lens[i], limit, 1);
			try_limit(pool, bytes, lens[i], limit, 2);
		}
		try_limit(pool, bytes, lens[i], 0, 1);
		try_limit(pool, bytes, lens[i], UINT64_MAX, bytes.len);
		try_limit(pool, bytes, lens[i], STEP_MAX, bytes.len);
		buffer_finish(&compressed);
	}
	ws_inflaters_destroy(pool);
}

/* The rest of a bomb is not even consumed. */
static void inflates_nothing_beyond_the_limit(void **state)
{
	(void)state;
	struct ws_inflaters *pool = ws_inflaters_create();
	struct buffer compressed = bomb(1 << 20);
	struct slice rest = buffer_slice(&compressed), bytes;
	struct ws_inflater *inflater = take(pool);
	assert_true(compressed.len < (1 << 20) / 900);
	assert_int_equal(ws_inflate(inflater, &rest, true, 1000, &bytes), -EMSGSIZE);
	assert_int_equal(bytes.len, 1000);
	assert_true(rest.len > compressed.len * 9 / 10);
	ws_inflater_give(inflater);
	ws_inflaters_destroy(pool);
	buffer_finish(&compressed);
}

/* After a reload, a message under way may already exceed the new limit. */
static void limit_may_fall_below_the_output(void **state)
{
	(void)state;
	struct ws_inflaters *pool = ws_inflaters_create();
	struct ws_inflater *inflater = take(pool);
	struct slice first = SLICE(HELLO TAIL), rest = SLICE(HELLO), bytes;
	assert_int_equal(ws_inflate(inflater, &first, false, 10, &bytes), 0);
	assert_int_equal(bytes.len, 5);
	assert_int_equal(ws_inflate(inflater, &rest, true, 3, &bytes), -EMSGSIZE);
	assert_int_equal(bytes.len, 0);
	ws_inflater_give(inflater);
	ws_inflaters_destroy(pool);
}

/* ---- the pool ---- */

static void inflate_hello(struct ws_inflater *inflater)
{
	struct slice rest = SLICE(HELLO), bytes;
	assert_int_equal(ws_inflate(inflater, &rest, true, 5, &bytes), 0);
	assert_true(slice_equal(bytes, SLICE("Hello")));
}

static void knows_the_size_of_an_inflater(void **state)
{
	(void)state;
	enum { N = 10 };
	struct ws_inflaters *pool = ws_inflaters_create();
	struct ws_inflater *taken[N];
	for (int times = 0; times < 3; times++) {
		for (size_t i = 0; i < N; i++) {
			taken[i] = take(pool);
			inflate_hello(taken[i]);
			assert_in_range(ws_inflater_size(taken[i]), 39000, 44 * 1024);
		}
		for (size_t i = 0; i < N; i++)
			ws_inflater_give(taken[i]);
	}
	ws_inflaters_destroy(pool);
}

/* Given back in the middle of a message or after an error, it leaves no trace in the next one. */
static void reuses_an_inflater_without_traces(void **state)
{
	(void)state;
	static const struct slice uses[] = { BYTES("\xf2\x48\xcd"), BYTES("\x06"), BYTES(HELLO),
		BYTES("\x00\x10\x00\xef\xff"
		      "abc"),
		BYTES("\x03"), BYTES("") };
	struct ws_inflaters *pool = ws_inflaters_create();
	for (size_t i = 0; i < COUNT_OF(uses); i++) {
		struct ws_inflater *inflater = take(pool);
		struct slice rest = uses[i], bytes;
		(void)!ws_inflate(inflater, &rest, i % 2, 100, &bytes);
		ws_inflater_give(inflater);

		inflater = take(pool);
		inflate_hello(inflater);
		ws_inflater_give(inflater);

		inflater = take(pool);
		rest = SLICE("\xf2\x00\x11\x00\x00");
		assert_int_equal(ws_inflate(inflater, &rest, true, 100, &bytes), -EBADMSG);
		ws_inflater_give(inflater);
	}
	ws_inflaters_destroy(pool);
	ws_inflaters_destroy(NULL);
}

/* Two messages under way share the scratch buffer. */
static void keeps_messages_apart(void **state)
{
	(void)state;
	struct ws_inflaters *pool = ws_inflaters_create();
	struct ws_inflater *both[2];
	struct buffer out[2] = { { 0 }, { 0 } };
	struct slice messages[2] = { SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x00\x11\x00\x00"),
		SLICE("\x00\x0a\x00\xf5\xff"
		      "0123456789\x00") };
	for (size_t k = 0; k < 2; k++)
		both[k] = take(pool);
	while (messages[0].len || messages[1].len) {
		for (size_t k = 0; k < 2; k++) {
			if (!messages[k].len)
				continue;
			bool last = messages[k].len == 1;
			assert_int_equal(inflate_part(both[k], slice_make(messages[k].at, 1), last,
						 100, &out[k]),
				0);
			messages[k] = slice_skip(messages[k], 1);
		}
	}
	assert_true(slice_equal(buffer_slice(&out[0]), SLICE("HelloHello")));
	assert_true(slice_equal(buffer_slice(&out[1]), SLICE("0123456789")));
	for (size_t k = 0; k < 2; k++) {
		buffer_finish(&out[k]);
		ws_inflater_give(both[k]);
	}
	ws_inflaters_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inflates_every_case_at_every_split),
		cmocka_unit_test(refuses_a_truncated_message),
		cmocka_unit_test(inflates_what_zlib_deflated),
		cmocka_unit_test(keeps_every_limit_around_the_length),
		cmocka_unit_test(inflates_nothing_beyond_the_limit),
		cmocka_unit_test(limit_may_fall_below_the_output),
		cmocka_unit_test(knows_the_size_of_an_inflater),
		cmocka_unit_test(reuses_an_inflater_without_traces),
		cmocka_unit_test(keeps_messages_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
