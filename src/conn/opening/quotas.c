/* How limits.upgrades_per_second is counted. Strangers must not use up what log-ins need, so it
 * counts clients when they are admitted: those with a log-in, and apart from them those without.
 *
 *	signature 401 -> is any left? 429 -> try of the address 429 -> Redis: 401 -> counted 429
 *
 * That alone would not bound what strangers cost Redis: ids of sessions and tickets can be made up,
 * and a signed cookie without a log-in is easy to get. So each address has as many look-ups in a
 * second that find nobody. A look-up that finds somebody does not count, so many browsers behind
 * one proxy are not refused for it. */
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
	*ret_problem = "too many connections from this address";
	int status = take_address_share(conn);
	if (status)
		return status;
	*ret_problem = "full";
	return take_connection(conn) ? 0 : 503;
}

/* All peers on a Unix socket share one address, "". */
int opening_take_look_up(struct conn *conn, const char **ret_problem)
{
	struct conn_shared *shared = conn->shared;
	struct opening *opening = conn->opening;
	unsigned limit = shared->settings->limits.upgrades_per_second;
	uint64_t now = uv_now(shared->streams->loop);
	*ret_problem = "too many new connections per second";
	int error = quota_has_upgrade(shared->quota, QUOTA_LOGGED_IN, limit, now) ? 0 : -EBUSY;
	if (!error)
		error = quota_take_try(
			shared->quota, slice_of(opening->peer), limit, now, &opening->try_second);
	return share_status(conn, METRIC_LIMIT_UPGRADES_PER_SECOND, error);
}

static void give_try_back(struct conn *conn)
{
	struct opening *opening = conn->opening;
	quota_give_try(conn->shared->quota, slice_of(opening->peer), opening->try_second);
	opening->try_second = 0;
}

int opening_take_upgrade(
	struct conn *conn, const struct identity *identity, const char **ret_problem)
{
	struct conn_shared *shared = conn->shared;
	*ret_problem = "too many new connections per second";
	if (identity)
		give_try_back(conn);
	bool taken = quota_take_upgrade(shared->quota, identity ? QUOTA_LOGGED_IN : QUOTA_ANONYMOUS,
		shared->settings->limits.upgrades_per_second, uv_now(shared->streams->loop));
	return share_status(conn, METRIC_LIMIT_UPGRADES_PER_SECOND, taken ? 0 : -EBUSY);
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
