/* What a connection may have: of the process, when it opens; of the reader's time; of the memory for what
 * waits to be sent. Each limit that is reached is counted here.
 *
 * Frames per second: the reader has an allowance, and it is renewed when bytes come and another second has
 * begun on the loop's clock. So there is no timer, and who sends nothing costs nothing.
 *
 * Queues: two limits, and neither hits who keeps up.
 *
 *	limits.queue_bytes     of one connection   the browser is slower than its channels
 *	limits.buffered_bytes  of the process      so are many, and what they hold is too much together
 *
 * Bytes that many queues refer to are there once, so the second is about memory, and the sum of all
 * queues (sluice_queued_bytes) may be far larger. When it is exceeded, those go to which more is to be
 * sent while there is something that the kernel has not taken for a while. A browser that reads is
 * stuck too, now and then, but not for long; so the limit may be exceeded by what is published within
 * that while.
 *
 * Who is closed for either gets no more of what waited for it: it would be held for as long as the
 * closing handshake takes, and the peer learns the sooner that it has to come back. */
#include <errno.h>

#include "conn_internal.h"
#include "sluice/base/buffered.h"
#include "sluice/base/limit.h"

enum { STUCK_MS = 200 };

/* ---- opening ---- */

/* The status to refuse with for want of a share. */
static int share_status(struct conn *conn, enum metric limit, int error)
{
	if (error == -EBUSY)
		limit_hit(conn->conns->metrics, limit);
	return !error ? 0 : error == -EBUSY ? 429 : 503;
}

/* A Unix socket's peers have no address: they come through a proxy, which is not one browser. */
static int take_address_share(struct conn *conn)
{
	struct conns *conns = conn->conns;
	if (!*conn->http->peer)
		return 0;
	int error = quota_take_share(conns->quota, 'a', slice_of(conn->http->peer),
		conns->settings->limits.connections_per_ip,
		conn->http->is_check ? NULL : &conn->address);
	return share_status(conn, METRIC_LIMIT_CONNECTIONS_PER_IP, error);
}

static bool take_connection(struct conn *conn)
{
	struct conns *conns = conn->conns;
	unsigned limit = conns->settings->limits.connections;
	bool had = conn->http->is_check ? quota_has_connection(conns->quota, limit)
					: quota_take_connection(conns->quota, limit);
	conn->counted = had && !conn->http->is_check;
	if (!had)
		limit_hit(conns->metrics, METRIC_LIMIT_CONNECTIONS);
	return had;
}

int conn_take_quotas(struct conn *conn, const char **ret_problem)
{
	struct conns *conns = conn->conns;
	const struct settings *settings = conns->settings;
	*ret_problem = "too many new connections per second";
	if (!quota_take_upgrade(conns->quota, settings->limits.upgrades_per_second,
		    uv_now(conns->shared->loop))) {
		limit_hit(conns->metrics, METRIC_LIMIT_UPGRADES_PER_SECOND);
		return 429;
	}
	*ret_problem = "too many connections from this address";
	int status = take_address_share(conn);
	if (status)
		return status;
	*ret_problem = "full";
	return take_connection(conn) ? 0 : 503;
}

int conn_take_user_share(
	struct conn *conn, const struct identity *identity, const char **ret_problem)
{
	struct conns *conns = conn->conns;
	if (!identity || !identity->user.len)
		return 0;
	*ret_problem = "too many connections of this user";
	int error = quota_take_share(conns->quota, 'u', identity->user,
		conns->settings->limits.connections_per_user,
		conn->http->is_check ? NULL : &conn->user);
	return share_status(conn, METRIC_LIMIT_CONNECTIONS_PER_USER, error);
}

/* ---- reading ---- */

void conn_allow_frames(struct conn *conn)
{
	uint32_t second = (uint32_t)(uv_now(conn->conns->shared->loop) / 1000);
	if (conn->second == second)
		return;
	conn->second = second;
	conn->commands_done = 0;
	unsigned frames = conn_reading_of(&conn->reader)->frames_per_second;
	ws_reader_allow_frames(&conn->reader, frames ? frames : UINT32_MAX);
}

/* What is beyond the counter's range is as good as no limit: the frames' one comes first. */
bool conn_allow_command(struct conn *conn)
{
	if (conn->commands_done >= conn->conns->settings->limits.commands_per_second) {
		limit_hit(conn->conns->metrics, METRIC_LIMIT_COMMANDS_PER_SECOND);
		return false;
	}
	if (conn->commands_done < UINT16_MAX)
		conn->commands_done++;
	return true;
}

struct slice conn_reader_limit(struct conn *conn, unsigned code)
{
	struct metrics *metrics = conn->conns->metrics;
	if (code == WS_CLOSE_TOO_BIG) {
		limit_hit(metrics, METRIC_LIMIT_MESSAGE_BYTES);
	} else if (code == WS_CLOSE_POLICY && ws_reader_frames_left(&conn->reader) == 0) {
		limit_hit(metrics, METRIC_LIMIT_FRAMES_PER_SECOND);
		return SLICE("too many frames");
	} else if (code == WS_CLOSE_POLICY) {
		limit_hit(metrics, METRIC_LIMIT_FRAGMENTS);
		return SLICE("too many fragments");
	} else if (code == WS_CLOSE_TRY_LATER) {
		/* a message that would have to be inflated */
		limit_hit(metrics, METRIC_LIMIT_BUFFERED_BYTES);
		return SLICE("overload");
	}
	return (struct slice){ 0 };
}

/* ---- sending ---- */

/* The limit is on what waits already: a browser whose queue is empty is not slow, however large the
 * publication. And what has only waited for this turn's end is offered to the kernel first. */
static bool is_slow(struct conn *conn, size_t more)
{
	size_t limit = conn->conns->settings->limits.queue_bytes;
	if (stream_queued(&conn->stream) + more <= limit && !stream_is_full(&conn->stream))
		return false;
	stream_flush(&conn->stream);
	size_t queued = stream_queued(&conn->stream);
	return queued && (queued + more > limit || stream_is_full(&conn->stream));
}

/* Looked at only where it is stuck: a connection that is not costs no more than a load. */
static bool is_stuck_for_long(struct conn *conn)
{
	uint32_t now = (uint32_t)uv_now(conn->conns->shared->loop);
	if (!stream_is_stuck(&conn->stream))
		return false;
	if (!conn->stuck_since)
		conn->stuck_since = MAX(now, 1U);
	return now - conn->stuck_since >= STUCK_MS;
}

struct slice conn_queue_limit(struct conn *conn, size_t more)
{
	struct conns *conns = conn->conns;
	if (is_slow(conn, more)) {
		metrics_add(conns->metrics, METRIC_SLOW_CONSUMERS_TOTAL, 1);
		limit_hit(conns->metrics, METRIC_LIMIT_QUEUE_BYTES);
		stream_drop_queued(&conn->stream);
		return SLICE("slow consumer");
	}
	if (is_stuck_for_long(conn) && buffered_bytes() > conns->settings->limits.buffered_bytes) {
		limit_hit(conns->metrics, METRIC_LIMIT_BUFFERED_BYTES);
		stream_drop_queued(&conn->stream);
		return SLICE("overload");
	}
	return (struct slice){ 0 };
}
