/* One connection to Redis, and the one place that decides whether it lives.
 *
 *	stream -> resp_reader -> link_dispatch (link_commands.c) -> who asked for it
 *
 * Life and death: the stream is a member, so a new attempt begins only when the last one's stream has
 * closed *and* the wait is over, whichever comes later. `fail` first changes the state, so that all
 * that the callbacks try is refused, and raises on_down last; `redis_link_close` may come in any of
 * them. Who reads replies in a loop looks at the state after each. */
#include "link_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum { FEED_BYTES = 4096 };

static uint32_t draw_wait(struct redis_link *link)
{
	uint32_t bound = link->backoff_ms, random = 0;
	/* without randomness the wait is merely not spread */
	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	link->backoff_ms = MIN(bound + bound / 2, (uint32_t)REDIS_BACKOFF_MAX_MS);
	return bound / 2 + random % (bound - bound / 2 + 1);
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
	link_tell_pending(link);
	if (!link->closing)
		link->events->on_down(link, reason);
}

/* ---- what comes ---- */

/* Gives what the reader gave last. */
static int read_replies(struct redis_link *link)
{
	struct redisReply *reply;
	int got = 0;
	while (link_is_connected(link) && (got = resp_reader_next(&link->reader, &reply)) == 1) {
		link_dispatch(link, reply);
		freeReplyObject(reply);
	}
	return got;
}

/* In small pieces: whenever hiredis' reader has read a kilobyte it moves all that it has not read to
 * the front of its buffer. Given 64 KiB at once, it spent half of a flood's time with that. */
static int read_bytes(struct redis_link *link, const char *bytes, size_t len)
{
	int error = 0;
	while (len && !error && link_is_connected(link)) {
		size_t piece = MIN(len, (size_t)FEED_BYTES);
		error = resp_reader_feed(&link->reader, bytes, piece);
		if (!error)
			error = read_replies(link);
		bytes += piece;
		len -= piece;
	}
	return error;
}

static void on_bytes(struct stream *stream, char *bytes, size_t len)
{
	struct redis_link *link = container_of(stream, struct redis_link, stream);
	link->heard = true;
	link->in_batch = true;
	int error = read_bytes(link, bytes, len);
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
	link_tell_pending(link);
}

bool redis_link_is_up(const struct redis_link *link)
{
	return link->state == LINK_UP && !link->closing;
}

void redis_link_fail(struct redis_link *link, const char *reason)
{
	fail(link, reason);
}
