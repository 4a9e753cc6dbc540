/* sluice/net/stream.h without sockets: another implementation of that contract, for scripts. It
 * precedes the net floor's stream in the link order.
 *
 * It works like src/net/stream.c, so that the owner sees the same behaviour: everything that is not
 * a reaction to the peer happens in one task at the end of the turn, only stream_turn and that task
 * raise events, and on_closed is the last event. A wire replaces the socket. There is no TLS and no
 * budget, because scripts are short. */
#include "sluice/net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire.h"

enum { WINDOW = 65536 };

/* The struct is the real one. There is no connector, so its field can hold the wire. */
static struct wire *wire_of(const struct stream *stream)
{
	return (struct wire *)stream->connector;
}

static bool is_alive(const struct stream *stream)
{
	return !stream->closing && !stream->failed;
}

static void schedule(struct stream *stream)
{
	turn_schedule(stream->shared->turn, &stream->task);
}

static void fail(struct stream *stream, int error)
{
	stream->failed = 1;
	turn_cancel(&stream->task);
	stream->events->on_end(stream, error);
}

/* ---- reading ---- */

static void read_pieces(struct stream *stream)
{
	struct wire *wire = wire_of(stream);
	size_t len;
	char *piece;
	while (stream->reading && !stream->peer_ended && (piece = wire_give(wire, &len))) {
		stream->events->on_bytes(stream, piece, len);
		free(piece);
		if (stream->closing)
			return;
	}
	if (!stream->reading || stream->peer_ended || wire->arrived < wire->sent.len)
		return;
	if (wire->error) {
		fail(stream, wire->error);
	} else if (wire->peer_ended) {
		stream->peer_ended = 1;
		stream->events->on_end(stream, 0);
	}
}

/* ---- writing ---- */

/* 0: all was taken; or a negative errno. */
static int offer_queue(struct stream *stream)
{
	while (stream->queue.bytes > 0) {
		struct iovec part;
		MUST(send_queue_gather(&stream->queue, &part, 1, SIZE_MAX) == 1);
		ssize_t n = wire_take(wire_of(stream), part.iov_base, part.iov_len);
		if (n < 0)
			return (int)n;
		send_queue_consume(&stream->queue, (size_t)n);
		stream->shared->queued -= (size_t)n;
	}
	return 0;
}

static void write_queue(struct stream *stream)
{
	int error = offer_queue(stream);
	if (error == -EAGAIN) {
		bool was_stuck = stream->stuck;
		stream->stuck = 1;
		if (!was_stuck && stream->events->on_stuck)
			stream->events->on_stuck(stream);
	} else if (error) {
		fail(stream, error);
	} else if (stream->stuck) {
		stream->stuck = 0;
		if (stream->events->on_drained)
			stream->events->on_drained(stream);
	}
}

static void write_and_end(struct stream *stream)
{
	write_queue(stream);
	if (is_alive(stream) && stream->ending && !stream->ended && stream->queue.bytes == 0)
		stream->ended = wire_of(stream)->ended = 1;
}

void stream_turn(struct stream *stream)
{
	if (!is_alive(stream) || !stream->open)
		return;
	read_pieces(stream);
	if (is_alive(stream) && stream->stuck)
		write_and_end(stream);
}

/* ---- opening ---- */

static void on_turn_end(struct turn_task *task)
{
	struct stream *stream = container_of(task, struct stream, task);
	struct wire *wire = wire_of(stream);
	if (stream->closing) {
		stream->events->on_closed(stream);
		return;
	}
	if (!stream->open && wire->error) {
		fail(stream, wire->error);
		return;
	}
	if (!stream->open) {
		stream->open = 1;
		stream->events->on_open(stream);
	}
	if (is_alive(stream) && !stream->stuck)
		write_and_end(stream);
}

static void init(struct stream *stream, struct stream_loop *shared, struct wire *wire,
	const struct stream_events *events)
{
	*stream = (struct stream){
		.events = events, .shared = shared, .fd = wire->number, .reading = 1
	};
	stream->connector = (struct connector *)wire;
	stream->task.run = on_turn_end;
	send_queue_init(&stream->queue);
}

int stream_loop_open(struct stream_loop *shared)
{
	(void)shared;
	return 0;
}

void stream_loop_close(struct stream_loop *shared)
{
	(void)shared;
}

int stream_accept(struct stream *stream, struct stream_loop *shared, int fd,
	struct tls_settings *tls, struct newcomer *newcomer, const struct stream_events *events)
{
	struct wire *wire = wire_find(fd);
	(void)newcomer; /* there is no contention in a script */
	MUST(wire && !wire->stream && !tls);
	if (wire->refuses) {
		close(fd);
		return wire->refuses;
	}
	init(stream, shared, wire, events);
	wire->stream = stream;
	schedule(stream);
	return 0;
}

int stream_connect(struct stream *stream, struct stream_loop *shared, const char *host,
	uint16_t port, const char *path, struct tls_settings *tls,
	const struct stream_events *events)
{
	(void)host;
	(void)port;
	(void)path;
	MUST(!tls);
	init(stream, shared, wire_create_link(stream), events);
	return 0;
}

void stream_admit(struct stream *stream)
{
	(void)stream;
}

void wire_answer(struct wire *wire, int error)
{
	wire->connecting = false;
	wire->error = error;
	if (wire->stream)
		schedule(wire->stream);
}

/* ---- what the owner asks for ---- */

int stream_send(struct stream *stream, struct chunk *chunk)
{
	if (stream->ending || !is_alive(stream))
		return -EPIPE;
	int error = send_queue_push(&stream->queue, chunk);
	if (error)
		return error;
	stream->shared->queued += chunk->len;
	if (stream->open && !stream->stuck)
		schedule(stream);
	return 0;
}

int stream_send_bytes(struct stream *stream, const void *bytes, size_t len)
{
	if (len > UINT32_MAX)
		return -ENOBUFS;
	struct chunk *chunk = chunk_create(bytes, len);
	if (!chunk)
		return -ENOMEM;
	int error = stream_send(stream, chunk);
	chunk_unref(chunk);
	return error;
}

int stream_send_shared(struct stream *stream, const void *bytes, size_t len)
{
	return stream_send_bytes(stream, bytes, len);
}

void stream_flush(struct stream *stream)
{
	if (!stream->open || stream->stuck || !is_alive(stream))
		return;
	if (offer_queue(stream) == -EAGAIN)
		stream->stuck = 1;
	schedule(stream);
}

void stream_drop_queued(struct stream *stream)
{
	stream->shared->queued -= send_queue_cut(&stream->queue, stream->queue.first_offset > 0);
}

void stream_pause(struct stream *stream)
{
	stream->reading = 0;
}

void stream_resume(struct stream *stream)
{
	stream->reading = 1;
}

bool stream_has_unread(const struct stream *stream)
{
	const struct wire *wire = wire_of(stream);
	return wire->arrived < wire->sent.len;
}

struct stream_progress stream_progress(const struct stream *stream)
{
	return (struct stream_progress){ .acked = (uint32_t)wire_of(stream)->received.len,
		.window = WINDOW,
		.outstanding = stream->queue.bytes };
}

void stream_end(struct stream *stream)
{
	stream->ending = 1;
	if (stream->open && is_alive(stream))
		schedule(stream);
}

void stream_close(struct stream *stream)
{
	if (stream->closing)
		return;
	stream->closing = 1;
	turn_cancel(&stream->task);
	stream->shared->queued -= stream->queue.bytes;
	send_queue_finish(&stream->queue);
	close(stream->fd);
	wire_of(stream)->stream = NULL;
	schedule(stream);
}

const char *stream_error_text(const struct stream *stream, int error, char text[TLS_ERROR_MAX])
{
	(void)stream;
	return uv_strerror_r(error, text, TLS_ERROR_MAX);
}
