/* Compressed messages, in three ways. As the bytes of a browser: the events do not depend on the
 * chunking. As the compressed payload of one message, in frames of various sizes: the reader agrees
 * with zlib and with the rules, each applied to the whole. And as a payload of ours, which must
 * come back unchanged from every window. */
#include "fuzz.h"

#define ZLIB_CONST
#include <zlib.h>

#include "sluice/proto/ws/ws_deflate.h"
#include "sluice/proto/ws/ws_inflate.h"
#include "sluice/proto/ws/ws_reader.h"
#include "utf8_reference.h"

/* More than the 16 KiB of a step. */
enum { MESSAGE_BYTES = 20000, WINDOW = 32768 };

/* ---- the reader ---- */

struct run {
	struct ws_reader reader;
	struct buffer record;
};

static void put(struct ws_reader *reader, const char *kind, unsigned code, struct slice payload)
{
	struct buffer *record = &container_of(reader, struct run, reader)->record;
	fuzz_printf(record, "%s %u %zu:", kind, code, payload.len);
	fuzz_append(record, payload);
}

static void on_message(struct ws_reader *reader, enum ws_opcode opcode, struct slice payload)
{
	put(reader, opcode == WS_TEXT ? "text" : "binary", 0, payload);
}

static void on_ping(struct ws_reader *reader, struct slice payload)
{
	put(reader, "ping", 0, payload);
}

static void on_pong(struct ws_reader *reader, struct slice payload)
{
	put(reader, "pong", 0, payload);
}

static void on_close(struct ws_reader *reader, unsigned code, struct slice reason)
{
	put(reader, "close", code, reason);
}

static void feed(void *context, char *bytes, size_t len)
{
	struct run *run = context;
	int failure = ws_reader_feed(&run->reader, bytes, len);
	if (failure)
		fuzz_printf(&run->record, "fails %d", failure);
}

static struct buffer record_of(
	struct ws_inflaters *inflaters, uint8_t chunking, struct slice wire, bool delivering)
{
	static const struct ws_reader_events delivers = { on_message, on_ping, on_pong, on_close };
	static const struct ws_reader_events discards = { NULL, on_ping, on_pong, on_close };
	struct ws_reader_settings settings = { .events = delivering ? &delivers : &discards,
		.message_bytes = MESSAGE_BYTES,
		.inflaters = inflaters };
	struct run run = { .record = { 0 } };
	ws_reader_init(&run.reader, &settings);
	ws_reader_allow_compression(&run.reader);
	fuzz_feed(chunking, wire, feed, &run);
	ws_reader_finish(&run.reader);
	return run.record;
}

static void check_same(struct buffer *record, struct buffer *expected)
{
	MUST(slice_equal(buffer_slice(record), buffer_slice(expected)));
	buffer_finish(record);
	buffer_finish(expected);
}

static void check_chunking(
	struct ws_inflaters *inflaters, uint8_t chunking, struct slice wire, bool delivering)
{
	struct buffer whole = record_of(inflaters, FUZZ_WHOLE, wire, delivering);
	struct buffer pieces = record_of(inflaters, chunking, wire, delivering);
	check_same(&pieces, &whole);
}

/* ---- one message ---- */

/* In frames of `size` bytes, with a mask of zeros. */
static void write_message(struct buffer *wire, uint8_t opcode, struct slice payload, size_t size)
{
	static const uint8_t no_mask[4] = { 0 };
	uint8_t header[WS_SERVER_HEADER_MAX];
	bool first = true, last;
	do {
		size_t len = MIN(size, payload.len);
		last = len == payload.len;
		size_t header_len = first ? ws_frame_format_compressed(header, opcode, last, len)
					  : ws_frame_format(header, WS_CONTINUATION, last, len);
		header[1] |= 0x80;
		fuzz_append(wire, slice_make((const char *)header, header_len));
		fuzz_append(wire, slice_make((const char *)no_mask, sizeof(no_mask)));
		fuzz_append(wire, slice_make(payload.at, len));
		payload = slice_skip(payload, len);
		first = false;
	} while (!last);
}

/* Inflates `bytes` by zlib, to at most `room` bytes. After BFINAL a new stream continues with the
 * window of the old one. True: the input ended exactly at the end of a stream; then, and after a
 * mistake, there is no more output. */
static bool inflate_all(struct slice bytes, size_t room, struct buffer *out)
{
	z_stream stream = { .next_in = (const uint8_t *)bytes.at, .avail_in = (uInt)bytes.len };
	MUST(buffer_reserve(out, room) == 0 && inflateInit2(&stream, -15) == Z_OK);
	memset(out->bytes, 0, room);
	stream.next_out = (uint8_t *)out->bytes;
	stream.avail_out = (uInt)room;
	int status = inflate(&stream, Z_NO_FLUSH);
	while (status == Z_STREAM_END && stream.avail_in) {
		size_t len = room - stream.avail_out, known = MIN(len, WINDOW);
		MUST(inflateReset(&stream) == Z_OK);
		MUST(inflateSetDictionary(&stream, (const uint8_t *)out->bytes + len - known,
			     (uInt)known) == Z_OK);
		status = inflate(&stream, Z_NO_FLUSH);
	}
	out->len = room - stream.avail_out;
	inflateEnd(&stream);
	return status == Z_STREAM_END && !stream.avail_in;
}

/* Does a block end with these bytes? Then a block behind them is read as one. */
static bool ends_well(struct slice bytes, struct slice inflated)
{
	struct buffer more = { 0 }, out = { 0 };
	fuzz_append(&more, bytes);
	fuzz_append(&more, SLICE("\x01\x01\x00\xfe\xffZ"));
	bool ends = inflate_all(buffer_slice(&more), MESSAGE_BYTES + 2, &out);
	ends = ends && out.len == inflated.len + 1 && out.bytes[inflated.len] == 'Z';
	buffer_finish(&more);
	buffer_finish(&out);
	return ends;
}

static struct buffer record_by_the_rules(uint8_t opcode, struct slice payload)
{
	struct buffer record = { 0 }, tailed = { 0 }, out = { 0 };
	fuzz_append(&tailed, payload);
	fuzz_append(&tailed, SLICE("\0\0\xff\xff"));
	if (payload.len) /* no bytes are an empty message */
		(void)inflate_all(buffer_slice(&tailed), MESSAGE_BYTES + 1, &out);
	struct slice bytes = slice_make(out.bytes, MIN(out.len, MESSAGE_BYTES));
	enum utf8_verdict verdict = opcode == WS_TEXT ? utf8_reference(bytes) : UTF8_VALID;
	if (verdict == UTF8_INVALID)
		fuzz_printf(&record, "fails 1007");
	else if (out.len > MESSAGE_BYTES)
		fuzz_printf(&record, "fails 1009");
	else if ((payload.len && !ends_well(buffer_slice(&tailed), bytes)) || verdict != UTF8_VALID)
		fuzz_printf(&record, "fails 1007");
	else {
		fuzz_printf(&record, "%s 0 %zu:", opcode == WS_TEXT ? "text" : "binary", bytes.len);
		fuzz_append(&record, bytes);
	}
	buffer_finish(&tailed);
	buffer_finish(&out);
	return record;
}

static void check_message(struct ws_inflaters *inflaters, uint8_t chunking, uint8_t opcode,
	struct slice payload, size_t frame_size)
{
	struct buffer wire = { 0 };
	write_message(&wire, opcode, payload, frame_size);
	struct buffer record = record_of(inflaters, chunking, buffer_slice(&wire), true);
	struct buffer expected = record_by_the_rules(opcode, payload);
	check_same(&record, &expected);
	buffer_finish(&wire);
}

/* ---- there and back ---- */

static void check_round_trip(struct ws_inflaters *inflaters, unsigned bits, struct slice payload)
{
	static struct ws_deflater *deflater;
	if (!deflater)
		deflater = ws_deflater_create();
	size_t len = ws_deflate_room(payload.len);
	char *compressed = calloc(1, len);
	MUST(deflater && compressed);
	MUST(ws_deflate(deflater, bits, payload, compressed, &len) == 0);
	struct buffer out = { 0 };
	struct slice rest = slice_make(compressed, len), bytes;
	struct ws_inflater *inflater = ws_inflater_take(inflaters);
	int more;
	do {
		more = ws_inflate(inflater, &rest, true, payload.len, &bytes);
		fuzz_append(&out, bytes);
	} while (more > 0);
	MUST(more == 0 && slice_equal(buffer_slice(&out), payload));
	ws_inflater_give(inflater);
	buffer_finish(&out);
	free(compressed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ws_inflaters *inflaters;
	if (!inflaters)
		inflaters = ws_inflaters_create();
	MUST(inflaters);
	uint8_t chunking = size ? data[0] : FUZZ_WHOLE;
	struct slice bytes = fuzz_rest(data, size);
	check_chunking(inflaters, chunking, bytes, true);
	check_chunking(inflaters, chunking, bytes, false);
	check_round_trip(inflaters, 8 + chunking % 8u, bytes);
	/* A longer payload may be too long on the wire, whatever it contains. */
	if (bytes.len > MESSAGE_BYTES)
		return 0;
	check_message(inflaters, FUZZ_WHOLE, WS_TEXT, bytes, SIZE_MAX);
	check_message(inflaters, chunking, WS_BINARY, bytes, SIZE_MAX);
	check_message(inflaters, FUZZ_WHOLE, WS_TEXT, bytes, (size_t)chunking + 1);
	return 0;
}
