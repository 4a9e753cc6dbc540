/* A connection that comes with a ticket is judged by the ticket alone, whatever cookie came along.
 *
 *	ticket -> Redis: GETDEL -> who it is -> Redis: the session it was made for, if it names one -> rules
 *
 * That session is joined as one of a cookie is: when it ends, so does the connection. But it says nothing
 * about who this is: what holds for the connection is what the ticket said, so that is kept beside it. */
#include <errno.h>

#include "conn_internal.h"

int conn_ticket_identity(const struct conn *conn, struct identity *ret_identity)
{
	const struct conns *conns = conn->conns;
	struct slice json = tickets_kept(&conns->tickets, conn);
	return json.at ? ticket_parse(conns->settings, json, ret_identity) : -ENOENT;
}

/* Without a session the ticket says nothing either. */
static void refuse(struct conn *conn, const char *problem)
{
	tickets_forget(&conn->conns->tickets, conn);
	conn_admit_without(conn, problem);
}

/* ---- the session that it was made for ---- */

static void join(struct conn *conn, struct session *session)
{
	struct identity identity;
	int error = conn_ticket_identity(conn, &identity);
	if (error) {
		conn_refuse_for_redis(conn, error);
		return;
	}
	if (!conn->http->is_check)
		sessions_join(conn->conns->sessions, session, &conn->session);
	conn_admit(conn, &identity);
	identity_finish(&identity);
}

static void on_session(struct session_waiter *waiter, enum session_result result,
	struct session *session, const struct identity *identity)
{
	struct conn *conn = container_of(waiter, struct conn_http, waiter)->conn;
	(void)identity;
	if (result == SESSION_UNAVAILABLE)
		conn_refuse(conn, 503, "the session could not be read from Redis");
	else if (result == SESSION_GOOD)
		join(conn, session);
	else
		refuse(conn, "the ticket's session has ended");
}

static int look_up(struct conn *conn, struct slice key)
{
	if (key.len > SESSION_KEY_MAX)
		return -EACCES;
	conn->http->waiter.on_result = on_session;
	return sessions_look_up_key(conn->conns->sessions, key, &conn->http->waiter);
}

/* ---- the ticket ---- */

/* 0, and it goes on, or has ended; else what it cannot go on for. */
static int admit_bearer(struct conn *conn, struct slice json)
{
	struct identity identity;
	int error = ticket_parse(conn->conns->settings, json, &identity);
	if (error)
		return error;
	struct slice key;
	error = ticket_session_key(&identity, &key);
	if (!error)
		error = tickets_keep(&conn->conns->tickets, conn, json);
	if (!error && key.len)
		error = look_up(conn, key);
	else if (!error)
		conn_admit(conn, &identity);
	identity_finish(&identity);
	return error;
}

static void on_ticket(struct ticket_waiter *waiter, enum session_result result, struct slice json)
{
	struct conn *conn = container_of(waiter, struct conn_http, ticket)->conn;
	if (result == SESSION_UNAVAILABLE) {
		conn_refuse(conn, 503, "the ticket could not be read from Redis");
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
		conn_refuse_for_redis(conn, error);
}

bool conn_ticket_begin(struct conn *conn)
{
	struct conns *conns = conn->conns;
	struct conn_http *http = conn->http;
	char room[SESSION_ID_MAX];
	struct slice ticket;
	const char *problem;
	if (!conns->settings->session.ticket.len)
		return false;
	int error =
		ticket_find(http->request.query, http->handshake.ticket, room, &ticket, &problem);
	if (error == -ENOENT)
		return false;
	http->ticket.on_result = on_ticket;
	if (!error)
		error = ticket_take(conns->sessions->setup.link, conns->settings, conns->metrics,
			ticket, http->is_check, &http->ticket);
	if (error == -EACCES)
		refuse(conn, problem);
	else if (error)
		conn_refuse_for_redis(conn, error);
	return true;
}

/* ---- afterwards ---- */

/* By the configuration as it is now, or since its end has come, it could not come in: nor does it stay. */
static void end(struct conn *conn, int error)
{
	static const char problem[] = "the ticket is no log-in any more";
	if (conn->state == CONN_OPEN && error == -EACCES)
		conn_ws_close(conn, WS_CLOSE_SESSION_ENDED, slice_of(problem));
	else if (conn->state == CONN_OPEN)
		conn_ws_close(conn, WS_CLOSE_INTERNAL, (struct slice){ 0 });
	else if (conn->state == CONN_WAITING && error == -EACCES)
		conn_reject(conn, problem);
	else if (conn->state == CONN_WAITING)
		conn_refuse_for_redis(conn, error);
}

void conn_ticket_apply(struct conn *conn)
{
	struct identity identity;
	int error = conn_ticket_identity(conn, &identity);
	if (error) {
		end(conn, error);
		return;
	}
	conn_channels_apply(conn, &identity);
	identity_finish(&identity);
}

/* Whose ticket names a session is told by the sessions. And who is not admitted yet must not be
 * subscribed: the 101 would follow. */
static void apply(void *owner)
{
	struct conn *conn = owner;
	if (!conn->session.session && (conn->state != CONN_WAITING || conn->subscriber.count))
		conn_ticket_apply(conn);
}

void conns_tickets_apply(struct conns *conns)
{
	tickets_each(&conns->tickets, apply);
}
