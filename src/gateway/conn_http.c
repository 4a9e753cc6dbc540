/* A connection before the 101: one HTTP request, judged in the order in which an answer gives least
 * away and costs least:
 *
 *	path 404, handshake 400 405 426, drain 503, origin 403, quotas 429 503, cookie 401
 *	-> Redis: session 401 503, user's quota 429 -> rules 403 -> Redis: channels confirmed 503
 *	-> 101
 *
 * The 101 goes out only when Redis has confirmed every channel, so "open" in the browser means that
 * nothing published from then on is missed. Everything that Redis is asked has one second together;
 * then the answer is 503, because a browser opens no second socket to a host while one hangs.
 *
 * While Redis is asked the stream is paused: what the browser sends early stays in the kernel, but for
 * what came in the same read as the request, which waits behind it in the request's buffer. */
#include <errno.h>
#include <stdlib.h>

#include "conn_internal.h"
#include "sluice/base/log.h"
#include "sluice/gateway/credentials.h"
#include "sluice/gateway/limit.h"
#include "sluice/proto/cookie.h"
#include "sluice/proto/origin.h"

enum { REDIS_ANSWER_MS = 900, REFUSALS_QUIET_MS = 10000 };

/* ---- answers ---- */

static void count_refusal(struct conn *conn, int status)
{
	static const struct {
		int status;
		enum metric metric;
	} rows[] = {
		{ 400, METRIC_REFUSED_400 },
		{ 401, METRIC_REFUSED_401 },
		{ 403, METRIC_REFUSED_403 },
		{ 404, METRIC_REFUSED_404 },
		{ 405, METRIC_REFUSED_405 },
		{ 408, METRIC_REFUSED_408 },
		{ 426, METRIC_REFUSED_426 },
		{ 429, METRIC_REFUSED_429 },
		{ 431, METRIC_REFUSED_431 },
		{ 500, METRIC_REFUSED_500 },
		{ 503, METRIC_REFUSED_503 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].status == status)
			metrics_add(conn->conns->metrics, rows[i].metric, 1);
}

static void answer(struct conn *conn, struct slice bytes)
{
	if (stream_send_bytes(&conn->stream, bytes.at, bytes.len) == 0)
		conn_linger(conn);
	else
		conn_abort(conn);
}

/* Who may not come in is often an operator's mistake (another secret, another Origin) that shows nowhere
 * else; but strangers knock all the time. So one line in ten seconds, the rest for --log-level debug. */
static void tell_refusal(struct conns *conns, int status, const char *problem)
{
	uint64_t now = uv_now(conns->shared->loop);
	bool tell = (status == 401 || status == 403) && now >= conns->refusals_quiet_until;
	if (tell)
		conns->refusals_quiet_until = now + REFUSALS_QUIET_MS;
	log_write(tell ? LOG_INFO : LOG_DEBUG,
		(const struct log_field[]){ log_text("event", "refused"),
			log_number("status", status), log_text("reason", problem), { NULL } });
}

/* Always the last thing that is done with a connection here. */
static void refuse(struct conn *conn, int status, const char *problem)
{
	struct buffer bytes = { 0 };
	count_refusal(conn, status);
	tell_refusal(conn->conns, status, problem);
	bool head = conn->http && slice_equal(conn->http->request.method, SLICE("HEAD"));
	if (http_refusal(status, problem, &bytes) == 0)
		/* RFC 9110 §9.3.2: to HEAD only the head is sent */
		answer(conn, slice_make(bytes.bytes, bytes.len - (head ? strlen(problem) + 1 : 0)));
	else
		conn_abort(conn);
	buffer_finish(&bytes);
}

void conn_answer(struct conn *conn, struct slice bytes)
{
	conn->http->at_site = false;
	answer(conn, bytes);
}

static void refuse_for_redis(struct conn *conn, int error)
{
	refuse(conn, 503, error == -ENOTCONN ? "Redis cannot be reached" : "overloaded");
}

/* ---- the 101 ---- */

static void accept_handshake(struct conn *conn)
{
	struct conn_http *http = conn->http;
	struct buffer bytes = { 0 };
	int error = ws_handshake_accept(&http->handshake, &bytes);
	if (!error)
		error = stream_send_bytes(&conn->stream, bytes.bytes, bytes.len);
	buffer_finish(&bytes);
	if (error) {
		conn_abort(conn);
		return;
	}
	/* The early frames are moved out, as the request's memory goes. */
	struct buffer early = { 0 };
	if (buffer_append_slice(&early, http_request_rest(&http->request)) != 0) {
		conn_abort(conn);
		return;
	}
	conn->window_bits = http->handshake.extension.window_bits;
	if (conn->window_bits)
		ws_reader_allow_compression(&conn->reader);
	conn_http_end(conn);
	conn_ws_begin(conn, early.bytes, early.len);
	buffer_finish(&early);
}

void conn_http_ready(struct conn *conn)
{
	accept_handshake(conn);
}

/* ---- channels ---- */

static int subscribe(void *context, struct slice channel)
{
	struct conn *conn = context;
	if (conn->subscriber.count >= conn->conns->options->limits.channels) {
		limit_hit(conn->conns->metrics, METRIC_LIMIT_CHANNELS);
		return -EDQUOT;
	}
	return bridge_subscribe(conn->conns->bridge, &conn->subscriber, channel);
}

/* Form encoding, as URLSearchParams writes it: '+' is a space. Gives the length or -EINVAL. */
static ssize_t decode_value(struct slice text, char *decoded)
{
	ssize_t len = percent_decode(text, decoded);
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
	const struct options *options = conn->conns->options;
	char name[CHANNEL_NAME_MAX * 3];
	if (value.len > sizeof(name))
		return -EACCES;
	ssize_t len = decode_value(value, name);
	struct slice channel = slice_make(name, len < 0 ? 0 : (size_t)len);
	if (!channel_name_is_valid(channel) ||
		!channel_rules_allow(options->rules, options->n_rules, identity, channel))
		return -EACCES;
	return subscribe(conn, channel);
}

static int subscribe_all(struct conn *conn, const struct identity *identity)
{
	const struct options *options = conn->conns->options;
	int error = channel_rules_each_automatic(
		options->rules, options->n_rules, identity, subscribe, conn);
	struct slice query = conn->http->request.query;
	while (!error && query.at) {
		struct slice value = slice_cut(&query, '&');
		struct slice name = slice_cut(&value, '=');
		if (slice_equal(name, SLICE("channel")))
			error = subscribe_asked(conn, identity, value);
	}
	return error;
}

/* The session (NULL: anonymous) is good: what may it see? */
static void admit(struct conn *conn, const struct identity *identity)
{
	const char *problem;
	int status = conn_take_user_share(conn, identity, &problem);
	if (status) {
		refuse(conn, status, problem);
		return;
	}
	int error = subscribe_all(conn, identity);
	/* Who asks for nothing does not notice that Redis is away; it is away all the same. */
	if (!error && !conn->subscriber.count && !bridge_is_up(conn->conns->bridge))
		error = -ENOTCONN;
	if (error == -EACCES)
		refuse(conn, 403, "a channel that was asked for is not allowed");
	else if (error == -EDQUOT)
		refuse(conn, 403, "more channels than limits.channels");
	else if (error)
		refuse_for_redis(conn, error);
	else if (conn->subscriber.unconfirmed == 0)
		accept_handshake(conn);
}

/* ---- the session ---- */

static void on_session(
	struct session_waiter *waiter, enum session_result result, const struct identity *identity)
{
	struct conn *conn = container_of(waiter, struct conn_http, waiter)->conn;
	if (result == SESSION_UNAVAILABLE)
		refuse(conn, 503, "the session could not be read from Redis");
	else if (result == SESSION_GOOD)
		admit(conn, identity);
	else if (conn->conns->options->session.required)
		refuse(conn, 401, "no such session, or it is not logged in");
	else
		admit(conn, NULL);
}

static void authenticate(struct conn *conn)
{
	char value[SESSION_COOKIE_MAX];
	struct slice sid;
	const char *problem;
	int error = credentials_session_id(
		conn->conns->options, &conn->http->request, value, &sid, &problem);
	if (error == -EACCES && conn->conns->options->session.required) {
		refuse(conn, 401, problem);
		return;
	}
	if (error == -EACCES) {
		admit(conn, NULL);
		return;
	}
	if (!error)
		error = sessions_look_up(conn->conns->sessions, sid, &conn->http->waiter);
	if (error)
		refuse_for_redis(conn, error);
}

/* ---- the request ---- */

static void on_redis_due(struct deadline *deadline)
{
	refuse(container_of(deadline, struct conn, deadline), 503, "Redis did not answer in time");
}

/* What can be said without Redis. 0, or the status to refuse with, and why. */
static int judge_request(struct conn *conn, const char **ret_problem)
{
	struct conn_http *http = conn->http;
	const struct options *options = conn->conns->options;
	int status = ws_handshake_check(
		&http->request, options->compression.enabled, &http->handshake, ret_problem);
	if (status)
		return status;
	*ret_problem = "draining";
	if (conn->conns->draining)
		return 503;
	*ret_problem = "this Origin is not allowed";
	if (!origin_is_allowed(options->origins, options->n_origins, http->handshake.origin,
		    http->handshake.host))
		return 403;
	return conn_take_quotas(conn, ret_problem);
}

static void judge_handshake(struct conn *conn)
{
	const char *problem;
	int status = judge_request(conn, &problem);
	if (status) {
		refuse(conn, status, problem);
		return;
	}
	conn->state = CONN_WAITING;
	stream_pause(&conn->stream);
	deadline_set(conn->conns->deadlines, &conn->deadline, REDIS_ANSWER_MS, on_redis_due);
	authenticate(conn);
}

static void judge(struct conn *conn)
{
	conn_half_open_end(conn);
	struct conn_http *http = conn->http;
	const struct site *site = conn->conns->site;
#ifdef SLUICE_ECHO
	if (slice_equal(http->request.path, SLICE("/echo"))) {
		const char *problem;
		int status = judge_request(conn, &problem);
		if (!status)
			status = conn_echo_begin(conn, &problem);
		if (status)
			refuse(conn, status, problem);
		else
			accept_handshake(conn);
		return;
	}
#endif
	if (slice_equal(http->request.path, slice_of(conn->conns->options->path))) {
		judge_handshake(conn);
	} else if (site) {
		http->at_site = true;
		site->on_request(site->context, conn, &http->request, &http->call);
	} else {
		refuse(conn, 404, "nothing is here: the WebSocket endpoint has another path");
	}
}

/* A body belongs to a site's request; the endpoint's refuses one by its header alone. */
static bool body_is_here(const struct http_request *request)
{
	return !request->has_body || http_request_rest(request).len >= request->content_length;
}

void conn_http_bytes(struct conn *conn, const char *bytes, size_t len)
{
	struct conn_http *http = conn->http;
	if (http->at_site)
		return;
	http->begun = true;
	int status = http_request_feed(&http->request, bytes, len);
	if (status == 0)
		return;
	if (status == 431)
		limit_hit(conn->conns->metrics, METRIC_LIMIT_HEADER_BYTES);
	if (status != 1)
		refuse(conn, status,
			status == 431 ? "the request's headers are too large"
				      : "not a valid HTTP request");
	else if (!conn->conns->site || body_is_here(&http->request))
		judge(conn);
	else if (http->request.content_length > conn->conns->options->limits.header_bytes)
		refuse(conn, 400, "the request's body is too large");
}

int conn_http_begin(struct conn *conn, const struct sockaddr_storage *peer)
{
	struct conns *conns = conn->conns;
	struct conn_http *http = pool_take(&conns->requests);
	if (!http)
		return -ENOMEM;
	http->conn = conn;
	http->waiter.on_result = on_session;
	address_peer(peer, http->peer);
	http_request_init(&http->request, conns->options->limits.header_bytes);
	conn->http = http;
	conn_half_open_begin(conn);
	return 0;
}

void conn_http_put_out(struct conn *conn, int status, const char *problem)
{
	/* A browser's spare connection: an answer to no request would be taken for the next one's. */
	if (!conn->http->begun)
		conn_abort(conn);
	else
		refuse(conn, status, problem);
}

void conn_http_drain(struct conn *conn)
{
	if (conn->state != CONN_REQUEST || conn->http->at_site)
		return;
	if (conn->http->begun)
		refuse(conn, 503, "draining");
	else
		conn_abort(conn);
}

void conn_http_end(struct conn *conn)
{
	struct conn_http *http = conn->http;
	if (!http)
		return;
	conn_half_open_end(conn);
	conn->http = NULL;
	session_waiter_cancel(&http->waiter);
	if (http->at_site)
		conn->conns->site->on_gone(conn->conns->site->context, http->call);
	http_request_finish(&http->request);
	pool_give(&conn->conns->requests, http);
}
