/* The stream is a member, so a new attempt begins only when the last attempt's stream has closed
 * *and* the wait is over. `redis_transport_fail` changes the state first, so that calls from an
 * event handler are refused, and raises on_failed last. A handler may close the transport or fail
 * it, so the reading loop checks the state after each reply.
 *
 * An array of a hundred thousand strings may arrive at once. They are raised one by one, and after
 * some thousands of them everybody else has a turn. */
#include "sluice/redis/transport.h"

#include <errno.h>
#include <string.h>

#include "sluice/base/random.h"

enum { WAITING, CONNECTING, OPEN };
enum {
	FEED_BYTES = 4096,
	ELEMENTS_MANY = 4096, /* of a turn, and those of one read more: about half a millisecond */
};

static uint32_t draw_wait(struct redis_transport *transport)
{
	uint32_t bound = transport->backoff_ms;
	transport->backoff_ms = MIN(bound + bound / 2, (uint32_t)REDIS_BACKOFF_MAX_MS);
	return random_wait(bound);
}

static void end_read(struct redis_transport *transport)
{
	if (!transport->in_read)
		return;
	transport->in_read = false;
	transport->events->on_read_end(transport);
}

static void on_attempt_due(struct deadline *deadline);

void redis_transport_fail(struct redis_transport *transport, const char *reason)
{
	if (transport->closing || transport->state == WAITING)
		return;
	transport->state = WAITING;
	deadline_set(
		transport->deadlines, &transport->deadline, draw_wait(transport), on_attempt_due);
	if (transport->stream_open)
		stream_close(&transport->stream);
	else
		resp_reader_finish(&transport->reader);
	end_read(transport);
	if (!transport->closing)
		transport->events->on_failed(transport, reason);
}

/* ---- reading ---- */

/* Returns the reader's last result. */
static int read_replies(struct redis_transport *transport)
{
	struct redisReply *reply;
	int got = 0;
	while (redis_transport_is_open(transport) &&
		(got = resp_reader_next(&transport->reader, &reply)) == 1) {
		transport->events->on_reply(transport, reply);
		freeReplyObject(reply);
	}
	return got;
}

/* Feeds small pieces: after every kilobyte, hiredis' reader moves all its unread bytes to the front
 * of its buffer. When it was fed 64 KiB at once, it spent half of a flood's time on that. */
static int read_bytes(struct redis_transport *transport, const char *bytes, size_t len)
{
	int error = 0;
	while (len && !error && redis_transport_is_open(transport)) {
		size_t piece = MIN(len, (size_t)FEED_BYTES);
		error = resp_reader_feed(&transport->reader, bytes, piece);
		if (!error)
			error = read_replies(transport);
		bytes += piece;
		len -= piece;
	}
	return error;
}

static struct redis_transport *of_reader(struct resp_reader *reader)
{
	return container_of(reader, struct redis_transport, reader);
}

static bool wants(struct resp_reader *reader)
{
	struct redis_transport *transport = of_reader(reader);
	return transport->events->wants_elements(transport);
}

static void take(struct resp_reader *reader, struct slice text)
{
	struct redis_transport *transport = of_reader(reader);
	transport->elements++;
	transport->events->on_element(transport, text);
}

static void read_rest(struct turn_task *task)
{
	struct redis_transport *transport = container_of(task, struct redis_transport, rest);
	transport->elements = 0;
	if (redis_transport_is_open(transport))
		stream_resume(&transport->stream);
}

static void rest_if_many(struct redis_transport *transport)
{
	if (transport->elements < ELEMENTS_MANY || !redis_transport_is_open(transport))
		return;
	stream_pause(&transport->stream);
	turn_schedule(transport->shared->turn, &transport->rest);
}

static void on_bytes(struct stream *stream, char *bytes, size_t len)
{
	struct redis_transport *transport = container_of(stream, struct redis_transport, stream);
	transport->heard = true;
	transport->in_read = true;
	int error = read_bytes(transport, bytes, len);
	if (error == -ENOMEM)
		redis_transport_fail(transport, "out of memory");
	else if (error == -EMSGSIZE)
		redis_transport_fail(transport, "reply longer than the limit");
	else if (error < 0)
		redis_transport_fail(transport, "the reply is not RESP");
	rest_if_many(transport);
	if (!transport->closing)
		end_read(transport);
}

/* ---- connecting ---- */

static void on_open(struct stream *stream)
{
	struct redis_transport *transport = container_of(stream, struct redis_transport, stream);
	transport->state = OPEN;
	transport->events->on_open(transport);
}

static void on_end(struct stream *stream, int error)
{
	struct redis_transport *transport = container_of(stream, struct redis_transport, stream);
	char text[TLS_ERROR_MAX];
	redis_transport_fail(transport,
		error ? stream_error_text(stream, error, text) : "Redis closed the connection");
}

static void on_connect_due(struct deadline *deadline)
{
	struct redis_transport *transport =
		container_of(deadline, struct redis_transport, deadline);
	redis_transport_fail(transport, transport->state == CONNECTING
						? "connecting timed out"
						: "no answer to AUTH, SELECT or PING");
}

static void connect_stream(struct redis_transport *transport);

static void finish(struct redis_transport *transport)
{
	buffer_finish(&transport->command);
	transport->events->on_closed(transport);
}

static void on_stream_closed(struct stream *stream)
{
	struct redis_transport *transport = container_of(stream, struct redis_transport, stream);
	transport->stream_open = false;
	turn_cancel(&transport->rest);
	resp_reader_finish(&transport->reader);
	if (transport->closing)
		finish(transport);
	else if (!deadline_is_set(&transport->deadline))
		connect_stream(transport);
}

/* 0, or a negative errno, or 1: the place does not know, see `problem`. */
static int connect_to_place(struct redis_transport *transport, char problem[REDIS_PROBLEM_MAX])
{
	static const struct stream_events events = {
		.on_open = on_open,
		.on_bytes = on_bytes,
		.on_end = on_end,
		.on_closed = on_stream_closed,
	};
	const struct redis_link_settings *settings = transport->settings;
	const struct redis_address *address = &transport->address;
	if (!redis_place_find(settings->place, &transport->address, problem))
		return 1;
	return stream_connect(&transport->stream, transport->shared, address->host, address->port,
		address->path, redis_account_tls(settings->account), &events);
}

static void connect_stream(struct redis_transport *transport)
{
	static const struct resp_taker taker = { .wants = wants, .take = take };
	char problem[REDIS_PROBLEM_MAX];
	transport->state = CONNECTING;
	int error = resp_reader_init(&transport->reader, transport->settings->reply_bytes);
	transport->reader.taker = &taker;
	if (!error)
		error = connect_to_place(transport, problem);
	if (error) {
		redis_transport_fail(transport, error > 0 ? problem : strerror(-error));
		return;
	}
	transport->stream_open = true;
	deadline_set(transport->deadlines, &transport->deadline, REDIS_CONNECT_MS, on_connect_due);
}

static void on_attempt_due(struct deadline *deadline)
{
	struct redis_transport *transport =
		container_of(deadline, struct redis_transport, deadline);
	if (!transport->stream_open) /* else on_stream_closed continues */
		connect_stream(transport);
}

static void on_turn_end(struct turn_task *task)
{
	struct redis_transport *transport = container_of(task, struct redis_transport, task);
	if (transport->closing)
		finish(transport);
	else
		connect_stream(transport);
}

void redis_transport_open(struct redis_transport *transport, struct stream_loop *shared,
	struct deadlines *deadlines, const struct redis_link_settings *settings,
	const struct redis_transport_events *events)
{
	*transport = (struct redis_transport){
		.events = events,
		.settings = settings,
		.shared = shared,
		.deadlines = deadlines,
		.task.run = on_turn_end,
		.rest.run = read_rest,
		.backoff_ms = REDIS_BACKOFF_FIRST_MS,
		.state = WAITING,
	};
	turn_schedule(shared->turn, &transport->task);
}

void redis_transport_close(struct redis_transport *transport)
{
	transport->closing = true;
	deadline_clear(transport->deadlines, &transport->deadline);
	if (transport->stream_open)
		stream_close(&transport->stream);
	else
		turn_schedule(transport->shared->turn, &transport->task);
}

bool redis_transport_is_open(const struct redis_transport *transport)
{
	return transport->state == OPEN && !transport->closing;
}

int redis_transport_send(struct redis_transport *transport, const struct slice *words, size_t n)
{
	if (!redis_transport_is_open(transport))
		return -ENOTCONN;
	transport->command.len = 0;
	int error = resp_format(&transport->command, words, n);
	if (!error)
		error = stream_send_shared(
			&transport->stream, transport->command.bytes, transport->command.len);
	return error == -EPIPE ? -ENOTCONN : error;
}

void redis_transport_accepted(struct redis_transport *transport)
{
	deadline_clear(transport->deadlines, &transport->deadline);
}

void redis_transport_reset_backoff(struct redis_transport *transport)
{
	transport->backoff_ms = REDIS_BACKOFF_FIRST_MS;
}
