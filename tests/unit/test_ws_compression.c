/* The reader with permessage-deflate. Each case is fed as in test_ws_reader: whole, byte by byte
 * and split at every point, to a reader that hands messages on and to one that discards them. */
#include "payloads.h"
#include "reader.h"
#include "sluice/proto/ws/ws_deflate.h"
#include "sluice/proto/ws/ws_inflate.h"

enum { MESSAGE_BYTES = 20, MESSAGE_FRAGMENTS = 4 };

/* main sets their inflaters. */
static struct ws_inflaters *pool;
static struct ws_reader_settings settings = { &events, MESSAGE_BYTES, MESSAGE_FRAGMENTS };
static struct ws_reader_settings discarding_settings = { &discarding_events, MESSAGE_BYTES,
	MESSAGE_FRAGMENTS };

#define TEXT   (FIN | RSV1 | WS_TEXT)
#define BINARY (FIN | RSV1 | WS_BINARY)
#define MORE   WS_CONTINUATION
#define LAST   (FIN | WS_CONTINUATION)
#define HELLO  "\xf2\x48\xcd\xc9\xc9\x07\x00"

/* Stored blocks of "abc", of a smiling cat, of a byte that is never UTF-8, and of 20 and 21
 * bytes. */
#define ABC \
	"\x00\x03\x00\xfc\xff" \
	"abc" \
	"\x00"
#define CAT \
	"\x00\x04\x00\xfb\xff" \
	"\xF0\x9F\x98\xBA" \
	"\x00"
#define BAD \
	"\x00\x03\x00\xfc\xff" \
	"a\xFFz" \
	"\x00"
#define S20 "abcdefghijklmnopqrst"
#define FIT "\x00\x14\x00\xeb\xff" S20 "\x00"
#define LONG \
	"\x00\x15\x00\xea\xff" S20 "u" \
	"\x00"

static const struct reader_case cases[] = {
	/* RFC 7692 §7.2.3 */
	{ "one frame", { RAW("\xc1\x87\0\0\0\0" HELLO) }, "text:Hello " },
	{ "two frames", { RAW("\x41\x83\0\0\0\0\xf2\x48\xcd\x80\x84\0\0\0\0\xc9\xc9\x07\x00") },
		"text:Hello " },
	{ "refuses a reference to the message before",
		{ FRAME(TEXT, HELLO), FRAME(TEXT, "\xf2\x00\x11\x00\x00") }, "text:Hello ", 1007 },
	{ "no compression", { FRAME(TEXT, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00") },
		"text:Hello " },
	{ "BFINAL", { FRAME(TEXT, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00") }, "text:Hello " },
	{ "two blocks", { FRAME(TEXT, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00") },
		"text:Hello " },
	{ "an empty message", { FRAME(TEXT, "\x00"), FRAME(BINARY, "\x02\x00") },
		"text: binary: " },
	{ "an empty payload", { FRAME(TEXT, "") }, "text: " },
	{ "an empty payload in fragments", { FRAME(RSV1 | WS_TEXT, ""), FRAME(LAST, "") },
		"text: " },
	{ "an empty last fragment", { FRAME(RSV1 | WS_TEXT, HELLO), FRAME(LAST, "") },
		"text:Hello " },

	/* messages */
	{ "several messages", { FRAME(TEXT, HELLO), FRAME(BINARY, ABC), FRAME(TEXT, HELLO) },
		"text:Hello binary:abc text:Hello " },
	{ "compressed and not, in turn",
		{ FRAME(FIN | WS_TEXT, "a"), FRAME(TEXT, HELLO), FRAME(FIN | WS_BINARY, HELLO),
			FRAME(BINARY, HELLO), FRAME(FIN | WS_TEXT, "") },
		"text:a text:Hello binary:\\f2H\\cd\\c9\\c9\\07\\00 binary:Hello text: " },
	{ "control frames are not compressed",
		{ FRAME(RSV1 | WS_TEXT, "\xf2\x48"), FRAME(FIN | WS_PING, HELLO),
			FRAME(MORE, "\xcd"), FRAME(FIN | WS_PONG, ""),
			FRAME(LAST, "\xc9\xc9\x07\x00"),
			FRAME(FIN | WS_CLOSE, "\x03\xE8"
					      "Hi") },
		"ping:\\f2H\\cd\\c9\\c9\\07\\00 pong: text:Hello close:1000:Hi " },
	{ "empty fragments",
		{ FRAME(RSV1 | WS_BINARY, ""), FRAME(MORE, HELLO), FRAME(MORE, ""), FRAME(LAST, ""),
			FRAME(BINARY, ABC) },
		"binary:Hello binary:abc " },
	{ "a fragment is not compressed by itself",
		{ FRAME(RSV1 | WS_TEXT, HELLO), FRAME(LAST, HELLO) }, "", 1007 },
	{ "closed within a message",
		{ FRAME(RSV1 | WS_TEXT, "\xf2\x48"), FRAME(FIN | WS_CLOSE, "") }, "close:1005: " },

	/* RSV1 where it is not allowed (§6), and the other bits, which have no meaning yet */
	{ "RSV1 on a continuation", { FRAME(RSV1 | WS_TEXT, "\xf2"), FRAME(LAST | RSV1, "\x48") },
		"", 1002 },
	{ "RSV1 on a continuation alone", { FRAME(WS_TEXT, "a"), FRAME(LAST | RSV1, HELLO) }, "",
		1002 },
	{ "RSV1 on a middle fragment",
		{ FRAME(RSV1 | WS_TEXT, ""), FRAME(MORE | RSV1, HELLO), FRAME(LAST, "") }, "",
		1002 },
	{ "RSV1 on a ping", { FRAME(FIN | RSV1 | WS_PING, HELLO) }, "", 1002 },
	{ "RSV1 on a pong", { FRAME(FIN | RSV1 | WS_PONG, "") }, "", 1002 },
	{ "RSV1 on a close", { FRAME(FIN | RSV1 | WS_CLOSE, "") }, "", 1002 },
	{ "RSV1 on a ping within a message",
		{ FRAME(RSV1 | WS_TEXT, HELLO), FRAME(FIN | RSV1 | WS_PING, "") }, "", 1002 },
	{ "RSV1 on opcode 3", { FRAME(FIN | RSV1 | 0x3, HELLO) }, "", 1002 },
	{ "RSV1 and RSV2", { FRAME(TEXT | RSV2, HELLO) }, "", 1002 },
	{ "RSV1 and RSV3", { FRAME(TEXT | RSV3, HELLO) }, "", 1002 },
	{ "RSV1, RSV2 and RSV3", { FRAME(TEXT | RSV2 | RSV3, HELLO) }, "", 1002 },
	{ "RSV2", { FRAME(FIN | RSV2 | WS_TEXT, "a") }, "", 1002 },
	{ "RSV3", { FRAME(FIN | RSV3 | WS_BINARY, "a") }, "", 1002 },
	{ "a compressed message within another",
		{ FRAME(RSV1 | WS_TEXT, "\xf2"), FRAME(TEXT, HELLO) }, "", 1002 },
	{ "unmasked", { RAW("\xc1\x07" HELLO) }, "", 1002 },

	/* not DEFLATE data */
	{ "truncated", { FRAME(TEXT, "\xf2\x48\xcd") }, "", 1007 },
	{ "BFINAL without its padding", { FRAME(TEXT, "\xf3\x48\xcd\xc9\xc9\x07\x00") }, "", 1007 },
	{ "with the tail that should be removed", { FRAME(TEXT, HELLO "\x00\x00\xff\xff") }, "",
		1007 },
	{ "a block of type 3", { FRAME(TEXT, "\x06") }, "", 1007 },
	{ "refused before the end of the message",
		{ FRAME(RSV1 | WS_TEXT, "\x06"), RAW("\xFF\xFF\xFF\xFF") }, "", 1007 },
	{ "a stored block with a wrong length", { FRAME(BINARY, "\x00\x05\x00\xfa\xfeHello\x00") },
		"", 1007 },
	{ "plain text", { FRAME(TEXT, "Hello") }, "", 1007 },
	{ "messages before one that is not DEFLATE data",
		{ FRAME(TEXT, HELLO), FRAME(FIN | WS_PING, "p"), FRAME(BINARY, ABC),
			FRAME(TEXT, "\x07"), FRAME(TEXT, HELLO) },
		"text:Hello ping:p binary:abc ", 1007 },

	/* UTF-8 of the inflated text */
	{ "a cat", { FRAME(TEXT, CAT) }, "text:\\f0\\9f\\98\\ba " },
	{ "a cat over fragments",
		{ FRAME(RSV1 | WS_TEXT, "\x00\x04\x00\xfb\xff\xF0\x9F"),
			FRAME(FIN | WS_PING, "\xFF"), FRAME(LAST, "\x98\xBA\x00") },
		"ping:\\ff text:\\f0\\9f\\98\\ba " },
	{ "text that is not UTF-8", { FRAME(TEXT, BAD) }, "", 1007 },
	{ "binary that is not UTF-8", { FRAME(BINARY, BAD) }, "binary:a\\ffz " },
	{ "text that ends within a character",
		{ FRAME(TEXT, "\x00\x03\x00\xfc\xff\xF0\x9F\x98\x00") }, "", 1007 },
	{ "text that ends within a character, then an empty fragment",
		{ FRAME(RSV1 | WS_TEXT, "\x00\x03\x00\xfc\xff\xF0\x9F\x98\x00"), FRAME(LAST, "") },
		"", 1007 },

	/* limits on the inflated message, not on the wire */
	{ "the longest message", { FRAME(TEXT, FIT), FRAME(TEXT, FIT) },
		"text:" S20 " text:" S20 " " },
	{ "too long by one", { FRAME(TEXT, LONG) }, "", 1009 },
	{ "too long in fragments",
		{ FRAME(RSV1 | WS_BINARY, "\x00\x15\x00\xea\xff"), FRAME(MORE, S20),
			FRAME(FIN | WS_PING, "p"), FRAME(LAST, "u\x00") },
		"ping:p ", 1009 },
	{ "long on the wire: four empty blocks and the longest message",
		{ FRAME(TEXT, "\0\0\0\xff\xff"
			      "\0\0\0\xff\xff"
			      "\0\0\0\xff\xff"
			      "\0\0\0\xff\xff" FIT) },
		"text:" S20 " " },
	{ "too long on the wire, refused on the header alone", { RAW("\xc1\xfe\x04\x17key.") }, "",
		1009 },
	{ "too long on the wire as a sum",
		{ FRAME(RSV1 | WS_TEXT, HELLO), RAW("\x80\xfe\x04\x10key.") }, "", 1009 },
	{ "as long on the wire as allowed, but not DEFLATE data",
		{ FRAME(RSV1 | WS_TEXT, ""), RAW("\x80\xfe\x04\x16\0\0\0\0\x06") }, "", 1007 },
	{ "2^63 - 1", { RAW("\xc2\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFkey.") }, "", 1009 },
	{ "an uncompressed message has no slack", { FRAME(TEXT, HELLO), RAW("\x81\x95key.") },
		"text:Hello ", 1009 },
	{ "a fragment too many",
		{ FRAME(RSV1 | WS_TEXT, "\xf2"), FRAME(MORE, "\x48"), FRAME(MORE, "\xcd"),
			FRAME(MORE, "\xc9"), RAW("\x80\x83key.") },
		"", 1008 },
	{ "messages before one that is too long", { FRAME(TEXT, HELLO), FRAME(BINARY, LONG) },
		"text:Hello ", 1009 },
	{ "invalid text before the limit",
		{ FRAME(TEXT, "\x00\x15\x00\xea\xff"
			      "abcdefghijklmnopqrs\xFFu"
			      "\x00") },
		"", 1007 },
	{ "invalid text just behind the limit",
		{ FRAME(TEXT, "\x00\x15\x00\xea\xff" S20 "\xFF"
			      "\x00") },
		"", 1009 },
	{ "too long before the data become invalid", { FRAME(TEXT, LONG "\x00\x00\xff\xff\x06") },
		"", 1009 },
};

static void reads_every_case_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		try_everywhere(&cases[i], &settings);
		try_everywhere(&cases[i], &discarding_settings);
	}
}

/* Inflaters alone are not enough. */
static void compression_must_be_negotiated(void **state)
{
	(void)state;
	static const uint8_t firsts[] = { TEXT, BINARY, RSV1 | WS_TEXT, RSV1 | WS_BINARY };
	for (size_t i = 0; i < COUNT_OF(firsts); i++) {
		struct buffer wire = { 0 };
		struct run run;
		run_init(&run, &settings);
		ws_reader_init(&run.reader, &settings);
		write_frame(&wire, firsts[i], SLICE(HELLO));
		assert_int_equal(feed(&run, buffer_slice(&wire)), 1002);
		run_finish(&run);
		buffer_finish(&wire);
	}
}

/* ---- fragments ---- */

/* Two fragments and a ping between them. */
static void reads_a_message_split_at_every_byte(void **state)
{
	(void)state;
	struct slice message = SLICE("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00");
	for (size_t cut = 0; cut <= message.len; cut++) {
		struct reader_case fragments = { "",
			{ FRAME(0, ""), FRAME(FIN | WS_PING, "p"), FRAME(0, "") },
			"ping:p text:Hello ", 0 };
		fragments.frames[0] =
			(struct frame){ RSV1 | WS_TEXT, slice_make(message.at, cut), { NULL, 0 } };
		fragments.frames[2] = (struct frame){ LAST, slice_skip(message, cut), { NULL, 0 } };
		try_everywhere(&fragments, &settings);
	}
}

static void compress_into(struct buffer *compressed, unsigned bits, struct slice payload)
{
	struct ws_deflater *deflater = ws_deflater_create();
	assert_int_equal(buffer_reserve(compressed, ws_deflate_room(payload.len)), 0);
	memset(compressed->bytes, 0, compressed->capacity);
	compressed->len = compressed->capacity;
	assert_int_equal(
		ws_deflate(deflater, bits, payload, compressed->bytes, &compressed->len), 0);
	ws_deflater_destroy(deflater);
}

struct collector {
	struct ws_reader reader;
	struct buffer message;
	size_t n;
};

static void on_collected(struct ws_reader *reader, enum ws_opcode opcode, struct slice payload)
{
	struct collector *collector = container_of(reader, struct collector, reader);
	assert_int_equal(opcode, WS_BINARY);
	collector->n++;
	assert_int_equal(buffer_append_slice(&collector->message, payload), 0);
}

static const struct ws_reader_events collecting = { on_collected, on_ping, on_pong, on_close };

static int feed_in_steps(struct ws_reader *reader, struct slice wire, size_t step)
{
	int failure = 0;
	while (wire.len && !failure) {
		size_t len = MIN(step, wire.len);
		char *copy = malloc(len);
		assert_non_null(copy);
		memcpy(copy, wire.at, len);
		failure = ws_reader_feed(reader, copy, len);
		free(copy);
		wire = slice_skip(wire, len);
	}
	return failure;
}

/* A message in fragments of `fragment` bytes. */
static void write_message(struct buffer *wire, struct slice payload, size_t fragment)
{
	uint8_t first = RSV1 | WS_BINARY;
	while (payload.len > fragment) {
		write_frame(wire, first, slice_make(payload.at, fragment));
		payload = slice_skip(payload, fragment);
		first = MORE;
	}
	write_frame(wire, first | FIN, payload);
}

static void try_round(struct slice payload, unsigned bits, size_t fragment, size_t step)
{
	const struct ws_reader_settings round_settings = { &collecting, (uint32_t)payload.len, 0,
		pool };
	struct collector collector = { .n = 0 };
	struct buffer compressed = { 0 }, wire = { 0 };
	compress_into(&compressed, bits, payload);
	write_message(&wire, buffer_slice(&compressed), fragment);
	ws_reader_init(&collector.reader, &round_settings);
	ws_reader_allow_compression(&collector.reader);
	assert_int_equal(feed_in_steps(&collector.reader, buffer_slice(&wire), step), 0);
	assert_int_equal(collector.n, 1);
	assert_true(slice_equal(buffer_slice(&collector.message), payload));
	ws_reader_finish(&collector.reader);
	buffer_finish(&collector.message);
	buffer_finish(&compressed);
	buffer_finish(&wire);
}

static void inflates_what_ws_deflate_compressed(void **state)
{
	(void)state;
	for (enum payload_kind kind = 0; kind < PAYLOAD_KINDS; kind++) {
		struct buffer payload = { 0 };
		payload_fill(&payload, kind);
		for (unsigned bits = 8; bits <= 15; bits++)
			try_round(buffer_slice(&payload), bits, SIZE_MAX, SIZE_MAX);
		try_round(buffer_slice(&payload), 15, SIZE_MAX, 1);
		try_round(buffer_slice(&payload), 9, SIZE_MAX, 4096);
		try_round(buffer_slice(&payload), 15, 1000, 777);
		try_round(buffer_slice(&payload), 12, 7, SIZE_MAX);
		buffer_finish(&payload);
	}
}

/* ---- bombs ---- */

static void try_bomb(const struct buffer *compressed, size_t len, uint32_t limit, size_t fragment,
	size_t step, bool discarding)
{
	const struct ws_reader_settings bomb_settings = {
		discarding ? &discarding_events : &collecting, limit, 0, pool
	};
	struct collector collector = { .n = 0 };
	struct buffer wire = { 0 };
	write_message(&wire, slice_make(compressed->bytes, compressed->len), fragment);
	ws_reader_init(&collector.reader, &bomb_settings);
	ws_reader_allow_compression(&collector.reader);
	int failure = feed_in_steps(&collector.reader, buffer_slice(&wire), step);
	assert_int_equal(failure, limit < len ? 1009 : 0);
	assert_int_equal(collector.message.len, limit < len || discarding ? 0 : len);
	assert_int_equal(ws_reader_holds(&collector.reader), 0);
	ws_reader_finish(&collector.reader);
	buffer_finish(&collector.message);
	buffer_finish(&wire);
}

/* Compressed a thousandfold, with limits around the length and around the steps of inflating. */
static void limits_inflated_messages(void **state)
{
	(void)state;
	static const uint32_t lens[] = { 16384, 65536, 65537, 100000 };
	for (size_t i = 0; i < COUNT_OF(lens); i++) {
		struct buffer compressed = { 0 };
		char *zeros = calloc(1, lens[i]);
		assert_non_null(zeros);
		compress_into(&compressed, 15, slice_make(zeros, lens[i]));
		const uint32_t around[] = { 1, 16384, 32768, lens[i] - 1, lens[i], lens[i] + 1 };
		for (size_t k = 0; k < COUNT_OF(around); k++) {
			for (uint32_t limit = around[k] - 1; limit <= around[k] + 1; limit++) {
				try_bomb(&compressed, lens[i], limit, SIZE_MAX, SIZE_MAX, k % 2);
				try_bomb(&compressed, lens[i], limit, SIZE_MAX, 1, false);
				try_bomb(&compressed, lens[i], limit, 1, SIZE_MAX, true);
				try_bomb(&compressed, lens[i], limit, 3, 10, false);
			}
		}
		free(zeros);
		buffer_finish(&compressed);
	}
}

/* Some hundred bytes that inflate to 64 KiB count as 17 frames, however they arrive. */
static void pays_for_what_it_inflates(void **state)
{
	(void)state;
	enum { LEN = 65536, FRAMES = 1 + LEN / WS_READER_FRAME_INFLATES };
	const struct ws_reader_settings bomb_settings = { &collecting, LEN, 0, pool };
	static const size_t steps[] = { SIZE_MAX, 1, 7 };
	struct buffer compressed = { 0 }, wire = { 0 };
	char *zeros = calloc(1, LEN);
	assert_non_null(zeros);
	compress_into(&compressed, 15, slice_make(zeros, LEN));
	write_message(&wire, buffer_slice(&compressed), SIZE_MAX);
	assert_true(wire.len < 1000);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		for (uint32_t frames = 1; frames <= FRAMES + 2; frames++) {
			struct collector collector = { .n = 0 };
			ws_reader_init(&collector.reader, &bomb_settings);
			ws_reader_allow_compression(&collector.reader);
			ws_reader_allow_frames(&collector.reader, frames);
			assert_int_equal(
				feed_in_steps(&collector.reader, buffer_slice(&wire), steps[i]),
				frames < FRAMES ? 1008 : 0);
			assert_int_equal(ws_reader_frames_left(&collector.reader),
				frames < FRAMES ? 0 : frames - FRAMES);
			assert_int_equal(collector.message.len, frames < FRAMES ? 0 : LEN);
			assert_int_equal(ws_reader_holds(&collector.reader), 0);
			ws_reader_finish(&collector.reader);
			buffer_finish(&collector.message);
		}
	}
	free(zeros);
	buffer_finish(&compressed);
	buffer_finish(&wire);
}

/* A bomb of 64 MiB costs no more than the limit: it fails long before its data end. */
static void stops_inflating_at_the_limit(void **state)
{
	(void)state;
	enum { LEN = 1 << 26, LIMIT = 1 << 16 };
	const struct ws_reader_settings bomb_settings = { &collecting, LIMIT, 0, pool };
	struct collector collector = { .n = 0 };
	struct buffer compressed = { 0 }, wire = { 0 };
	char *zeros = calloc(1, LEN);
	assert_non_null(zeros);
	compress_into(&compressed, 15, slice_make(zeros, LEN));
	free(zeros);
	write_frame(&wire, BINARY, buffer_slice(&compressed));
	ws_reader_init(&collector.reader, &bomb_settings);
	ws_reader_allow_compression(&collector.reader);
	size_t n_bytes = 0;
	while (ws_reader_feed(&collector.reader, wire.bytes + n_bytes, 1) == 0)
		n_bytes++;
	assert_in_range(n_bytes, LIMIT / 1100, LIMIT / 500);
	assert_int_equal(collector.n, 0);
	ws_reader_finish(&collector.reader);
	buffer_finish(&compressed);
	buffer_finish(&wire);
}

/* Empty blocks end with the length that is allowed on the wire. */
static void limits_empty_blocks(void **state)
{
	(void)state;
	static const struct slice blocks[] = { { "\x00\x00\x00\xff\xff", 5 }, { "\x03\x00", 2 },
		{ "\x02\x08\x20\x80\x00\x02\x08\x20\x80\x00", 10 } };
	for (size_t i = 0; i < COUNT_OF(blocks); i++) {
		struct buffer wire = { 0 };
		struct run run;
		run_init(&run, &settings);
		size_t n = 0;
		int failure = 0;
		struct ws_reader_settings unfragmented = settings;
		unfragmented.message_fragments = 0;
		run.reader.settings = &unfragmented;
		while (!failure) {
			wire.len = 0;
			write_frame(&wire, n ? MORE : RSV1 | WS_BINARY, blocks[i]);
			failure = feed(&run, buffer_slice(&wire));
			n++;
		}
		assert_int_equal(failure, 1009);
		assert_int_equal(n, (20 + 20 / 8 + 1024) / blocks[i].len + 1);
		assert_null(run.reader.held);
		run_finish(&run);
		buffer_finish(&wire);
	}
}

/* ---- inflaters ---- */

static void takes_an_inflater_only_for_a_message_under_way(void **state)
{
	(void)state;
	struct buffer wire = { 0 };
	struct run run;
	run_init(&run, &settings);
	write_frame(&wire, RSV1 | WS_TEXT, SLICE(""));
	assert_int_equal(feed(&run, buffer_slice(&wire)), 0);
	assert_int_equal(ws_reader_holds(&run.reader), 0);
	wire.len = 0;
	write_frame(&wire, MORE, SLICE("\xf2"));
	assert_int_equal(feed(&run, slice_make(wire.bytes, 6)), 0);
	assert_int_equal(ws_reader_holds(&run.reader), 0);
	assert_int_equal(feed(&run, slice_make(wire.bytes + 6, 1)), 0);
	assert_in_range(ws_reader_holds(&run.reader), 7000, 44 * 1024);
	wire.len = 0;
	write_frame(&wire, LAST, SLICE("\x48\xcd\xc9\xc9\x07\x00"));
	assert_int_equal(feed(&run, buffer_slice(&wire)), 0);
	assert_record(&run, "text:Hello ");
	assert_int_equal(ws_reader_holds(&run.reader), 0);
	run_finish(&run);
	buffer_finish(&wire);
}

/* A message inflated in one step is handed on where it was inflated. */
static void does_not_copy_a_short_message(void **state)
{
	(void)state;
	struct buffer wire = { 0 };
	const char *at[2];
	for (size_t i = 0; i < 2; i++) {
		struct run run;
		wire.len = 0;
		run_init(&run, &settings);
		write_frame(&wire, TEXT, i ? SLICE(ABC) : SLICE(HELLO));
		assert_int_equal(feed(&run, buffer_slice(&wire)), 0);
		at[i] = run.last_at;
		run_finish(&run);
	}
	assert_ptr_equal(at[0], at[1]);
	buffer_finish(&wire);
}

/* ---- handlers that stop or finish the reader ---- */

static const struct reader_case ending_cases[] = {
	{ "", { FRAME(TEXT, HELLO), FRAME(TEXT, HELLO) }, "text:Hello " },
	{ "",
		{ FRAME(RSV1 | WS_TEXT, "\xf2\x48\xcd"), FRAME(LAST, "\xc9\xc9\x07\x00"),
			FRAME(TEXT, "\x06") },
		"text:Hello " },
	{ "",
		{ FRAME(RSV1 | WS_TEXT, "\xf2\x48\xcd"), FRAME(FIN | WS_PING, "p"),
			FRAME(LAST, "\x06") },
		"ping:p " },
	{ "", { FRAME(RSV1 | WS_TEXT, "\xf2\x48"), FRAME(FIN | WS_CLOSE, "") }, "close:1005: " },
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

static void reader_may_be_finished_at_any_byte(void **state)
{
	(void)state;
	struct buffer wire = { 0 };
	write_frame(&wire, RSV1 | WS_TEXT, SLICE("\xf2\x48\xcd"));
	write_frame(&wire, FIN | WS_PING, SLICE("ping"));
	write_frame(&wire, LAST, SLICE("\xc9\xc9\x07\x00"));
	for (size_t len = 0; len <= wire.len; len++) {
		struct run run;
		run_init(&run, &settings);
		assert_int_equal(feed(&run, slice_make(wire.bytes, len)), 0);
		run_finish(&run);
		assert_int_equal(ws_reader_holds(&run.reader), 0);
	}
	buffer_finish(&wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_case_at_every_split),
		cmocka_unit_test(compression_must_be_negotiated),
		cmocka_unit_test(reads_a_message_split_at_every_byte),
		cmocka_unit_test(inflates_what_ws_deflate_compressed),
		cmocka_unit_test(limits_inflated_messages),
		cmocka_unit_test(pays_for_what_it_inflates),
		cmocka_unit_test(stops_inflating_at_the_limit),
		cmocka_unit_test(limits_empty_blocks),
		cmocka_unit_test(takes_an_inflater_only_for_a_message_under_way),
		cmocka_unit_test(does_not_copy_a_short_message),
		cmocka_unit_test(handler_may_stop_the_reader),
		cmocka_unit_test(handler_may_finish_the_reader),
		cmocka_unit_test(reader_may_be_finished_at_any_byte),
	};
	pool = ws_inflaters_create();
	settings.inflaters = discarding_settings.inflaters = pool;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	ws_inflaters_destroy(pool);
	return failed;
}
