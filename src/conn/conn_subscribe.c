/* The channels of a connection that speaks sluice.v1, as they come and go.
 *
 *	subscribe --> asking --session, rules--> confirming --Redis--> "subscribed"
 *	                 `---------- forbidden, limit, unavailable ------^
 *
 * The rules are about what the session says now, and nobody keeps that: so a command asks for it anew, and
 * commands that come while the question is under way share its answer. Where the rules let anybody in,
 * nothing is asked. Each command has as long as a handshake has, then Redis is unavailable.
 *
 * What is under way is on the heap (struct conn_v1), and only while something is: a page subscribes when it
 * begins, and then listens for hours. How much can be under way is bound by limits.channels.
 *
 * Sending may end the connection, which forgets all that is under way. So a command is taken out of the
 * list before it is answered, and the list is looked at from the beginning after that. */
#include <errno.h>
#include <stdlib.h>

#include "conn_internal.h"
#include "sluice/base/limit.h"
#include "sluice/proto/envelope.h"

enum { ANSWER_MS = 900 };

enum pending_state { ASKING, CONFIRMING };

/* A subscription that was asked for, or given, and that is not there yet. */
struct pending {
	struct list link; /* in conn_v1.all */
	struct deadline deadline;
	struct conn *conn;
	enum pending_state state;
	bool given;               /* nobody waits for an answer */
	struct slice channel, id; /* behind it */
};

struct conn_v1 {
	struct conn *conn;
	struct list all; /* struct pending, by .link, oldest first */
	size_t n, asking;
	struct session_waiter waiter; /* while somebody is asking */
};

/* ---- what is under way ---- */

/* There is none without at least one pending. */
static struct conn_v1 *commands_of(struct conn *conn)
{
	struct conn_v1 *commands = conn->commands;
	if (commands)
		return commands;
	commands = calloc(1, sizeof(*commands));
	if (!commands)
		return NULL;
	commands->conn = conn;
	list_init(&commands->all);
	conn->commands = commands;
	return commands;
}

static struct pending *add(struct conn *conn, struct slice channel, struct slice id)
{
	struct pending *pending = calloc(1, sizeof(*pending) + channel.len + id.len);
	struct conn_v1 *commands = pending ? commands_of(conn) : NULL;
	if (!commands) {
		free(pending);
		return NULL;
	}
	char *text = (char *)(pending + 1);
	memcpy(text, channel.at, channel.len);
	if (id.len)
		memcpy(text + channel.len, id.at, id.len);
	pending->channel = slice_make(text, channel.len);
	pending->id = id.at ? slice_make(text + channel.len, id.len) : id;
	pending->conn = conn;
	pending->state = CONFIRMING;
	list_append(&commands->all, &pending->link);
	commands->n++;
	return pending;
}

static void set_state(struct pending *pending, enum pending_state state)
{
	struct conn_v1 *commands = pending->conn->commands;
	commands->asking -= pending->state == ASKING;
	commands->asking += state == ASKING;
	pending->state = state;
	if (!commands->asking)
		session_waiter_cancel(&commands->waiter);
}

static void destroy(struct pending *pending)
{
	struct conn *conn = pending->conn;
	struct conn_v1 *commands = conn->commands;
	set_state(pending, CONFIRMING);
	list_remove(&pending->link);
	deadline_clear(conn->conns->deadlines, &pending->deadline);
	free(pending);
	if (--commands->n)
		return;
	conn->commands = NULL;
	free(commands);
}

/* The oldest in that state; of that channel, unless that is absent. */
static struct pending *find(struct conn *conn, enum pending_state state, struct slice channel)
{
	if (!conn->commands)
		return NULL;
	LIST_EACH (node, &conn->commands->all) {
		struct pending *pending = container_of(node, struct pending, link);
		if (pending->state == state &&
			(!channel.at || slice_equal(pending->channel, channel)))
			return pending;
	}
	return NULL;
}

/* Both answer and destroy it, and may end the connection. */
static void succeed(struct pending *pending)
{
	struct conn *conn = pending->conn;
	struct buffer text = { 0 };
	int error = conn_v1_begin(&text);
	if (!error)
		error = envelope_answer(&text, "subscribed", pending->id, pending->channel, NULL);
	destroy(pending);
	conn_v1_send(conn, &text, error);
}

static void fail(struct pending *pending, const char *code, const char *message)
{
	struct conn *conn = pending->conn;
	struct buffer text = { 0 };
	int error = conn_v1_begin(&text);
	if (!error)
		error = envelope_error(&text, pending->id, code, message);
	destroy(pending);
	conn_v1_send(conn, &text, error);
}

/* All that are about this channel. False: there are none. */
static bool fail_all(struct conn *conn, struct slice channel, const char *code, const char *message)
{
	struct pending *pending;
	bool any = false;
	while ((pending = find(conn, ASKING, channel)) ||
		(pending = find(conn, CONFIRMING, channel))) {
		any = true;
		if (pending->given)
			destroy(pending);
		else
			fail(pending, code, message);
	}
	return any;
}

/* Has it been given this channel, and is not subscribed yet? */
static bool is_being_given(const struct conn *conn, struct slice channel)
{
	LIST_EACH (node, &conn->commands->all) {
		const struct pending *pending = container_of(node, struct pending, link);
		if (pending->given && slice_equal(pending->channel, channel))
			return true;
	}
	return false;
}

/* What it was given stays wanted, however long that takes. */
static void on_pending_due(struct deadline *deadline)
{
	struct pending *pending = container_of(deadline, struct pending, deadline);
	struct conn *conn = pending->conn;
	static const char message[] = "Redis did not answer in time";
	char channel[CHANNEL_NAME_MAX];
	size_t len = pending->channel.len;
	if (pending->state == ASKING || is_being_given(conn, pending->channel)) {
		fail(pending, "unavailable", message);
		return;
	}
	memcpy(channel, pending->channel.at, len);
	bridge_unsubscribe(conn->conns->bridge, &conn->subscriber, slice_make(channel, len));
	fail_all(conn, slice_make(channel, len), "unavailable", message);
}

/* ---- subscribing ---- */

static bool may_have_more(const struct conn *conn)
{
	if (conn->subscriber.count < conn->conns->settings->limits.channels)
		return true;
	limit_hit(conn->conns->metrics, METRIC_LIMIT_CHANNELS);
	return false;
}

/* The rules allow it. */
static void join(struct pending *pending)
{
	struct conn *conn = pending->conn;
	struct bridge *bridge = conn->conns->bridge;
	bool has = bridge_has(bridge, &conn->subscriber, pending->channel);
	set_state(pending, CONFIRMING);
	if (!has && !may_have_more(conn))
		fail(pending, "limit", "more channels than limits.channels");
	else if (bridge_subscribe(bridge, &conn->subscriber, pending->channel) != 0)
		fail(pending, "unavailable", "Redis cannot be reached");
	else if (bridge_is_confirmed(bridge, pending->channel))
		succeed(pending);
}

static bool is_allowed(
	const struct conn *conn, const struct identity *identity, struct slice channel)
{
	const struct settings *settings = conn->conns->settings;
	return channel_rules_allow(settings->rules, settings->n_rules, identity, channel);
}

/* `identity` is NULL for nobody. */
static void judge_all(struct conn *conn, const struct identity *identity)
{
	struct pending *pending;
	while ((pending = find(conn, ASKING, (struct slice){ 0 }))) {
		if (is_allowed(conn, identity, pending->channel))
			join(pending);
		else
			fail(pending, "forbidden", "this channel is not allowed");
	}
}

static void fail_asking(struct conn *conn)
{
	struct pending *pending;
	while ((pending = find(conn, ASKING, (struct slice){ 0 })))
		fail(pending, "unavailable", "the session could not be read from Redis");
}

static void on_session(struct session_waiter *waiter, enum session_result result,
	struct session *session, const struct identity *identity)
{
	(void)session;
	struct conn *conn = container_of(waiter, struct conn_v1, waiter)->conn;
	if (result == SESSION_UNAVAILABLE)
		fail_asking(conn);
	else
		judge_all(conn, identity);
}

/* What a ticket has said holds for as long as the connection. */
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

/* Somebody asks: what does the session say now? */
static void ask(struct conn *conn)
{
	struct session_waiter *waiter = &conn->commands->waiter;
	if (tickets_kept(&conn->conns->tickets, conn).at) {
		judge_by_ticket(conn);
	} else if (!conn->session.session) {
		judge_all(conn, NULL);
	} else if (!list_is_linked(&waiter->link)) {
		waiter->on_result = on_session;
		if (sessions_ask(conn->conns->sessions, conn->session.session, waiter) != 0)
			fail_asking(conn);
	}
}

void conn_v1_subscribe(struct conn *conn, struct slice channel, struct slice id)
{
	bool has = bridge_has(conn->conns->bridge, &conn->subscriber, channel);
	if (has && bridge_is_confirmed(conn->conns->bridge, channel)) {
		conn_v1_answer(conn, "subscribed", id, channel, NULL);
		return;
	}
	const struct conn_v1 *commands = conn->commands;
	if (commands && commands->n >= conn->conns->settings->limits.channels) {
		conn_v1_error(conn, id, "limit", "too many subscriptions are under way");
		return;
	}
	if (!has && !may_have_more(conn)) {
		conn_v1_error(conn, id, "limit", "more channels than limits.channels");
		return;
	}
	struct pending *pending = add(conn, channel, id);
	if (!pending) {
		conn_abort(conn);
		return;
	}
	deadline_set(conn->conns->deadlines, &pending->deadline, ANSWER_MS, on_pending_due);
	if (has)
		return;
	if (is_allowed(conn, NULL, channel)) {
		join(pending);
		return;
	}
	set_state(pending, ASKING);
	ask(conn);
}

void conn_v1_unsubscribe(struct conn *conn, struct slice channel, struct slice id)
{
	bridge_unsubscribe(conn->conns->bridge, &conn->subscriber, channel);
	fail_all(conn, channel, "unavailable", "unsubscribed before it was confirmed");
	if (conn->state == CONN_OPEN)
		conn_v1_answer(conn, "unsubscribed", id, channel, NULL);
}

void conn_v1_confirmed(struct conn *conn, struct slice channel)
{
	struct pending *pending;
	while ((pending = find(conn, CONFIRMING, channel)))
		succeed(pending);
}

bool conn_v1_awaits(struct conn *conn, struct slice channel)
{
	const struct pending *pending = find(conn, CONFIRMING, channel);
	return pending && !pending->given;
}

void conn_v1_joined(struct conn *conn, struct slice channel)
{
	struct pending *given;
	if (bridge_is_confirmed(conn->conns->bridge, channel))
		conn_v1_answer(conn, "subscribed", (struct slice){ 0 }, channel, NULL);
	else if ((given = add(conn, channel, (struct slice){ 0 })))
		given->given = true;
	else
		conn_abort(conn);
}

void conn_v1_revoked(struct conn *conn, struct slice channel)
{
	if (!fail_all(conn, channel, "forbidden", "this channel is not allowed"))
		conn_v1_answer(conn, "unsubscribed", (struct slice){ 0 }, channel, "revoked");
}

void conn_v1_end(struct conn *conn)
{
	while (conn->commands)
		destroy(container_of(conn->commands->all.next, struct pending, link));
}
