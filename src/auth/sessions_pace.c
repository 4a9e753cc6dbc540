/* How fast sessions are read again.
 *
 * At most REREADS_MAX of these reads are under way at a time; other sessions wait in DUE. Look-ups
 * do not wait behind them. While much is kept of long records, it is REREADS_BESIDE_MUCH, as each
 * of these reads may bring another long one. It is not none: whoever has sessions with long records
 * could look them up without end, and no log-out would be noticed.
 *
 * Invalidations are cheap and often mean nothing: express-session sets the record's time to live
 * with every page view, and Redis invalidates the key each time. So a session is read at
 * most once in REREAD_GAP_MS, however often its pages are looked at.
 *
 * Redis also evicts: it tracks a limited number of keys (tracking-table-max-keys), and invalidates
 * a key when it evicts it. Reading that key again evicts another, and so on, as fast as the network
 * allows. Neither this nor a site with very many page views may overload us. So a read after an
 * invalidation that finds nothing new uses up a credit, which grows by VAIN_PER_SECOND. While there
 * is no credit, sessions wait in SOON and are read in turn, as fast as the credit grows. A read
 * that was due anyway costs no credit, nor does a session that has really ended: two thousand
 * log-outs at once are detected at once. For STRAIN_MS after the credit was used up, a session is
 * read at most once in REREAD_GAP_STRAINED_MS, so that the credit can grow again. */
#include "sessions_internal.h"

#include "sluice/base/defs.h"

enum {
	REREADS_MAX = 512,
	REREADS_BESIDE_MUCH = 8,
	REREAD_GAP_MS = DEADLINE_TICK_MS,
	REREAD_GAP_STRAINED_MS = 1000,
	STRAIN_MS = 30000,
	RETRY_MS = 1000,
	RETRIES_AT_ONCE = 5000,
	VAIN_PER_SECOND = 5000,
	CREDIT_MAX = 2 * VAIN_PER_SECOND,
};

/* ---- the credit ---- */

static void refill(struct sessions *sessions)
{
	uint64_t now = sessions_now(sessions);
	uint64_t more = (now - sessions->pace.refilled) * VAIN_PER_SECOND / 1000;
	sessions->pace.credit = MIN(sessions->pace.credit + (int64_t)more, (int64_t)CREDIT_MAX);
	sessions->pace.refilled = now;
}

static bool is_permitted(
	const struct sessions *sessions, const struct session *session, unsigned gap_ms)
{
	uint64_t now = sessions_now(sessions);
	if (now < sessions->pace.strained_until)
		gap_ms = REREAD_GAP_STRAINED_MS;
	return (uint32_t)now - session->read_at >= gap_ms && sessions->pace.credit > 0;
}

void session_hurry(struct sessions *sessions, struct session *session)
{
	refill(sessions);
	if (is_permitted(sessions, session, REREAD_GAP_MS))
		session_event(sessions, session, SESSION_PERMIT);
}

void sessions_count_read(
	struct sessions *sessions, enum session_read_reason reason, enum session_event event)
{
	if (reason == SESSION_READ_LOOK_UP)
		return;
	sessions->pace.rereads--;
	sessions->pace.credit -= reason == SESSION_READ_INVALIDATED && event == SESSION_SAME;
	if (sessions->pace.credit <= 0)
		sessions->pace.strained_until = sessions_now(sessions) + STRAIN_MS;
}

/* ---- reading what is due ---- */

static bool has_room(const struct sessions *sessions)
{
	size_t max = sessions_keep_much(sessions) ? REREADS_BESIDE_MUCH : REREADS_MAX;
	return sessions->pace.rereads < max;
}

/* If a command cannot be sent, the rest stays due until the next answer or tick. */
static void read_due(struct sessions *sessions)
{
	bool up = redis_link_is_up(sessions->setup.link);
	struct session *session;
	while (has_room(sessions) && (session = sessions_first(sessions, SESSION_DUE))) {
		if (!up) {
			session_event(sessions, session, SESSION_NO_LINK);
			continue;
		}
		if (session_read_begin(sessions, session,
			    session->invalidated ? SESSION_READ_INVALIDATED : SESSION_READ_AGAIN,
			    true) != 0)
			return;
		session_event(sessions, session, SESSION_ROOM);
		sessions->pace.rereads++;
		metrics_add(sessions->setup.metrics, METRIC_SESSION_REREADS_TOTAL, 1);
	}
}

/* The list is nearly in the order in which its sessions were read. They have waited for this tick,
 * so the gap of a single tick is over. */
static void on_tick(struct deadline *deadline)
{
	struct sessions *sessions = container_of(deadline, struct sessions, pace.tick);
	struct session *session;
	refill(sessions);
	for (int64_t n = sessions->pace.credit;
		n > 0 && (session = sessions_first(sessions, SESSION_SOON)) &&
		is_permitted(sessions, session, 0);
		n--)
		session_event(sessions, session, SESSION_PERMIT);
	sessions_go_on(sessions);
}

static void on_retry(struct deadline *deadline)
{
	struct sessions *sessions = container_of(deadline, struct sessions, pace.retry);
	struct session *session;
	for (size_t n = 0;
		n < RETRIES_AT_ONCE && (session = sessions_first(sessions, SESSION_DOUBTFUL)); n++)
		session_event(sessions, session, SESSION_RETRY);
	sessions_go_on(sessions);
}

static void wake(struct sessions *sessions, struct deadline *deadline, unsigned ms,
	void (*on_due)(struct deadline *deadline))
{
	if (!deadline_is_set(deadline))
		deadline_set(sessions->setup.deadlines, deadline, ms, on_due);
}

void sessions_go_on(struct sessions *sessions)
{
	read_due(sessions);
	if (sessions_first(sessions, SESSION_SOON) || sessions_first(sessions, SESSION_DUE))
		wake(sessions, &sessions->pace.tick, 1, on_tick);
	if (sessions_first(sessions, SESSION_DOUBTFUL))
		wake(sessions, &sessions->pace.retry, RETRY_MS, on_retry);
}

void sessions_pace_init(struct sessions *sessions)
{
	sessions->pace.credit = CREDIT_MAX;
	sessions->pace.refilled = sessions_now(sessions);
}

void sessions_pace_finish(struct sessions *sessions)
{
	deadline_clear(sessions->setup.deadlines, &sessions->pace.tick);
	deadline_clear(sessions->setup.deadlines, &sessions->pace.retry);
}
