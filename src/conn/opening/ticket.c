/* If a request has a ticket, only the ticket counts; a session cookie is ignored.
 *
 *	ticket -> Redis: GETDEL -> identity -> Redis: the session that it names, if any -> admit
 *
 * The connection joins that session as it would join a cookie's: when the session ends, the
 * connection is closed. But the identity comes from the ticket for as long as the connection lives,
 * so the ticket's value is kept (conn_ticket_identity). */
#include "sluice/conn/opening/ticket.h"

#include <errno.h>

#include "sluice/conn/opening/admit.h"
#include "sluice/conn/opening/quotas.h"
#include "sluice/conn/opening/refuse.h"

/* Once its session has ended, the ticket is not valid either. */
static void refuse(struct conn *conn, const char *problem)
{
	tickets_forget(&conn->shared->tickets, conn);
	admit_without(conn, problem);
}

/* ---- the session that it was made for ---- */

static void join(struct conn *conn, struct session *session)
{
	struct identity identity;
	int error = conn_ticket_identity(conn, &identity);
	if (error == -EACCES) {
		refuse(conn, "the ticket has ended");
		return;
	}
	if (error) {
		opening_refuse_for_redis(conn, error);
		return;
	}
	if (!conn->opening->purpose->only_looks)
		sessions_join(conn->shared->sessions, session, &conn->session);
	admit(conn, &identity);
	identity_finish(&identity);
}

static void on_session(struct session_waiter *waiter, enum session_result result,
	struct session *session, const struct identity *identity)
{
	struct conn *conn = container_of(waiter, struct opening, waiter)->conn;
	(void)identity;
	if (result == SESSION_UNAVAILABLE)
		opening_refuse(conn, 503, "the session could not be read from Redis");
	else if (result == SESSION_GOOD)
		join(conn, session);
	else
		refuse(conn, "the ticket's session has ended");
}

static int look_up(struct conn *conn, struct slice key)
{
	if (key.len > SESSION_KEY_MAX)
		return -EACCES;
	conn->opening->waiter.on_result = on_session;
	return sessions_look_up_key(conn->shared->sessions, key, &conn->opening->waiter);
}

/* ---- the ticket ---- */

/* 0: the request continues or has been answered; else the error that prevents it. */
static int admit_bearer(struct conn *conn, struct slice json)
{
	struct identity identity;
	int error = ticket_parse(conn_settings(conn), json, &identity);
	if (error)
		return error;
	struct slice key;
	error = ticket_session_key(&identity, &key);
	if (!error)
		error = tickets_keep(&conn->shared->tickets, conn, json, identity.expires_ms);
	if (!error && key.len)
		error = look_up(conn, key);
	else if (!error)
		admit(conn, &identity);
	identity_finish(&identity);
	return error;
}

static void on_ticket(struct ticket_waiter *waiter, enum session_result result, struct slice json)
{
	struct conn *conn = container_of(waiter, struct opening, ticket)->conn;
	if (result == SESSION_UNAVAILABLE) {
		opening_refuse(conn, 503, "the ticket could not be read from Redis");
		return;
	}
	if (result == SESSION_NONE) {
		refuse(conn, "there is no such ticket, or it was taken before");
		return;
	}
	int error = admit_bearer(conn, json);
	if (error == -EACCES)
		refuse(conn, "the ticket does not say who is logged in");
	else if (error)
		opening_refuse_for_redis(conn, error);
}

static void take(struct conn *conn, struct slice ticket)
{
	struct conn_shared *shared = conn->shared;
	struct opening *opening = conn->opening;
	const char *problem;
	int status = opening_take_look_up(conn, &problem);
	if (status) {
		opening_refuse(conn, status, problem);
		return;
	}
	opening->ticket.on_result = on_ticket;
	int error = ticket_take(sessions_link(shared->sessions), shared->settings, shared->metrics,
		ticket, opening->purpose->only_looks, &opening->ticket);
	if (error)
		opening_refuse_for_redis(conn, error);
}

bool opening_take_ticket(struct conn *conn)
{
	struct conn_shared *shared = conn->shared;
	struct opening *opening = conn->opening;
	char room[SESSION_ID_MAX];
	struct slice ticket;
	const char *problem;
	if (!shared->settings->session.ticket.len)
		return false;
	int error = ticket_find(
		opening->request.query, opening->handshake.ticket, room, &ticket, &problem);
	if (error == -ENOENT)
		return false;
	if (error == -EACCES)
		refuse(conn, problem);
	else if (error)
		opening_refuse_for_redis(conn, error);
	else
		take(conn, ticket);
	return true;
}
