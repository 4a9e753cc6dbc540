/* One connection to Redis, and the one place that decides whether it lives.
 *
 *	stream -> resp_reader -> dispatch -+-> push (message, subscribe, unsubscribe) -> on_push
 *	                                   '-> oldest pending command                 -> its on_reply
 *
 * Redis answers in order, so a reply belongs to the oldest pending command; only on a subscribed link
 * arrays of three come in between. Whatever fits neither ends the link: once it is not certain whose
 * answer a reply is, one browser's session could be taken for another's. AUTH, SELECT and PING are
 * commands like others, with callbacks of ours. A subscribed link answers PING with an array, and
 * before its first and after its last subscription with a status; either will do.
 *
 * Life and death: the stream is a member, so a new attempt begins only when the last one's stream has
 * closed *and* the wait is over, whichever comes later. `fail` first changes the state, so that all
 * that the callbacks try is refused, and raises on_down last; `redis_link_close` may come in any of
 * them. Who reads replies in a loop looks at the state after each. */
#include "link_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct redis_pending {
	struct list link;
	redis_reply_fn on_reply;
	void *context;
};

static uint32_t draw_wait(struct redis_link *link)
{
	uint32_t bound = link->backoff_ms, random = 0;
	/* without randomness the wait is merely not spread */
	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	link->backoff_ms = MIN(bound + bound / 2, (uint32_t)REDIS_BACKOFF_MAX_MS);
	return bound / 2 + random % (bound - bound / 2 + 1);
}

static void tell_pending(struct redis_link *link)
{
	struct list pending;
	list_take(&pending, &link->pending);
	for (struct list *node; (node = list_pop(&pending));) {
		struct redis_pending *command = container_of(node, struct redis_pending, link);
		command->on_reply(command->context, NULL);
		free(command);
	}
}

static void end_batch(struct redis_link *link)
{
	if (!link->in_batch)
		return;
	link->in_batch = false;
	if (link->events->on_batch_end)
		link->events->on_batch_end(link);
}

static void on_attempt_due(struct deadline *deadline);

static void fail(struct redis_link *link, const char *reason)
{
	if (link->closing || link->state == LINK_WAITING)
		return;
	link->state = LINK_WAITING;
	deadline_set(link->deadlines, &link->deadline, draw_wait(link), on_attempt_due);
	if (link->stream_open)
		stream_close(&link->stream);
	else
		resp_reader_finish(&link->reader);
	end_batch(link);
	tell_pending(link);
	if (!link->closing)
		link->events->on_down(link, reason);
}

static int send_words(struct redis_link *link, const struct slice *words, size_t n)
{
	link->command.len = 0;
	int error = resp_format(&link->command, words, n);
	if (!error)
		error = stream_send_bytes(&link->stream, link->command.bytes, link->command.len);
	return error == -EPIPE ? -ENOTCONN : error;
}

int link_send(struct redis_link *link, const struct slice *words, size_t n, redis_reply_fn on_reply,
	void *context)
{
	struct redis_pending *pending = malloc(sizeof(*pending));
	if (!pending)
		return -ENOMEM;
	int error = send_words(link, words, n);
	if (error) {
		free(pending);
		return error;
	}
	*pending = (struct redis_pending){ .on_reply = on_reply, .context = context };
	list_append(&link->pending, &pending->link);
	return 0;
}

/* ---- replies ---- */

static bool is_push(const struct redis_link *link, const struct redisReply *reply)
{
	return link->subscribed && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3;
}

/* Redis refuses a SUBSCRIBE with an error that is nobody's reply, and may come before a PONG. */
static bool is_subscription_error(const struct redis_link *link, const struct redisReply *reply)
{
	if (!link->subscribed || reply->type != REDIS_REPLY_ERROR)
		return false;
	return list_is_empty(&link->pending) ||
	       container_of(link->pending.next, struct redis_pending, link)->on_reply ==
		       link_on_pong;
}

static void dispatch(struct redis_link *link, const struct redisReply *reply)
{
	if (is_push(link, reply)) {
		link->events->on_push(link, reply);
		return;
	}
	if (is_subscription_error(link, reply)) {
		link_fail_by_reply(link, "SUBSCRIBE", reply);
		return;
	}
	struct list *node = list_pop(&link->pending);
	if (!node) {
		fail(link, "a reply that nothing was asked for");
		return;
	}
	struct redis_pending *command = container_of(node, struct redis_pending, link);
	command->on_reply(command->context, reply);
	free(command);
}

/* Gives what the reader gave last. */
static int read_replies(struct redis_link *link)
{
	struct redisReply *reply;
	int got = 0;
	while (link_is_connected(link) && (got = resp_reader_next(&link->reader, &reply)) == 1) {
		dispatch(link, reply);
		freeReplyObject(reply);
	}
	return got;
}

static void on_bytes(struct stream *stream, char *bytes, size_t len)
{
	struct redis_link *link = container_of(stream, struct redis_link, stream);
	link->heard = true;
	link->in_batch = true;
	int error = resp_reader_feed(&link->reader, bytes, len);
	if (!error)
		error = read_replies(link);
	if (error == -ENOMEM)
		fail(link, "out of memory");
	else if (error == -EMSGSIZE)
		fail(link, "a reply is longer than the limit");
	else if (error < 0)
		fail(link, "the answer is not RESP");
	if (!link->closing)
		end_batch(link);
}

/* ---- connecting ---- */

static void on_open(struct stream *stream)
{
	struct redis_link *link = container_of(stream, struct redis_link, stream);
	link->state = LINK_GREETING;
	link_greet(link);
}

static void on_end(struct stream *stream, int error)
{
	struct redis_link *link = container_of(stream, struct redis_link, stream);
	char text[TLS_ERROR_MAX];
	fail(link, error ? stream_error_text(stream, error, text) : "Redis closed the connection");
}

static void on_connect_due(struct deadline *deadline)
{
	struct redis_link *link = container_of(deadline, struct redis_link, deadline);
	fail(link, link->state == LINK_CONNECTING ? "connecting took too long"
						  : "no answer to AUTH, SELECT or PING");
}

static void connect_stream(struct redis_link *link);

static void finish(struct redis_link *link)
{
	buffer_finish(&link->command);
	link->events->on_closed(link);
}

static void on_stream_closed(struct stream *stream)
{
	struct redis_link *link = container_of(stream, struct redis_link, stream);
	link->stream_open = false;
	resp_reader_finish(&link->reader);
	if (link->closing)
		finish(link);
	else if (!deadline_is_set(&link->deadline))
		connect_stream(link);
}

static void connect_stream(struct redis_link *link)
{
	static const struct stream_events events = {
		.on_open = on_open,
		.on_bytes = on_bytes,
		.on_end = on_end,
		.on_closed = on_stream_closed,
	};
	const struct redis_url *url = link->settings->url;
	link->state = LINK_CONNECTING;
	link->subscribed = false;
	link->ping_sent = 0;
	link->silent_periods = 0;
	int error = resp_reader_init(&link->reader, link->settings->reply_bytes);
	if (!error)
		error = stream_connect(&link->stream, link->shared, url->host, url->port, url->path,
			link->settings->tls, &events);
	if (error) {
		fail(link, strerror(-error));
		return;
	}
	link->stream_open = true;
	deadline_set(link->deadlines, &link->deadline, REDIS_CONNECT_MS, on_connect_due);
}

static void on_attempt_due(struct deadline *deadline)
{
	struct redis_link *link = container_of(deadline, struct redis_link, deadline);
	if (!link->stream_open) /* else on_stream_closed goes on */
		connect_stream(link);
}

static void on_turn_end(struct turn_task *task)
{
	struct redis_link *link = container_of(task, struct redis_link, task);
	if (link->closing)
		finish(link);
	else
		connect_stream(link);
}

int redis_link_open(struct redis_link *link, struct stream_loop *shared,
	struct deadlines *deadlines, const struct redis_link_settings *settings,
	const struct redis_link_events *events, void *owner)
{
	*link = (struct redis_link){
		.owner = owner,
		.events = events,
		.settings = settings,
		.shared = shared,
		.deadlines = deadlines,
		.task.run = on_turn_end,
		.backoff_ms = REDIS_BACKOFF_FIRST_MS,
		.state = LINK_WAITING,
	};
	list_init(&link->pending);
	turn_schedule(shared->turn, &link->task);
	return 0;
}

void redis_link_close(struct redis_link *link)
{
	if (link->closing)
		return;
	link->closing = true;
	deadline_clear(link->deadlines, &link->deadline);
	if (link->stream_open)
		stream_close(&link->stream);
	else
		turn_schedule(link->shared->turn, &link->task);
	tell_pending(link);
}

bool redis_link_is_up(const struct redis_link *link)
{
	return link->state == LINK_UP && !link->closing;
}

int redis_link_command(struct redis_link *link, const struct slice *words, size_t n,
	redis_reply_fn on_reply, void *context)
{
	if (!redis_link_is_up(link) || link->subscribed)
		return -ENOTCONN;
	return link_send(link, words, n, on_reply, context);
}

int redis_link_subscription_command(struct redis_link *link, const struct slice *words, size_t n)
{
	if (!redis_link_is_up(link))
		return -ENOTCONN;
	int error = send_words(link, words, n);
	if (!error)
		link->subscribed = true;
	return error;
}

void redis_link_fail(struct redis_link *link, const char *reason)
{
	fail(link, reason);
}
