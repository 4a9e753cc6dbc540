/* Shared by the sources of sessions. Each calls only those below it:
 *
 *	sessions.c        look-ups, members, and what an answer means for them
 *	session_touch.c   extends a session's time to live
 *	session_end.c     the end that a record names
 *	sessions_recent.c what was read for a command counts for the next ones
 *	sessions_doubt.c  whether a session still counts that has not been read since it changed
 *	sessions_watch.c  why a session is read again: Redis says so, a link came back, the sweep
 *	sessions_pace.c   how fast that goes
 *	session_read.c    one read of one record
 *	session_state.c   the table of states and events */
#ifndef SLUICE_AUTH_SESSIONS_INTERNAL_H
#define SLUICE_AUTH_SESSIONS_INTERNAL_H

#include "sluice/auth/sessions.h"

/* One per session that has members or is being read, and only so long. Kept small. */
struct session {
	struct list link;             /* in sessions->in[state] */
	struct list members;          /* struct session_member, by .link */
	struct session_read *read;    /* under way, or its answer is being delivered; else NULL */
	struct session_end *end;      /* NULL: its record names none */
	uint64_t digest;              /* of the record as it was read last */
	uint64_t user;                /* hash of the user's id; 0: none */
	uint32_t read_at, touched_at; /* loop time */
	uint8_t state;                /* enum session_state; only session_event changes it */
	bool announced : 1;   /* its members know this digest's record, by the current settings */
	bool invalidated : 1; /* SOON, or DUE after SOON */
	bool stale : 1;       /* it may have changed since the last read that says how it is */
	bool in_doubt : 1;    /* the members were told SESSION_IN_DOUBT */
	bool unverified : 1;  /* or SESSION_UNVERIFIED */
	uint32_t failed_at;   /* loop time of the first read that failed, since the last that did
			       * not, at least 1; 0: it did not */
	struct table_key key; /* in Redis */
};

static inline struct slice session_key(const struct session *session)
{
	return table_key_bytes(&session->key);
}

static inline uint64_t sessions_now(const struct sessions *sessions)
{
	return uv_now(sessions->setup.loop);
}

/* A session is touched at most once in this time. */
enum { SESSION_TOUCH_MS = 60000 };

/* ---- session_state.c ---- */

enum session_event {
	SESSION_LOOK_UP,     /* somebody asks for it, and a read is under way or has been sent */
	SESSION_INVALIDATED, /* Redis says that it may have changed */
	SESSION_RECHECK,     /* it may have changed without an invalidation */
	SESSION_EXPIRED,     /* the end that its record names has come */
	SESSION_SWEEP,       /* its turn in the sweep */
	SESSION_PERMIT,      /* the pace permits to read it */
	SESSION_RETRY,       /* a second has passed since its read failed */
	SESSION_ROOM,        /* there was room for its read, which has been sent */
	SESSION_NO_LINK,     /* there is no link to read it over, or it was lost meanwhile */
	SESSION_SAME,        /* answer: the record says what it said before */
	SESSION_CHANGED,     /* answer: it says something else */
	SESSION_ENDED,     /* answer: there is no such session any more, or it is another user's */
	SESSION_UNCLEAR,   /* answer: not conclusive, because Redis failed */
	SESSION_ABANDONED, /* the session has neither members nor a read */
	SESSION_EVENTS,
};

/* What an event means for a session's members. */
enum session_news { SESSION_NEWS_NONE, SESSION_NEWS_CHANGED, SESSION_NEWS_ENDED };

/* Puts a new session into its first state. */
void session_begin(struct sessions *sessions, struct session *session);

/* Moves the session to its next state, and so to that state's list, as the table says. */
enum session_news session_event(
	struct sessions *sessions, struct session *session, enum session_event event);

/* The session that has been in this state longest; NULL: there is none. */
struct session *sessions_first(const struct sessions *sessions, enum session_state state);

/* Is a read of it under way? */
static inline bool session_is_read(const struct session *session)
{
	return session->state == SESSION_READING || session->state == SESSION_OUTDATED;
}

/* ---- session_read.c ---- */

enum session_read_reason {
	SESSION_READ_LOOK_UP,
	SESSION_READ_AGAIN,       /* counted in pace.rereads */
	SESSION_READ_INVALIDATED, /* the same, after an invalidation */
};

struct session_read {
	struct sessions *sessions;
	struct session *session;
	const struct settings *settings; /* that the commands were made by */
	struct list waiters;             /* struct session_waiter, by .link */
	struct session_reading reading;
	size_t commands, answers; /* sent, received */
	uint64_t answered_at;     /* loop time of the last answer, at least 1; 0: one is missing */
	struct list link;         /* in sessions->pieces.reads, while a record is read in pieces */
	size_t kept;              /* bytes of it */
	enum session_read_reason reason;
	uint8_t repeats;  /* reads whose answers were too old for these waiters */
	bool asked : 1;   /* also by a member */
	bool trusted : 1; /* the session's id is not made up by a stranger */
	bool blind : 1;   /* Redis will not report changes of what it reads, but could */
};

/* Sends the commands that read a session. No read of it may be under way. Unless it is `trusted` or
 * the session has members, it is blind if Redis tracks only the reads that ask for it.
 * sessions->on_read follows, never within this call; the read is freed when that returns. 0, or an
 * error of redis_link_command, or -ENOMEM. */
MUST_CHECK int session_read_begin(struct sessions *sessions, struct session *session,
	enum session_read_reason reason, bool trusted);

/* May this kind of failure be logged now? Once a minute, as it may concern all sessions. */
bool sessions_may_log(const struct sessions *sessions, uint64_t *logged);

void sessions_pieces_init(struct sessions *sessions);

/* Ends a read in pieces of which nobody will hear any more, and returns its session. NULL: there is
 * none. */
struct session *sessions_pieces_drop(struct sessions *sessions);

/* So much is kept of long records that little more should be asked for without need. */
bool sessions_keep_much(const struct sessions *sessions);

/* ---- sessions_pace.c ---- */

void sessions_pace_init(struct sessions *sessions);
void sessions_pace_finish(struct sessions *sessions);

/* Reads the sessions that are due as far as there is room, and schedules the others. Call it after
 * events that put sessions into SOON, DUE or DOUBTFUL, and after each read. */
void sessions_go_on(struct sessions *sessions);

/* The session has just entered SESSION_SOON: if the pace permits, it is due at once. */
void session_hurry(struct sessions *sessions, struct session *session);

/* The answer to a read was `event`. */
void sessions_count_read(
	struct sessions *sessions, enum session_read_reason reason, enum session_event event);

/* ---- session_end.c ---- */

/* The record, which was read just now, names this end, in ms since 1970; INT64_MAX: none. When it
 * has come, the record is read again, and if that gives no answer, sessions->on_end follows. 0 or
 * -ENOMEM. */
MUST_CHECK int session_end_set(struct sessions *sessions, struct session *session, int64_t at_ms);
void session_end_clear(struct sessions *sessions, struct session *session);

/* Has the end come that its record named when it was last read? */
bool session_end_is_over(const struct session *session);

/* ---- sessions_recent.c ---- */

/* Takes the identity. */
void session_recent_keep(
	struct sessions *sessions, struct session *session, struct identity *identity);
void session_recent_forget(struct sessions *sessions, const struct session *session);
void sessions_recent_finish(struct sessions *sessions);

/* ---- sessions_doubt.c ---- */

/* Redis says that the session has changed. */
void session_doubt(struct sessions *sessions, struct session *session);

/* The session has been read, or could not be read (`failed`). */
void session_doubt_read(struct sessions *sessions, struct session *session, bool failed);

void sessions_doubt_finish(struct sessions *sessions);

/* ---- sessions_watch.c ---- */

/* Keeps the sweep going while any session has members. */
void sessions_sweep_begin(struct sessions *sessions);
void sessions_sweep_finish(struct sessions *sessions);

#endif
