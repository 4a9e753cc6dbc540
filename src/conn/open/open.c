/* When a log-in has changed, the connection first leaves the channels that are not allowed any
 * more, and then joins the new automatic channels. The record was read just now, so only the rules
 * and the record decide; earlier decisions do not count.
 *
 * A client that cannot ask for channels is closed with 4403 when it has lost its last channel: its
 * page would wait for nothing. A client that never had a channel stays. Where only the rules are
 * known to have changed, it is closed when the identity is known, too, which may have new automatic
 * channels. */
#include "sluice/conn/open/open.h"

#include <errno.h>
#include <stdio.h>

#include "sluice/base/random.h"
#include "sluice/conn/open/channels.h"
#include "sluice/conn/open/open_shared.h"
#include "sluice/conn/open/queue.h"
#include "sluice/proto/ws/ws_close.h"

enum { RETRY_MS = 1000 };

static const struct transport *transport_of(const struct conn *conn)
{
	MUST(conn_is_open(conn));
	return container_of((uintptr_t)conn->phase, struct transport, phase);
}

void open_close(struct conn *conn, unsigned code, struct slice reason)
{
	transport_of(conn)->close(conn, code, reason);
}

void open_close_for_now(struct conn *conn)
{
	char reason[WS_CLOSE_REASON_MAX];
	int len = snprintf(reason, sizeof(reason), "retry_after_ms=%u", random_below(RETRY_MS));
	open_close(conn, WS_CLOSE_RESTART, slice_make(reason, (size_t)len));
}

bool open_closes_on_gap(const struct conn *conn)
{
	return !conn_dialect(conn)->write_gap &&
	       conn_settings(conn)->delivery_on_gap == DELIVERY_ON_GAP_CLOSE;
}

/* ---- sending ---- */

bool open_send(struct conn *conn, struct chunk *chunk)
{
	struct slice beyond = queue_limit(conn, chunk->len);
	if (beyond.len)
		open_close(conn, WS_CLOSE_TRY_LATER, beyond);
	else if (stream_send(&conn->stream, chunk) != 0)
		conn_abort(conn);
	else
		return true;
	return false;
}

int open_text_begin(struct buffer *text)
{
	static const char room[WS_SERVER_HEADER_MAX];
	return buffer_append(text, room, sizeof(room));
}

/* With a reference; NULL: no memory. */
static struct chunk *lay_out(struct conn *conn, struct buffer *text, int error)
{
	if (!error)
		return transport_of(conn)->message(text);
	buffer_finish(text);
	return NULL;
}

void open_send_text(struct conn *conn, struct buffer *text, int error)
{
	struct chunk *chunk = lay_out(conn, text, error);
	if (!chunk) {
		conn_abort(conn);
		return;
	}
	open_send(conn, chunk);
	chunk_unref(chunk);
}

/* ---- the beginning ---- */

static int send_welcome(struct conn *conn, struct slice user)
{
	const struct dialect *dialect = conn_dialect(conn);
	struct buffer text = { 0 };
	if (!dialect->write_welcome)
		return 0;
	int error = open_text_begin(&text);
	if (!error)
		error = dialect->write_welcome(&text, conn, user);
	struct chunk *chunk = lay_out(conn, &text, error);
	if (!chunk)
		return -ENOMEM;
	error = stream_send(&conn->stream, chunk);
	chunk_unref(chunk);
	return error;
}

int open_begin(struct conn *conn, const struct transport *transport, struct slice user)
{
	struct conn_shared *shared = conn->shared;
	conn_enter(conn, &transport->phase);
	int error = send_welcome(conn, user);
	if (error)
		return error;
	conn->close_code = WS_CLOSE_ABNORMAL; /* overwritten by a more exact code */
	metrics_add(shared->metrics, METRIC_CONNECTIONS, 1);
	metrics_add(shared->metrics, METRIC_CONNECTIONS_TOTAL, 1);
	deadline_clear(shared->deadlines, &conn->deadline);
	return 0;
}

/* ---- events ---- */

void open_on_confirmed(struct conn *conn, struct slice channel)
{
	const struct dialect *dialect = conn_dialect(conn);
	if (dialect->on_confirmed)
		dialect->on_confirmed(conn, channel);
}

void open_on_refused(struct conn *conn, struct slice channel)
{
	const struct dialect *dialect = conn_dialect(conn);
	if (dialect->on_refused)
		dialect->on_refused(conn, channel);
}

/* Who has not been told "subscribed" has missed nothing. */
void open_on_dropped(struct conn *conn, struct slice channel)
{
	const struct dialect *dialect = conn_dialect(conn);
	struct buffer text = { 0 };
	if (dialect->withholds && dialect->withholds(conn, channel))
		return;
	if (!dialect->write_gap) {
		if (open_closes_on_gap(conn))
			open_close_for_now(conn);
		return;
	}
	int error = open_text_begin(&text);
	if (!error)
		error = dialect->write_gap(&text, channel);
	open_send_text(conn, &text, error);
}

/* The connection may be gone afterwards. */
static void apply(struct conn *conn, const struct identity *identity)
{
	bool revoked = channels_leave_forbidden(conn, identity) || conn->lost;
	conn->lost = false;
	if (!conn_is_open(conn))
		return;
	channels_join_automatic(conn, identity);
	if (conn_is_open(conn) && !conn_dialect(conn)->on_message && revoked &&
		conn->subscriber.count == 0)
		open_close(conn, WS_CLOSE_FORBIDDEN, SLICE("no channel is allowed any more"));
}

static void end_with_session(struct conn *conn)
{
	const char *problem = sessions_problem(conn->shared->sessions);
	open_close(conn, WS_CLOSE_SESSION_ENDED, slice_of(problem ? problem : "session ended"));
}

void open_on_login(struct conn *conn, enum conn_login login, const struct identity *identity)
{
	switch (login) {
	case CONN_LOGIN_CHANGED:
		apply(conn, identity);
		break;
	case CONN_LOGIN_ENDED:
		end_with_session(conn);
		break;
	case CONN_LOGIN_TICKET_ENDED:
		open_close(conn, WS_CLOSE_SESSION_ENDED, SLICE("the ticket is no log-in any more"));
		break;
	case CONN_LOGIN_RULES:
		conn->lost |= channels_leave_impossible(conn);
		break;
	case CONN_LOGIN_UNVERIFIED:
		open_close(conn, WS_CLOSE_TRY_LATER, SLICE("the session cannot be verified"));
		break;
	case CONN_LOGIN_UNKNOWN:
		open_close(conn, WS_CLOSE_INTERNAL, (struct slice){ 0 });
		break;
	}
}

/* The closes are spread already, so a short wait is enough to separate the clients of one step. */
void open_on_drain(struct conn *conn)
{
	open_close_for_now(conn);
}
