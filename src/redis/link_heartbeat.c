/* Detects that Redis is gone or hangs.
 *
 * TCP does not report that the other machine is gone or that the process hangs. So a PING is sent
 * every second, unless one is still unanswered. A PING behind a huge reply or thousands of
 * publications waits longer, but then bytes arrive. Only periods without any bytes count, and after
 * two of them the link fails. So a dead Redis is detected within three seconds, and a busy one
 * keeps its link.
 *
 * The back-off starts over only when a PING has been answered on a link that was up: a Redis that
 * accepts us and disconnects us again must not be flooded with attempts. */
#include "link_internal.h"

enum {
	SILENT_PERIODS_MAX = 2,
	/* a deadline fires up to one tick late; this way a PING is never late */
	PING_PERIOD_MS = REDIS_PING_MS - DEADLINE_TICK_MS,
};

static bool is_pong(const struct redisReply *reply)
{
	if (reply->type == REDIS_REPLY_STATUS)
		return slice_equal(reply_text(reply), SLICE("PONG"));
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	       slice_equal(reply_text(reply->element[0]), SLICE("pong"));
}

static void on_pong(void *context, const struct redisReply *reply)
{
	struct redis_link *link = context;
	if (!reply)
		return;
	if (!is_pong(reply)) {
		redis_link_fail_by_reply(link, "PING", reply);
		return;
	}
	uint64_t sent = link->ping_sent;
	link->ping_sent = 0;
	redis_transport_reset_backoff(&link->transport);
	if (link->events->on_round_trip)
		link->events->on_round_trip(link, uv_hrtime() - sent);
}

static void on_ping_due(struct deadline *deadline)
{
	struct redis_link *link = container_of(deadline, struct redis_link, ping);
	bool heard = link->transport.heard;
	deadline_set(link->transport.deadlines, deadline, PING_PERIOD_MS, on_ping_due);
	link->silent_periods = heard || !link->ping_sent ? 0 : link->silent_periods + 1;
	link->transport.heard = false;
	if (link->silent_periods == SILENT_PERIODS_MAX) {
		redis_link_fail(link, "no answer to PING");
	} else if (!link->ping_sent) {
		link->ping_sent = uv_hrtime();
		link_send_own(link, &SLICE("PING"), 1, on_pong);
	}
}

void link_heartbeat_begin(struct redis_link *link)
{
	link->ping_sent = 0;
	link->silent_periods = 0;
	deadline_set(link->transport.deadlines, &link->ping, PING_PERIOD_MS, on_ping_due);
}

uint64_t redis_link_ping_sent(const struct redis_link *link)
{
	return redis_link_is_up(link) ? link->ping_sent : 0;
}

void link_heartbeat_end(struct redis_link *link)
{
	deadline_clear(link->transport.deadlines, &link->ping);
}
