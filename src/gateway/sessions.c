/* A look-up is keyed by its Redis key and lives from the GET to its answer. Everybody who asks for the
 * same key meanwhile joins its list: when a crowd with one session comes back at once (a page with many
 * tabs, a reconnect storm through one log-in), Redis is asked once per worker.
 *
 * A joiner sees the record as it was read after the first asked, at most one Redis round trip earlier
 * than if he had asked himself. */
#include "sluice/gateway/sessions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/log.h"
#include "sluice/proto/cookie.h"

struct look_up {
	struct table_entry entry;
	struct sessions *sessions;
	struct list waiters; /* struct session_waiter, by .link */
	size_t key_len;
	char key[];
};

static struct slice look_up_key(const struct look_up *look_up)
{
	return slice_make(look_up->key, look_up->key_len);
}

static struct look_up *create(struct sessions *sessions, struct slice key)
{
	struct look_up *look_up = calloc(1, sizeof(*look_up) + key.len);
	if (!look_up)
		return NULL;
	look_up->sessions = sessions;
	look_up->key_len = key.len;
	memcpy(look_up->key, key.at, key.len);
	list_init(&look_up->waiters);
	if (table_add(&sessions->in_flight, &look_up->entry, look_up_key(look_up)) != 0) {
		free(look_up);
		return NULL;
	}
	return look_up;
}

static void destroy(struct look_up *look_up)
{
	table_remove(&look_up->sessions->in_flight, &look_up->entry);
	free(look_up);
}

static enum session_result read_record(
	struct sessions *sessions, struct slice json, struct identity *identity)
{
	const struct session_value_settings settings = {
		.cookie_object = sessions->options->session.cookie_object,
		.authenticated = sessions->options->session.authenticated,
		.user = sessions->options->session.user,
	};
	int error = identity_parse(identity, &settings, json);
	/* Nothing has to hold: the key exists, be its value JSON or not. */
	if (error == -EACCES && !settings.authenticated.len) {
		*identity = (struct identity){ 0 };
		error = 0;
	}
	return error == -ENOMEM ? SESSION_UNAVAILABLE : error ? SESSION_NONE : SESSION_GOOD;
}

/* WRONGTYPE is no session, as it is none for connect-redis. Any other error (LOADING, NOPERM, …) says
 * nothing about the session, and the operator has to know. */
static enum session_result read_error(struct slice text)
{
	if (slice_starts_with(text, SLICE("WRONGTYPE")))
		return SESSION_NONE;
	log_warn("session look-up failed", log_slice("reason", text));
	return SESSION_UNAVAILABLE;
}

static enum session_result read_reply(
	struct sessions *sessions, const struct redisReply *reply, struct identity *identity)
{
	if (!reply)
		return SESSION_UNAVAILABLE;
	switch (reply->type) {
	case REDIS_REPLY_STRING:
		return read_record(sessions, resp_text(reply), identity);
	case REDIS_REPLY_NIL:
		return SESSION_NONE;
	case REDIS_REPLY_ERROR:
		return read_error(resp_text(reply));
	default:
		redis_link_fail(sessions->link, "unexpected reply to GET");
		return SESSION_UNAVAILABLE;
	}
}

static void count(
	struct sessions *sessions, const struct redisReply *reply, enum session_result result)
{
	static const enum metric metrics[] = {
		[SESSION_GOOD] = METRIC_LOOKUPS_GOOD,
		[SESSION_NONE] = METRIC_LOOKUPS_REFUSED,
		[SESSION_UNAVAILABLE] = METRIC_LOOKUPS_FAILED,
	};
	bool missing = reply && reply->type == REDIS_REPLY_NIL;
	metrics_add(sessions->metrics, missing ? METRIC_LOOKUPS_MISSING : metrics[result], 1);
}

static void on_reply(void *context, const struct redisReply *reply)
{
	struct look_up *look_up = context;
	struct sessions *sessions = look_up->sessions;
	struct identity identity = { 0 };
	enum session_result result = read_reply(sessions, reply, &identity);
	count(sessions, reply, result);

	struct list waiters; /* whoever asks from within on_result begins a look-up of his own */
	list_take(&waiters, &look_up->waiters);
	destroy(look_up);
	for (struct list *node; (node = list_pop(&waiters));) {
		struct session_waiter *waiter = container_of(node, struct session_waiter, link);
		waiter->on_result(waiter, result, result == SESSION_GOOD ? &identity : NULL);
	}
	if (result == SESSION_GOOD)
		identity_finish(&identity);
}

void sessions_init(struct sessions *sessions, struct redis_link *link,
	const struct options *options, struct metrics *metrics)
{
	*sessions = (struct sessions){ .link = link, .options = options, .metrics = metrics };
}

void sessions_finish(struct sessions *sessions)
{
	MUST(table_count(&sessions->in_flight) == 0);
}

void sessions_set_options(struct sessions *sessions, const struct options *options)
{
	sessions->options = options;
}

int session_id_of(const struct options *options, const struct http_request *request,
	char value[SESSION_COOKIE_MAX], struct slice *ret_sid, const char **ret_problem)
{
	struct buffer header = { 0 };
	int error = http_request_join(request, SLICE("Cookie"), "; ", &header);
	ssize_t len = error ? error
			    : cookie_get(buffer_slice(&header), options->session.cookie, value,
				      SESSION_COOKIE_MAX);
	buffer_finish(&header);
	*ret_problem = "there is no session cookie";
	if (len < 0)
		return error ? error : -EACCES;
	*ret_problem = "the session cookie's signature is not good";
	return session_cookie_verify(options->session.signature, options->session.secrets,
		options->session.n_secrets, slice_make(value, (size_t)len), ret_sid);
}

int sessions_look_up(struct sessions *sessions, struct slice sid, struct session_waiter *waiter)
{
	char bytes[SESSION_KEY_MAX];
	ssize_t len = session_key_format(sessions->options->session.key, sid, bytes, sizeof(bytes));
	if (len < 0)
		return -ENOMEM;
	struct slice key = slice_make(bytes, (size_t)len);
	struct table_entry *entry = table_find(&sessions->in_flight, key);
	if (entry) {
		metrics_add(sessions->metrics, METRIC_LOOKUPS_SHARED, 1);
		list_append(&container_of(entry, struct look_up, entry)->waiters, &waiter->link);
		return 0;
	}
	struct look_up *look_up = create(sessions, key);
	if (!look_up)
		return -ENOMEM;
	const struct slice words[] = { SLICE("GET"), key };
	int error = redis_link_command(sessions->link, words, COUNT_OF(words), on_reply, look_up);
	if (error) {
		destroy(look_up);
		return error;
	}
	list_append(&look_up->waiters, &waiter->link);
	return 0;
}

void session_waiter_cancel(struct session_waiter *waiter)
{
	list_remove(&waiter->link);
}
