/* Between the parts of sessions: who asks and who is told (sessions.c), and when a session is read again
 * (sessions_watch.c). */
#ifndef SLUICE_AUTH_SESSIONS_INTERNAL_H
#define SLUICE_AUTH_SESSIONS_INTERNAL_H

#include "sluice/auth/sessions.h"

/* Where a session's link is. */
enum session_queue { SESSION_IN_NONE, SESSION_BY_AGE, SESSION_DUE, SESSION_SOON, SESSION_DOUBTFUL };

/* One per session that somebody depends on or asks for: kept small. */
struct session {
	struct list link;             /* in the list that `queue` says */
	struct list members;          /* struct session_member, by .link */
	struct session_read *read;    /* under way, or NULL */
	uint64_t digest;              /* of the record as it was read last */
	uint64_t user;                /* hash of the user's id; 0: there is none */
	uint32_t read_at, touched_at; /* loop time */
	uint8_t queue;                /* enum session_queue */
	bool known : 1;               /* it has been read: digest and user hold */
	bool told : 1;                /* its members know what it says, as the rules are now */
	bool invalidated : 1;         /* read again because Redis said so */
	bool stale : 1;               /* invalidated while it was read */
	bool held : 1;                /* being walked: not to be destroyed now */
	struct table_key key;         /* in Redis */
};

static inline struct slice session_key(const struct session *session)
{
	return table_key_bytes(&session->key);
}

static inline uint64_t sessions_now(const struct sessions *sessions)
{
	return uv_now(sessions->setup.loop);
}

/* sessions.c */

/* Sends what reads it; `again`: nobody waits, its members are to be told. It must not be under way. */
MUST_CHECK int session_read_begin(struct sessions *sessions, struct session *session, bool again);

/* sessions_watch.c */

void session_enqueue(struct sessions *sessions, struct session *session, enum session_queue queue);
/* Takes it out of whatever list it is in. */
void session_dequeue(struct session *session);
/* It has to be read again. */
void session_invalidate(struct sessions *sessions, struct session *session);
/* Redis could not say what has become of it. */
void session_doubt(struct sessions *sessions, struct session *session);
/* One was read again; `in_vain`: Redis said so, and nothing has changed. */
void sessions_reread_done(struct sessions *sessions, bool in_vain);
/* Sees to it that the sweep goes on while there is something to be swept. */
void sessions_sweep_begin(struct sessions *sessions);

#endif
