/* Who asks for a session, who depends on it, and what they are told.
 *
 *	            look-ups ----> waiters --.
 *	table: key -> session <-- read ------+---- the commands that read its record
 *	            connections -> members   '-- told once each, then gone
 *
 * A session is here while a read of it is under way or it has members. Everybody who asks for the same
 * key while a read is under way joins its waiters: when a crowd with one session comes back at once (a
 * page with many tabs, a reconnect storm through one log-in), Redis is asked once per worker. A joiner
 * sees the record as it was read after the first asked, at most one round trip earlier than if he had
 * asked himself.
 *
 * Every answer is news for the members too, whoever has asked. Three things can have happened:
 *
 *	there is no such session any more, or it is another user's    -> the members have lost it
 *	the record's digest is another one                            -> the members are told what it says
 *	the same digest, or Redis could not say                       -> nothing
 *
 * Members that lost their session are taken out of it before they are told, as being told ends them.
 * What is invalidated while its read is under way may have been read before it changed, so it is read
 * once more; who waits is answered all the same, and as a member hears of what comes after. So a session
 * that ends while a connection opens ends that connection, in whatever order the words arrive. */
#include "sessions_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/hash.h"
#include "sluice/base/log.h"

enum { TOUCH_MS = 60000, FAILURE_QUIET_MS = 60000 };

struct session_read {
	struct sessions *sessions;
	struct session *session;
	struct list waiters; /* struct session_waiter, by .link */
	struct session_reading reading;
	size_t commands, answers;
	bool again, failed; /* failed: not all commands could be sent */
};

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
	session->touched_at = (uint32_t)sessions_now(sessions) - TOUCH_MS;
	if (table_add(&sessions->all, &session->key, key) != 0) {
		free(session);
		return NULL;
	}
	return session;
}

static void drop_if_unused(struct sessions *sessions, struct session *session)
{
	if (session->read || session->held || !list_is_empty(&session->members))
		return;
	session_dequeue(session);
	table_remove(&sessions->all, &session->key);
	free(session);
}

static void count_live(struct sessions *sessions, int more)
{
	sessions->live += (size_t)more;
	metrics_set(sessions->setup.metrics, METRIC_SESSIONS, (int64_t)sessions->live);
}

/* ---- what an answer means ---- */

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
	/* a member that goes takes itself out, so what is left in the list is always alive */
	for (struct list *node; (node = list_pop(&members));)
		sessions->setup.events->on_changed(
			container_of(node, struct session_member, link), NULL);
}

static void tell_all(
	struct sessions *sessions, struct session *session, const struct identity *identity)
{
	LIST_EACH_SAFE (node, &session->members)
		sessions->setup.events->on_changed(
			container_of(node, struct session_member, link), identity);
}

/* Gives whether there was anything new. */
static bool tell_members(
	struct sessions *sessions, struct session *session, const struct session_reading *reading)
{
	enum session_result result = session_reading_result(reading);
	if (result == SESSION_UNAVAILABLE)
		return true; /* who knows */
	if (result == SESSION_NONE) {
		session->known = false;
		end_all(sessions, session);
		return true;
	}
	struct slice text = reading->identity.user;
	uint64_t user = text.len ? hash_bytes(text) : 0;
	bool same = session->known && session->told && session->digest == reading->digest;
	if (session->known && session->user != user)
		end_all(sessions, session);
	else if (!same)
		tell_all(sessions, session, &reading->identity);
	session->digest = reading->digest;
	session->user = user;
	session->known = session->told = true;
	return !same;
}

static void tell_waiters(struct session_read *read)
{
	enum session_result result = session_reading_result(&read->reading);
	const struct identity *identity = result == SESSION_GOOD ? &read->reading.identity : NULL;
	for (struct list *node; (node = list_pop(&read->waiters));) {
		struct session_waiter *waiter = container_of(node, struct session_waiter, link);
		waiter->on_result(waiter, result, read->session, identity);
	}
}

/* What becomes of a session when all have been told. */
static void settle(struct sessions *sessions, struct session *session, bool unknown)
{
	if (!session->read && !list_is_empty(&session->members)) {
		session_enqueue(sessions, session, SESSION_BY_AGE);
		if (session->stale)
			session_invalidate(sessions, session);
		else if (unknown)
			session_doubt(sessions, session);
	}
	drop_if_unused(sessions, session);
}

static void complete(struct session_read *read)
{
	struct sessions *sessions = read->sessions;
	struct session *session = read->session;
	bool invalidated = session->invalidated;
	if (read->failed)
		session_reading_finish(&read->reading);
	if (!list_is_empty(&read->waiters))
		count_look_up(sessions, &read->reading);
	/* From here on who asks is not told what was read before. */
	session->read = NULL;
	session->held = true;
	session->invalidated = false;
	session->read_at = (uint32_t)sessions_now(sessions);
	bool news = tell_members(sessions, session, &read->reading);
	tell_waiters(read);
	session->held = false;
	settle(sessions, session, session_reading_result(&read->reading) == SESSION_UNAVAILABLE);
	if (read->again)
		sessions_reread_done(sessions, invalidated && !news);
	session_reading_finish(&read->reading);
	free(read);
}

/* Once in a while: it may be so with every session. */
static void tell_failure(
	struct sessions *sessions, uint64_t *told, const char *event, struct slice reason)
{
	uint64_t now = sessions_now(sessions);
	if (*told && now - *told < FAILURE_QUIET_MS)
		return;
	*told = MAX(now, UINT64_C(1));
	log_warn(event, log_slice("reason", reason));
}

static void on_reply(void *context, const struct redisReply *reply)
{
	struct session_read *read = context;
	struct sessions *sessions = read->sessions;
	struct redis_link *link = sessions->setup.link;
	struct slice problem = session_reading_take(
		&read->reading, sessions->setup.settings, read->answers++, reply);
	if (problem.at)
		tell_failure(
			sessions, &sessions->read_failure_told, "session look-up failed", problem);
	bool malformed = read->reading.answers & SESSION_ANSWER_MALFORMED;
	if (read->answers == read->commands)
		complete(read);
	if (malformed)
		redis_link_fail(link, "unexpected reply to what reads a session");
}

/* ---- reading ---- */

int session_read_begin(struct sessions *sessions, struct session *session, bool again)
{
	struct session_read *read = calloc(1, sizeof(*read));
	struct session_commands commands;
	int error = 0;
	if (!read)
		return -ENOMEM;
	*read = (struct session_read){ .sessions = sessions, .session = session, .again = again };
	list_init(&read->waiters);
	session_record_commands(sessions->setup.settings, session_key(session), &commands);
	for (size_t i = 0; i < commands.n && !error; i++) {
		error = redis_link_command(sessions->setup.link, commands.all[i].words,
			commands.all[i].n_words, on_reply, read);
		read->commands += !error;
	}
	if (!read->commands) {
		free(read);
		return error;
	}
	read->failed = error != 0;
	session_dequeue(session);
	session->read = read;
	session->stale = false;
	return 0;
}

/* ---- the door ---- */

static int ask(struct sessions *sessions, struct session *session, struct session_waiter *waiter)
{
	if (session->read) {
		metrics_add(sessions->setup.metrics, METRIC_LOOKUPS_SHARED, 1);
	} else {
		int error = session_read_begin(sessions, session, false);
		if (error)
			return error;
	}
	list_append(&session->read->waiters, &waiter->link);
	return 0;
}

int sessions_look_up(struct sessions *sessions, struct slice sid, struct session_waiter *waiter)
{
	char bytes[SESSION_KEY_MAX];
	ssize_t len = session_key_format(
		sessions->setup.settings->session.key, sid, bytes, sizeof(bytes));
	return len < 0 ? -ENOMEM
		       : sessions_look_up_key(sessions, slice_make(bytes, (size_t)len), waiter);
}

int sessions_look_up_key(struct sessions *sessions, struct slice key, struct session_waiter *waiter)
{
	struct session *session = find(sessions, key);
	if (!session)
		session = create(sessions, key);
	if (!session)
		return -ENOMEM;
	int error = ask(sessions, session, waiter);
	drop_if_unused(sessions, session);
	return error;
}

int sessions_ask(struct sessions *sessions, struct session *session, struct session_waiter *waiter)
{
	return ask(sessions, session, waiter);
}

void session_waiter_cancel(struct session_waiter *waiter)
{
	list_remove(&waiter->link);
}

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

static void on_touched(void *context, const struct redisReply *reply)
{
	struct sessions *sessions = context;
	if (reply && reply->type == REDIS_REPLY_ERROR)
		tell_failure(sessions, &sessions->touch_failure_told,
			"redis refuses EXPIRE, which session.touch needs",
			resp_error_reason(reply));
}

void sessions_touch(struct sessions *sessions, struct session_member *member)
{
	const struct settings *settings = sessions->setup.settings;
	struct session *session = member->session;
	uint32_t now = (uint32_t)sessions_now(sessions);
	if (!session || !settings->session.touch || now - session->touched_at < TOUCH_MS)
		return;
	char seconds[16];
	snprintf(seconds, sizeof(seconds), "%u", (settings->session.ttl_ms + 999) / 1000);
	const struct slice words[] = { SLICE("EXPIRE"), session_key(session), slice_of(seconds) };
	/* Where that cannot be sent now, the next pong is another occasion. */
	if (redis_link_command(
		    sessions->setup.link, words, COUNT_OF(words), on_touched, sessions) == 0)
		session->touched_at = now;
}

void sessions_finish(struct sessions *sessions)
{
	MUST(table_count(&sessions->all) == 0);
	deadline_clear(sessions->setup.deadlines, &sessions->pace);
	deadline_clear(sessions->setup.deadlines, &sessions->sweep);
	deadline_clear(sessions->setup.deadlines, &sessions->again);
}
