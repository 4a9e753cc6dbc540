#include "sluice/conn/opening/quotas.h"

#include <errno.h>

#include "sluice/base/limit.h"

/* The status to refuse with if there is no share. */
static int share_status(struct conn *conn, enum metric limit, int error)
{
	if (error == -EBUSY)
		limit_hit(conn->shared->metrics, limit);
	return !error ? 0 : error == -EBUSY ? 429 : 503;
}

/* Peers on a Unix socket have no address. They come through a proxy, which stands for many
 * browsers. */
static int take_address_share(struct conn *conn)
{
	const struct opening *opening = conn->opening;
	if (!*opening->peer)
		return 0;
	int error = quota_take_share(conn->shared->quota, 'a', slice_of(opening->peer),
		conn_settings(conn)->limits.connections_per_ip,
		opening->purpose->only_looks ? NULL : &conn->address);
	return share_status(conn, METRIC_LIMIT_CONNECTIONS_PER_IP, error);
}

static bool take_connection(struct conn *conn)
{
	struct quota *quota = conn->shared->quota;
	unsigned limit = conn_settings(conn)->limits.connections;
	bool looks = conn->opening->purpose->only_looks;
	bool had = looks ? quota_has_connection(quota, limit) : quota_take_connection(quota, limit);
	conn->counted = had && !looks;
	if (!had)
		limit_hit(conn->shared->metrics, METRIC_LIMIT_CONNECTIONS);
	return had;
}

int opening_take_quotas(struct conn *conn, const char **ret_problem)
{
	struct conn_shared *shared = conn->shared;
	*ret_problem = "too many new connections per second";
	if (!quota_take_upgrade(shared->quota, shared->settings->limits.upgrades_per_second,
		    uv_now(shared->streams->loop))) {
		limit_hit(shared->metrics, METRIC_LIMIT_UPGRADES_PER_SECOND);
		return 429;
	}
	*ret_problem = "too many connections from this address";
	int status = take_address_share(conn);
	if (status)
		return status;
	*ret_problem = "full";
	return take_connection(conn) ? 0 : 503;
}

int opening_take_user_share(
	struct conn *conn, const struct identity *identity, const char **ret_problem)
{
	if (!identity || !identity->user.len)
		return 0;
	*ret_problem = "too many connections of this user";
	int error = quota_take_share(conn->shared->quota, 'u', identity->user,
		conn_settings(conn)->limits.connections_per_user,
		conn->opening->purpose->only_looks ? NULL : &conn->user);
	return share_status(conn, METRIC_LIMIT_CONNECTIONS_PER_USER, error);
}
