/* Reads and writes a stream's bytes.
 *
 * Fairness: a stream reads and writes a bounded amount at a time, then the others have their turn.
 * It continues when the socket is ready again. If epoll will not report that (decrypted bytes wait
 * in the TLS session, or the socket accepted everything so far), the stream's task continues. */
#include "stream_internal.h"

#include <errno.h>

#include "sluice/net/stream_io.h"
#include "sluice/net/tcp_progress.h"

enum {
	READ_BUDGET = 256 * 1024,
	READ_COST = 2048, /* of a read at least, as a record of TLS may hold a single byte */
	WRITE_BUDGET = 256 * 1024,
	MUCH_QUEUED = 16 << 20, /* in all streams of a loop */
};

/* ---- reading ---- */

/* Reads up to -EAGAIN, as a TLS session may hold bytes that the socket will not report again. A
 * plain socket is level-triggered: there a read that did not fill the buffer is enough. */
void stream_read(struct stream *stream)
{
	char *buffer = stream->shared->read_buffer;
	size_t size = stream->shared->read_buffer_size, done = 0;
	stream->unread = stream->tls != NULL;
	while (stream->reading && !stream->peer_ended && done < READ_BUDGET) {
		ssize_t n = stream_io_receive(stream->fd, stream->tls, buffer, size);
		if (n > 0) {
			done += MAX((size_t)n, (size_t)READ_COST);
			stream->events->on_bytes(stream, buffer, (size_t)n);
			if (stream->closing || (!stream->tls && (size_t)n < size))
				return;
			continue;
		}
		stream->unread = 0;
		if (n == 0) {
			stream->peer_ended = 1;
			stream->events->on_end(stream, 0);
		} else if (n != -EAGAIN) {
			stream_fail(stream, (int)n);
		}
		return;
	}
	if (stream->unread && stream->reading) /* else stream_resume continues */
		stream_schedule(stream);
}

void stream_pause(struct stream *stream)
{
	stream->reading = 0;
	if (stream->open && stream_is_alive(stream))
		stream_schedule(stream);
}

void stream_resume(struct stream *stream)
{
	stream->reading = 1;
	if (stream->open && stream_is_alive(stream))
		stream_schedule(stream);
}

/* ---- writing ---- */

/* The kernel's buffer for a TCP socket grows to megabytes. That is good for a burst. But thousands
 * of clients that do not read would each get their own copy there of bytes that they share in our
 * queues, and making the copies takes a worker longer than Redis waits for its next read. So when
 * much is queued, the kernel gets little more than the network takes. This does not limit the bytes
 * in flight. */
static void keep_kernel_lean(struct stream *stream)
{
	if (stream->shared->queued <= MUCH_QUEUED || stream->lean)
		return;
	stream->lean = 1;
	stream_io_become_lean(stream->fd);
}

/* Offers the queue to the kernel. 0: all was taken; 1: the budget is spent; or a negative errno. */
static int offer_queue(struct stream *stream, size_t budget)
{
	size_t done = 0;
	keep_kernel_lean(stream);
	while (stream->queue.bytes > 0) {
		if (done >= budget)
			return 1;
		ssize_t n = stream_io_send(stream->fd, stream->tls, &stream->queue, budget - done);
		if (n < 0)
			return (int)n;
		send_queue_consume(&stream->queue, (size_t)n);
		stream->shared->queued -= (size_t)n;
		done += (size_t)n;
	}
	return 0;
}

static void write_queue(struct stream *stream)
{
	int result = offer_queue(stream, WRITE_BUDGET);
	if (result == -EAGAIN) {
		bool was_stuck = stream->stuck;
		stream->stuck = 1;
		if (!was_stuck && stream->events->on_stuck)
			stream->events->on_stuck(stream);
	} else if (result < 0) {
		stream_fail(stream, result);
	} else if (result > 0 && !stream->stuck) { /* else "writable" continues */
		stream_schedule(stream);
	} else if (result == 0 && stream->stuck) {
		stream->stuck = 0;
		if (stream->events->on_drained)
			stream->events->on_drained(stream);
	}
}

void stream_write(struct stream *stream)
{
	write_queue(stream);
	if (!stream_is_alive(stream) || !stream->ending || stream->ended || stream->queue.bytes > 0)
		return;
	stream->ended = 1;
	stream_io_end(stream->fd, stream->tls);
}

static void count_queued(struct stream *stream, size_t len)
{
	stream->shared->queued += len;
	if (stream->open && !stream->stuck)
		stream_schedule(stream);
}

int stream_send(struct stream *stream, struct chunk *chunk)
{
	if (stream->ending || !stream_is_alive(stream))
		return -EPIPE;
	int result = send_queue_push(&stream->queue, chunk);
	if (result == 0)
		count_queued(stream, chunk->len);
	return result;
}

int stream_send_shared(struct stream *stream, const void *bytes, size_t len)
{
	if (stream->ending || !stream_is_alive(stream))
		return -EPIPE;
	int result = send_queue_push_shared(&stream->queue, bytes, len);
	if (result == 0)
		count_queued(stream, len);
	return result;
}

int stream_send_bytes(struct stream *stream, const void *bytes, size_t len)
{
	if (len > UINT32_MAX)
		return -ENOBUFS;
	struct chunk *chunk = chunk_create(bytes, len);
	if (!chunk)
		return -ENOMEM;
	int result = stream_send(stream, chunk);
	chunk_unref(chunk);
	return result;
}

void stream_flush(struct stream *stream)
{
	if (!stream->open || stream->stuck || !stream_is_alive(stream))
		return;
	if (offer_queue(stream, SIZE_MAX) == -EAGAIN)
		stream->stuck = 1;
	stream_schedule(stream); /* the end of the turn handles the rest, and an error too */
}

void stream_drop_queued(struct stream *stream)
{
	size_t keep = stream_io_begun(stream->tls, &stream->queue);
	stream->shared->queued -= send_queue_cut(&stream->queue, keep);
}

void stream_end(struct stream *stream)
{
	stream->ending = 1;
	if (stream->open && stream_is_alive(stream))
		stream_schedule(stream);
}

/* ---- progress ---- */

bool stream_has_unread(const struct stream *stream)
{
	bool awaits_rest = stream->awaits_hello && stream->parts_awaited;
	if (stream_waits(stream))
		return true;
	return stream->fd >= 0 && !awaits_rest && stream_io_has_unread(stream->fd);
}

struct stream_progress stream_progress(const struct stream *stream)
{
	struct stream_progress progress = { .outstanding = stream_queued(stream) };
	if (stream->fd < 0)
		return progress;
	struct tcp_progress kernel = tcp_progress(stream->fd);
	progress.acked = kernel.acked;
	progress.window = kernel.window;
	progress.outstanding += kernel.outstanding;
	return progress;
}
