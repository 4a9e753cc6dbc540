/* What epoll is to watch for a stream. A socket for which nothing is wanted is not in the set at all, as
 * epoll would report its end again and again. */
#include "stream_internal.h"

static unsigned wanted_events(const struct stream *stream)
{
	unsigned wanted = 0;
	if (!stream_is_alive(stream))
		return 0;
	if ((stream->reading || !stream->open) && !stream->peer_ended)
		wanted |= EPOLLIN;
	if (stream->stuck)
		wanted |= EPOLLOUT;
	return wanted;
}

static void set_watched(struct stream *stream, unsigned wanted)
{
	struct sockets *sockets = &stream->shared->sockets;
	unsigned before = stream->watched;
	stream->watched = wanted & 7U;
	if (!wanted && before)
		sockets_remove(sockets, stream->fd, stream);
	else if (before)
		sockets_change(sockets, stream->fd, stream, wanted);
	else if (wanted) {
		int error = sockets_add(sockets, stream->fd, stream, wanted);
		stream->watched = error ? 0 : wanted & 7U;
		if (error)
			stream_fail(stream, error);
	}
}

void stream_watch(struct stream *stream)
{
	unsigned wanted = wanted_events(stream);
	if (wanted != stream->watched)
		set_watched(stream, wanted);
}

void stream_watch_lazily(struct stream *stream)
{
	unsigned wanted = wanted_events(stream);
	if (wanted != stream->watched && (wanted | EPOLLIN) != stream->watched)
		set_watched(stream, wanted);
}

void stream_unwatch(struct stream *stream)
{
	if (stream->watched)
		set_watched(stream, 0);
}

void stream_fail(struct stream *stream, int error)
{
	stream->failed = 1;
	turn_cancel(&stream->task);
	stream_unwatch(stream);
	stream->events->on_end(stream, error);
}
