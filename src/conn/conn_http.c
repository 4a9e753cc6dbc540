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
#include "conn_internal.h"
#include "sluice/base/limit.h"
#include "sluice/proto/http/origin.h"

/* What can be said without Redis. 0, or the status to refuse with, and why. */
static int judge_request(struct conn *conn, const char **ret_problem)
{
	struct conn_http *http = conn->http;
	const struct settings *settings = conn->conns->settings;
	int status = ws_handshake_check(
		&http->request, settings->compression.enabled, &http->handshake, ret_problem);
	if (status)
		return status;
	*ret_problem = "draining";
	if (conn->conns->draining)
		return 503;
	*ret_problem = "this Origin is not allowed";
	if (!origin_is_allowed(settings->origins, settings->n_origins, http->handshake.origin,
		    http->handshake.host))
		return 403;
	return conn_take_quotas(conn, ret_problem);
}

static void judge_handshake(struct conn *conn)
{
	const char *problem;
	int status = judge_request(conn, &problem);
	if (status)
		conn_refuse(conn, status, problem);
	else
		conn_authenticate(conn);
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
			conn_refuse(conn, status, problem);
		else
			conn_accept_handshake(conn);
		return;
	}
#endif
	if (slice_equal(http->request.path, slice_of(conn->conns->settings->path))) {
		judge_handshake(conn);
	} else if (conn_check_is_asked(conn)) {
		conn_check_begin(conn);
	} else if (conn_client_answer(conn)) {
		return;
	} else if (site) {
		http->at_site = true;
		site->on_request(site->context, conn, &http->request, &http->call);
	} else {
		conn_refuse(conn, 404, "nothing is here: the WebSocket endpoint has another path");
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
		conn_refuse(conn, status,
			status == 431 ? "the request's headers are too large"
				      : "not a valid HTTP request");
	else if (!conn->conns->site || body_is_here(&http->request))
		judge(conn);
	else if (http->request.content_length > conn->conns->settings->limits.header_bytes)
		conn_refuse(conn, 400, "the request's body is too large");
}

int conn_http_begin(struct conn *conn, const struct sockaddr_storage *peer)
{
	struct conns *conns = conn->conns;
	struct conn_http *http = pool_take(&conns->requests);
	if (!http)
		return -ENOMEM;
	http->conn = conn;
	http->waiter.on_result = conn_on_session;
	address_peer(peer, http->peer);
	http_request_init(&http->request, conns->settings->limits.header_bytes);
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
		conn_refuse(conn, status, problem);
}

void conn_http_drain(struct conn *conn)
{
	if (conn->state != CONN_REQUEST || conn->http->at_site)
		return;
	if (conn->http->begun)
		conn_refuse(conn, 503, "draining");
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
	ticket_waiter_cancel(&http->ticket);
	if (http->at_site)
		conn->conns->site->on_gone(conn->conns->site->context, http->call);
	conn_check_end(http);
	http_request_finish(&http->request);
	buffer_finish(&http->user);
	pool_give(&conn->conns->requests, http);
}
