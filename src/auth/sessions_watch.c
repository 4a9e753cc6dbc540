/* When a session is read again.
 *
 *	Redis says that it has changed    -> at once, or within 50 ms if it has been read just now
 *	a link to Redis has come back     -> all of them: anything may have happened meanwhile
 *	it was read session.sweep ago     -> in its turn
 *	Redis could not say how it is     -> within a second or so, again and again: nor does Redis tell of
 *	                                     a key that it has not let us read
 *
 * Redis' word is cheap and often means nothing: express-session sets the record's time to live with every
 * page that is looked at, and each time we are told. So a session is read at most once in 50 ms, however
 * often its pages are looked at.
 *
 * And Redis forgets: it tracks so many keys (tracking-table-max-keys), and says of one that it gives up
 * that it has changed. To read that one makes it give up another, and so on for ever, as fast as the
 * network goes. Neither that nor a site with very many page views shall load us, so reads that were
 * asked for by Redis and found nothing new come out of a credit, of some thousands a second. When it is
 * used up, what Redis says is seen to in turn, as fast as the credit grows. A session that has really
 * ended costs no credit: two thousand log-outs at once are found out at once. And for half a minute after
 * it was used up, in which it fills again, a session is read at most once in a second.
 *
 * Whatever the reason is, a number of reads are under way at a time; the rest is in `due`. Log-ins do not
 * wait behind them.
 *
 *	by_age   idle, in the order in which they were read: the sweep takes from the front
 *	soon     to be read, but not now      -> due, at the next tick, as far as the credit goes
 *	doubtful to be read, in a second      -> due
 *	due      to be read                   -> under way, as soon as there is room */
#include "sessions_internal.h"

#include "sluice/base/defs.h"

enum {
	REREADS_MAX = 512,
	REREAD_GAP_MS = DEADLINE_TICK_MS,
	REREAD_GAP_STRAINED_MS = 1000,
	STRAIN_MS = 30000, /* from when the credit was used up last */
	SWEEP_STEP_MS = 100,
	DOUBT_MS = 1000,
	DOUBTS_AT_ONCE = 5000,
	VAIN_PER_SECOND = 5000,
	CREDIT_MAX = 2 * VAIN_PER_SECOND,
};

static struct session *first_of(const struct list *queue)
{
	return list_is_empty(queue) ? NULL : container_of(queue->next, struct session, link);
}

void session_dequeue(struct session *session)
{
	list_remove(&session->link);
	session->queue = SESSION_IN_NONE;
}

void session_enqueue(struct sessions *sessions, struct session *session, enum session_queue queue)
{
	session_dequeue(session);
	session->queue = (uint8_t)queue;
	list_append(queue == SESSION_BY_AGE ? &sessions->by_age
		    : queue == SESSION_DUE  ? &sessions->due
		    : queue == SESSION_SOON ? &sessions->soon
					    : &sessions->doubtful,
		&session->link);
}

/* ---- under way ---- */

static void on_pace_due(struct deadline *deadline);

static void pace(struct sessions *sessions)
{
	if (!deadline_is_set(&sessions->pace))
		deadline_set(sessions->setup.deadlines, &sessions->pace, 1, on_pace_due);
}

/* What cannot be read because there is no link waits for the link, which has everything read again. */
static void pump(struct sessions *sessions)
{
	bool up = redis_link_is_up(sessions->setup.link);
	for (struct session *session;
		sessions->rereads < REREADS_MAX && (session = first_of(&sessions->due));) {
		if (!up) {
			session_enqueue(sessions, session, SESSION_BY_AGE);
		} else if (session_read_begin(sessions, session, true) == 0) {
			sessions->rereads++;
			metrics_add(sessions->setup.metrics, METRIC_SESSION_REREADS_TOTAL, 1);
		} else {
			pace(sessions);
			return;
		}
	}
}

void sessions_reread_done(struct sessions *sessions, bool in_vain)
{
	sessions->rereads--;
	sessions->credit -= in_vain;
	if (sessions->credit <= 0)
		sessions->strained_until = sessions_now(sessions) + STRAIN_MS;
	pump(sessions);
}

/* ---- what Redis says ---- */

static void refill(struct sessions *sessions)
{
	uint64_t now = sessions_now(sessions);
	uint64_t more = (now - sessions->refilled) * VAIN_PER_SECOND / 1000;
	sessions->credit = MIN(sessions->credit + (int64_t)more, (int64_t)CREDIT_MAX);
	sessions->refilled = now;
}

static bool may_be_read(
	const struct sessions *sessions, const struct session *session, unsigned gap_ms)
{
	uint64_t now = sessions_now(sessions);
	if (now < sessions->strained_until)
		gap_ms = REREAD_GAP_STRAINED_MS;
	return (uint32_t)now - session->read_at >= gap_ms && sessions->credit > 0;
}

/* Those in `soon` came in the order in which they were read, near enough. Who is there has waited for
 * this tick, and does not wait for another. */
static void on_pace_due(struct deadline *deadline)
{
	struct sessions *sessions = container_of(deadline, struct sessions, pace);
	refill(sessions);
	struct session *session;
	for (int64_t n = sessions->credit;
		n > 0 && (session = first_of(&sessions->soon)) && may_be_read(sessions, session, 0);
		n--)
		session_enqueue(sessions, session, SESSION_DUE);
	pump(sessions);
	if (!list_is_empty(&sessions->soon) || !list_is_empty(&sessions->due))
		pace(sessions);
}

void session_invalidate(struct sessions *sessions, struct session *session)
{
	session->invalidated = true;
	if (session->read) {
		session->stale = true;
		return;
	}
	session->stale = false;
	if (session->queue == SESSION_DUE || session->queue == SESSION_SOON)
		return;
	refill(sessions);
	if (may_be_read(sessions, session, REREAD_GAP_MS)) {
		session_enqueue(sessions, session, SESSION_DUE);
		pump(sessions);
	} else {
		session_enqueue(sessions, session, SESSION_SOON);
		pace(sessions);
	}
}

void sessions_invalidated(struct sessions *sessions, struct slice key)
{
	char room[SESSION_KEY_MAX];
	if (!key.at) {
		sessions_recheck(sessions);
		return;
	}
	key = session_record_key_of(sessions->setup.settings, key, room);
	struct table_key *found = key.at ? table_find(&sessions->all, key) : NULL;
	if (found)
		session_invalidate(sessions, container_of(found, struct session, key));
}

void sessions_recheck(struct sessions *sessions)
{
	TABLE_EACH (each, &sessions->all) {
		struct session *session = container_of(each, struct session, key);
		session->stale = session->read != NULL;
		if (!session->read)
			session_enqueue(sessions, session, SESSION_DUE);
	}
	pump(sessions);
}

/* ---- when Redis could not say ---- */

static void on_again_due(struct deadline *deadline);

static void look_again(struct sessions *sessions)
{
	if (!deadline_is_set(&sessions->again))
		deadline_set(sessions->setup.deadlines, &sessions->again, DOUBT_MS, on_again_due);
}

static void on_again_due(struct deadline *deadline)
{
	struct sessions *sessions = container_of(deadline, struct sessions, again);
	struct session *session;
	for (size_t n = 0; n < DOUBTS_AT_ONCE && (session = first_of(&sessions->doubtful)); n++)
		session_enqueue(sessions, session, SESSION_DUE);
	if (!list_is_empty(&sessions->doubtful))
		look_again(sessions);
	pump(sessions);
}

void session_doubt(struct sessions *sessions, struct session *session)
{
	/* a link that is lost comes back, and then everything is read */
	if (!redis_link_is_up(sessions->setup.link))
		return;
	session_enqueue(sessions, session, SESSION_DOUBTFUL);
	look_again(sessions);
}

/* ---- the sweep ---- */

static bool is_overdue(const struct sessions *sessions, unsigned period)
{
	const struct session *first = first_of(&sessions->by_age);
	return first && (uint32_t)sessions_now(sessions) - first->read_at >= period;
}

/* At an even pace, so many that each has its turn once in a period. When many of them turn out to have
 * ended the pace of the rest is no slower. */
static void on_sweep_due(struct deadline *deadline)
{
	struct sessions *sessions = container_of(deadline, struct sessions, sweep);
	unsigned period = sessions->setup.settings->session.sweep_ms;
	if (!period || !sessions->live)
		return;
	/* else they would all be overdue and put aside again at each step */
	if (!redis_link_is_up(sessions->setup.link)) {
		sessions_sweep_begin(sessions);
		return;
	}
	sessions->owed += sessions->live * (sessions_now(sessions) - sessions->swept);
	uint64_t n = sessions->owed / period;
	for (struct session *session;
		(n > 0 || is_overdue(sessions, period)) && (session = first_of(&sessions->by_age));
		n -= n > 0)
		session_enqueue(sessions, session, SESSION_DUE);
	sessions->owed %= period;
	pump(sessions);
	sessions_sweep_begin(sessions);
}

void sessions_sweep_begin(struct sessions *sessions)
{
	if (!sessions->setup.settings->session.sweep_ms || deadline_is_set(&sessions->sweep))
		return;
	sessions->swept = sessions_now(sessions);
	deadline_set(sessions->setup.deadlines, &sessions->sweep, SWEEP_STEP_MS, on_sweep_due);
}

/* ---- the door ---- */

void sessions_init(struct sessions *sessions, const struct sessions_setup *setup)
{
	*sessions = (struct sessions){ .setup = *setup, .credit = CREDIT_MAX };
	list_init(&sessions->by_age);
	list_init(&sessions->due);
	list_init(&sessions->soon);
	list_init(&sessions->doubtful);
	sessions->refilled = uv_now(setup->loop);
}

void sessions_set_settings(struct sessions *sessions, const struct settings *settings)
{
	sessions->setup.settings = settings;
	TABLE_EACH (each, &sessions->all)
		container_of(each, struct session, key)->told = false;
	sessions_recheck(sessions);
	sessions_sweep_begin(sessions);
}
