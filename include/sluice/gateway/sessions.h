/* Session look-ups: from a verified session id to an identity, by one read of Redis. Identical
 * look-ups in flight are shared. Nothing is written, the record's TTL is not touched, and nothing is
 * remembered: every new connection asks Redis, so a log-out counts at once.
 *
 * One per worker, in its thread. */
#ifndef SLUICE_GATEWAY_SESSIONS_H
#define SLUICE_GATEWAY_SESSIONS_H

#include "sluice/base/list.h"
#include "sluice/base/metrics.h"
#include "sluice/base/table.h"
#include "sluice/gateway/options.h"
#include "sluice/gateway/session_record.h"
#include "sluice/redis/link.h"

/* Embedded in whoever asks. */
struct session_waiter {
	struct list link;
	/* Called once. `identity` (only with SESSION_GOOD) is borrowed for the call. */
	void (*on_result)(struct session_waiter *waiter, enum session_result result,
		const struct identity *identity);
};

struct sessions {
	/* private */
	struct redis_link *link;
	const struct options *options;
	struct metrics *metrics;
	struct table in_flight; /* struct look_up, by Redis key */
};

/* `link` (for commands) and the rest must outlive it. */
void sessions_init(struct sessions *sessions, struct redis_link *link,
	const struct options *options, struct metrics *metrics);

/* After the link is closed. */
void sessions_finish(struct sessions *sessions);

/* After the configuration was read again. */
void sessions_set_options(struct sessions *sessions, const struct options *options);

/* Looks a verified id up; on_result follows, never within this call. 0; -ENOTCONN: the link is down;
 * -ENOMEM. There is no time limit of its own: who waits cancels. */
MUST_CHECK int sessions_look_up(
	struct sessions *sessions, struct slice sid, struct session_waiter *waiter);

/* on_result will not be called. Nothing happens when the waiter is not waiting. */
void session_waiter_cancel(struct session_waiter *waiter);

#endif
