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
 *	Redis could not tell                         -                    SESSION_UNAVAILABLE
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

#include "sluice/base/hash.h"

/* ---- sessions ---- */

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

static enum session_event compare(const struct sessions *sessions, const struct session *session,
	const struct session_reading *reading)
{
	switch (session_reading_result(reading)) {
	case SESSION_NONE:
		return SESSION_ENDED;
	case SESSION_UNAVAILABLE:
		return redis_link_is_up(sessions->setup.link) ? SESSION_UNCLEAR : SESSION_NO_LINK;
	case SESSION_GOOD:
		break;
	}
	if (!list_is_empty(&session->members) && session->user != user_hash(&reading->identity))
		return SESSION_ENDED;
	return session->announced && session->digest == reading->digest ? SESSION_SAME
									: SESSION_CHANGED;
}

/* A failed read changes nothing that is known. */
static void remember(
	struct sessions *sessions, struct session *session, const struct session_reading *reading)
{
	enum session_result result = session_reading_result(reading);
	session->read_at = (uint32_t)sessions_now(sessions);
	if (result == SESSION_UNAVAILABLE)
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

/* session->read keeps the session alive until everybody has been called. A look-up within such a
 * call sets it to a read of its own. */
static void on_read(struct session_read *read)
{
	struct sessions *sessions = read->sessions;
	struct session *session = read->session;
	enum session_event event = compare(sessions, session, &read->reading);
	if (!list_is_empty(&read->waiters))
		count_look_up(sessions, &read->reading);
	remember(sessions, session, &read->reading);
	enum session_news news = session_event(sessions, session, event);
	tell_members(sessions, session, news, &read->reading.identity);
	tell_waiters(read);
	if (session->read == read)
		session->read = NULL;
	drop_if_unused(sessions, session);
	sessions_count_read(sessions, read->reason, event);
	sessions_go_on(sessions);
}

/* ---- look-ups ---- */

int sessions_ask(struct sessions *sessions, struct session *session, struct session_waiter *waiter)
{
	int error = 0;
	if (session_is_read(session))
		metrics_add(sessions->setup.metrics, METRIC_LOOKUPS_SHARED, 1);
	else
		error = session_read_begin(sessions, session, SESSION_READ_LOOK_UP);
	if (error)
		return error;
	session_event(sessions, session, SESSION_LOOK_UP);
	list_append(&session->read->waiters, &waiter->link);
	return 0;
}

int sessions_look_up_key(struct sessions *sessions, struct slice key, struct session_waiter *waiter)
{
	struct session *session = find(sessions, key);
	if (!session)
		session = create(sessions, key);
	if (!session)
		return -ENOMEM;
	int error = sessions_ask(sessions, session, waiter);
	drop_if_unused(sessions, session);
	return error;
}

int sessions_look_up(struct sessions *sessions, struct slice sid, struct session_waiter *waiter)
{
	char bytes[SESSION_KEY_MAX];
	ssize_t len = session_key_format(
		sessions->setup.settings->session.key, sid, bytes, sizeof(bytes));
	return len < 0 ? -ENOMEM
		       : sessions_look_up_key(sessions, slice_make(bytes, (size_t)len), waiter);
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

/* ---- all of a worker's ---- */

void sessions_init(struct sessions *sessions, const struct sessions_setup *setup)
{
	*sessions = (struct sessions){ .setup = *setup, .on_read = on_read };
	for (size_t i = 0; i < SESSION_STATES; i++)
		list_init(&sessions->in[i]);
	sessions_pace_init(sessions);
}

void sessions_finish(struct sessions *sessions)
{
	MUST(table_count(&sessions->all) == 0);
	sessions_pace_finish(sessions);
	sessions_sweep_finish(sessions);
}

void sessions_set_settings(struct sessions *sessions, const struct settings *settings)
{
	sessions->setup.settings = settings;
	TABLE_EACH (key, &sessions->all)
		container_of(key, struct session, key)->announced = false;
	sessions_recheck(sessions);
	sessions_sweep_begin(sessions);
}

struct redis_link *sessions_link(const struct sessions *sessions)
{
	return sessions->setup.link;
}
