/* For the sources of stream. Calls go one way:
 *
 *	stream.c       its life: connecting, accepting, the handshake, the turn's end, closing
 *	stream_flow.c  its bytes: reading, the send queue, back-pressure, ending our side
 *	stream_watch.c what epoll is to watch; failing
 *	stream_io.c    the socket, plain or under TLS (a module of its own) */
#ifndef SLUICE_NET_STREAM_INTERNAL_H
#define SLUICE_NET_STREAM_INTERNAL_H

#include "sluice/net/stream.h"

static inline bool stream_is_alive(const struct stream *stream)
{
	return !stream->closing && !stream->failed;
}

/* A newcomer that waits for its turn. */
static inline bool stream_waits(const struct stream *stream)
{
	return stream->is_newcomer && newcomer_waits(stream->newcomer);
}

/* The stream's task runs at the end of this turn. */
static inline void stream_schedule(struct stream *stream)
{
	turn_schedule(stream->shared->turn, &stream->task);
}

/* ---- stream_flow.c ---- */

/* Reads up to a budget, and raises on_bytes and on_end. May fail the stream. */
void stream_read(struct stream *stream);

/* Writes the queue up to a budget, then ends our side if that was asked for. May fail the
 * stream. */
void stream_write(struct stream *stream);

/* ---- stream_watch.c ---- */

/* The events that epoll should watch now. */
static inline unsigned stream_wanted_events(const struct stream *stream)
{
	unsigned wanted = 0;
	if (!stream_is_alive(stream) || stream_waits(stream))
		return 0;
	if ((stream->reading || !stream->open) && !stream->peer_ended)
		wanted |= EPOLLIN;
	if (stream->stuck)
		wanted |= EPOLLOUT;
	return wanted;
}

/* Watches these events; 0: none. May fail the stream. */
void stream_watch(struct stream *stream, unsigned wanted);

/* Inline because it follows each write. A pause in reading is not passed on to epoll until something
 * arrives, because most pauses are over by then. */
static inline void stream_watch_lazily(struct stream *stream)
{
	unsigned wanted = stream_wanted_events(stream);
	if (wanted != stream->watched && (wanted | EPOLLIN) != stream->watched)
		stream_watch(stream, wanted);
}

/* The stream is dead: raises on_end. */
void stream_fail(struct stream *stream, int error);

#endif
