/* A half-open connection has not sent a whole request yet. It costs us a descriptor and some
 * memory, and costs the peer nothing: an attacker can open thousands and send nothing, or a byte
 * now and then.
 *
 *	accepted --1 s--> half-open: counted by address --limits.handshake_seconds--> 408
 *
 * The limit per address counts only connections whose request is still incomplete after a second.
 * When a proxy in front of us restarts, all its browsers reconnect at once from one address, and
 * none of them may be refused. Their requests arrive at once, so they are never counted and never
 * take the mutex of the quota. If we are the slow side, with thousands of TLS handshakes to do,
 * their bytes wait in the kernel, and the second is extended, but not beyond handshake_seconds: who
 * has waited for us that long has no use for an answer any more. An honest client that is late, such
 * as a phone on a bad line, has the whole time as long as other clients of its address are fast.
 *
 * The default is high all the same: an overloaded proxy may connect first and send later, and then
 * a thousand late requests are a burst of reconnects, not an attack. If descriptors run short
 * before the limit is reached, a worker closes its late connections, the oldest first. Operators
 * who serve browsers without a proxy should set a lower limit. */
#include "sluice/conn/opening/half_open.h"

#include <errno.h>

#include "sluice/base/limit.h"
#include "sluice/conn/opening/refuse.h"

enum { QUICK_MS = 1000, ROOM_AT_ONCE = 64 };

static void on_request_due(struct deadline *deadline)
{
	struct conn *conn = container_of(deadline, struct conn, deadline);
	/* Browsers often open spare connections. These are counted, but no warning is logged. */
	if (conn->opening->begun)
		limit_hit(conn->shared->metrics, METRIC_LIMIT_HANDSHAKE_SECONDS);
	else
		metrics_add(conn->shared->metrics, METRIC_LIMIT_HANDSHAKE_SECONDS, 1);
	opening_give_up(conn, 408, "the request did not arrive in time");
}

/* 0 or a negative errno. Peers on a Unix socket have no address; they come through a proxy. */
static int count(struct conn *conn)
{
	struct conn_shared *shared = conn->shared;
	struct opening *opening = conn->opening;
	int error = 0;
	if (*opening->peer)
		error = quota_take_share(shared->quota, 'h', slice_of(opening->peer),
			shared->settings->limits.half_open_per_ip, &opening->half_open);
	if (error == -EBUSY)
		limit_hit(shared->metrics, METRIC_LIMIT_HALF_OPEN_PER_IP);
	if (!error)
		list_append(&shared->opening->half_open, &opening->in_half_open);
	return error;
}

static void on_quick_due(struct deadline *deadline)
{
	struct conn *conn = container_of(deadline, struct conn, deadline);
	struct deadlines *deadlines = conn->shared->deadlines;
	unsigned whole = conn_settings(conn)->limits.handshake_ms;
	uint64_t waited = uv_now(conn->shared->streams->loop) - conn->opening->accepted_ms;
	if (stream_has_unread(&conn->stream)) {
		if (waited >= whole)
			on_request_due(deadline);
		else
			deadline_set(deadlines, deadline, DEADLINE_TICK_MS, on_quick_due);
		return;
	}
	/* A complete request belongs to the site, which has the rest of the time to answer it. */
	int error = conn->opening->complete ? 0 : count(conn);
	if (error)
		opening_give_up(conn, error == -EBUSY ? 429 : 503,
			"too many requests of this address are incomplete");
	else
		deadline_set(
			deadlines, deadline, waited < whole ? whole - waited : 0, on_request_due);
}

void half_open_begin(struct conn *conn)
{
	unsigned whole = conn_settings(conn)->limits.handshake_ms;
	conn->opening->accepted_ms = uv_now(conn->shared->streams->loop);
	if (whole > QUICK_MS)
		deadline_set(conn->shared->deadlines, &conn->deadline, QUICK_MS, on_quick_due);
	else
		deadline_set(conn->shared->deadlines, &conn->deadline, whole, on_request_due);
}

int half_open_make_room(struct opening_shared *shared)
{
	int n = 0;
	for (; n < ROOM_AT_ONCE && !list_is_empty(&shared->half_open); n++)
		conn_abort(
			container_of(shared->half_open.next, struct opening, in_half_open)->conn);
	return n;
}
