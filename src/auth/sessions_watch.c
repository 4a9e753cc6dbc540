/* Why a session is read again:
 *
 *	Redis invalidates it            -> at once, or as soon as the pace permits (sessions_pace.c)
 *	a link to Redis came back       -> all of them: anything may have happened meanwhile
 *	session.sweep has passed        -> in its turn
 *	its read failed                 -> every second (sessions_pace.c): Redis does not
 *	                                   invalidate a key that it has not let us read */
#include "sessions_internal.h"

enum { SWEEP_STEP_MS = 100 };

/* ---- invalidations ---- */

void sessions_invalidated(struct sessions *sessions, struct slice key)
{
	char room[SESSION_KEY_MAX];
	if (!key.at) {
		sessions_recheck(sessions);
		return;
	}
	key = session_record_key_of(sessions->setup.settings, key, room);
	struct table_key *found = table_find(&sessions->all, key);
	if (!found)
		return;
	struct session *session = container_of(found, struct session, key);
	bool waits = session->state == SESSION_SOON;
	session_event(sessions, session, SESSION_INVALIDATED);
	session_doubt(sessions, session);
	if (!waits && session->state == SESSION_SOON)
		session_hurry(sessions, session);
	sessions_go_on(sessions);
}

void sessions_recheck(struct sessions *sessions)
{
	TABLE_EACH (key, &sessions->all)
		session_event(sessions, container_of(key, struct session, key), SESSION_RECHECK);
	sessions_go_on(sessions);
}

/* ---- the sweep ---- */

static bool is_overdue(const struct sessions *sessions, unsigned period)
{
	const struct session *first = sessions_first(sessions, SESSION_IDLE);
	return first && (uint32_t)sessions_now(sessions) - first->read_at >= period;
}

/* Sweeps at an even pace, so that each session has its turn once in a period. If many turn out to
 * have ended, the rest are not swept any slower. */
static void sweep(struct sessions *sessions, unsigned period)
{
	struct session *session;
	sessions->sweep.owed += sessions->live * (sessions_now(sessions) - sessions->sweep.at);
	for (uint64_t n = sessions->sweep.owed / period;
		(n > 0 || is_overdue(sessions, period)) &&
		(session = sessions_first(sessions, SESSION_IDLE));
		n -= n > 0)
		session_event(sessions, session, SESSION_SWEEP);
	sessions->sweep.owed %= period;
	sessions_go_on(sessions);
}

static void on_step(struct deadline *deadline)
{
	struct sessions *sessions = container_of(deadline, struct sessions, sweep.step);
	unsigned period = sessions->setup.settings->session.sweep_ms;
	if (!period || !sessions->live)
		return;
	/* Without a link every session would be overdue, and be postponed again at each step. */
	if (redis_link_is_up(sessions->setup.link))
		sweep(sessions, period);
	sessions_sweep_begin(sessions);
}

void sessions_sweep_begin(struct sessions *sessions)
{
	if (!sessions->setup.settings->session.sweep_ms || deadline_is_set(&sessions->sweep.step))
		return;
	sessions->sweep.at = sessions_now(sessions);
	deadline_set(sessions->setup.deadlines, &sessions->sweep.step, SWEEP_STEP_MS, on_step);
}

void sessions_sweep_finish(struct sessions *sessions)
{
	deadline_clear(sessions->setup.deadlines, &sessions->sweep.step);
}
