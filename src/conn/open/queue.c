/* Decides when a slow browser is closed. There are two limits, and neither affects a browser that
 * keeps up.
 *
 *	limits.queue_bytes     of one connection   the browser is slower than its channels
 *	limits.buffered_bytes  of the process      many are, and together they hold too much
 *
 * Bytes in many queues are in memory only once. The second limit is about memory, so the sum of all
 * queues (sluice_queued_bytes) may be far larger. When it is exceeded, a connection is closed if
 * more is to be queued although it has been stuck for STUCK_MS. A browser that reads may be stuck
 * too, but not for that long. So the limit may be exceeded by what is published in that time.
 *
 * When a connection is closed for either limit, its queue is dropped. Otherwise the memory would be
 * held until the closing handshake is over, and the browser would learn later that it has to
 * reconnect. */
#include "sluice/conn/open/queue.h"

#include "sluice/base/buffered.h"
#include "sluice/base/limit.h"

enum { STUCK_MS = 200 };

/* The limit applies to bytes that wait already: a browser with an empty queue is not slow, however
 * large the publication. Bytes that only wait for the end of this turn are first offered to the
 * kernel. */
static bool is_slow(struct conn *conn, size_t more)
{
	if (queue_has_room(conn, more))
		return false;
	stream_flush(&conn->stream);
	return stream_queued(&conn->stream) && !queue_has_room(conn, more);
}

static bool is_stuck_for_long(struct conn *conn)
{
	if (!stream_is_stuck(&conn->stream))
		return false;
	uint32_t now = (uint32_t)uv_now(conn->shared->streams->loop);
	if (!conn->stuck_since)
		conn->stuck_since = MAX(now, 1U);
	return now - conn->stuck_since >= STUCK_MS;
}

struct slice queue_limit_near(struct conn *conn, size_t more)
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
