/* For the tests of ws_reader: a reader with a record of its events, and frames as a browser sends
 * them. */
#ifndef SLUICE_TESTS_READER_H
#define SLUICE_TESTS_READER_H

#include <stdio.h>
#include <string.h>

#include "exact.h"
#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/proto/ws/ws_reader.h"
#include "unit.h"

enum { FIN = 0x80, RSV1 = 0x40, RSV2 = 0x20, RSV3 = 0x10 };

/* ---- a reader with a record of its events ---- */

enum action { GO_ON, STOP, FINISH };

struct run {
	struct ws_reader reader;
	struct buffer record; /* "text:hello ping: close:1000:over " */
	enum action action;   /* of the handler of the first event */
	const char *last_at;  /* the address of the last payload */
};

static inline void put(struct run *run, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t byte = (uint8_t)bytes.at[i];
		bool plain = byte > ' ' && byte < 0x7F;
		int error = plain ? buffer_append(&run->record, &byte, 1)
				  : buffer_printf(&run->record, "\\%02x", byte);
		assert_int_equal(error, 0);
	}
}

static inline void record(struct ws_reader *reader, const char *kind, struct slice payload)
{
	struct run *run = container_of(reader, struct run, reader);
	if (run->action == STOP)
		ws_reader_stop(reader);
	if (run->action == FINISH)
		ws_reader_finish(reader);
	put(run, slice_of(kind));
	put(run, payload);
	assert_int_equal(buffer_append(&run->record, " ", 1), 0);
	run->last_at = payload.at;
}

static inline void on_message(struct ws_reader *reader, enum ws_opcode opcode, struct slice payload)
{
	record(reader, opcode == WS_TEXT ? "text:" : "binary:", payload);
}

static inline void on_ping(struct ws_reader *reader, struct slice payload)
{
	record(reader, "ping:", payload);
}

static inline void on_pong(struct ws_reader *reader, struct slice payload)
{
	record(reader, "pong:", payload);
}

static inline void on_close(struct ws_reader *reader, unsigned code, struct slice reason)
{
	char kind[20];
	snprintf(kind, sizeof(kind), "close:%u:", code);
	record(reader, kind, reason);
}

static const struct ws_reader_events events = { on_message, on_ping, on_pong, on_close };
static const struct ws_reader_events discarding_events = { NULL, on_ping, on_pong, on_close };

static inline void run_init(struct run *run, const struct ws_reader_settings *run_settings)
{
	*run = (struct run){ .action = GO_ON };
	ws_reader_init(&run->reader, run_settings);
	if (run_settings->inflaters)
		ws_reader_allow_compression(&run->reader);
}

static inline void run_finish(struct run *run)
{
	ws_reader_finish(&run->reader);
	assert_null(run->reader.held);
	assert_null(run->reader.control);
	assert_null(run->reader.inflater);
	buffer_finish(&run->record);
}

static inline void assert_record(struct run *run, const char *expected)
{
	struct slice got = buffer_slice(&run->record);
	if (!slice_equal(got, slice_of(expected)))
		fail_msg("got \"%.*s\" instead of \"%s\"", SLICE_ARGS(got), expected);
}

static inline int feed(struct run *run, struct slice bytes)
{
	char *copy = exact_copy(bytes);
	int failure = ws_reader_feed(&run->reader, copy, bytes.len);
	free(copy);
	/* Memory is held only while a message or control frame is incomplete. */
	if (!run->reader.message_opcode || !run->reader.settings->events->on_message)
		assert_null(run->reader.held);
	if (!run->reader.message_opcode || !run->reader.compressed)
		assert_null(run->reader.inflater);
	if (!run->reader.in_payload)
		assert_null(run->reader.control);
	return failure;
}

/* ---- frames as a browser sends them ---- */

struct frame {
	uint8_t first; /* FIN, RSV and opcode */
	struct slice payload;
	struct slice raw; /* instead of a frame */
};

#define FRAME(first, literal) \
	{ \
		(first), { literal, sizeof(literal) - 1 }, \
		{ \
			NULL, 0 \
		} \
	}
#define RAW(literal) \
	{ \
		0, { NULL, 0 }, \
		{ \
			literal, sizeof(literal) - 1 \
		} \
	}

static inline void write_header(
	struct buffer *wire, uint8_t first, uint64_t len, const uint8_t key[4])
{
	uint8_t header[WS_SERVER_HEADER_MAX];
	size_t header_len = ws_frame_format(header, first & 0xF, false, len);
	header[0] = first;
	header[1] |= 0x80;
	assert_int_equal(buffer_append(wire, header, header_len), 0);
	assert_int_equal(buffer_append(wire, key, 4), 0);
}

static inline void write_frame(struct buffer *wire, uint8_t first, struct slice payload)
{
	/* A different key for each frame. */
	const uint8_t key[4] = { 0x37, 0xfa, (uint8_t)wire->len, (uint8_t)(wire->len * 31) };
	write_header(wire, first, payload.len, key);
	size_t start = wire->len;
	assert_int_equal(buffer_append_slice(wire, payload), 0);
	if (payload.len)
		ws_mask(wire->bytes + start, payload.len, key, 0);
}

static inline void write_frames(struct buffer *wire, const struct frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (frames[i].raw.at)
			assert_int_equal(buffer_append_slice(wire, frames[i].raw), 0);
		else if (frames[i].payload.at)
			write_frame(wire, frames[i].first, frames[i].payload);
	}
}

/* ---- a case ---- */

struct reader_case {
	const char *name;
	struct frame frames[8];
	const char *record;
	int failure;
};

/* `full` without its messages, as a reader that discards them records it. */
static inline void leave_out_messages(const char *full, char *rest)
{
	while (*full) {
		size_t len = strcspn(full, " ") + 1;
		bool message = !strncmp(full, "text:", 5) || !strncmp(full, "binary:", 7);
		if (!message) {
			memcpy(rest, full, len);
			rest += len;
		}
		full += len;
	}
	*rest = '\0';
}

/* Feeds `first` bytes, then `step` at a time. */
static inline void try_case(const struct reader_case *c,
	const struct ws_reader_settings *run_settings, struct slice wire, size_t first, size_t step)
{
	struct run run;
	run_init(&run, run_settings);
	int failure = 0;
	for (size_t len = first; wire.len; len = MIN(step, wire.len)) {
		int now = feed(&run, slice_make(wire.at, len));
		/* A failure is reported once. */
		assert_true(!failure || !now);
		failure = failure ? failure : now;
		wire = slice_skip(wire, len);
	}
	char expected[512];
	memcpy(expected, c->record, strlen(c->record) + 1);
	if (!run_settings->events->on_message)
		leave_out_messages(c->record, expected);
	assert_record(&run, expected);
	assert_int_equal(failure, c->failure);
	run_finish(&run);
}

/* The handler of the first event stops or finishes the reader: `record` is all, and nothing is
 * held. */
static inline void try_to_end(const struct reader_case *c,
	const struct ws_reader_settings *run_settings, enum action action)
{
	struct buffer wire = { 0 };
	write_frames(&wire, c->frames, COUNT_OF(c->frames));
	for (size_t split = 0; split <= wire.len; split++) {
		struct run run;
		run_init(&run, run_settings);
		run.action = action;
		assert_int_equal(feed(&run, slice_make(wire.bytes, split)), 0);
		assert_int_equal(feed(&run, slice_make(wire.bytes + split, wire.len - split)), 0);
		assert_record(&run, c->record);
		assert_null(run.reader.held);
		assert_null(run.reader.control);
		assert_null(run.reader.inflater);
		assert_int_equal(ws_reader_holds(&run.reader), 0);
		run_finish(&run);
	}
	buffer_finish(&wire);
}

static inline void try_everywhere(
	const struct reader_case *c, const struct ws_reader_settings *run_settings)
{
	struct buffer wire = { 0 };
	write_frames(&wire, c->frames, COUNT_OF(c->frames));
	struct slice bytes = buffer_slice(&wire);
	print_message("%s\n", c->name);
	try_case(c, run_settings, bytes, 1, 1);
	for (size_t split = 0; split <= bytes.len; split++)
		try_case(c, run_settings, bytes, split, bytes.len);
	buffer_finish(&wire);
}

#endif
