/* The echo of conformance runs: a WebSocket at /echo, without session and channels, that sends
 * every message back unchanged. It is compiled only with -Decho=enabled, which a release build
 * refuses. The gateway itself discards messages from browsers, so without the echo its reader, its
 * frames and its closing handshake could not be tested from outside.
 *
 *	/echo?message_bytes=16777216&fragments=65536     limits of this connection's messages
 *	/echo?frames_per_second=256                      else any number is echoed
 *
 * With permessage-deflate every message goes back compressed, small ones too.
 *
 * Everything but on_message is production code. The connection does not know that it echoes: the
 * reader's settings and the stream's events are replaced by copies with our handlers in them. The
 * copies are in one block, which is freed when the stream has closed.
 *
 * Back-pressure: if more than limits.queue_bytes or very many small chunks are queued after a read,
 * reading pauses until the queue is empty. So the queue exceeds the limit by the echo of one read
 * and one message at most. Every ping in that read is answered, unlike on a normal connection,
 * which cannot pause and answers only the last. */
#include "sluice/conn/open/echo.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/base/log.h"
#include "sluice/conn/open/open_shared.h"
#include "sluice/conn/open/ws.h"
#include "sluice/proto/ws/ws_deflate.h"

/* A read contains at most 10,000 frames that are echoed as two chunks; these fit on top. */
enum {
	ECHO_CHUNKS = SEND_QUEUE_MAX / 4,
	MESSAGE_BYTES_MAX = 1 << 24,
	FRAGMENTS_MAX = 65536,
	FRAMES_MAX = 1 << 24
};

struct echo {
	struct ws_reading reading;
	struct ws_reader_events reader_events;
	struct stream_events stream_events;
	const struct stream_events *inner; /* the connection's own */
	struct ws_deflater *deflater;      /* NULL: no compression was negotiated */
	unsigned window_bits;
};

static struct conn *of_reader(struct ws_reader *reader)
{
	return container_of(reader, struct conn, reader);
}

static struct conn *of_stream(struct stream *stream)
{
	return container_of(stream, struct conn, stream);
}

static struct echo *echo_of(const struct stream *stream)
{
	return container_of((uintptr_t)stream->events, struct echo, stream_events);
}

static bool is_over_limit(const struct conn *conn)
{
	return stream_queued(&conn->stream) > conn_settings(conn)->limits.queue_bytes ||
	       conn->stream.queue.count > ECHO_CHUNKS;
}

/* ---- events of the reader ---- */

static int send_compressed(
	struct conn *conn, const struct echo *echo, enum ws_opcode opcode, struct slice payload)
{
	uint8_t header[WS_SERVER_HEADER_MAX];
	size_t len = ws_deflate_room(payload.len);
	char *compressed = malloc(len);
	if (!compressed)
		return -ENOMEM;
	int error = ws_deflate(echo->deflater, echo->window_bits, payload, compressed, &len);
	if (!error)
		error = stream_send_bytes(&conn->stream, header,
			ws_frame_format_compressed(header, opcode, true, len));
	if (!error)
		error = stream_send_bytes(&conn->stream, compressed, len);
	free(compressed);
	return error;
}

static void send_back(struct conn *conn, enum ws_opcode opcode, struct slice payload)
{
	uint8_t header[WS_SERVER_HEADER_MAX];
	size_t header_len = ws_frame_format(header, opcode, true, payload.len);
	int error = stream_send_bytes(&conn->stream, header, header_len);
	if (!error)
		error = stream_send_bytes(&conn->stream, payload.at, payload.len);
	if (error)
		conn_abort(conn);
}

static void on_message(struct ws_reader *reader, enum ws_opcode opcode, struct slice payload)
{
	struct conn *conn = of_reader(reader);
	const struct echo *echo = echo_of(&conn->stream);
	/* After a close frame no data frame is sent (RFC 6455 §5.5.1). */
	if (!conn_is_open(conn))
		return;
	if (!echo->deflater)
		send_back(conn, opcode, payload);
	else if (send_compressed(conn, echo, opcode, payload) != 0)
		conn_abort(conn);
}

/* A normal connection with a stuck queue keeps only the last pong; here each ping gets its own, in
 * order. */
static void on_ping(struct ws_reader *reader, struct slice payload)
{
	struct conn *conn = of_reader(reader);
	if (conn_is_open(conn) && stream_queued(&conn->stream))
		send_back(conn, WS_PONG, payload);
	else
		ws_reader_events.of[0].on_ping(reader, payload);
}

/* ---- events of the stream ---- */

static void on_bytes(struct stream *stream, char *bytes, size_t len)
{
	struct conn *conn = of_stream(stream);
	echo_of(stream)->inner->on_bytes(stream, bytes, len);
	if (!conn_is_open(conn) || !is_over_limit(conn))
		return;
	/* Offers the queue to the kernel first. If anything is left, on_drained follows. */
	stream_flush(stream);
	if (stream_queued(stream))
		stream_pause(stream);
}

static void on_drained(struct stream *stream)
{
	echo_of(stream)->inner->on_drained(stream);
	stream_resume(stream);
}

static void on_closed(struct stream *stream)
{
	struct echo *echo = echo_of(stream);
	echo->inner->on_closed(stream);
	ws_deflater_destroy(echo->deflater);
	free(echo);
}

/* ---- the request ---- */

static bool read_number(struct slice text, uint32_t max, uint32_t *ret_number)
{
	uint64_t number;
	if (!slice_number(text, max, &number))
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

static bool read_limits(struct slice query, struct ws_reading *reading)
{
	while (query.at) {
		struct slice value = slice_cut(&query, '&');
		struct slice name = slice_cut(&value, '=');
		uint32_t number;
		if (slice_equal(name, SLICE("message_bytes")) &&
			read_number(value, MESSAGE_BYTES_MAX, &number))
			reading->settings.message_bytes = number;
		else if (slice_equal(name, SLICE("fragments")) &&
			 read_number(value, FRAGMENTS_MAX, &number))
			reading->settings.message_fragments = number;
		else if (slice_equal(name, SLICE("frames_per_second")) &&
			 read_number(value, FRAMES_MAX, &number))
			reading->frames_per_second = number;
		else
			return false;
	}
	return true;
}

static void take_over(struct conn *conn, struct echo *echo)
{
	echo->reader_events = ws_reader_events.of[0];
	echo->reader_events.on_message = on_message;
	echo->reader_events.on_ping = on_ping;
	echo->reading.settings.events = &echo->reader_events;
	echo->inner = conn->stream.events;
	echo->stream_events = *echo->inner;
	echo->stream_events.on_bytes = on_bytes;
	echo->stream_events.on_drained = on_drained;
	echo->stream_events.on_closed = on_closed;
	conn->stream.events = &echo->stream_events;
}

/* 0, or the status to refuse with, and why. */
static int read_query(
	struct echo *echo, const struct conn *conn, struct slice query, const char **ret_problem)
{
	echo->reading = conn->shared->open->ws->of[0].reading;
	echo->reading.frames_per_second = 0;
	*ret_problem = "not a limit of the echo";
	if (!read_limits(query, &echo->reading))
		return 400;
	*ret_problem = "no memory";
	if (echo->window_bits)
		echo->deflater = ws_deflater_create();
	return echo->window_bits && !echo->deflater ? 503 : 0;
}

int echo_prepare(
	struct conn *conn, struct slice query, unsigned window_bits, const char **ret_problem)
{
	struct echo *echo = calloc(1, sizeof(*echo));
	*ret_problem = "no memory";
	if (!echo)
		return 503;
	echo->window_bits = window_bits;
	int status = read_query(echo, conn, query, ret_problem);
	if (status) {
		free(echo);
		return status;
	}
	log_debug("echo of conformance runs");
	take_over(conn, echo);
	return 0;
}

static const struct ws_reading *reading(const struct conn *conn)
{
	return &echo_of(&conn->stream)->reading;
}

const struct dialect dialect_echo = { .form = PUBLICATION_PLAIN, .reading = reading };
