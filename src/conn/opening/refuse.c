#include "sluice/conn/opening/refuse.h"

#include <errno.h>

#include "sluice/base/log.h"
#include "sluice/proto/http/http_answer.h"

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
			metrics_add(conn->shared->metrics, rows[i].metric, 1);
}

void opening_answer(struct conn *conn, struct slice answer)
{
	if (stream_send_bytes(&conn->stream, answer.at, answer.len) == 0)
		conn_linger(conn);
	else
		conn_abort(conn);
}

/* A refused client often points to a mistake in the configuration (a wrong secret or origin) that
 * shows nowhere else. But strangers cause refusals all the time, so one line in ten seconds is
 * logged, and the others only with --log-level debug. */
void opening_log_refusal(struct conn *conn, int status, const char *problem)
{
	struct opening_shared *shared = conn->shared->opening;
	bool tell = (status == 401 || status == 403) && log_may(&shared->refusals_quiet_until);
	log_write(tell ? LOG_INFO : LOG_DEBUG,
		(const struct log_field[]){ log_text("event", "refused"),
			log_number("status", status), log_text("reason", problem), { NULL } });
}

static int print_refusal(
	const struct opening *opening, int status, const char *problem, struct buffer *out)
{
	struct buffer line = { 0 }, headers = { 0 };
	int error = buffer_printf(&line, "%s\n", problem);
	if (!error && opening->purpose && opening->purpose->write_headers)
		error = opening->purpose->write_headers(opening, status, &headers);
	const struct http_answer answer = {
		.status = status,
		.headers = buffer_slice(&headers),
		.type = "text/plain; charset=utf-8",
		.body = buffer_slice(&line),
		.head = slice_equal(opening->request.method, SLICE("HEAD")),
	};
	if (!error)
		error = http_answer_print(&answer, out);
	buffer_finish(&line);
	buffer_finish(&headers);
	return error;
}

void opening_refuse(struct conn *conn, int status, const char *problem)
{
	const struct opening *opening = conn->opening;
	struct buffer bytes = { 0 };
	if (!opening->purpose || !opening->purpose->only_looks)
		count_refusal(conn, status);
	opening_log_refusal(conn, status, problem);
	if (print_refusal(opening, status, problem, &bytes) == 0)
		opening_answer(conn, buffer_slice(&bytes));
	else
		conn_abort(conn);
	buffer_finish(&bytes);
}

void opening_refuse_for_redis(struct conn *conn, int error)
{
	opening_refuse(conn, 503, error == -ENOTCONN ? "Redis cannot be reached" : "overloaded");
}

void opening_give_up(struct conn *conn, int status, const char *problem)
{
	/* Probably a browser's spare connection. The browser would take an answer without a request
	 * for the answer to its next request. */
	if (!conn->opening->begun)
		conn_abort(conn);
	else
		opening_refuse(conn, status, problem);
}

void opening_on_limit(struct conn *conn, enum holding_limit limit)
{
	(void)limit; /* there is only one for requests */
	opening_give_up(conn, 503, "overloaded");
}
