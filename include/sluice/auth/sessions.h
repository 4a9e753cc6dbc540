/* The sessions of a worker's connections: looked up when a connection opens, and watched as long as
 * one is open.
 *
 * A look-up reads the session's record from Redis. Every new connection causes one, so a log-out
 * counts at once; identical look-ups under way share one read. A connection then joins its session
 * and is called when the session ends or changes. Redis says which record to read again
 * (sessions_invalidated). Every other session is read again every session.sweep, because an
 * invalidation may be lost, and some servers do not send any.
 *
 * Records are only read. Their time to live is extended only with session.touch.
 *
 * One per worker, in its thread. */
#ifndef SLUICE_AUTH_SESSIONS_H
#define SLUICE_AUTH_SESSIONS_H

#include <uv.h>

#include "sluice/auth/look_ups.h"
#include "sluice/auth/record/session_record.h"
#include "sluice/base/list.h"
#include "sluice/base/metrics.h"
#include "sluice/base/table.h"
#include "sluice/net/deadlines.h"
#include "sluice/net/turn.h"
#include "sluice/redis/link.h"
#include "sluice/redis/tracking.h"
#include "sluice/settings/settings.h"

struct session;
struct session_read;

/* Embedded by the caller of a look-up. */
struct session_waiter {
	struct list link;
	struct session_read *read; /* private: that it waits for, while it is linked */
	uint64_t delay_ms;         /* private: of the reads that it has waited for */
	bool missing; /* within the call: Redis has no such session, not even one without a log-in */
	/* Called once. With SESSION_GOOD, `session` may be joined and `identity` used, both within
	 * the call only. */
	void (*on_result)(struct session_waiter *waiter, enum session_result result,
		struct session *session, const struct identity *identity);
};

/* Embedded by whatever depends on a session. Zero-initialised: on no session. */
struct session_member {
	struct list link;
	struct session *session; /* NULL: on none */
};

/* What is known of a session whose members have it still. */
enum session_doubt {
	SESSION_NO_DOUBT,
	SESSION_IN_DOUBT,   /* Redis says that it has changed: it will be read again */
	SESSION_UNVERIFIED, /* it could not be read for session.unverified_seconds */
};

struct sessions_events {
	/* The member's session has changed, and `identity` (borrowed) is what it says now. Or, with
	 * NULL, it has ended or belongs to another user now, and the member has been taken out of
	 * it. May do anything to this member, but nothing to any other. */
	void (*on_changed)(struct session_member *member, const struct identity *identity);
	/* Raised with SESSION_IN_DOUBT by Redis' word, and with SESSION_NO_DOUBT once the session
	 * has been read since (then after on_changed), or could not be read. May do anything to
	 * this member, but nothing to any other. */
	void (*on_doubt)(struct session_member *member, enum session_doubt doubt);
};

/* Filled in by the owner before sessions_init. All of it must outlive the sessions. */
struct sessions_setup {
	struct redis_link *link;   /* for commands */
	struct tracking *tracking; /* of what is read over it */
	const struct settings *settings;
	struct metrics *metrics;
	uv_loop_t *loop;
	struct deadlines *deadlines;
	struct turn *turn;
	const struct sessions_events *events;
};

enum { SESSIONS_RECENT_MAX = 16 };

/* Private. session_state.c describes each state and its successors. */
enum session_state {
	SESSION_IDLE,
	SESSION_DOUBTFUL,
	SESSION_SOON,
	SESSION_DUE,
	SESSION_READING,
	SESSION_OUTDATED,
	SESSION_STATES,
};

struct sessions {
	struct look_ups look_ups;
	/* private */
	struct sessions_setup setup;
	void (*on_read)(struct session_read *read); /* an answer is complete */
	/* the end that its record named has come, and Redis does not say otherwise */
	void (*on_end)(struct sessions *sessions, struct session *session);
	struct table all;                /* struct session, by Redis key */
	struct list in[SESSION_STATES];  /* struct session, by .link; a list per state */
	size_t live;                     /* sessions that have members */
	struct {                         /* sessions_pace.c */
		size_t rereads;          /* under way */
		int64_t credit;          /* reads that may find nothing new */
		uint64_t refilled;       /* loop time when the credit last grew */
		uint64_t strained_until; /* loop time: the credit was used up not long ago */
		struct deadline tick, retry;
	} pace;
	struct {               /* sessions_watch.c */
		uint64_t at;   /* loop time of the last step */
		uint64_t owed; /* in sessions times milliseconds */
		struct deadline step;
	} sweep;
	struct { /* sessions_recent.c */
		struct {
			struct session *session; /* NULL: none */
			struct identity identity;
		} all[SESSIONS_RECENT_MAX];
		size_t next;
		struct deadline tick;
	} recent;
	struct {                       /* session_read.c */
		struct list reads;     /* struct session_read, by .link */
		size_t kept;           /* bytes of their records */
		struct turn_task task; /* reads a piece of the first */
	} pieces;
	struct deadline unverified_due; /* set while the link is down */
	bool unverified;                /* see sessions_are_unverified */
	const char *problem;            /* see sessions_problem */
	uint64_t read_failure_logged;  /* loop time of the last line about a failed look-up, or 0 */
	uint64_t touch_failure_logged; /* the same for a failed touch */
};

void sessions_init(struct sessions *sessions, const struct sessions_setup *setup);

/* After the link is closed and all members have left. */
void sessions_finish(struct sessions *sessions);

/* The configuration has been reloaded: on_changed will be called for every member. */
void sessions_set_settings(struct sessions *sessions, const struct settings *settings);

/* The link is lost: no session can be read. */
void sessions_link_down(struct sessions *sessions);
/* It is back. */
void sessions_link_up(struct sessions *sessions);

/* Has the link been down for longer than session.unverified_seconds? Then this holds for every
 * session: see SESSION_UNVERIFIED. */
static inline bool sessions_are_unverified(const struct sessions *sessions)
{
	return sessions->unverified;
}

/* Within on_result with SESSION_NONE, and within on_changed without an identity: why the record is no
 * log-in, as a literal for the client; NULL: there is no more to say. */
const char *sessions_problem(const struct sessions *sessions);

/* The link over which sessions are read. Other commands to the same Redis may use it as well. */
struct redis_link *sessions_link(const struct sessions *sessions);

/* Looks up a session by its verified id. on_result follows, never within this call. 0; -ENOTCONN:
 * the link is down; -ENOBUFS: too many commands are pending; -ENOMEM. There is no time limit here:
 * the caller cancels. */
MUST_CHECK int sessions_look_up(
	struct sessions *sessions, struct slice sid, struct session_waiter *waiter);

/* The same by the Redis key of its record, of at most SESSION_KEY_MAX bytes. The key must come from
 * the backend, not from a client. */
MUST_CHECK int sessions_look_up_key(
	struct sessions *sessions, struct slice key, struct session_waiter *waiter);

/* The same for a session that has members. */
MUST_CHECK int sessions_ask(
	struct sessions *sessions, struct session *session, struct session_waiter *waiter);

/* What the answer to such a question was, if that is at most a tick ago and Redis has not reported a
 * change since. NULL: ask. Borrowed until the member leaves its session or the loop turns. */
const struct identity *sessions_recent(
	const struct sessions *sessions, const struct session_member *member);

/* For how many milliseconds the waiter's look-ups, since it was zero-initialised, have waited for us
 * although Redis had answered them: long records are read in pieces. */
uint64_t session_waiter_delay(const struct session_waiter *waiter);

/* on_result will not be called. Does nothing if the waiter is not waiting. */
void session_waiter_cancel(struct session_waiter *waiter);

/* on_changed will be called for the member. Only within on_result. */
void sessions_join(
	struct sessions *sessions, struct session *session, struct session_member *member);
/* Does nothing if the member is on no session. */
void sessions_leave(struct sessions *sessions, struct session_member *member);

/* May the member's session have changed since it was read last? It is being read again, then. */
bool sessions_is_stale(const struct session_member *member);

/* The member's client is present. With session.touch, extends the time to live of its session, at
 * most once a minute. */
void sessions_touch(struct sessions *sessions, struct session_member *member);

/* Redis says that this key may have changed; with an absent key, that any may have. */
void sessions_invalidated(struct sessions *sessions, struct slice key);

/* Changes may have gone unnoticed: reads all sessions again. */
void sessions_recheck(struct sessions *sessions);

#endif
