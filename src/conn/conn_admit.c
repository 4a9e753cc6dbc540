/* Who is it, and what may he see: from the session cookie to the 101.
 *
 *	cookie -> Redis: session -> user's quota -> rules -> Redis: channels confirmed -> 101
 *
 * Each step may end in a refusal, and what comes after it is not begun. All of them have one deadline
 * together. A check (conn_check.c) goes the same way, but subscribes to nothing.
 *
 * A page cannot see with which status it was refused. Where session.reject says "close", who has no session
 * is let in by a 101 and closed with 4401 at once, which it can; that costs him and us no more than a
 * refusal, and nothing else is told before the close frame. */
#include <errno.h>

#include "conn_internal.h"
#include "sluice/auth/credentials.h"
#include "sluice/base/limit.h"
#include "sluice/proto/text/percent.h"

enum { REDIS_ANSWER_MS = 900 };

/* ---- the 101 ---- */

static int begin_v1(struct conn *conn)
{
	conn->v1 = true;
	ws_reader_init(&conn->reader, &conn->conns->reading_v1.settings);
	return conn_v1_welcome(conn);
}

/* Sends the 101. The early frames are moved to `early`, as the request's memory goes. False: the
 * connection ends. */
static bool leave_http(struct conn *conn, struct buffer *early)
{
	struct conn_http *http = conn->http;
	struct buffer bytes = { 0 };
	int error = ws_handshake_accept(&http->handshake, &bytes);
	if (!error)
		error = stream_send_bytes(&conn->stream, bytes.bytes, bytes.len);
	if (!error)
		error = buffer_append_slice(early, http_request_rest(&http->request));
	if (!error && http->handshake.v1)
		error = begin_v1(conn);
	buffer_finish(&bytes);
	if (error) {
		conn_abort(conn);
		return false;
	}
	conn->window_bits = http->handshake.extension.window_bits & 15;
	if (conn->window_bits)
		ws_reader_allow_compression(&conn->reader);
	conn_http_end(conn);
	return true;
}

void conn_accept_handshake(struct conn *conn)
{
	struct buffer early = { 0 };
	if (leave_http(conn, &early))
		conn_ws_begin(conn, early.bytes, early.len);
	buffer_finish(&early);
}

/* The early frames are read all the same: the peer's close frame comes behind them. */
static void accept_and_close(struct conn *conn, const char *problem)
{
	struct buffer early = { 0 };
	conn->http->handshake.v1 = false; /* nobody is welcomed */
	if (leave_http(conn, &early)) {
		conn_ws_begin(conn, NULL, 0);
		conn_ws_close(conn, WS_CLOSE_SESSION_ENDED, slice_of(problem));
	}
	if (conn->state == CONN_CLOSING && early.len)
		conn_ws_bytes(conn, early.bytes, early.len);
	buffer_finish(&early);
}

void conn_http_ready(struct conn *conn)
{
	if (conn->http->is_check)
		conn_check_passed(conn);
	else
		conn_accept_handshake(conn);
}

/* ---- channels ---- */

static int subscribe(void *context, struct slice channel)
{
	struct conn *conn = context;
	if (conn->http->is_check)
		return conn_check_channel(conn, channel);
	if (conn->subscriber.count >= conn->conns->settings->limits.channels) {
		limit_hit(conn->conns->metrics, METRIC_LIMIT_CHANNELS);
		return -EDQUOT;
	}
	return bridge_subscribe(conn->conns->bridge, &conn->subscriber, channel);
}

/* Form encoding, as URLSearchParams writes it: '+' is a space. Gives the length or -EINVAL. */
static ssize_t decode_value(struct slice text, char *decoded)
{
	ssize_t len = percent_decode(text, decoded, text.len);
	if (len < 0)
		return len;
	/* An encoded plus has become one that must stay, so the blanks are set by the raw text. */
	for (size_t from = 0, to = 0; from < text.len; from += text.at[from] == '%' ? 3 : 1, to++)
		if (text.at[from] == '+')
			decoded[to] = ' ';
	return len;
}

/* One `channel=…` of the query. 0, -EACCES: not allowed, or what `subscribe` gives. */
static int subscribe_asked(struct conn *conn, const struct identity *identity, struct slice value)
{
	const struct settings *settings = conn->conns->settings;
	char name[CHANNEL_NAME_MAX * 3];
	if (value.len > sizeof(name))
		return -EACCES;
	ssize_t len = decode_value(value, name);
	struct slice channel = slice_make(name, len < 0 ? 0 : (size_t)len);
	if (!channel_name_is_valid(channel) ||
		!channel_rules_allow(settings->rules, settings->n_rules, identity, channel))
		return -EACCES;
	return subscribe(conn, channel);
}

static int subscribe_all(struct conn *conn, const struct identity *identity)
{
	const struct settings *settings = conn->conns->settings;
	int error = channel_rules_each_automatic(
		settings->rules, settings->n_rules, identity, subscribe, conn);
	struct slice query = conn->http->request.query;
	while (!error && query.at) {
		struct slice value = slice_cut(&query, '&');
		struct slice name = slice_cut(&value, '=');
		if (slice_equal(name, SLICE("channel")))
			error = subscribe_asked(conn, identity, value);
	}
	return error;
}

void conn_admit(struct conn *conn, const struct identity *identity)
{
	const char *problem;
	int status = conn_take_user_share(conn, identity, &problem);
	if (status) {
		conn_refuse(conn, status, problem);
		return;
	}
	int error = 0;
	if (identity && conn->http->handshake.v1)
		error = buffer_append_slice(&conn->http->user, identity->user);
	if (!error)
		error = subscribe_all(conn, identity);
	/* Who asks for nothing does not notice that Redis is away; it is away all the same. */
	if (!error && !conn->subscriber.count && !bridge_is_up(conn->conns->bridge))
		error = -ENOTCONN;
	if (error == -EACCES)
		conn_refuse(conn, 403, "a channel that was asked for is not allowed");
	else if (error == -EDQUOT)
		conn_refuse(conn, 403, "more channels than limits.channels");
	else if (error)
		conn_refuse_for_redis(conn, error);
	else if (conn->subscriber.unconfirmed == 0)
		conn_http_ready(conn);
}

/* ---- the session ---- */

void conn_reject(struct conn *conn, const char *problem)
{
	const struct settings *settings = conn->conns->settings;
	if (settings->session.reject == SESSION_REJECT_CLOSE && !conn->http->is_check) {
		conn_tell_refusal(conn, 401, problem);
		accept_and_close(conn, problem);
	} else {
		conn_refuse(conn, 401, problem);
	}
}

void conn_admit_without(struct conn *conn, const char *problem)
{
	if (conn->conns->settings->session.required)
		conn_reject(conn, problem);
	else
		conn_admit(conn, NULL);
}

static void join(struct conn *conn, struct session *session, const struct identity *identity)
{
	if (!conn->http->is_check)
		sessions_join(conn->conns->sessions, session, &conn->session);
	conn_admit(conn, identity);
}

void conn_on_session(struct session_waiter *waiter, enum session_result result,
	struct session *session, const struct identity *identity)
{
	struct conn *conn = container_of(waiter, struct conn_http, waiter)->conn;
	if (result == SESSION_UNAVAILABLE)
		conn_refuse(conn, 503, "the session could not be read from Redis");
	else if (result == SESSION_GOOD)
		join(conn, session, identity);
	else
		conn_admit_without(conn, "no such session, or it is not logged in");
}

static void on_redis_due(struct deadline *deadline)
{
	conn_refuse(
		container_of(deadline, struct conn, deadline), 503, "Redis did not answer in time");
}

void conn_authenticate(struct conn *conn)
{
	char value[SESSION_COOKIE_MAX];
	struct slice sid;
	const char *problem;
	conn->state = CONN_WAITING;
	stream_pause(&conn->stream);
	deadline_set(conn->conns->deadlines, &conn->deadline, REDIS_ANSWER_MS, on_redis_due);
	if (conn_ticket_begin(conn))
		return;
	if (!conn->conns->settings->session.cookie.len) {
		conn_admit_without(conn, "there is no ticket");
		return;
	}
	int error = credentials_session_id(
		conn->conns->settings, &conn->http->request, value, &sid, &problem);
	if (error == -EACCES) {
		conn_admit_without(conn, problem);
		return;
	}
	if (!error)
		error = sessions_look_up(conn->conns->sessions, sid, &conn->http->waiter);
	if (error)
		conn_refuse_for_redis(conn, error);
}
