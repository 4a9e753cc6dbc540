/* The owner of a stream for tests: keeps the bytes that arrive, counts events, and closes the
 * stream in the event that a test chooses. */
#ifndef SLUICE_TESTS_END_H
#define SLUICE_TESTS_END_H

#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sluice/base/buffer.h"
#include "sluice/net/stream.h"

enum end_event { END_NONE, END_OPEN, END_BYTES, END_END, END_DRAINED };

struct end {
	struct stream stream;
	struct buffer received;
	unsigned opened, ended, drained, closed;
	int error; /* of the last on_end */
	enum end_event closes_in;
	bool echoes, pauses, within; /* within: in a call that must not raise events */
	char error_text[TLS_ERROR_MAX];
	struct newcomer newcomer;
};

static inline void end_happens(struct end *end, enum end_event event)
{
	assert_false(end->within);
	assert_int_equal(end->closed, 0);
	assert_false(end->stream.closing);
	if (end->closes_in == event) {
		stream_close(&end->stream);
		stream_close(&end->stream);
	}
}

static inline void end_on_open(struct stream *stream)
{
	struct end *end = container_of(stream, struct end, stream);
	end->opened++;
	end_happens(end, END_OPEN);
}

static inline void end_on_bytes(struct stream *stream, char *bytes, size_t len)
{
	struct end *end = container_of(stream, struct end, stream);
	assert_int_equal(end->opened, 1);
	assert_int_equal(end->ended, 0);
	assert_true(stream->reading);
	assert_int_equal(buffer_append(&end->received, bytes, len), 0);
	if (end->echoes)
		assert_int_equal(stream_send_bytes(stream, bytes, len), 0);
	if (end->pauses)
		stream_pause(stream);
	memset(bytes, '!', len); /* a handler may change them */
	end_happens(end, END_BYTES);
}

static inline void end_on_end(struct stream *stream, int error)
{
	struct end *end = container_of(stream, struct end, stream);
	end->ended++;
	end->error = error;
	stream_error_text(stream, error, end->error_text);
	end_happens(end, END_END);
}

static inline void end_on_drained(struct stream *stream)
{
	struct end *end = container_of(stream, struct end, stream);
	assert_int_equal(stream_queued(stream), 0);
	end->drained++;
	end_happens(end, END_DRAINED);
}

static inline void end_on_closed(struct stream *stream)
{
	struct end *end = container_of(stream, struct end, stream);
	assert_false(end->within);
	end->closed++;
	/* the memory is the owner's now */
	memset(stream, 0xaa, sizeof(*stream));
}

static const struct stream_events end_events = {
	.on_open = end_on_open,
	.on_bytes = end_on_bytes,
	.on_end = end_on_end,
	.on_drained = end_on_drained,
	.on_closed = end_on_closed,
};

/* A loop, and what its streams share. */
struct site {
	struct test_loop test;
	struct stream_loop shared;
	char read_buffer[65536];
};

static inline int site_open(void **state)
{
	static struct site site;
	test_loop_open(&site.test);
	site.shared = (struct stream_loop){ .loop = &site.test.loop,
		.turn = &site.test.turn,
		.read_buffer = site.read_buffer,
		.read_buffer_size = sizeof(site.read_buffer) };
	assert_int_equal(stream_loop_open(&site.shared), 0);
	*state = &site;
	return 0;
}

static inline int site_close(void **state)
{
	struct site *site = *state;
	stream_loop_close(&site->shared);
	test_loop_close(&site->test);
	return 0;
}

static inline void end_accept(
	struct end *end, struct site *site, int fd, struct tls_settings *settings)
{
	end->within = true;
	end->newcomer = (struct newcomer){ .address = "" };
	assert_int_equal(stream_accept(&end->stream, &site->shared, fd, settings, &end->newcomer,
				 &end_events),
		0);
	end->within = false;
}

/* Closes the stream unless it is closed, and waits for the end. */
static inline void end_finish(struct end *end, struct site *site)
{
	if (!end->closed) {
		end->within = true;
		stream_close(&end->stream);
		stream_close(&end->stream);
		end->within = false;
	}
	unsigned opened = end->opened, ended = end->ended;
	size_t received = end->received.len;
	RUN_UNTIL(&site->test, end->closed);
	assert_int_equal(end->closed, 1);
	assert_int_equal(end->opened, opened);
	assert_int_equal(end->ended, ended);
	assert_int_equal(end->received.len, received);
	buffer_finish(&end->received);
}

/* `len` pseudo-random bytes. */
static inline char *pattern(size_t len)
{
	char *bytes = malloc(len);
	assert_non_null(bytes);
	uint32_t x = 1;
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525U + 1013904223U;
		bytes[i] = (char)(x >> 24);
	}
	return bytes;
}

/* Sends bytes in chunks of many sizes, from 1 to `max`. */
static inline void end_send_in_pieces(struct end *end, const char *bytes, size_t len, size_t max)
{
	size_t size = 1;
	for (size_t at = 0; at < len; at += size, size = (size * 5 + 3) % max + 1) {
		size = MIN(size, len - at);
		assert_int_equal(stream_send_bytes(&end->stream, bytes + at, size), 0);
	}
}

#endif
