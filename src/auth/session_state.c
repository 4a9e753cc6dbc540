/* When is a session read again? It is always in one of six states, and in the list of that state
 * (sessions->in). session_event is the only function that changes either.
 *
 *	IDLE      nothing to do until its turn in the sweep; in the order in which they were read
 *	DOUBTFUL  the last read failed: to be read again in a second
 *	SOON      invalidated by Redis: to be read as soon as the pace permits
 *	DUE       to be read as soon as there is room
 *	READING   a read of it is under way
 *	OUTDATED  the same, but it may have changed since the read was sent, so it is read once more
 *
 * The table below has a row for each event and a column for each state. A cell is the next state.
 * NEVER marks events that cannot happen: SWEEP, PERMIT, RETRY and ROOM are raised only for the
 * first session in the list of the one state that has them, and only a read gets an answer. The
 * last column is the event for the members.
 *
 * - If the next state is the current state, a session keeps its place in the list. So a second
 *   invalidation does not delay its read.
 * - An answer that may be older than the change (OUTDATED) is still passed to the members: they are
 *   open already, and if it is out of date, the next read corrects it. It is not passed to the
 *   waiters, whom it would let in: for them the session is read once more (sessions.c), so it is
 *   LOOK_UP that takes it out of SOON.
 * - An answer that is under way when the session EXPIRED is judged when it arrives, so by then.
 * - Without a link nothing stays DUE, and a read that is lost with the link is not repeated: when
 *   the link comes back, everything is RECHECKed.
 * - A session is abandoned only after its answer has been delivered, so never while READING or
 *   OUTDATED. */
#include "sessions_internal.h"

#include "sluice/base/defs.h"

enum {
	IDLE = SESSION_IDLE,
	DOUBTFUL = SESSION_DOUBTFUL,
	SOON = SESSION_SOON,
	DUE = SESSION_DUE,
	READING = SESSION_READING,
	OUTDATED = SESSION_OUTDATED,
	GONE, /* in no list; the caller frees it */
	NEVER,
};

enum { CHANGED = SESSION_NEWS_CHANGED, ENDED = SESSION_NEWS_ENDED };

static const struct {
	uint8_t next[SESSION_STATES];
	uint8_t news; /* enum session_news */
} rows[SESSION_EVENTS] = {
	/* clang-format off */
	/*                          IDLE      DOUBTFUL  SOON      DUE       READING   OUTDATED   members */
	[SESSION_LOOK_UP]     = { { READING,  READING,  READING,  READING,  READING,  OUTDATED } },
	[SESSION_INVALIDATED] = { { SOON,     SOON,     SOON,     DUE,      OUTDATED, OUTDATED } },
	[SESSION_RECHECK]     = { { DUE,      DUE,      DUE,      DUE,      OUTDATED, OUTDATED } },
	[SESSION_EXPIRED]     = { { DUE,      DUE,      DUE,      DUE,      READING,  OUTDATED } },
	[SESSION_SWEEP]       = { { DUE,      NEVER,    NEVER,    NEVER,    NEVER,    NEVER    } },
	[SESSION_RETRY]       = { { NEVER,    DUE,      NEVER,    NEVER,    NEVER,    NEVER    } },
	[SESSION_PERMIT]      = { { NEVER,    NEVER,    DUE,      NEVER,    NEVER,    NEVER    } },
	[SESSION_ROOM]        = { { NEVER,    NEVER,    NEVER,    READING,  NEVER,    NEVER    } },
	[SESSION_NO_LINK]     = { { NEVER,    NEVER,    NEVER,    IDLE,     IDLE,     IDLE     } },
	[SESSION_SAME]        = { { NEVER,    NEVER,    NEVER,    NEVER,    IDLE,     SOON     } },
	[SESSION_CHANGED]     = { { NEVER,    NEVER,    NEVER,    NEVER,    IDLE,     SOON     }, CHANGED },
	[SESSION_ENDED]       = { { NEVER,    NEVER,    NEVER,    NEVER,    IDLE,     SOON     }, ENDED },
	[SESSION_UNCLEAR]     = { { NEVER,    NEVER,    NEVER,    NEVER,    DOUBTFUL, SOON     } },
	[SESSION_ABANDONED]   = { { GONE,     GONE,     GONE,     GONE,     NEVER,    NEVER    } },
	/* clang-format on */
};

static void enter(struct sessions *sessions, struct session *session, uint8_t state)
{
	list_remove(&session->link);
	session->state = state;
	session->invalidated = state == SOON || (state == DUE && session->invalidated);
	if (state != GONE)
		list_append(&sessions->in[state], &session->link);
}

void session_begin(struct sessions *sessions, struct session *session)
{
	enter(sessions, session, IDLE);
}

/* Only an answer to a read that was sent after the last change says how a session is now. */
static bool is_stale(const struct session *session, enum session_event event)
{
	if (event == SESSION_INVALIDATED || event == SESSION_RECHECK || event == SESSION_EXPIRED)
		return true;
	bool answered = event == SESSION_SAME || event == SESSION_CHANGED || event == SESSION_ENDED;
	return session->stale && !(answered && session->state == READING);
}

enum session_news session_event(
	struct sessions *sessions, struct session *session, enum session_event event)
{
	uint8_t next = rows[event].next[session->state];
	MUST(next != NEVER);
	session->stale = is_stale(session, event);
	if (next != session->state)
		enter(sessions, session, next);
	return (enum session_news)rows[event].news;
}

struct session *sessions_first(const struct sessions *sessions, enum session_state state)
{
	const struct list *list = &sessions->in[state];
	return list_is_empty(list) ? NULL : container_of(list->next, struct session, link);
}
