#include "sluice/conn/open/channels.h"

#include <errno.h>

#include "sluice/base/limit.h"
#include "sluice/conn/open/open_shared.h"

bool channels_allow(const struct conn *conn, const struct identity *identity, struct slice channel)
{
	const struct settings *settings = conn_settings(conn);
	return channel_rules_allow(settings->rules, settings->n_rules, identity, channel);
}

bool channels_have_room(struct conn *conn)
{
	if (conn->subscriber.count < conn_settings(conn)->limits.channels)
		return true;
	limit_hit(conn->shared->metrics, METRIC_LIMIT_CHANNELS);
	return false;
}

int channels_subscribe(struct conn *conn, struct slice channel)
{
	if (!channels_have_room(conn))
		return -EDQUOT;
	return bridge_subscribe(conn->shared->bridge, &conn->subscriber, channel);
}

/* ---- a log-in that changed ---- */

struct applying {
	struct conn *conn;
	const struct identity *identity;
	bool (*allows)(const struct applying *applying, struct slice channel);
	const struct conn_phase
		*phase; /* the phase at the start; if it changes, the connection is ending */
	bool revoked;
};

static bool leave_if_forbidden(void *context, struct slice channel)
{
	struct applying *applying = context;
	struct conn *conn = applying->conn;
	const struct dialect *dialect = conn_dialect(conn);
	if (applying->allows(applying, channel))
		return true;
	applying->revoked = true;
	if (dialect->on_revoked)
		dialect->on_revoked(conn, channel);
	if (conn->phase != applying->phase)
		return false;
	bridge_unsubscribe(conn->shared->bridge, &conn->subscriber, channel);
	return true;
}

static bool allows(const struct applying *applying, struct slice channel)
{
	return channels_allow(applying->conn, applying->identity, channel);
}

static bool could_allow(const struct applying *applying, struct slice channel)
{
	const struct settings *settings = conn_settings(applying->conn);
	return channel_rules_could_allow(settings->rules, settings->n_rules, channel);
}

bool channels_leave_impossible(struct conn *conn)
{
	struct applying applying = { .conn = conn, .allows = could_allow, .phase = conn->phase };
	hub_each_channel(&conn->subscriber, leave_if_forbidden, &applying);
	return applying.revoked;
}

bool channels_leave_forbidden(struct conn *conn, const struct identity *identity)
{
	struct applying applying = {
		.conn = conn, .identity = identity, .allows = allows, .phase = conn->phase
	};
	hub_each_channel(&conn->subscriber, leave_if_forbidden, &applying);
	return applying.revoked;
}

/* If one channel cannot be joined, the others are still tried. */
static int join(void *context, struct slice channel)
{
	struct applying *applying = context;
	struct conn *conn = applying->conn;
	struct bridge *bridge = conn->shared->bridge;
	const struct dialect *dialect = conn_dialect(conn);
	if (bridge_has(bridge, &conn->subscriber, channel) || !channels_have_room(conn))
		return 0;
	if (bridge_join(bridge, &conn->subscriber, channel) == 0 && dialect->on_joined)
		dialect->on_joined(conn, channel);
	return conn->phase == applying->phase ? 0 : -ECANCELED;
}

void channels_join_automatic(struct conn *conn, const struct identity *identity)
{
	const struct settings *settings = conn_settings(conn);
	struct applying applying = { .conn = conn, .phase = conn->phase };
	channel_rules_each_automatic(settings->rules, settings->n_rules, identity, join, &applying);
}
