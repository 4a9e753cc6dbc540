/* A connection from which no whole request has come yet. It costs a descriptor and some memory, and the
 * peer nothing: who wants to use up a server opens thousands and says nothing, or a byte now and then.
 *
 *	accepted --1 s--> half-open: counted by address --limits.handshake_seconds--> 408
 *
 * What is limited per address is not the connections whose request is not here, but those of them that
 * are older than a second. When a proxy in front of us is restarted, all its browsers come back at once
 * from one address, and none of them may be refused; but their requests are here at once, too. So they
 * are never counted, and never touch the mutex of the quota. If it is we who are slow, with thousands of
 * TLS handshakes to do, what they have sent lies in the kernel, and the second is prolonged. Who is late
 * for another reason than malice, a phone on a bad line, has the whole time while others from his address
 * are quick.
 *
 * The default is wide all the same: a proxy that is itself overrun may connect first and send later, and
 * then a thousand late ones are a storm of log-ins and no attack. Where descriptors run short before that,
 * the late ones of a worker, which are in one list in the order in which they came, make room, the oldest
 * first. Who serves browsers without a proxy sets it lower. */
#include <errno.h>

#include "conn_internal.h"
#include "sluice/base/limit.h"

enum { QUICK_MS = 1000, ROOM_AT_ONCE = 64 };

static void on_request_due(struct deadline *deadline)
{
	struct conn *conn = container_of(deadline, struct conn, deadline);
	/* Browsers open spare connections all the time, which is nothing to warn of. */
	if (conn->http->begun)
		limit_hit(conn->conns->metrics, METRIC_LIMIT_HANDSHAKE_SECONDS);
	else
		metrics_add(conn->conns->metrics, METRIC_LIMIT_HANDSHAKE_SECONDS, 1);
	conn_http_put_out(conn, 408, "the request did not arrive in time");
}

/* 0 or a negative errno. A Unix socket's peers have no address: they come through a proxy. */
static int count(struct conn *conn)
{
	struct conns *conns = conn->conns;
	struct conn_http *http = conn->http;
	int error = 0;
	if (*http->peer)
		error = quota_take_share(conns->quota, 'h', slice_of(http->peer),
			conns->settings->limits.half_open_per_ip, &http->half_open);
	if (error == -EBUSY)
		limit_hit(conns->metrics, METRIC_LIMIT_HALF_OPEN_PER_IP);
	if (!error)
		list_append(&conns->half_open, &http->in_half_open);
	return error;
}

static void on_quick_due(struct deadline *deadline)
{
	struct conn *conn = container_of(deadline, struct conn, deadline);
	unsigned whole = conn->conns->settings->limits.handshake_ms;
	if (stream_has_unread(&conn->stream)) {
		deadline_set(
			conn->conns->deadlines, &conn->deadline, DEADLINE_TICK_MS, on_quick_due);
		return;
	}
	/* The site has a whole request, and the rest of the time to answer it. */
	int error = conn->http->at_site ? 0 : count(conn);
	if (error)
		conn_http_put_out(conn, error == -EBUSY ? 429 : 503,
			"too many requests of this address are incomplete");
	else
		deadline_set(conn->conns->deadlines, &conn->deadline,
			whole > QUICK_MS ? whole - QUICK_MS : 0, on_request_due);
}

void conn_half_open_begin(struct conn *conn)
{
	unsigned whole = conn->conns->settings->limits.handshake_ms;
	if (whole > QUICK_MS)
		deadline_set(conn->conns->deadlines, &conn->deadline, QUICK_MS, on_quick_due);
	else
		deadline_set(conn->conns->deadlines, &conn->deadline, whole, on_request_due);
}

void conn_half_open_end(struct conn *conn)
{
	struct conn_http *http = conn->http;
	list_remove(&http->in_half_open);
	quota_give_share(conn->conns->quota, http->half_open);
	http->half_open = NULL;
}

void conns_make_room(struct conns *conns)
{
	for (int i = 0; i < ROOM_AT_ONCE && !list_is_empty(&conns->half_open); i++)
		conn_abort(
			container_of(conns->half_open.next, struct conn_http, in_half_open)->conn);
}
