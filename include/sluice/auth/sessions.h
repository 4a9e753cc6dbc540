/* The sessions of a worker's connections: looked up when one opens, and watched for as long as one is
 * open.
 *
 * A look-up asks Redis for the record; identical look-ups under way are shared, and every new connection
 * asks, so a log-out counts at once. Who depends on the session joins it, and is told when it has ended
 * or changed: Redis says which record to read again (sessions_invalidated), and those of which it says
 * nothing are read again every session.sweep, for its word may be lost, or it may not know how.
 *
 * A record is only read, and its time to live is not touched, unless session.touch says so.
 *
 * One per worker, in its thread. */
#ifndef SLUICE_AUTH_SESSIONS_H
#define SLUICE_AUTH_SESSIONS_H

#include <uv.h>

#include "sluice/auth/session_record.h"
#include "sluice/base/list.h"
#include "sluice/base/metrics.h"
#include "sluice/base/table.h"
#include "sluice/net/deadlines.h"
#include "sluice/redis/link.h"
#include "sluice/settings/settings.h"

struct session;

/* Embedded in whoever asks. */
struct session_waiter {
	struct list link;
	/* Called once. With SESSION_GOOD `session` may be joined and `identity` be looked at, both within
	 * the call. */
	void (*on_result)(struct session_waiter *waiter, enum session_result result,
		struct session *session, const struct identity *identity);
};

/* Embedded in whoever depends on a session. Zero-initialised is "on none". */
struct session_member {
	struct list link;
	struct session *session; /* NULL: on none */
};

struct sessions_events {
	/* The member's session has changed: `identity` (borrowed) is what it says now. Or, with NULL, it
	 * has ended, or is somebody else's, and the member has left it. May do anything to this member,
	 * but to no other. */
	void (*on_changed)(struct session_member *member, const struct identity *identity);
};

/* What the owner fills before sessions_init; all must outlive the sessions. */
struct sessions_setup {
	struct redis_link *link; /* for commands */
	const struct settings *settings;
	struct metrics *metrics;
	uv_loop_t *loop;
	struct deadlines *deadlines;
	const struct sessions_events *events;
};

struct sessions {
	/* private */
	struct sessions_setup setup;
	struct table all; /* struct session, by Redis key */
	struct list
		by_age;   /* struct session, by .link: idle, the one that was read first in front */
	struct list due;  /* the same: to be read again, as soon as there is room */
	struct list soon; /* the same: to be read again, but not at once */
	struct list doubtful;        /* the same: Redis could not say */
	size_t live;                 /* sessions that have members */
	size_t rereads;              /* under way */
	int64_t credit;              /* reads that may find nothing new */
	uint64_t strained_until;     /* loop time: it was used up not long ago */
	uint64_t swept;              /* loop time of the sweep's last step */
	uint64_t owed;               /* by the sweep, in sessions times milliseconds */
	uint64_t refilled;           /* loop time when there was more of it */
	uint64_t read_failure_told;  /* loop time of the last line about a failed look-up, or 0 */
	uint64_t touch_failure_told; /* the same about a failed touch */
	struct deadline pace, sweep, again;
};

void sessions_init(struct sessions *sessions, const struct sessions_setup *setup);

/* After the link is closed and everybody has left. */
void sessions_finish(struct sessions *sessions);

/* After the configuration was read again: everybody is told of their session anew. */
void sessions_set_settings(struct sessions *sessions, const struct settings *settings);

/* Looks a verified id up; on_result follows, never within this call. 0; -ENOTCONN: the link is down;
 * -ENOBUFS: it has too much to do; -ENOMEM. There is no time limit of its own: who waits cancels. */
MUST_CHECK int sessions_look_up(
	struct sessions *sessions, struct slice sid, struct session_waiter *waiter);

/* The same for the session whose record has this key, of at most SESSION_KEY_MAX bytes. */
MUST_CHECK int sessions_look_up_key(
	struct sessions *sessions, struct slice key, struct session_waiter *waiter);

/* Asks again for the session that somebody has joined. The same. */
MUST_CHECK int sessions_ask(
	struct sessions *sessions, struct session *session, struct session_waiter *waiter);

/* on_result will not be called. Nothing happens when the waiter is not waiting. */
void session_waiter_cancel(struct session_waiter *waiter);

/* From now on the member is told. Only within on_result. */
void sessions_join(
	struct sessions *sessions, struct session *session, struct session_member *member);
/* Nothing happens when it is on none. */
void sessions_leave(struct sessions *sessions, struct session_member *member);

/* The member is there: with session.touch its session's time to live begins anew, at most once a minute. */
void sessions_touch(struct sessions *sessions, struct session_member *member);

/* Redis says that this key, or with an absent one any key, may have changed. */
void sessions_invalidated(struct sessions *sessions, struct slice key);

/* Anything may have changed unnoticed: reads everything that is live again. */
void sessions_recheck(struct sessions *sessions);

#endif
