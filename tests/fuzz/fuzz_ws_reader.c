/* The reader compared with a reference that has all bytes at once and reads frame by frame, to the
 * letter of RFC 6455. Both record their events and how it ended; the records must be the same, for
 * a reader that hands messages on and for one that discards them. */
#include "fuzz.h"
#include "sluice/proto/ws/ws_close.h"
#include "sluice/proto/ws/ws_reader.h"
#include "utf8_reference.h"

enum { MESSAGE_BYTES = 300, MESSAGE_FRAGMENTS = 4 };

/* The record: kind, length and payload of each event; "fails 1002" at the end. */
static void put(struct buffer *record, const char *kind, unsigned code, struct slice payload)
{
	fuzz_printf(record, "%s %u %zu:", kind, code, payload.len);
	fuzz_append(record, payload);
}

static void put_failure(struct buffer *record, int failure)
{
	fuzz_printf(record, "fails %d", failure);
}

/* ---- the reader ---- */

struct run {
	struct ws_reader reader;
	struct buffer record;
};

static struct buffer *record_of(struct ws_reader *reader)
{
	return &container_of(reader, struct run, reader)->record;
}

static void on_message(struct ws_reader *reader, enum ws_opcode opcode, struct slice payload)
{
	put(record_of(reader), opcode == WS_TEXT ? "text" : "binary", 0, payload);
}

static void on_ping(struct ws_reader *reader, struct slice payload)
{
	put(record_of(reader), "ping", 0, payload);
}

static void on_pong(struct ws_reader *reader, struct slice payload)
{
	put(record_of(reader), "pong", 0, payload);
}

static void on_close(struct ws_reader *reader, unsigned code, struct slice reason)
{
	put(record_of(reader), "close", code, reason);
}

static void feed(void *context, char *bytes, size_t len)
{
	struct run *run = context;
	int failure = ws_reader_feed(&run->reader, bytes, len);
	if (failure)
		put_failure(&run->record, failure);
}

static struct buffer record_of_reader(uint8_t chunking, struct slice bytes, bool delivering)
{
	static const struct ws_reader_events delivers = { on_message, on_ping, on_pong, on_close };
	static const struct ws_reader_events discards = { NULL, on_ping, on_pong, on_close };
	struct ws_reader_settings settings = { delivering ? &delivers : &discards, MESSAGE_BYTES,
		MESSAGE_FRAGMENTS };
	struct run run = { .record = { 0 } };
	ws_reader_init(&run.reader, &settings);
	fuzz_feed(chunking, bytes, feed, &run);
	ws_reader_finish(&run.reader);
	return run.record;
}

/* ---- the reference ---- */

struct reference {
	struct buffer *record;
	bool delivering;
	unsigned opcode; /* of the message under way; 0: none */
	unsigned fragments;
	struct buffer message;
};

struct frame {
	bool fin, masked;
	unsigned rsv, opcode;
	uint64_t len;
	bool shortest; /* the length is in the shortest form */
	uint8_t key[4];
};

/* 0: the header is not whole; else its length. */
static size_t read_frame(const uint8_t *at, size_t n, struct frame *frame)
{
	if (n < 2)
		return 0;
	unsigned short_len = at[1] % 128;
	size_t n_length = short_len == 127 ? 8 : short_len == 126 ? 2 : 0;
	size_t header = 2 + n_length + (at[1] >= 128 ? 4 : 0);
	if (n < header)
		return 0;
	*frame = (struct frame){ .fin = at[0] >= 128,
		.masked = at[1] >= 128,
		.rsv = at[0] / 16 % 8,
		.opcode = at[0] % 16,
		.len = n_length ? 0 : short_len };
	for (size_t i = 0; i < n_length; i++)
		frame->len = frame->len * 256 + at[2 + i];
	frame->shortest = n_length == 0 || (n_length == 2 && frame->len > 125) ||
			  (n_length == 8 && frame->len > 65535 && frame->len < 1ull << 63);
	if (frame->masked)
		memcpy(frame->key, at + header - 4, 4);
	return header;
}

static int judge_frame(const struct reference *reference, const struct frame *frame)
{
	if (!frame->shortest || frame->rsv || !frame->masked)
		return 1002;
	if (frame->opcode >= 8)
		return frame->opcode <= 10 && frame->fin && frame->len <= 125 ? 0 : 1002;
	if (frame->opcode > 2 || (frame->opcode == 0) != (reference->opcode != 0))
		return 1002;
	if (frame->len > MESSAGE_BYTES || frame->len + reference->message.len > MESSAGE_BYTES)
		return 1009;
	return reference->fragments == MESSAGE_FRAGMENTS ? 1008 : 0;
}

/* A whole control payload. -1: continue; else the close code; 0: closed properly. */
static int see_control(struct reference *reference, unsigned opcode, struct slice payload)
{
	if (opcode != WS_CLOSE) {
		put(reference->record, opcode == WS_PING ? "ping" : "pong", 0, payload);
		return -1;
	}
	unsigned code;
	struct slice reason;
	int failure = ws_close_parse(payload, &code, &reason);
	if (!failure)
		put(reference->record, "close", code, reason);
	return failure;
}

/* More of a message; `ends`: with its last byte. Results as see_control. */
static int see_data(struct reference *reference, struct slice payload, bool ends)
{
	fuzz_append(&reference->message, payload);
	struct slice message = buffer_slice(&reference->message);
	if (reference->opcode == WS_TEXT) {
		enum utf8_verdict verdict = utf8_reference(message);
		if (verdict == UTF8_INVALID || (ends && verdict != UTF8_VALID))
			return 1007;
	}
	if (!ends)
		return -1;
	if (reference->delivering)
		put(reference->record, reference->opcode == WS_TEXT ? "text" : "binary", 0,
			message);
	reference->message.len = reference->opcode = reference->fragments = 0;
	return -1;
}

static int see_payload(struct reference *reference, const struct frame *frame, struct slice payload)
{
	bool whole = payload.len == frame->len;
	if (frame->opcode >= 8)
		return whole ? see_control(reference, frame->opcode, payload) : -1;
	if (frame->opcode)
		reference->opcode = frame->opcode;
	reference->fragments++;
	return see_data(reference, payload, whole && frame->fin);
}

/* Reads the frame at the front, as far as it is there, and removes it. Results as see_control. */
static int see_frame(struct reference *reference, struct slice *bytes)
{
	struct frame frame;
	size_t header = read_frame((const uint8_t *)bytes->at, bytes->len, &frame);
	if (header == 0)
		return 0;
	*bytes = slice_skip(*bytes, header);
	int failure = judge_frame(reference, &frame);
	if (failure)
		return failure;
	char payload[MESSAGE_BYTES];
	size_t len = (size_t)MIN(frame.len, bytes->len);
	for (size_t i = 0; i < len; i++)
		payload[i] = (char)((uint8_t)bytes->at[i] ^ frame.key[i % 4]);
	*bytes = slice_skip(*bytes, len);
	return see_payload(reference, &frame, slice_make(payload, len));
}

static struct buffer record_of_reference(struct slice bytes, bool delivering)
{
	struct buffer record = { 0 };
	struct reference reference = { .record = &record, .delivering = delivering };
	int end = -1;
	while (end < 0)
		end = see_frame(&reference, &bytes);
	if (end)
		put_failure(&record, end);
	buffer_finish(&reference.message);
	return record;
}

static void check(uint8_t chunking, struct slice bytes, bool delivering)
{
	struct buffer expected = record_of_reference(bytes, delivering);
	struct buffer whole = record_of_reader(FUZZ_WHOLE, bytes, delivering);
	struct buffer pieces = record_of_reader(chunking, bytes, delivering);
	MUST(slice_equal(buffer_slice(&whole), buffer_slice(&expected)));
	MUST(slice_equal(buffer_slice(&pieces), buffer_slice(&expected)));
	buffer_finish(&expected);
	buffer_finish(&whole);
	buffer_finish(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t chunking = size ? data[0] : FUZZ_WHOLE;
	check(chunking, fuzz_rest(data, size), true);
	check(chunking, fuzz_rest(data, size), false);
	return 0;
}
