/* From the request to an identity: by the ticket if there is one, else by the session cookie.
 *
 *	cookie -> signature 401 -> quotas 429 -> Redis: session 401 503 -> admit
 *	   ^_______ session.duplicates "each" _________| no such session
 *
 * The browser chooses how many cookies it sends, so the look-ups of one request are limited, and
 * each is taken from what its address may have.
 *
 * All queries to Redis from here on share REDIS_ANSWER_MS. After that the answer is 503, because a
 * browser opens no second WebSocket to a host while the first one is still connecting. The time for
 * which we read a long record in pieces does not count. The stream is paused meanwhile: bytes that
 * the browser sends early stay in the kernel. Those that came in the same read as the request wait
 * behind it in the request's buffer. */
#include "sluice/conn/opening/authenticate.h"

#include <errno.h>

#include "sluice/auth/credentials.h"
#include "sluice/conn/opening/admit.h"
#include "sluice/conn/opening/quotas.h"
#include "sluice/conn/opening/refuse.h"
#include "sluice/conn/opening/ticket.h"

enum { REDIS_ANSWER_MS = 900, LOOK_UPS_MAX = 4 };

static const char no_session[] = "no such session, or it is not logged in";

static void join(struct conn *conn, struct session *session, const struct identity *identity)
{
	if (!conn->opening->purpose->only_looks)
		sessions_join(conn->shared->sessions, session, &conn->session);
	admit(conn, identity);
}

static void by_next_cookie(struct conn *conn, const char *problem);

static void refuse(struct conn *conn)
{
	const char *problem = sessions_problem(conn->shared->sessions);
	admit_without(conn, problem ? problem : no_session);
}

static void on_session(struct session_waiter *waiter, enum session_result result,
	struct session *session, const struct identity *identity)
{
	struct conn *conn = container_of(waiter, struct opening, waiter)->conn;
	if (result == SESSION_UNAVAILABLE)
		opening_refuse(conn, 503, "the session could not be read from Redis");
	else if (result == SESSION_GOOD)
		join(conn, session, identity);
	else if (waiter->missing && conn->opening->look_ups < LOOK_UPS_MAX)
		by_next_cookie(conn, no_session);
	else
		refuse(conn);
}

static void look_up(struct conn *conn, struct slice sid)
{
	struct opening *opening = conn->opening;
	const char *problem;
	int status = opening_take_look_up(conn, &problem);
	if (status) {
		opening_refuse(conn, status, problem);
		return;
	}
	opening->waiter.on_result = on_session;
	int error = sessions_look_up(conn->shared->sessions, sid, &opening->waiter);
	if (error)
		opening_refuse_for_redis(conn, error);
}

/* `problem`: what to say if there is no further cookie; NULL: the cookie's own problem. */
static void by_next_cookie(struct conn *conn, const char *problem)
{
	struct opening *opening = conn->opening;
	char value[SESSION_COOKIE_MAX];
	struct slice sid;
	const char *cookie_problem;
	int error = credentials_session_id(conn_settings(conn), &opening->request,
		&opening->cookies_at, value, &sid, &cookie_problem);
	opening->look_ups++;
	if (error == -EACCES)
		admit_without(conn, problem ? problem : cookie_problem);
	else if (error)
		opening_refuse_for_redis(conn, error);
	else
		look_up(conn, sid);
}

/* What Redis has answered and we have not read yet is not its delay. */
static void on_redis_due(struct deadline *deadline)
{
	struct conn *conn = container_of(deadline, struct conn, deadline);
	struct opening *opening = conn->opening;
	uint64_t delay_ms = session_waiter_delay(&opening->waiter);
	uint64_t more_ms = delay_ms - opening->extended_ms;
	opening->extended_ms = delay_ms;
	if (more_ms)
		deadline_set(conn->shared->deadlines, deadline, more_ms, on_redis_due);
	else
		opening_refuse(conn, 503, "Redis did not answer in time");
}

void authenticate(struct conn *conn)
{
	conn_enter(conn, &opening_waiting);
	stream_pause(&conn->stream);
	deadline_set(conn->shared->deadlines, &conn->deadline, REDIS_ANSWER_MS, on_redis_due);
	if (opening_take_ticket(conn))
		return;
	if (conn_settings(conn)->session.cookie.len)
		by_next_cookie(conn, NULL);
	else
		admit_without(conn, "there is no ticket");
}
