/* Where a slow browser is closed. There are two limits, and neither hits a browser that keeps up.
 *
 *	limits.queue_bytes     of one connection   the browser is slower than its channels
 *	limits.buffered_bytes  of the process      many are, and together they hold too much
 *
 * Bytes that many queues refer to are in memory once, so the second limit is about memory, and the sum of
 * all queues (sluice_queued_bytes) may be far larger. When it is exceeded, the connections go that have
 * more to be sent while the kernel has not taken something for a while. A browser that reads is stuck
 * too, now and then, but not for long; so the limit may be exceeded by what is published in that while.
 *
 * A connection that is closed for either gets no more of what waited for it: that would be held for as
 * long as the closing handshake takes, and the browser learns the sooner that it has to come back. */
#include "sluice/conn/open/queue.h"

#include "sluice/base/buffered.h"
#include "sluice/base/limit.h"

enum { STUCK_MS = 200 };

/* The limit is on what waits already: a browser whose queue is empty is not slow, however large the
 * publication. And what has only waited for the end of this turn is offered to the kernel first. */
static bool is_slow(struct conn *conn, size_t more)
{
	size_t limit = conn_settings(conn)->limits.queue_bytes;
	if (stream_queued(&conn->stream) + more <= limit && !stream_is_full(&conn->stream))
		return false;
	stream_flush(&conn->stream);
	size_t queued = stream_queued(&conn->stream);
	return queued && (queued + more > limit || stream_is_full(&conn->stream));
}

/* Looked at only where it is stuck: a connection that is not costs no more than a load. */
static bool is_stuck_for_long(struct conn *conn)
{
	uint32_t now = (uint32_t)uv_now(conn->shared->streams->loop);
	if (!stream_is_stuck(&conn->stream))
		return false;
	if (!conn->stuck_since)
		conn->stuck_since = MAX(now, 1U);
	return now - conn->stuck_since >= STUCK_MS;
}

struct slice queue_limit(struct conn *conn, size_t more)
{
	struct metrics *metrics = conn->shared->metrics;
	if (is_slow(conn, more)) {
		metrics_add(metrics, METRIC_SLOW_CONSUMERS_TOTAL, 1);
		limit_hit(metrics, METRIC_LIMIT_QUEUE_BYTES);
		stream_drop_queued(&conn->stream);
		return SLICE("slow consumer");
	}
	if (is_stuck_for_long(conn) &&
		buffered_bytes() > conn_settings(conn)->limits.buffered_bytes) {
		limit_hit(metrics, METRIC_LIMIT_BUFFERED_BYTES);
		stream_drop_queued(&conn->stream);
		return SLICE("overload");
	}
	return (struct slice){ 0 };
}
