/* Which channels may the client see?
 *
 *	identity -> upgrades, user's quota 429 -> rules 403 -> Redis: channels confirmed 503 -> admitted
 *
 * A connection is admitted only after Redis has confirmed every channel. So once the WebSocket is
 * open in the browser, no later publication is missed. A channel that Redis denies to us is known
 * at once. */
#include "sluice/conn/opening/admit.h"

#include <errno.h>

#include "sluice/conn/open/channels.h"
#include "sluice/conn/open/open_shared.h"
#include "sluice/conn/opening/quotas.h"
#include "sluice/conn/opening/refuse.h"
#include "sluice/proto/text/percent.h"

static const struct purpose *purpose_of(const struct conn *conn)
{
	return conn->opening->purpose;
}

/* ---- channels ---- */

static int subscribe(void *context, struct slice channel)
{
	struct conn *conn = context;
	return purpose_of(conn)->subscribe(conn, channel);
}

/* Form encoding, as URLSearchParams writes it: '+' is a space. Returns the length or -EINVAL. */
static ssize_t decode_value(struct slice text, char *decoded)
{
	ssize_t len = percent_decode(text, decoded, text.len);
	if (len < 0)
		return len;
	/* Decoding has turned "%2B" into '+', which must stay, so the spaces are found in the raw
	 * text. */
	for (size_t from = 0, to = 0; from < text.len; from += text.at[from] == '%' ? 3 : 1, to++)
		if (text.at[from] == '+')
			decoded[to] = ' ';
	return len;
}

/* One `channel=…` of the query. 0; -EINVAL: no name of a channel; -EACCES: not allowed; or what `subscribe` returns. */
static int subscribe_asked(struct conn *conn, const struct identity *identity, struct slice value)
{
	char name[CHANNEL_NAME_MAX * 3];
	if (value.len > sizeof(name))
		return -EINVAL;
	ssize_t len = decode_value(value, name);
	struct slice channel = slice_make(name, len < 0 ? 0 : (size_t)len);
	if (!channel_name_is_valid(channel))
		return -EINVAL;
	return channels_allow(conn, identity, channel) ? subscribe(conn, channel) : -EACCES;
}

static int subscribe_all(struct conn *conn, const struct identity *identity)
{
	const struct settings *settings = conn_settings(conn);
	int error = channel_rules_each_automatic(
		settings->rules, settings->n_rules, identity, subscribe, conn);
	struct slice query = conn->opening->request.query;
	while (!error && query.at) {
		struct slice value = slice_cut(&query, '&');
		struct slice name = slice_cut(&value, '=');
		if (slice_equal(name, SLICE("channel")))
			error = subscribe_asked(conn, identity, value);
	}
	return error;
}

/* ---- the verdict ---- */

/* Keeps the user for the welcome; the identity is gone by then. */
static int keep_user(struct opening *opening, const struct identity *identity)
{
	const struct dialect *dialect = opening->conn->shared->open->dialects[opening->dialect];
	if (!identity || !dialect->write_welcome)
		return 0;
	return buffer_append_slice(&opening->user, identity->user);
}

static void refuse_channel(struct conn *conn)
{
	opening_refuse(conn, 403, "a channel that was asked for is not allowed");
}

static void refuse_for(struct conn *conn, int error)
{
	if (error == -EACCES)
		refuse_channel(conn);
	else if (error == -EINVAL)
		opening_refuse(conn, 403, CHANNEL_NAME_PROBLEM);
	else if (error == -EDQUOT)
		opening_refuse(conn, 403, "more channels than limits.channels");
	else if (error == -ENOSPC)
		opening_refuse(conn, 429, "the process has limits.process_channels channels");
	else if (error == -EPERM)
		opening_refuse(conn, 503, BRIDGE_REFUSED_PROBLEM);
	else
		opening_refuse_for_redis(conn, error);
}

void admit(struct conn *conn, const struct identity *identity)
{
	const char *problem;
	int status = opening_take_upgrade(conn, identity, &problem);
	if (!status)
		status = opening_take_user_share(conn, identity, &problem);
	if (status) {
		opening_refuse(conn, status, problem);
		return;
	}
	int error = keep_user(conn->opening, identity);
	if (!error)
		error = subscribe_all(conn, identity);
	/* A client that asks for no channel would not notice that Redis is down, so the link is
	 * checked here. */
	if (!error && !conn->subscriber.count && !bridge_is_up(conn->shared->bridge))
		error = -ENOTCONN;
	if (error)
		refuse_for(conn, error);
	else if (conn->subscriber.unconfirmed == 0)
		purpose_of(conn)->admitted(conn);
}

void admit_without(struct conn *conn, const char *problem)
{
	if (conn_settings(conn)->session.required)
		purpose_of(conn)->reject(conn, problem);
	else
		admit(conn, NULL);
}

/* ---- while it waits ---- */

static void on_read_again(struct session_waiter *waiter, enum session_result result,
	struct session *session, const struct identity *identity)
{
	struct conn *conn = container_of(waiter, struct opening, waiter)->conn;
	(void)session, (void)identity;
	if (result == SESSION_UNAVAILABLE)
		opening_refuse(conn, 503, "the session could not be read from Redis");
	else if (result == SESSION_NONE)
		purpose_of(conn)->reject(conn, "the session has ended");
	else if (conn->subscriber.unconfirmed == 0)
		purpose_of(conn)->admitted(conn);
}

static void read_again(struct conn *conn)
{
	struct session_waiter *waiter = &conn->opening->waiter;
	if (list_is_linked(&waiter->link))
		return;
	waiter->on_result = on_read_again;
	int error = sessions_ask(conn->shared->sessions, conn->session.session, waiter);
	if (error)
		opening_refuse_for_redis(conn, error);
}

/* If the session may have changed while Redis confirmed the channels, what it says now decides. */
static void on_confirmed(struct conn *conn, struct slice channel)
{
	(void)channel;
	if (conn->subscriber.unconfirmed > 0)
		return;
	if (sessions_is_stale(&conn->session))
		read_again(conn);
	else
		purpose_of(conn)->admitted(conn);
}

static void on_refused(struct conn *conn, struct slice channel)
{
	(void)channel;
	refuse_for(conn, -EPERM);
}

/* The request was accepted by the old log-in, and would be opened when Redis confirms its
 * channels. */
static void apply(struct conn *conn, const struct identity *identity)
{
	if (channels_leave_forbidden(conn, identity))
		refuse_channel(conn);
	else
		channels_join_automatic(conn, identity);
}

static void on_login(struct conn *conn, enum conn_login login, const struct identity *identity)
{
	/* Without a channel it is not admitted here: its identity is not known yet. */
	if (!conn->subscriber.count)
		return;
	switch (login) {
	case CONN_LOGIN_CHANGED:
		apply(conn, identity);
		break;
	case CONN_LOGIN_ENDED:
		purpose_of(conn)->reject(conn, "the session has ended");
		break;
	case CONN_LOGIN_TICKET_ENDED:
		purpose_of(conn)->reject(conn, "the ticket is no log-in any more");
		break;
	case CONN_LOGIN_RULES:
		if (channels_leave_impossible(conn))
			refuse_channel(conn);
		break;
	case CONN_LOGIN_UNVERIFIED: /* nothing is received yet */
		break;
	case CONN_LOGIN_UNKNOWN:
		opening_refuse_for_redis(conn, -ENOMEM);
		break;
	}
}

/* The stream is paused, so no bytes arrive. */
const struct conn_phase opening_waiting = {
	.on_confirmed = on_confirmed,
	.on_refused = on_refused,
	.on_login = on_login,
	.on_limit = opening_on_limit,
	.leave = opening_leave,
};
