/* Each case is fed whole, byte by byte and split at every point, to a reader that hands messages on
 * and to one that discards them. Every part is a heap block of its exact size, so that a sanitizer
 * sees a read beyond it. */
#include <malloc.h>

#include "reader.h"

enum { MESSAGE_BYTES = 20, MESSAGE_FRAGMENTS = 4 };

static const struct ws_reader_settings settings = { &events, MESSAGE_BYTES, MESSAGE_FRAGMENTS };
static const struct ws_reader_settings discarding_settings = { &discarding_events, MESSAGE_BYTES,
	MESSAGE_FRAGMENTS };
static const struct ws_reader_settings limitless = { &events, UINT32_MAX, 0 };

/* ---- the cases ---- */

#define S3   "abc"
#define S20  "abcdefghijklmnopqrst"
#define S125 S20 S20 S20 S20 S20 S20 "abcde"
#define C125 "\x03\xE8" S20 S20 S20 S20 S20 S20 "abc"

static const struct reader_case cases[] = {
	/* messages, §5.6 */
	{ "text", { FRAME(FIN | WS_TEXT, "hello") }, "text:hello " },
	{ "empty text", { FRAME(FIN | WS_TEXT, "") }, "text: " },
	{ "empty binary", { FRAME(FIN | WS_BINARY, "") }, "binary: " },
	{ "binary", { FRAME(FIN | WS_BINARY, "\x01\xFFz") }, "binary:\\01\\ffz " },
	{ "two messages", { FRAME(FIN | WS_TEXT, "one"), FRAME(FIN | WS_BINARY, "two") },
		"text:one binary:two " },
	{ "text of several bytes per character", { FRAME(FIN | WS_TEXT, "\xE2\x82\xAC") },
		"text:\\e2\\82\\ac " },
	{ "the RFC's own example", { RAW("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58") },
		"text:Hello " },

	/* fragments, §5.4 */
	{ "two fragments", { FRAME(WS_TEXT, "hel"), FRAME(FIN | WS_CONTINUATION, "lo") },
		"text:hello " },
	{ "empty fragments",
		{ FRAME(WS_TEXT, ""), FRAME(WS_CONTINUATION, ""),
			FRAME(FIN | WS_CONTINUATION, "") },
		"text: " },
	{ "one fragment with a payload among empty ones",
		{ FRAME(WS_TEXT, ""), FRAME(WS_CONTINUATION, S3),
			FRAME(FIN | WS_CONTINUATION, "") },
		"text:abc " },
	{ "only the last fragment has a payload",
		{ FRAME(WS_BINARY, ""), FRAME(FIN | WS_CONTINUATION, S3) }, "binary:abc " },
	{ "two fragmented messages",
		{ FRAME(WS_TEXT, "a"), FRAME(FIN | WS_CONTINUATION, "b"), FRAME(WS_BINARY, "\xFF"),
			FRAME(FIN | WS_CONTINUATION, "d") },
		"text:ab binary:\\ffd " },
	{ "a character over three fragments",
		{ FRAME(WS_TEXT, "\xE2"), FRAME(WS_CONTINUATION, "\x82"),
			FRAME(FIN | WS_CONTINUATION, "\xAC") },
		"text:\\e2\\82\\ac " },
	{ "control frames between fragments",
		{ FRAME(WS_TEXT, "\xE2"), FRAME(FIN | WS_PING, "\xFFp"),
			FRAME(WS_CONTINUATION, "\x82"), FRAME(FIN | WS_PONG, ""),
			FRAME(FIN | WS_CONTINUATION, "\xAC"), FRAME(FIN | WS_TEXT, "x") },
		"ping:\\ffp pong: text:\\e2\\82\\ac text:x " },
	{ "continuation without a message", { FRAME(FIN | WS_CONTINUATION, "x") }, "", 1002 },
	{ "unfinished continuation without a message", { FRAME(WS_CONTINUATION, "x") }, "", 1002 },
	{ "continuation of a finished message",
		{ FRAME(FIN | WS_TEXT, "a"), FRAME(FIN | WS_CONTINUATION, "x") }, "text:a ", 1002 },
	{ "continuation after a ping",
		{ FRAME(FIN | WS_PING, ""), FRAME(FIN | WS_CONTINUATION, "x") }, "ping: ", 1002 },
	{ "text within a message", { FRAME(WS_TEXT, "a"), FRAME(FIN | WS_TEXT, "b") }, "", 1002 },
	{ "binary within a message", { FRAME(WS_TEXT, ""), FRAME(WS_BINARY, "b") }, "", 1002 },

	/* control frames, §5.5 */
	{ "pings",
		{ FRAME(FIN | WS_PING, ""), FRAME(FIN | WS_PING, "p"), FRAME(FIN | WS_PING, S125) },
		"ping: ping:p ping:" S125 " " },
	{ "pongs", { FRAME(FIN | WS_PONG, ""), FRAME(FIN | WS_PONG, S125) },
		"pong: pong:" S125 " " },
	{ "long ping", { FRAME(FIN | WS_PING, S125 "f") }, "", 1002 },
	{ "long pong", { FRAME(FIN | WS_PONG, S125 "f") }, "", 1002 },
	{ "long close", { FRAME(FIN | WS_CLOSE, C125 "d") }, "", 1002 },
	{ "fragmented ping", { FRAME(WS_PING, "p"), FRAME(FIN | WS_CONTINUATION, "q") }, "", 1002 },
	{ "fragmented pong", { FRAME(WS_PONG, "") }, "", 1002 },
	{ "fragmented close", { FRAME(WS_CLOSE, "\x03\xE8") }, "", 1002 },

	/* the close frame, §5.5.1 and §7.4 */
	{ "close without a code", { FRAME(FIN | WS_CLOSE, "") }, "close:1005: " },
	{ "close", { FRAME(FIN | WS_CLOSE, "\x03\xE8") }, "close:1000: " },
	{ "close with a reason", { FRAME(FIN | WS_CLOSE, "\x0F\xA0over") }, "close:4000:over " },
	{ "close with the longest reason", { FRAME(FIN | WS_CLOSE, C125) },
		"close:1000:" S20 S20 S20 S20 S20 S20 "abc " },
	{ "1014", { FRAME(FIN | WS_CLOSE, "\x03\xF6") }, "close:1014: " },
	{ "nothing follows a close",
		{ FRAME(FIN | WS_TEXT, "a"), FRAME(FIN | WS_CLOSE, "\x03\xE9"),
			FRAME(FIN | WS_TEXT, "b"), FRAME(FIN | WS_CLOSE, ""),
			RAW("\xFF\xFF\xFF\xFF") },
		"text:a close:1001: " },
	{ "close within a message", { FRAME(WS_TEXT, "a"), FRAME(FIN | WS_CLOSE, "\x03\xE8") },
		"close:1000: " },
	{ "close of one byte", { FRAME(FIN | WS_CLOSE, "\x03") }, "", 1002 },
	{ "999", { FRAME(FIN | WS_CLOSE, "\x03\xE7") }, "", 1002 },
	{ "1004", { FRAME(FIN | WS_CLOSE, "\x03\xEC") }, "", 1002 },
	{ "1005", { FRAME(FIN | WS_CLOSE, "\x03\xED") }, "", 1002 },
	{ "1006", { FRAME(FIN | WS_CLOSE, "\x03\xEE") }, "", 1002 },
	{ "1015", { FRAME(FIN | WS_CLOSE, "\x03\xF7") }, "", 1002 },
	{ "2999", { FRAME(FIN | WS_CLOSE, "\x0B\xB7") }, "", 1002 },
	{ "5000", { FRAME(FIN | WS_CLOSE, "\x13\x88") }, "", 1002 },
	{ "reason that is not UTF-8", { FRAME(FIN | WS_CLOSE, "\x03\xE8\xFF") }, "", 1007 },
	{ "truncated reason", { FRAME(FIN | WS_CLOSE, "\x03\xE8\xE2\x82") }, "", 1007 },

	/* reserved bits and opcodes, §5.2 */
	{ "RSV1", { FRAME(FIN | RSV1 | WS_TEXT, "a") }, "", 1002 },
	{ "RSV2", { FRAME(FIN | RSV2 | WS_TEXT, "a") }, "", 1002 },
	{ "RSV3", { FRAME(FIN | RSV3 | WS_TEXT, "a") }, "", 1002 },
	{ "RSV1 on a ping", { FRAME(FIN | RSV1 | WS_PING, "") }, "", 1002 },
	{ "RSV2 on a close", { FRAME(FIN | RSV2 | WS_CLOSE, "") }, "", 1002 },
	{ "RSV3 on a continuation", { FRAME(WS_TEXT, ""), FRAME(FIN | RSV3, "") }, "", 1002 },
	{ "opcode 3", { FRAME(FIN | 0x3, "") }, "", 1002 },
	{ "opcode 4", { FRAME(FIN | 0x4, "a") }, "", 1002 },
	{ "opcode 5", { FRAME(0x5, "a") }, "", 1002 },
	{ "opcode 6", { FRAME(FIN | 0x6, "") }, "", 1002 },
	{ "opcode 7", { FRAME(FIN | 0x7, "") }, "", 1002 },
	{ "opcode B", { FRAME(FIN | 0xB, "") }, "", 1002 },
	{ "opcode C", { FRAME(FIN | 0xC, "a") }, "", 1002 },
	{ "opcode D", { FRAME(FIN | 0xD, "") }, "", 1002 },
	{ "opcode E", { FRAME(0xE, "") }, "", 1002 },
	{ "opcode F", { FRAME(FIN | 0xF, "") }, "", 1002 },
	{ "opcode 3 within a message", { FRAME(WS_TEXT, ""), FRAME(FIN | 0x3, "") }, "", 1002 },

	/* masking, §5.1 */
	{ "unmasked text", { RAW("\x81\x05hello") }, "", 1002 },
	{ "unmasked and empty", { RAW("\x81\x00") }, "", 1002 },
	{ "unmasked binary", { RAW("\x82\x01x") }, "", 1002 },
	{ "unmasked continuation", { FRAME(WS_TEXT, "a"), RAW("\x80\x01x") }, "", 1002 },
	{ "unmasked ping", { RAW("\x89\x00") }, "", 1002 },
	{ "unmasked pong", { RAW("\x8A\x01x") }, "", 1002 },
	{ "unmasked close", { RAW("\x88\x02\x03\xE8") }, "", 1002 },
	{ "unmasked with 16 bits of length", { RAW("\x82\x7E\x00\x7E") }, "", 1002 },

	/* lengths, §5.2 */
	{ "5 in 16 bits", { RAW("\x81\xFE\x00\x05key.") }, "", 1002 },
	{ "125 in 16 bits", { RAW("\x81\xFE\x00\x7Dkey.") }, "", 1002 },
	{ "5 in 64 bits", { RAW("\x81\xFF\0\0\0\0\0\0\0\x05key.") }, "", 1002 },
	{ "65535 in 64 bits", { RAW("\x81\xFF\0\0\0\0\0\0\xFF\xFFkey.") }, "", 1002 },
	{ "ping of 1 in 16 bits", { RAW("\x89\xFE\x00\x01key.") }, "", 1002 },
	{ "2^63", { RAW("\x82\xFF\x80\0\0\0\0\0\0\0key.") }, "", 1002 },
	{ "2^64 - 1", { RAW("\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFkey.") }, "", 1002 },

	/* limits; a RAW header has no payload: the header alone is refused */
	{ "the longest message", { FRAME(FIN | WS_TEXT, S20) }, "text:" S20 " " },
	{ "the longest message in fragments",
		{ FRAME(WS_TEXT, "abcdefghijklmnopqr"), FRAME(FIN | WS_PING, S125),
			FRAME(WS_CONTINUATION, "st"), FRAME(FIN | WS_CONTINUATION, ""),
			FRAME(FIN | WS_TEXT, S20) },
		"ping:" S125 " text:" S20 " text:" S20 " " },
	{ "too long by one", { RAW("\x81\x95key.") }, "", 1009 },
	{ "65536", { RAW("\x82\xFF\0\0\0\0\0\x01\0\0key.") }, "", 1009 },
	{ "2^63 - 1", { RAW("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFkey.") }, "", 1009 },
	{ "too long as a sum", { FRAME(WS_TEXT, S20), RAW("\x80\x81key.") }, "", 1009 },
	{ "a sum beyond 2^63",
		{ FRAME(WS_TEXT, S20), RAW("\x80\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFkey.") }, "",
		1009 },
	{ "each message has the whole limit",
		{ FRAME(FIN | WS_BINARY, S20), FRAME(WS_BINARY, S20), RAW("\x80\x81key.") },
		"binary:" S20 " ", 1009 },
	{ "as many fragments as allowed, in two messages",
		{ FRAME(WS_TEXT, "a"), FRAME(WS_CONTINUATION, "b"), RAW("\x00\x80key."),
			RAW("\x80\x80key."), FRAME(WS_TEXT, "c"), RAW("\x00\x80key."),
			RAW("\x00\x80key."), FRAME(FIN | WS_CONTINUATION, "d") },
		"text:ab text:cd " },
	{ "one fragment too many",
		{ FRAME(WS_TEXT, "a"), RAW("\x00\x80key."), RAW("\x00\x80key."),
			FRAME(FIN | WS_PING, ""), RAW("\x00\x80key."), RAW("\x80\x80key.") },
		"ping: ", 1008 },

	/* UTF-8, §8.1 */
	{ "text that is not UTF-8", { FRAME(FIN | WS_TEXT, "a\xFFz") }, "", 1007 },
	{ "text that ends within a character", { FRAME(FIN | WS_TEXT, "a\xE2\x82") }, "", 1007 },
	{ "text that ends within a character, then an empty fragment",
		{ FRAME(WS_TEXT, "\xE2\x82"), FRAME(FIN | WS_CONTINUATION, "") }, "", 1007 },
	{ "a surrogate over fragments",
		{ FRAME(WS_TEXT, "\xED"), FRAME(FIN | WS_CONTINUATION, "\xA0\x80") }, "", 1007 },
	{ "overlong", { FRAME(FIN | WS_TEXT, "\xC0\xAF") }, "", 1007 },
	{ "beyond U+10FFFF", { FRAME(FIN | WS_TEXT, "\xF4\x90\x80\x80") }, "", 1007 },
	{ "only text is checked",
		{ FRAME(FIN | WS_BINARY, "\xC0\xAF"), FRAME(FIN | WS_PING, "\xFF") },
		"binary:\\c0\\af ping:\\ff " },

	/* everything complete before a failure is handed on */
	{ "messages before a bad frame",
		{ FRAME(FIN | WS_TEXT, "one"), FRAME(FIN | WS_PING, "two"),
			FRAME(FIN | WS_TEXT, "three"), FRAME(FIN | RSV1 | WS_TEXT, "four"),
			FRAME(FIN | WS_TEXT, "five") },
		"text:one ping:two text:three ", 1002 },
	{ "messages before invalid text",
		{ FRAME(FIN | WS_TEXT, "one"), FRAME(FIN | WS_TEXT, "\xFF") }, "text:one ", 1007 },
	{ "messages before one that is too long",
		{ FRAME(FIN | WS_TEXT, "one"), RAW("\x81\xFE\x01\x00key.") }, "text:one ", 1009 },
};

static void reads_every_case_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		try_everywhere(&cases[i], &settings);
		try_everywhere(&cases[i], &discarding_settings);
	}
}

/* A failed, closed or stopped reader ignores everything. */
static void raises_no_event_after_the_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer wire = { 0 };
		struct run run;
		run_init(&run, &settings);
		write_frames(&wire, cases[i].frames, COUNT_OF(cases[i].frames));
		assert_int_equal(feed(&run, buffer_slice(&wire)), cases[i].failure);
		bool over = cases[i].failure || strstr(cases[i].record, "close:");
		if (!over)
			ws_reader_stop(&run.reader);
		wire.len = 0;
		write_frame(&wire, FIN | WS_PING, SLICE("late"));
		write_frame(&wire, FIN | WS_TEXT, SLICE("late"));
		write_frame(&wire, FIN | WS_TEXT, SLICE("\xFF"));
		for (int times = 0; times < 2; times++)
			assert_int_equal(feed(&run, buffer_slice(&wire)), 0);
		assert_record(&run, cases[i].record);
		assert_null(run.reader.held);
		run_finish(&run);
		buffer_finish(&wire);
	}
}

/* ---- the exact byte ---- */

/* `text` is invalid from `bad_at` on. It is split at `cut` into two fragments with a ping between
 * them; the second fragment announces more bytes than follow. */
static void fails_on_the_byte(
	const struct ws_reader_settings *run_settings, struct slice text, size_t bad_at, size_t cut)
{
	static const uint8_t key[4] = { 9, 8, 7, 6 };
	struct buffer wire = { 0 };
	write_frame(&wire, WS_TEXT, slice_make(text.at, cut));
	write_frame(&wire, FIN | WS_PING, SLICE("p"));
	write_header(&wire, FIN | WS_CONTINUATION, MESSAGE_BYTES - cut, key);
	size_t start = wire.len;
	assert_int_equal(buffer_append_slice(&wire, slice_skip(text, cut)), 0);
	ws_mask(wire.bytes + start, text.len - cut, key, 0);

	/* 6 bytes of header precede the first part. */
	size_t bad_byte = bad_at < cut ? 6 + bad_at : start + bad_at - cut;
	struct run run;
	run_init(&run, run_settings);
	for (size_t i = 0; i < bad_byte; i++)
		assert_int_equal(feed(&run, slice_make(wire.bytes + i, 1)), 0);
	assert_int_equal(feed(&run, slice_make(wire.bytes + bad_byte, 1)), 1007);
	run_finish(&run);
	buffer_finish(&wire);
}

static void invalid_text_fails_on_the_exact_byte(void **state)
{
	(void)state;
	static const struct {
		struct slice text;
		size_t bad_at;
	} texts[] = {
		{ { "\xFFz", 2 }, 0 },
		{ { "plain\x80", 6 }, 5 },
		{ { "\xCE\xBA\xF4\x90\x80\x80", 6 }, 3 }, /* beyond U+10FFFF */
		{ { "ab\xF5\x80\x80\x80", 6 }, 2 },
		{ { "\xED\xA0\x80", 3 }, 1 }, /* a surrogate */
		{ { "\xE0\x9F\xBF", 3 }, 1 }, /* overlong */
		{ { "\xF0\x8F\xBF\xBF", 4 }, 1 },
		{ { "\xC1\xBF", 2 }, 0 },
		{ { "\xE2\x82z", 3 }, 2 },
		{ { "\xF0\x9F\x94z", 4 }, 3 },
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		for (size_t cut = 0; cut < texts[i].text.len; cut++) {
			fails_on_the_byte(&settings, texts[i].text, texts[i].bad_at, cut);
			fails_on_the_byte(
				&discarding_settings, texts[i].text, texts[i].bad_at, cut);
		}
	}
}

/* ---- the allowance of frames ---- */

static const struct frame seven_frames[] = {
	FRAME(FIN | WS_TEXT, "a"),
	FRAME(WS_TEXT, ""),
	FRAME(FIN | WS_PING, "p"),
	FRAME(WS_CONTINUATION, "b"),
	FRAME(FIN | WS_PONG, ""),
	FRAME(FIN | WS_CONTINUATION, ""),
	FRAME(FIN | WS_CLOSE, ""),
};

static void fails_on_the_first_frame_beyond_the_allowance(void **state)
{
	(void)state;
	static const char *const records[] = { "", "text:a ", "text:a ", "text:a ping:p ",
		"text:a ping:p ", "text:a ping:p pong: ", "text:a ping:p pong: text:b ",
		"text:a ping:p pong: text:b close:1005: " };
	struct buffer wire = { 0 };
	write_frames(&wire, seven_frames, COUNT_OF(seven_frames));
	for (uint32_t frames = 0; frames <= COUNT_OF(seven_frames); frames++) {
		for (size_t split = 0; split <= wire.len; split++) {
			struct run run;
			run_init(&run, &settings);
			ws_reader_allow_frames(&run.reader, frames);
			int first = feed(&run, slice_make(wire.bytes, split));
			int second = feed(&run, slice_make(wire.bytes + split, wire.len - split));
			assert_int_equal(
				first + second, frames < COUNT_OF(seven_frames) ? 1008 : 0);
			assert_record(&run, records[frames]);
			assert_int_equal(ws_reader_frames_left(&run.reader), 0);
			run_finish(&run);
		}
	}
	buffer_finish(&wire);
}

/* A frame under way when the allowance is renewed counts for the old one. */
static void renews_the_allowance(void **state)
{
	(void)state;
	struct buffer wire = { 0 };
	struct run run;
	run_init(&run, &settings);
	write_frame(&wire, FIN | WS_TEXT, SLICE("ab"));
	for (int i = 0; i < 10; i++) {
		ws_reader_allow_frames(&run.reader, 1);
		assert_int_equal(feed(&run, slice_make(wire.bytes, 7)), 0);
		assert_int_equal(ws_reader_frames_left(&run.reader), 0);
		ws_reader_allow_frames(&run.reader, 1);
		assert_int_equal(feed(&run, slice_make(wire.bytes + 7, 1)), 0);
		assert_int_equal(ws_reader_frames_left(&run.reader), 1);
	}
	run_finish(&run);
	buffer_finish(&wire);
}

static void never_runs_out_without_an_allowance(void **state)
{
	(void)state;
	struct buffer wire = { 0 };
	struct run run;
	run_init(&run, &settings);
	write_frame(&wire, FIN | WS_PONG, SLICE(""));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(feed(&run, buffer_slice(&wire)), 0);
	assert_true(ws_reader_frames_left(&run.reader) == UINT32_MAX);
	run_finish(&run);
	buffer_finish(&wire);
}

static void reports_a_bad_frame_before_an_exhausted_allowance(void **state)
{
	(void)state;
	struct run run;
	run_init(&run, &settings);
	ws_reader_allow_frames(&run.reader, 0);
	assert_int_equal(feed(&run, SLICE("\x83\x80key.")), 1002);
	run_finish(&run);
}

/* ---- memory ---- */

static void idle_reader_is_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct ws_reader) <= 80);
}

static void does_not_copy_whole_payloads(void **state)
{
	(void)state;
	static const uint8_t firsts[] = { FIN | WS_TEXT, FIN | WS_PING, FIN | WS_PONG };
	for (size_t i = 0; i < COUNT_OF(firsts); i++) {
		struct buffer wire = { 0 };
		struct run run;
		run_init(&run, &settings);
		write_frame(&wire, firsts[i], SLICE("hello"));
		assert_int_equal(ws_reader_feed(&run.reader, wire.bytes, wire.len), 0);
		assert_ptr_equal(run.last_at, wire.bytes + 6);
		run_finish(&run);
		buffer_finish(&wire);
	}
}

/* malloc rounds large blocks up to whole pages. */
enum { PAGE = 4096 };

/* An announced length costs nothing; the bytes that arrived cost at most twice their size. */
static void memory_grows_with_the_bytes_that_arrived(void **state)
{
	(void)state;
	static const uint8_t key[4] = { 0 };
	static const char bytes[1000];
	struct buffer wire = { 0 };
	struct run run;
	run_init(&run, &limitless);
	write_header(&wire, WS_BINARY, INT32_MAX, key);
	assert_int_equal(feed(&run, buffer_slice(&wire)), 0);
	assert_null(run.reader.held);
	for (size_t come = sizeof(bytes); come <= 300000; come += sizeof(bytes)) {
		assert_int_equal(feed(&run, slice_make(bytes, sizeof(bytes))), 0);
		assert_in_range(malloc_usable_size(run.reader.held), come, 2 * come + PAGE);
	}
	run_finish(&run);
	buffer_finish(&wire);
}

static void tiny_fragments_keep_to_the_limit(void **state)
{
	(void)state;
	const struct ws_reader_settings odd = { &events, 1500, 0 };
	struct buffer wire = { 0 };
	struct run run;
	run_init(&run, &odd);
	for (size_t i = 0; i < odd.message_bytes; i++) {
		wire.len = 0;
		write_frame(&wire, i ? WS_CONTINUATION : WS_BINARY, SLICE("x"));
		assert_int_equal(feed(&run, buffer_slice(&wire)), 0);
		assert_in_range(malloc_usable_size(run.reader.held), i + 1, 1500 + 64);
	}
	wire.len = 0;
	write_frame(&wire, FIN | WS_CONTINUATION, SLICE(""));
	assert_int_equal(feed(&run, buffer_slice(&wire)), 0);
	assert_int_equal(run.record.len, strlen("binary: ") + 1500);
	run_finish(&run);
	buffer_finish(&wire);
}

static void reads_a_long_message_in_parts(void **state)
{
	(void)state;
	static const size_t steps[] = { 1, 7, 125, 4096, 65535, 200000 };
	struct buffer text = { 0 }, wire = { 0 }, expected = { 0 };
	for (int i = 0; i < 20000; i++)
		assert_int_equal(buffer_printf(&text, "%d,", i), 0);
	write_frame(&wire, FIN | WS_TEXT, buffer_slice(&text));
	write_frame(&wire, WS_BINARY, slice_make(text.bytes, 300));
	write_frame(&wire, FIN | WS_CONTINUATION, slice_make(text.bytes + 300, text.len - 300));
	assert_int_equal(buffer_printf(&expected, "text:%.*s binary:%.*s ",
				 SLICE_ARGS(buffer_slice(&text)), SLICE_ARGS(buffer_slice(&text))),
		0);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct run run;
		run_init(&run, &limitless);
		for (size_t at = 0; at < wire.len; at += steps[i]) {
			size_t len = MIN(steps[i], wire.len - at);
			assert_int_equal(feed(&run, slice_make(wire.bytes + at, len)), 0);
		}
		assert_true(slice_equal(buffer_slice(&run.record), buffer_slice(&expected)));
		run_finish(&run);
	}
	buffer_finish(&text);
	buffer_finish(&wire);
	buffer_finish(&expected);
}

/* ---- handlers that stop or finish the reader ---- */

static const struct reader_case ending_cases[] = {
	{ "", { FRAME(FIN | WS_TEXT, "a"), FRAME(FIN | WS_TEXT, "b") }, "text:a " },
	{ "", { FRAME(WS_TEXT, "a"), FRAME(FIN | WS_CONTINUATION, "b"), FRAME(FIN | WS_PING, "") },
		"text:ab " },
	{ "",
		{ FRAME(WS_TEXT, "held"), FRAME(FIN | WS_PING, "pingpong"),
			FRAME(FIN | WS_CONTINUATION, "b"), RAW("\xFF\xFF\xFF\xFF") },
		"ping:pingpong " },
	{ "", { FRAME(WS_TEXT, "held"), FRAME(FIN | WS_PONG, "pingpong"), FRAME(FIN | 0x7, "") },
		"pong:pingpong " },
	{ "", { FRAME(WS_TEXT, "held"), FRAME(FIN | WS_CLOSE, "\x03\xE8over") },
		"close:1000:over " },
};

static void handler_may_stop_the_reader(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ending_cases); i++)
		try_to_end(&ending_cases[i], &settings, STOP);
}

static void handler_may_finish_the_reader(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ending_cases); i++)
		try_to_end(&ending_cases[i], &settings, FINISH);
}

/* A connection may be closed at any byte, whatever is held. */
static void reader_may_be_finished_at_any_byte(void **state)
{
	(void)state;
	struct buffer wire = { 0 };
	write_frame(&wire, WS_TEXT, SLICE("held"));
	write_frame(&wire, FIN | WS_PING, SLICE("ping"));
	write_frame(&wire, FIN | WS_CONTINUATION, SLICE("too"));
	for (size_t len = 0; len <= wire.len; len++) {
		struct run run;
		run_init(&run, &settings);
		assert_int_equal(feed(&run, slice_make(wire.bytes, len)), 0);
		run_finish(&run);
	}
	buffer_finish(&wire);
}

/* Whatever is under way when it begins to discard: nothing is held any more, no message is raised,
 * and control frames are answered as before. */
static void discards_messages_from_any_byte_on(void **state)
{
	(void)state;
	struct buffer wire = { 0 };
	write_frame(&wire, WS_TEXT, SLICE("held"));
	write_frame(&wire, FIN | WS_PING, SLICE("ping"));
	write_frame(&wire, FIN | WS_CONTINUATION, SLICE("too"));
	write_frame(&wire, FIN | WS_TEXT, SLICE("\xFF"));
	write_frame(&wire, FIN | WS_CLOSE, SLICE(""));
	for (size_t len = 0; len <= wire.len; len++) {
		struct run run;
		run_init(&run, &settings);
		int failure = feed(&run, slice_make(wire.bytes, len));
		ws_reader_discard(&run.reader);
		assert_null(run.reader.held);
		if (!failure)
			failure = feed(&run, slice_make(wire.bytes + len, wire.len - len));
		assert_int_equal(buffer_append(&run.record, "", 1), 0);
		const char *record = run.record.bytes;
		/* the second message is not valid, which matters only if it came before */
		assert_true(failure == 0 || (failure == 1007 && len > 30));
		assert_non_null(strstr(record, "ping:ping "));
		assert_true(failure || strstr(record, "close:1005: "));
		assert_int_equal(ws_reader_holds(&run.reader), 0);
		run_finish(&run);
	}
	buffer_finish(&wire);
}

static void tells_whether_a_message_has_ended(void **state)
{
	(void)state;
	struct run run;
	struct buffer wire = { 0 };
	run_init(&run, &settings);
	write_frame(&wire, WS_TEXT, SLICE("one"));
	assert_int_equal(feed(&run, buffer_slice(&wire)), 0);
	assert_false(ws_reader_ended_message(&run.reader));
	assert_in_range(ws_reader_holds(&run.reader), 3, 200);
	wire.len = 0;
	write_frame(&wire, FIN | WS_CONTINUATION, SLICE(""));
	write_frame(&wire, WS_TEXT, SLICE("another"));
	assert_int_equal(feed(&run, buffer_slice(&wire)), 0);
	assert_true(ws_reader_ended_message(&run.reader));
	assert_false(ws_reader_ended_message(&run.reader));
	assert_in_range(ws_reader_holds(&run.reader), 7, 200);
	run_finish(&run);
	buffer_finish(&wire);
}

static void accepts_an_empty_feed(void **state)
{
	(void)state;
	struct run run;
	run_init(&run, &settings);
	assert_int_equal(ws_reader_feed(&run.reader, NULL, 0), 0);
	assert_record(&run, "");
	run_finish(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_case_at_every_split),
		cmocka_unit_test(discards_messages_from_any_byte_on),
		cmocka_unit_test(tells_whether_a_message_has_ended),
		cmocka_unit_test(raises_no_event_after_the_end),
		cmocka_unit_test(invalid_text_fails_on_the_exact_byte),
		cmocka_unit_test(fails_on_the_first_frame_beyond_the_allowance),
		cmocka_unit_test(renews_the_allowance),
		cmocka_unit_test(never_runs_out_without_an_allowance),
		cmocka_unit_test(reports_a_bad_frame_before_an_exhausted_allowance),
		cmocka_unit_test(idle_reader_is_small),
		cmocka_unit_test(does_not_copy_whole_payloads),
		cmocka_unit_test(memory_grows_with_the_bytes_that_arrived),
		cmocka_unit_test(tiny_fragments_keep_to_the_limit),
		cmocka_unit_test(reads_a_long_message_in_parts),
		cmocka_unit_test(handler_may_stop_the_reader),
		cmocka_unit_test(handler_may_finish_the_reader),
		cmocka_unit_test(reader_may_be_finished_at_any_byte),
		cmocka_unit_test(accepts_an_empty_feed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
