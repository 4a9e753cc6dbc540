/* How a page's request to subscribe is carried out.
 *
 *	subscribe --> asking --session, rules--> confirming --Redis--> "subscribed"
 *	                 `---------- forbidden, limit, unavailable ------^
 *
 * The rules apply to the session's current record. So a command reads the record again, and commands
 * that arrive meanwhile, or until the next tick of 50 ms, share that look-up. If the rules allow the
 * channel to anyone, there is no look-up. A command that has no answer after ANSWER_MS fails with
 * "unavailable".
 *
 * Sending may end the connection, which frees all pending commands. So a command is removed from
 * the list before it is answered, and after that the list is searched from its beginning. */
#include "sluice/conn/open/v1_channels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/conn/open/channels.h"
#include "sluice/conn/open/v1_answer.h"
#include "sluice/conn/open/v1_pending.h"

enum { ANSWER_MS = 900 };

/* Both answer and destroy it, and may end the connection. */
static void succeed(struct pending *pending)
{
	struct conn *conn = pending->conn;
	pending_remove(pending);
	v1_answer(conn, "subscribed", pending->id, pending->channel, NULL);
	free(pending);
}

static void fail(struct pending *pending, const char *code, const char *message)
{
	struct conn *conn = pending->conn;
	pending_remove(pending);
	v1_error(conn, pending->id, code, message);
	free(pending);
}

/* Answers all commands that are pending for this channel. False: there are none. */
static bool fail_all(struct conn *conn, struct slice channel, const char *code, const char *message)
{
	struct pending *pending;
	bool any = false;
	while ((pending = pending_find(conn, PENDING_ASKING, channel)) ||
		(pending = pending_find(conn, PENDING_CONFIRMING, channel))) {
		any = true;
		if (pending->given)
			pending_destroy(pending);
		else
			fail(pending, code, message);
	}
	return any;
}

/* An automatic channel stays wanted, however long its confirmation takes. */
static void on_pending_due(struct deadline *deadline)
{
	struct pending *pending = container_of(deadline, struct pending, deadline);
	struct conn *conn = pending->conn;
	static const char message[] = "Redis did not answer in time";
	char channel[CHANNEL_NAME_MAX];
	size_t len = pending->channel.len;
	if (pending->state == PENDING_ASKING || pending_is_given(conn, pending->channel)) {
		fail(pending, "unavailable", message);
		return;
	}
	memcpy(channel, pending->channel.at, len);
	bridge_unsubscribe(conn->shared->bridge, &conn->subscriber, slice_make(channel, len));
	fail_all(conn, slice_make(channel, len), "unavailable", message);
}

/* ---- subscribing ---- */

/* The rules allow it. */
static void join(struct pending *pending)
{
	struct conn *conn = pending->conn;
	struct bridge *bridge = conn->shared->bridge;
	bool has = bridge_has(bridge, &conn->subscriber, pending->channel);
	pending_set_state(pending, PENDING_CONFIRMING);
	int error = !has && !channels_have_room(conn)
			    ? -EDQUOT
			    : bridge_subscribe(bridge, &conn->subscriber, pending->channel);
	if (error == -EDQUOT)
		fail(pending, "limit", "more channels than limits.channels");
	else if (error == -ENOSPC)
		fail(pending, "limit", "the process has limits.process_channels channels");
	else if (error == -EPERM)
		fail(pending, "unavailable", BRIDGE_REFUSED_PROBLEM);
	else if (error)
		fail(pending, "unavailable", "Redis cannot be reached");
	else if (bridge_is_confirmed(bridge, pending->channel))
		succeed(pending);
}

/* `identity`: NULL if nobody is logged in. */
static void judge_all(struct conn *conn, const struct identity *identity)
{
	struct pending *pending;
	while ((pending = pending_find(conn, PENDING_ASKING, (struct slice){ 0 }))) {
		if (channels_allow(conn, identity, pending->channel))
			join(pending);
		else
			fail(pending, "forbidden", "this channel is not allowed");
	}
}

static void fail_asking(struct conn *conn)
{
	struct pending *pending;
	while ((pending = pending_find(conn, PENDING_ASKING, (struct slice){ 0 })))
		fail(pending, "unavailable", "the session could not be read from Redis");
}

static void on_session(struct session_waiter *waiter, enum session_result result,
	struct session *session, const struct identity *identity)
{
	(void)session;
	struct conn *conn = container_of(waiter, struct v1, waiter)->conn;
	if (result == SESSION_UNAVAILABLE)
		fail_asking(conn);
	else
		judge_all(conn, identity);
}

/* A ticket's identity holds for as long as the connection. */
static void judge_by_ticket(struct conn *conn)
{
	struct identity identity;
	int error = conn_ticket_identity(conn, &identity);
	if (error == -ENOMEM) {
		fail_asking(conn);
	} else if (error) {
		judge_all(conn, NULL);
	} else {
		judge_all(conn, &identity);
		identity_finish(&identity);
	}
}

/* Reads the session's current record. */
static void ask(struct conn *conn)
{
	struct session_waiter *waiter = &conn->v1->waiter;
	const struct identity *recent = sessions_recent(conn->shared->sessions, &conn->session);
	if (tickets_kept(&conn->shared->tickets, conn).at) {
		judge_by_ticket(conn);
	} else if (recent || !conn->session.session) {
		judge_all(conn, recent);
	} else if (!list_is_linked(&waiter->link)) {
		waiter->on_result = on_session;
		if (sessions_ask(conn->shared->sessions, conn->session.session, waiter) != 0)
			fail_asking(conn);
	}
}

/* `has`: the connection is subscribed to the channel, and Redis has not confirmed it. */
static void begin(struct conn *conn, struct slice channel, struct slice id, bool has)
{
	struct pending *pending = pending_add(conn, channel, id);
	if (!pending) {
		conn_abort(conn);
		return;
	}
	deadline_set(conn->shared->deadlines, &pending->deadline, ANSWER_MS, on_pending_due);
	if (has)
		return;
	if (channels_allow(conn, NULL, channel)) {
		join(pending);
		return;
	}
	pending_set_state(pending, PENDING_ASKING);
	ask(conn);
}

void v1_subscribe(struct conn *conn, struct slice channel, struct slice id)
{
	if (!channel_name_is_valid(channel)) {
		v1_error(conn, id, "forbidden", CHANNEL_NAME_PROBLEM);
		return;
	}
	bool has = bridge_has(conn->shared->bridge, &conn->subscriber, channel);
	if (has && bridge_is_confirmed(conn->shared->bridge, channel)) {
		v1_answer(conn, "subscribed", id, channel, NULL);
		return;
	}
	if (has && bridge_is_refused(conn->shared->bridge, channel)) {
		v1_error(conn, id, "unavailable", BRIDGE_REFUSED_PROBLEM);
		return;
	}
	const struct v1 *v1 = conn->v1;
	if (v1 && v1->n >= conn_settings(conn)->limits.channels) {
		v1_error(conn, id, "limit", "too many subscriptions are under way");
		return;
	}
	if (!has && !channels_have_room(conn)) {
		v1_error(conn, id, "limit", "more channels than limits.channels");
		return;
	}
	begin(conn, channel, id, has);
}

void v1_unsubscribe(struct conn *conn, struct slice channel, struct slice id)
{
	bridge_unsubscribe(conn->shared->bridge, &conn->subscriber, channel);
	fail_all(conn, channel, "unavailable", "unsubscribed before it was confirmed");
	if (conn_is_open(conn))
		v1_answer(conn, "unsubscribed", id, channel, NULL);
}

void v1_on_confirmed(struct conn *conn, struct slice channel)
{
	struct pending *pending;
	while ((pending = pending_find(conn, PENDING_CONFIRMING, channel)))
		succeed(pending);
}

/* Those that were told "subscribed" keep the channel, as do those that have it automatically. */
void v1_on_refused(struct conn *conn, struct slice channel)
{
	struct pending *pending;
	if (!v1_withholds(conn, channel) && !pending_is_given(conn, channel))
		return;
	if (!pending_is_given(conn, channel))
		bridge_unsubscribe(conn->shared->bridge, &conn->subscriber, channel);
	while ((pending = pending_find_asked(conn, channel)))
		fail(pending, "unavailable", BRIDGE_REFUSED_PROBLEM);
}

bool v1_withholds(struct conn *conn, struct slice channel)
{
	if (!conn->v1) /* nearly always: nothing is under way */
		return false;
	const struct pending *pending = pending_find(conn, PENDING_CONFIRMING, channel);
	return pending && !pending->given;
}

void v1_on_joined(struct conn *conn, struct slice channel)
{
	struct pending *given;
	if (bridge_is_confirmed(conn->shared->bridge, channel))
		v1_answer(conn, "subscribed", (struct slice){ 0 }, channel, NULL);
	else if ((given = pending_add(conn, channel, (struct slice){ 0 })))
		given->given = true;
	else
		conn_abort(conn);
}

void v1_on_revoked(struct conn *conn, struct slice channel)
{
	if (!fail_all(conn, channel, "forbidden", "this channel is not allowed"))
		v1_answer(conn, "unsubscribed", (struct slice){ 0 }, channel, "revoked");
}

void v1_leave(struct conn *conn)
{
	while (conn->v1)
		pending_destroy(container_of(conn->v1->all.next, struct pending, link));
}
