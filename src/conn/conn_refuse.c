/* Answers to requests that do not become a WebSocket. */
#include "conn_internal.h"
#include "sluice/base/log.h"
#include "sluice/proto/http/http_answer.h"

enum { REFUSALS_QUIET_MS = 10000 };

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
void conn_tell_refusal(struct conn *conn, int status, const char *problem)
{
	struct conns *conns = conn->conns;
	uint64_t now = uv_now(conns->shared->loop);
	bool tell = (status == 401 || status == 403) && now >= conns->refusals_quiet_until;
	if (tell)
		conns->refusals_quiet_until = now + REFUSALS_QUIET_MS;
	log_write(tell ? LOG_INFO : LOG_DEBUG,
		(const struct log_field[]){ log_text("event", "refused"),
			log_number("status", status), log_text("reason", problem), { NULL } });
}

static int print_refusal(
	const struct conn *conn, int status, const char *problem, struct buffer *out)
{
	const struct conn_http *http = conn->http;
	struct buffer line = { 0 }, headers = { 0 };
	int error = buffer_printf(&line, "%s\n", problem);
	if (!error && http && http->is_check)
		error = conn_check_headers(http, status, &headers);
	const struct http_answer answer = {
		.status = status,
		.headers = buffer_slice(&headers),
		.type = "text/plain; charset=utf-8",
		.body = buffer_slice(&line),
		.head = http && slice_equal(http->request.method, SLICE("HEAD")),
	};
	if (!error)
		error = http_answer_print(&answer, out);
	buffer_finish(&line);
	buffer_finish(&headers);
	return error;
}

void conn_refuse(struct conn *conn, int status, const char *problem)
{
	struct buffer bytes = { 0 };
	if (!conn->http || !conn->http->is_check)
		count_refusal(conn, status);
	conn_tell_refusal(conn, status, problem);
	if (print_refusal(conn, status, problem, &bytes) == 0)
		answer(conn, buffer_slice(&bytes));
	else
		conn_abort(conn);
	buffer_finish(&bytes);
}

void conn_refuse_for_redis(struct conn *conn, int error)
{
	conn_refuse(conn, 503, error == -ENOTCONN ? "Redis cannot be reached" : "overloaded");
}

void conn_answer(struct conn *conn, struct slice bytes)
{
	conn->http->at_site = false;
	answer(conn, bytes);
}
