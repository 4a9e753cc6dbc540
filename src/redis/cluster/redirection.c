#include "sluice/redis/cluster/redirection.h"

#include "sluice/redis/cluster/endpoint.h"
#include "sluice/redis/cluster/slot.h"

static bool is(struct slice text, struct slice word)
{
	return slice_take(&text, word) && (!text.len || text.at[0] == ' ');
}

/* "3999 127.0.0.1:6381". An IPv6 address has colons of its own, and no brackets: the last colon is
 * the one before the port. */
static bool read_target(struct slice text, struct cluster_redirection *redirection)
{
	uint64_t slot, port;
	if (!slice_number(slice_cut(&text, ' '), CLUSTER_SLOTS - 1, &slot) || !text.at)
		return false;
	const char *colon = memrchr(text.at, ':', text.len);
	if (!colon)
		return false;
	struct slice host = slice_make(text.at, (size_t)(colon - text.at));
	if (!slice_number(slice_skip(text, host.len + 1), UINT16_MAX, &port) || !port)
		return false;
	if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
		host = slice_make(host.at + 1, host.len - 2);
	if (host.len && !cluster_host_is_good(host))
		return false;
	redirection->slot = (unsigned)slot;
	redirection->port = (uint16_t)port;
	redirection->host = slice_equal(host, SLICE("?")) ? (struct slice){ 0 } : host;
	return true;
}

struct cluster_redirection cluster_redirection_of(const struct redisReply *reply)
{
	struct cluster_redirection redirection = { .kind = CLUSTER_STAYS };
	if (!reply || reply->type != REDIS_REPLY_ERROR)
		return redirection;
	struct slice text = reply_text(reply);
	if (is(text, SLICE("TRYAGAIN")))
		redirection.kind = CLUSTER_TRY_AGAIN;
	else if (is(text, SLICE("CLUSTERDOWN")))
		redirection.kind = CLUSTER_DOWN;
	else if (slice_take(&text, SLICE("MOVED ")) && read_target(text, &redirection))
		redirection.kind = CLUSTER_MOVED;
	else if (slice_take(&text, SLICE("ASK ")) && read_target(text, &redirection))
		redirection.kind = CLUSTER_ASK;
	return redirection;
}
