/* Look-ups of sessions, their members, and what an answer means for both.
 *
 *	            look-ups ----> waiters --.
 *	table: key -> session <-- read ------+---- the commands that read its record
 *	            connections -> members   '-- called once each, then gone
 *
 * A session exists while it has members or a read. Whoever caused a read, its answer concerns the
 * waiters and the members alike:
 *
 *	answer                                       members              waiters
 *	there is no such session                     lose it              SESSION_NONE
 *	it belongs to another user now               lose it              SESSION_GOOD
 *	the record, or the settings, are different   get the identity     SESSION_GOOD
 *	the record is the same                       -                    SESSION_GOOD
 *	the settings have been reloaded meanwhile    -                    are not answered yet
 *	Redis could not tell                         -                    SESSION_UNAVAILABLE
 *	the same, and its known end has come         lose it              SESSION_UNAVAILABLE
 *
 * Some answers are not good enough to let somebody in. Then the session is read once more for its
 * waiters:
 *
 * - The answer is out of date: the session may have changed while it was read. So nobody is let in
 *   by a record that is known to be gone. But a session that is written all the time, such as by
 *   the page views of an impatient user over a slow link, must not keep its waiters out for ever:
 *   after REPEATS_MAX such reads the last answer counts, whatever was written during it. If that
 *   was the end, the next read tells the members.
 * - The answer is good, but blind: Redis does not track what was read. A key costs Redis memory for
 *   as long as it is tracked, and a key that does not exist never changes. So the first read of an
 *   id that anybody can make up (no signature) is not tracked; only if there is such a session it
 *   is read again, tracked, and that read decides. An id in a signed cookie was chosen by the
 *   backend, as was the key in a ticket, so nobody can make up many of them: their first read is
 *   tracked, and a log-in takes one round trip. A key that is tracked and gone for good, that of a
 *   cookie or a connection that has outlived its session, stays in Redis' table until Redis evicts
 *   it; there is at most one for each session that the backend has made.
 *
 * Members that lose their session are taken out of it before they are called, as the call ends
 * them.
 *
 * The session leaves the state READING before anybody is called. So if it is looked up or
 * invalidated meanwhile, it is read again. A session that ends while a connection opens therefore
 * ends that connection, in whatever order the messages arrive. */
#include "sessions_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/auth/expiry.h"
#include "sluice/base/hash.h"

/* ---- sessions ---- */

enum { REPEATS_MAX = 2 };

static struct session *find(const struct sessions *sessions, struct slice key)
{
	struct table_key *found = table_find(&sessions->all, key);
	return found ? container_of(found, struct session, key) : NULL;
}

static struct session *create(struct sessions *sessions, struct slice key)
{
	struct session *session = calloc(1, sizeof(*session) + key.len);
	if (!session)
		return NULL;
	list_init(&session->members);
	session->touched_at = (uint32_t)sessions_now(sessions) - SESSION_TOUCH_MS;
	if (table_add(&sessions->all, &session->key, key) != 0) {
		free(session);
		return NULL;
	}
	session_begin(sessions, session);
	return session;
}

static void drop_if_unused(struct sessions *sessions, struct session *session)
{
	if (session->read || !list_is_empty(&session->members))
		return;
	session_event(sessions, session, SESSION_ABANDONED);
	session_end_clear(sessions, session);
	session_recent_forget(sessions, session);
	table_remove(&sessions->all, &session->key);
	free(session);
}

static void count_live(struct sessions *sessions, int more)
{
	sessions->live += (size_t)more;
	metrics_set(sessions->setup.metrics, METRIC_SESSIONS, (int64_t)sessions->live);
}

/* ---- what an answer means ---- */

static uint64_t user_hash(const struct identity *identity)
{
	return identity->user.len ? hash_bytes(identity->user) : 0;
}

/* By the settings before a reload: they knew other fields. The reload has made the session
 * OUTDATED, so it is read again. */
static bool is_judged_by_older_settings(const struct session_read *read)
{
	return read->settings != read->sessions->setup.settings;
}

static enum session_event compare(const struct session_read *read)
{
	const struct sessions *sessions = read->sessions;
	const struct session *session = read->session;
	const struct session_reading *reading = &read->reading;
	enum session_result result = session_reading_result(reading);
	if (result == SESSION_UNAVAILABLE && !session_end_is_over(session))
		return redis_link_is_up(sessions->setup.link) ? SESSION_UNCLEAR : SESSION_NO_LINK;
	if (result != SESSION_GOOD)
		return SESSION_ENDED;
	if (is_judged_by_older_settings(read))
		return SESSION_SAME;
	if (!list_is_empty(&session->members) && session->user != user_hash(&reading->identity))
		return SESSION_ENDED;
	return session->announced && session->digest == reading->digest ? SESSION_SAME
									: SESSION_CHANGED;
}

/* Without memory for the end, the session is as good as unknown. */
static void remember_end(
	struct sessions *sessions, struct session *session, struct session_reading *reading)
{
	int64_t at_ms = reading->identity.expires_ms;
	if (session_reading_result(reading) != SESSION_GOOD)
		return;
	/* 0: the record was not read */
	if (session_end_set(sessions, session, at_ms ? at_ms : EXPIRY_NEVER) != 0)
		reading->answers = SESSION_ANSWER_UNKNOWN;
}

/* A failed read changes nothing that is known. */
static void remember(const struct session_read *read)
{
	struct session *session = read->session;
	const struct session_reading *reading = &read->reading;
	enum session_result result = session_reading_result(reading);
	session->read_at = (uint32_t)sessions_now(read->sessions);
	if (result == SESSION_UNAVAILABLE || is_judged_by_older_settings(read))
		return;
	session->announced = result == SESSION_GOOD;
	session->digest = reading->digest;
	session->user = user_hash(&reading->identity);
}

static void end_all(struct sessions *sessions, struct session *session)
{
	struct list members;
	if (list_is_empty(&session->members))
		return;
	metrics_add(sessions->setup.metrics, METRIC_SESSIONS_REVOKED_TOTAL, 1);
	count_live(sessions, -1);
	list_take(&members, &session->members);
	LIST_EACH (node, &members)
		container_of(node, struct session_member, link)->session = NULL;
	/* A member that ends leaves the list, so all members in the list are alive. */
	for (struct list *node; (node = list_pop(&members));)
		sessions->setup.events->on_changed(
			container_of(node, struct session_member, link), NULL);
}

static void tell_members(struct sessions *sessions, struct session *session, enum session_news news,
	const struct identity *identity)
{
	if (news == SESSION_NEWS_ENDED)
		end_all(sessions, session);
	if (news != SESSION_NEWS_CHANGED)
		return;
	LIST_EACH_SAFE (node, &session->members)
		sessions->setup.events->on_changed(
			container_of(node, struct session_member, link), identity);
}

static void tell_waiters(struct session_read *read)
{
	enum session_result result = session_reading_result(&read->reading);
	const struct identity *identity = result == SESSION_GOOD ? &read->reading.identity : NULL;
	for (struct list *node; (node = list_pop(&read->waiters));) {
		struct session_waiter *waiter = container_of(node, struct session_waiter, link);
		waiter->missing = read->reading.answers & SESSION_ANSWER_MISSING;
		waiter->on_result(waiter, result, read->session, identity);
	}
}

static void count_look_up(struct sessions *sessions, const struct session_reading *reading)
{
	static const enum metric metrics[] = {
		[SESSION_GOOD] = METRIC_LOOKUPS_GOOD,
		[SESSION_NONE] = METRIC_LOOKUPS_REFUSED,
		[SESSION_UNAVAILABLE] = METRIC_LOOKUPS_FAILED,
	};
	bool missing = reading->answers & SESSION_ANSWER_MISSING;
	metrics_add(sessions->setup.metrics,
		missing ? METRIC_LOOKUPS_MISSING : metrics[session_reading_result(reading)], 1);
}

/* Is the answer good enough for the waiters? `outdated`: the session may have changed since. */
static bool is_final(const struct session_read *read, bool outdated)
{
	enum session_result result = session_reading_result(&read->reading);
	if (result == SESSION_UNAVAILABLE)
		return true;
	if (is_judged_by_older_settings(read) || (outdated && read->repeats < REPEATS_MAX))
		return false;
	return result != SESSION_GOOD || !read->blind;
}

/* How long the answer has waited for us. */
static uint64_t delay_of(const struct session_read *read)
{
	return read->answered_at ? sessions_now(read->sessions) - read->answered_at : 0;
}

static void add_waiter(struct session_read *read, struct session_waiter *waiter)
{
	waiter->read = read;
	list_append(&read->waiters, &waiter->link);
}

/* The waiters wait for another read: one that a member has asked for just now, or a new one. */
static int read_again(struct session_read *read, bool outdated)
{
	struct sessions *sessions = read->sessions;
	struct session *session = read->session;
	bool exists = session_reading_result(&read->reading) == SESSION_GOOD;
	if (!session_is_read(session)) {
		int error = session_read_begin(
			sessions, session, SESSION_READ_LOOK_UP, read->trusted || exists);
		if (error)
			return error;
		session_event(sessions, session, SESSION_LOOK_UP);
	}
	session->read->repeats = (uint8_t)(read->repeats + outdated);
	session->read->asked |= read->asked;
	for (struct list *node; (node = list_pop(&read->waiters));)
		add_waiter(session->read, container_of(node, struct session_waiter, link));
	return 0;
}

static void answer_waiters(struct session_read *read, bool outdated)
{
	if (list_is_empty(&read->waiters))
		return;
	LIST_EACH (node, &read->waiters)
		container_of(node, struct session_waiter, link)->delay_ms += delay_of(read);
	if (!is_final(read, outdated)) {
		if (read_again(read, outdated) == 0)
			return;
		read->reading.answers = SESSION_ANSWER_UNKNOWN;
	}
	count_look_up(read->sessions, &read->reading);
	tell_waiters(read);
	if (read->asked && session_reading_result(&read->reading) == SESSION_GOOD)
		session_recent_keep(read->sessions, read->session, &read->reading.identity);
}

/* session->read keeps the session alive until everybody has been called. A look-up within such a
 * call sets it to a read of its own. */
static void on_read(struct session_read *read)
{
	struct sessions *sessions = read->sessions;
	struct session *session = read->session;
	bool outdated = session->state == SESSION_OUTDATED;
	session_recent_forget(sessions, session);
	remember_end(sessions, session, &read->reading);
	enum session_event event = compare(read);
	remember(read);
	enum session_news news = session_event(sessions, session, event);
	sessions->problem = read->reading.problem;
	tell_members(sessions, session, news, &read->reading.identity);
	if (event == SESSION_UNCLEAR && list_is_empty(&read->waiters))
		count_look_up(sessions, &read->reading);
	session_doubt_read(sessions, session, event == SESSION_UNCLEAR);
	answer_waiters(read, outdated);
	sessions->problem = NULL;
	if (session->read == read)
		session->read = NULL;
	drop_if_unused(sessions, session);
	sessions_count_read(sessions, read->reason, event);
	sessions_go_on(sessions);
}

static void on_end(struct sessions *sessions, struct session *session)
{
	session_end_clear(sessions, session);
	end_all(sessions, session);
	drop_if_unused(sessions, session);
}

/* ---- look-ups ---- */

static int ask(struct sessions *sessions, struct session *session, struct session_waiter *waiter,
	bool trusted)
{
	int error = 0;
	if (session_is_read(session))
		metrics_add(sessions->setup.metrics, METRIC_LOOKUPS_SHARED, 1);
	else
		error = session_read_begin(sessions, session, SESSION_READ_LOOK_UP, trusted);
	if (error)
		return error;
	session_event(sessions, session, SESSION_LOOK_UP);
	add_waiter(session->read, waiter);
	return 0;
}

int sessions_ask(struct sessions *sessions, struct session *session, struct session_waiter *waiter)
{
	int error = ask(sessions, session, waiter, true);
	if (!error)
		session->read->asked = true;
	return error;
}

static int look_up(
	struct sessions *sessions, struct slice key, struct session_waiter *waiter, bool trusted)
{
	struct session *session = find(sessions, key);
	if (!session)
		session = create(sessions, key);
	if (!session)
		return -ENOMEM;
	int error = ask(sessions, session, waiter, trusted);
	drop_if_unused(sessions, session);
	return error;
}

int sessions_look_up_key(struct sessions *sessions, struct slice key, struct session_waiter *waiter)
{
	return look_up(sessions, key, waiter, true);
}

int sessions_look_up(struct sessions *sessions, struct slice sid, struct session_waiter *waiter)
{
	char bytes[SESSION_KEY_MAX];
	const struct settings *settings = sessions->setup.settings;
	ssize_t len = session_key_format(settings->session.key, sid, bytes, sizeof(bytes));
	bool is_signed = settings->session.signature != SESSION_SIGNATURE_NONE;
	return len < 0 ? -ENOMEM
		       : look_up(sessions, slice_make(bytes, (size_t)len), waiter, is_signed);
}

uint64_t session_waiter_delay(const struct session_waiter *waiter)
{
	bool waits = list_is_linked(&waiter->link);
	return waiter->delay_ms + (waits ? delay_of(waiter->read) : 0);
}

void session_waiter_cancel(struct session_waiter *waiter)
{
	list_remove(&waiter->link);
}

/* ---- members ---- */

void sessions_join(
	struct sessions *sessions, struct session *session, struct session_member *member)
{
	MUST(!member->session);
	if (list_is_empty(&session->members))
		count_live(sessions, 1);
	list_append(&session->members, &member->link);
	member->session = session;
	sessions_sweep_begin(sessions);
}

void sessions_leave(struct sessions *sessions, struct session_member *member)
{
	struct session *session = member->session;
	list_remove(&member->link);
	member->session = NULL;
	if (!session)
		return;
	if (list_is_empty(&session->members))
		count_live(sessions, -1);
	drop_if_unused(sessions, session);
}

bool sessions_is_stale(const struct session_member *member)
{
	return member->session && member->session->stale;
}

/* ---- all of a worker's ---- */

/* Strangers make up ids in cookies without a signature, and tickets, which a check reads. */
static void set_selective(struct sessions *sessions)
{
	const struct settings *settings = sessions->setup.settings;
	bool may_be_made_up = settings->session.signature == SESSION_SIGNATURE_NONE &&
			      settings->session.cookie.len;
	tracking_set_selective(
		sessions->setup.tracking, may_be_made_up || settings->session.ticket.len);
}

void sessions_init(struct sessions *sessions, const struct sessions_setup *setup)
{
	*sessions = (struct sessions){ .setup = *setup, .on_read = on_read, .on_end = on_end };
	sessions->look_ups.link = setup->link;
	sessions->look_ups.settings = &sessions->setup.settings;
	sessions->look_ups.metrics = setup->metrics;
	sessions->look_ups.deadlines = setup->deadlines;
	sessions->look_ups.loop = setup->loop;
	for (size_t i = 0; i < SESSION_STATES; i++)
		list_init(&sessions->in[i]);
	sessions_pieces_init(sessions);
	sessions_pace_init(sessions);
	set_selective(sessions);
}

void sessions_finish(struct sessions *sessions)
{
	for (struct session *session; (session = sessions_pieces_drop(sessions));) {
		session_event(sessions, session, SESSION_NO_LINK);
		drop_if_unused(sessions, session);
	}
	MUST(table_count(&sessions->all) == 0);
	sessions_pace_finish(sessions);
	sessions_recent_finish(sessions);
	sessions_doubt_finish(sessions);
	sessions_sweep_finish(sessions);
	look_ups_link_down(&sessions->look_ups);
}

void sessions_set_settings(struct sessions *sessions, const struct settings *settings)
{
	sessions->setup.settings = settings;
	TABLE_EACH (key, &sessions->all)
		container_of(key, struct session, key)->announced = false;
	set_selective(sessions);
	sessions_recheck(sessions);
	sessions_sweep_begin(sessions);
}

const char *sessions_problem(const struct sessions *sessions)
{
	return sessions->problem;
}

struct redis_link *sessions_link(const struct sessions *sessions)
{
	return sessions->setup.link;
}
