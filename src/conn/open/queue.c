/* Decides when a slow browser is closed. There are two limits, and neither affects a browser that
 * keeps up.
 *
 *	limits.queue_bytes     of one connection   the browser is slower than its channels
 *	limits.buffered_bytes  of the process      many are, and together they hold too much
 *
 * Bytes in many queues are in memory only once. The second limit is about memory, so the sum of all
 * queues (sluice_queued_bytes) may be far larger. When it is exceeded, conn/holding closes the
 * connections with the longest queues; here queues are only counted, as they become longer while
 * they are stuck. The limit may be exceeded by what is published in the time for which a queue may
 * be stuck.
 *
 * When a connection is closed for either limit, its queue is dropped. Otherwise the memory would be
 * held until the closing handshake is over, and the browser would learn later that it has to
 * reconnect. */
#include "sluice/conn/open/queue.h"

#include "sluice/base/limit.h"

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

struct slice queue_limit_near(struct conn *conn, size_t more)
{
	struct metrics *metrics = conn->shared->metrics;
	if (is_slow(conn, more)) {
		metrics_add(metrics, METRIC_SLOW_CONSUMERS_TOTAL, 1);
		limit_hit(metrics, METRIC_LIMIT_QUEUE_BYTES);
		stream_drop_queued(&conn->stream);
		return SLICE("slow consumer");
	}
	/* without memory to count it by, the connection is closed as if it held too much */
	if (stream_is_stuck(&conn->stream) && conn_holds_queue(conn) != 0) {
		stream_drop_queued(&conn->stream);
		return SLICE("overload");
	}
	return (struct slice){ 0 };
}
