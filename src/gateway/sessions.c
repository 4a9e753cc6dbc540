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

static void count(struct sessions *sessions, const struct session_reading *reading)
{
	static const enum metric metrics[] = {
		[SESSION_GOOD] = METRIC_LOOKUPS_GOOD,
		[SESSION_NONE] = METRIC_LOOKUPS_REFUSED,
		[SESSION_UNAVAILABLE] = METRIC_LOOKUPS_FAILED,
	};
	metrics_add(sessions->metrics,
		reading->missing ? METRIC_LOOKUPS_MISSING : metrics[reading->result], 1);
}

static void on_reply(void *context, const struct redisReply *reply)
{
	struct look_up *look_up = context;
	struct sessions *sessions = look_up->sessions;
	struct session_reading reading = { 0 };
	session_reading_take(&reading, sessions->options, 0, reply);
	count(sessions, &reading);
	if (reading.malformed)
		redis_link_fail(sessions->link, "unexpected reply to GET");

	struct list waiters; /* whoever asks from within on_result begins a look-up of his own */
	list_take(&waiters, &look_up->waiters);
	destroy(look_up);
	for (struct list *node; (node = list_pop(&waiters));) {
		struct session_waiter *waiter = container_of(node, struct session_waiter, link);
		waiter->on_result(waiter, reading.result,
			reading.result == SESSION_GOOD ? &reading.identity : NULL);
	}
	session_reading_finish(&reading);
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
	struct session_commands commands;
	session_record_commands(sessions->options, key, &commands);
	int error = redis_link_command(
		sessions->link, commands.all[0].words, commands.all[0].n_words, on_reply, look_up);
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
