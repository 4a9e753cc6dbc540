/* Decides what epoll watches for a stream. A socket that waits for nothing is not in the set at
 * all, because epoll would report its end again and again. */
#include "stream_internal.h"

void stream_watch(struct stream *stream, unsigned wanted)
{
	struct sockets *sockets = &stream->shared->sockets;
	unsigned before = stream->watched;
	if (wanted == before)
		return;
	stream->watched = wanted & 7U;
	if (!wanted) {
		sockets_remove(sockets, stream->fd, stream);
	} else if (before) {
		sockets_change(sockets, stream->fd, stream, wanted);
	} else {
		int error = sockets_add(sockets, stream->fd, stream, wanted);
		if (error) {
			stream->watched = 0;
			stream_fail(stream, error);
		}
	}
}

void stream_fail(struct stream *stream, int error)
{
	stream->failed = 1;
	turn_cancel(&stream->task);
	stream_watch(stream, 0);
	stream->events->on_end(stream, error);
}
