/* The channels of a connection that is open, when its session says something new: what it does not allow
 * any more is left at once, what it now brings by itself is joined. The record was read just now, so it
 * is the rules and the record that decide, and nothing that was decided before.
 *
 * A plain connection that is left with none is closed: its page waits for something that cannot come.
 * One that never had any stays, as it was let in like that. One with sluice.v1 is told of each channel, and
 * stays, as it may ask for others. */
#include <errno.h>

#include "conn_internal.h"
#include "sluice/base/limit.h"

struct applying {
	struct conn *conn;
	const struct identity *identity;
	bool revoked;
};

/* A connection that is told of it may be ended by that. */
static bool leave_if_forbidden(void *context, struct slice channel)
{
	struct applying *applying = context;
	struct conn *conn = applying->conn;
	const struct settings *settings = conn->conns->settings;
	if (channel_rules_allow(settings->rules, settings->n_rules, applying->identity, channel))
		return true;
	applying->revoked = true;
	if (conn->v1 && conn->state == CONN_OPEN)
		conn_v1_revoked(conn, channel);
	if (conn->state != CONN_OPEN && conn->state != CONN_WAITING)
		return false;
	bridge_unsubscribe(conn->conns->bridge, &conn->subscriber, channel);
	return true;
}

/* One channel that cannot be joined does not keep it from the others. */
static int join(void *context, struct slice channel)
{
	struct conn *conn = context;
	if (bridge_has(conn->conns->bridge, &conn->subscriber, channel))
		return 0;
	if (conn->subscriber.count >= conn->conns->settings->limits.channels)
		limit_hit(conn->conns->metrics, METRIC_LIMIT_CHANNELS);
	else if (bridge_join(conn->conns->bridge, &conn->subscriber, channel) == 0 && conn->v1)
		conn_v1_joined(conn, channel);
	return conn->state == CONN_OPEN || conn->state == CONN_WAITING ? 0 : -ECANCELED;
}

void conn_channels_apply(struct conn *conn, const struct identity *identity)
{
	const struct settings *settings = conn->conns->settings;
	struct applying applying = { .conn = conn, .identity = identity };
	if (conn->state != CONN_OPEN && conn->state != CONN_WAITING)
		return;
	hub_each_channel(&conn->subscriber, leave_if_forbidden, &applying);
	if (conn->state != CONN_OPEN && conn->state != CONN_WAITING)
		return;
	if (conn->state == CONN_WAITING && applying.revoked) {
		conn_refuse(conn, 403, "a channel that was asked for is not allowed");
		return;
	}
	channel_rules_each_automatic(settings->rules, settings->n_rules, identity, join, conn);
	if (conn->state == CONN_OPEN && !conn->v1 && applying.revoked &&
		conn->subscriber.count == 0)
		conn_ws_close(conn, WS_CLOSE_FORBIDDEN, SLICE("no channel is allowed any more"));
}

/* Who waits for Redis to confirm his channels has been let in by the old rules, and the 101 would follow; who
 * waits for his session has none yet. */
static bool is_admitted(const struct conn *conn)
{
	return conn->state == CONN_OPEN || (conn->state == CONN_WAITING && conn->subscriber.count);
}

void conns_channels_apply(struct conns *conns)
{
	LIST_EACH_SAFE (node, &conns->all) {
		struct conn *conn = container_of(node, struct conn, link);
		if (is_admitted(conn) && !conn->session.session &&
			!tickets_kept(&conns->tickets, conn).at)
			conn_channels_apply(conn, NULL);
	}
}
