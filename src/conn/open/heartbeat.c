/* The heartbeat has no timer of its own: the connection's one deadline is the next ping, or the
 * pong that must arrive. The dialect's heartbeat message precedes each ping, because a page cannot
 * see pings. The first ping is sent after a random part of the interval, so that browsers that
 * connected together are not pinged together.
 *
 * Only a pong proves that the peer is alive, and it must arrive within `timeout`. But a browser on
 * a slow line cannot answer a ping that still waits behind megabytes, here or in the kernel. So the
 * position of the ping's end in the stream is recorded. When the pong is due:
 *
 *	the ping has not arrived, but other bytes have since              -> wait another timeout: slow, not dead
 *	it has arrived, and the peer still reads what was sent before it  -> the same
 *	it has arrived late                                               -> once more
 *	else                                                              -> terminated
 *
 * "Arrived" means that the peer's TCP has acknowledged the bytes. A growing receive window shows
 * that the peer's program reads. The queue limits how much may wait. */
#include "sluice/conn/open/heartbeat.h"

#include "sluice/base/random.h"
#include "sluice/conn/open/open_shared.h"
#include "sluice/conn/open/ws_shared.h"

static void on_ping_due(struct deadline *deadline);
static void on_pong_due(struct deadline *deadline);

static void schedule_ping(struct conn *conn, unsigned ms)
{
	conn->awaiting_pong = false;
	if (conn_settings(conn)->heartbeat_interval_ms)
		deadline_set(conn->shared->deadlines, &conn->deadline, ms, on_ping_due);
	else /* a reload has turned the heartbeat off */
		deadline_clear(conn->shared->deadlines, &conn->deadline);
}

static void await_pong(struct conn *conn)
{
	deadline_set(conn->shared->deadlines, &conn->deadline,
		conn_settings(conn)->heartbeat_timeout_ms, on_pong_due);
}

/* May the peer still be reading what was sent before the ping? */
static bool is_only_slow(struct conn *conn)
{
	struct stream_progress now = stream_progress(&conn->stream);
	bool arrived = (int32_t)(now.acked - conn->ping_end) >= 0;
	bool moves = now.acked != conn->acked;
	bool reads = now.window > conn->window;
	bool was_late = conn->ping_was_late;
	conn->acked = now.acked;
	conn->window = now.window;
	conn->ping_was_late = !arrived;
	return arrived ? was_late || reads : moves || reads;
}

static void on_pong_due(struct deadline *deadline)
{
	struct conn *conn = container_of(deadline, struct conn, deadline);
	if (is_only_slow(conn)) {
		await_pong(conn);
		return;
	}
	metrics_add(conn->shared->metrics, METRIC_HEARTBEAT_TERMINATIONS_TOTAL, 1);
	conn_abort(conn);
}

static void on_ping_due(struct deadline *deadline)
{
	struct conn *conn = container_of(deadline, struct conn, deadline);
	struct chunk *ping = conn->shared->open->ws->of[conn->dialect].heartbeat;
	if (stream_send(&conn->stream, ping) != 0) {
		conn_abort(conn);
		return;
	}
	struct stream_progress now = stream_progress(&conn->stream);
	conn->acked = now.acked;
	conn->window = now.window;
	conn->ping_end = now.acked + now.outstanding;
	conn->ping_was_late = false;
	conn->awaiting_pong = true;
	await_pong(conn);
}

void heartbeat_begin(struct conn *conn)
{
	schedule_ping(conn, random_below(conn_settings(conn)->heartbeat_interval_ms + 1));
}

void heartbeat_pong(struct conn *conn)
{
	sessions_touch(conn->shared->sessions, &conn->session);
	if (conn->awaiting_pong)
		schedule_ping(conn, conn_settings(conn)->heartbeat_interval_ms);
}
