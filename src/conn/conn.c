/* The life of a connection, and the dispatch of every event to its phase.
 *
 * A conn is freed in one place, on_stream_closed. Whatever ends it calls conn_abort or conn_linger.
 * Both leave the phase, the hub, the session and the quota at once, so nothing refers to the conn
 * any more but its stream. */
#include "sluice/conn/conn.h"

#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <unistd.h>

/* Time for the peer to end its side after we have ended ours, and how often it is extended. */
enum { CONN_LINGER_MS = 2000, CONN_EXTENSIONS_MAX = 5 };

enum { CONNS_A_WAVE = 128 };

static struct conn *of_stream(struct stream *stream)
{
	return container_of(stream, struct conn, stream);
}

/* ---- the end ---- */

static void count_close(struct conn *conn)
{
	static const struct {
		unsigned code;
		enum metric metric;
	} rows[] = {
		{ 1000, METRIC_CLOSES_1000 },
		{ 1001, METRIC_CLOSES_1001 },
		{ 1002, METRIC_CLOSES_1002 },
		{ 1003, METRIC_CLOSES_1003 },
		{ 1005, METRIC_CLOSES_1005 },
		{ 1006, METRIC_CLOSES_1006 },
		{ 1007, METRIC_CLOSES_1007 },
		{ 1008, METRIC_CLOSES_1008 },
		{ 1009, METRIC_CLOSES_1009 },
		{ 1011, METRIC_CLOSES_1011 },
		{ 1012, METRIC_CLOSES_1012 },
		{ 1013, METRIC_CLOSES_1013 },
		{ 4401, METRIC_CLOSES_4401 },
		{ 4403, METRIC_CLOSES_4403 },
	};
	enum metric metric = METRIC_CLOSES_OTHER;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].code == conn->close_code)
			metric = rows[i].metric;
	metrics_add(conn->shared->metrics, metric, 1);
	metrics_add(conn->shared->metrics, METRIC_CONNECTIONS, -1);
}

static void give_quotas_back(struct conn *conn)
{
	struct quota *quota = conn->shared->quota;
	quota_give_share(quota, conn->address);
	quota_give_share(quota, conn->user);
	conn->address = conn->user = NULL;
	if (conn->counted)
		quota_give_connection(quota);
	conn->counted = false;
}

/* An answer that was queued before the peer ended its side is still sent. */
static void on_lingering_end(struct conn *conn, int error)
{
	if (error == 0)
		stream_flush(&conn->stream);
	if (error || stream_queued(&conn->stream) == 0)
		conn_abort(conn);
}

static void on_lingering_limit(struct conn *conn, enum holding_limit limit)
{
	(void)limit;
	conn_abort(conn);
}

static const struct conn_phase lingering = {
	.on_end = on_lingering_end,
	.on_limit = on_lingering_limit,
};

int conn_holds_request(struct conn *conn, size_t bytes)
{
	return holding_request(&conn->shared->holdings, &conn->holding, conn, bytes);
}

int conn_holds_message(struct conn *conn, size_t bytes, bool anew)
{
	return holding_message(&conn->shared->holdings, &conn->holding, conn, bytes, anew);
}

void conn_holds_nothing(struct conn *conn)
{
	holding_drop_incoming(&conn->shared->holdings, &conn->holding);
}

int conn_holds_queue(struct conn *conn)
{
	struct conn_shared *shared = conn->shared;
	if (!conn->stuck_since)
		conn->stuck_since = MAX((uint32_t)uv_now(shared->streams->loop), 1U);
	return holding_queue(&shared->holdings, &conn->holding, conn, stream_queued(&conn->stream),
		conn->stuck_since);
}

/* From here on only the stream refers to the connection. */
static void leave_all(struct conn *conn)
{
	struct conn_shared *shared = conn->shared;
	const struct conn_phase *phase = conn->phase;
	conn_enter(conn, &lingering);
	if (phase->leave)
		phase->leave(conn);
	bridge_unsubscribe_all(shared->bridge, &conn->subscriber);
	sessions_leave(shared->sessions, &conn->session);
	withheld_drop(&shared->withheld, conn);
	tickets_forget(&shared->tickets, conn);
	conn_holds_nothing(conn);
	give_quotas_back(conn);
	if (conn->close_code)
		count_close(conn);
	conn->close_code = 0;
}

void conn_time_begins(struct conn *conn)
{
	conn->acked = stream_progress(&conn->stream).acked;
}

bool conn_gets_more_time(struct conn *conn)
{
	struct stream_progress progress = stream_progress(&conn->stream);
	bool takes = progress.outstanding && progress.acked != conn->acked;
	conn->acked = progress.acked;
	return takes && !conn->shared->draining && conn->extensions++ < CONN_EXTENSIONS_MAX;
}

static void on_linger_due(struct deadline *deadline)
{
	struct conn *conn = container_of(deadline, struct conn, deadline);
	if (conn_gets_more_time(conn))
		deadline_set(conn->shared->deadlines, deadline, CONN_LINGER_MS, on_linger_due);
	else
		conn_abort(conn);
}

/* The TLS session of a request that has been answered still takes memory, which no other limit
 * counts. That of a connection that was open was counted by limits.connections. */
static int count_lingering(struct conn *conn, bool was_open)
{
	if (was_open || !stream_has_tls(&conn->stream))
		return 0;
	return conn_holds_request(conn, TLS_HANDSHAKE_BYTES);
}

void conn_linger(struct conn *conn)
{
	bool was_open = conn->close_code;
	leave_all(conn);
	if (count_lingering(conn, was_open) != 0) {
		conn_abort(conn);
		return;
	}
	conn_time_begins(conn);
	deadline_set(conn->shared->deadlines, &conn->deadline, CONN_LINGER_MS, on_linger_due);
	stream_end(&conn->stream);
	stream_resume(&conn->stream);
}

void conn_abort(struct conn *conn)
{
	if (stream_is_in_handshake(&conn->stream))
		metrics_add(conn->shared->metrics, METRIC_TLS_HANDSHAKES_FAILED, 1);
	leave_all(conn);
	holding_drop(&conn->shared->holdings, &conn->holding);
	deadline_clear(conn->shared->deadlines, &conn->deadline);
	stream_close(&conn->stream);
}

/* ---- events of the stream ---- */

static void on_handshake(struct stream *stream)
{
	struct conn *conn = of_stream(stream);
	if (conn->phase->on_handshake)
		conn->phase->on_handshake(conn);
}

/* The peer sends first. */
static void on_open(struct stream *stream)
{
	struct metrics *metrics = of_stream(stream)->shared->metrics;
	if (stream_is_resumed(stream))
		metrics_add(metrics, METRIC_TLS_HANDSHAKES_RESUMED, 1);
	else if (stream_has_tls(stream))
		metrics_add(metrics, METRIC_TLS_HANDSHAKES_FULL, 1);
}

static void on_bytes(struct stream *stream, char *bytes, size_t len)
{
	struct conn *conn = of_stream(stream);
	if (conn->phase->on_bytes)
		conn->phase->on_bytes(conn, bytes, len);
}

/* A peer that ends its side without a close frame has gone; an answer would reach nobody. */
static void on_end(struct stream *stream, int error)
{
	struct conn *conn = of_stream(stream);
	if (conn->phase->on_end)
		conn->phase->on_end(conn, error);
	else
		conn_abort(conn);
}

static void on_stuck(struct stream *stream)
{
	struct conn *conn = of_stream(stream);
	if (conn_holds_queue(conn) != 0)
		conn_abort(conn);
}

static void on_drained(struct stream *stream)
{
	struct conn *conn = of_stream(stream);
	struct holdings *holdings = &conn->shared->holdings;
	conn->stuck_since = 0;
	MUST(holding_queue(holdings, &conn->holding, conn, 0, 0) == 0);
	if (conn->phase->on_drained)
		conn->phase->on_drained(conn);
}

/* After a wave of connections the freed memory stays resident, because a block above it on the heap
 * is always in use. So when half of them have gone, free memory is returned to the system. That
 * takes some milliseconds, once for at least as many closed connections as are left. */
static void give_back_memory(struct conn_shared *shared)
{
	if (shared->peak < CONNS_A_WAVE || shared->count > shared->peak / 2)
		return;
	shared->peak = shared->count;
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

static void on_stream_closed(struct stream *stream)
{
	struct conn *conn = of_stream(stream);
	struct conn_shared *shared = conn->shared;
	quota_give_socket(shared->quota);
	ws_reader_finish(&conn->reader);
	list_remove(&conn->link);
	pool_give(&shared->pool, conn);
	shared->count--;
	give_back_memory(shared);
	shared->on_closed(shared);
}

static const struct stream_events stream_events = {
	.on_handshake = on_handshake,
	.on_open = on_open,
	.on_bytes = on_bytes,
	.on_end = on_end,
	.on_stuck = on_stuck,
	.on_drained = on_drained,
	.on_closed = on_stream_closed,
};

/* ---- events of the bridge ---- */

void conn_on_confirmed(struct subscriber *subscriber, struct slice channel)
{
	struct conn *conn = container_of(subscriber, struct conn, subscriber);
	if (conn->phase->on_confirmed)
		conn->phase->on_confirmed(conn, channel);
}

void conn_on_refused(struct subscriber *subscriber, struct slice channel)
{
	struct conn *conn = container_of(subscriber, struct conn, subscriber);
	if (conn->phase->on_refused)
		conn->phase->on_refused(conn, channel);
}

/* A publication beyond what may wait counts as dropped. */
static void withhold(struct conn *conn, struct publication *publication)
{
	size_t max = conn_settings(conn)->limits.queue_bytes;
	if (withheld_add(&conn->shared->withheld, conn, publication, max) != 0)
		conn_on_dropped(&conn->subscriber, publication_channel(publication));
}

static bool is_unverified(const struct conn *conn)
{
	return conn->doubt == SESSION_UNVERIFIED ||
	       (conn->session.session && sessions_are_unverified(conn->shared->sessions));
}

/* Publications that arrive before the 101 are dropped, as the browser is not connected yet: the
 * phases before it have no on_publication. */
void conn_on_publication(struct subscriber *subscriber, struct publication *publication)
{
	struct conn *conn = container_of(subscriber, struct conn, subscriber);
	if (!conn->phase->on_publication)
		return;
	if (is_unverified(conn))
		conn->phase->on_login(conn, CONN_LOGIN_UNVERIFIED, NULL);
	else if (conn->doubt == SESSION_IN_DOUBT)
		withhold(conn, publication);
	else
		conn->phase->on_publication(conn, publication);
}

void conn_on_dropped(struct subscriber *subscriber, struct slice channel)
{
	struct conn *conn = container_of(subscriber, struct conn, subscriber);
	if (conn->phase->on_dropped)
		conn->phase->on_dropped(conn, channel);
}

/* ---- events of the sessions ---- */

int conn_ticket_identity(const struct conn *conn, struct identity *ret_identity)
{
	struct slice json = tickets_kept(&conn->shared->tickets, conn);
	return json.at ? ticket_parse(conn_settings(conn), json, ret_identity) : -ENOENT;
}

static void tell_login(struct conn *conn, enum conn_login login, const struct identity *identity)
{
	if (conn->phase->on_login)
		conn->phase->on_login(conn, login, identity);
}

void conn_login_changed(struct conn *conn, const struct identity *identity)
{
	struct identity by_ticket;
	int error = conn_ticket_identity(conn, &by_ticket);
	if (error == 0) {
		tell_login(conn, CONN_LOGIN_CHANGED, &by_ticket);
		identity_finish(&by_ticket);
	} else if (error == -ENOENT) {
		tell_login(conn, CONN_LOGIN_CHANGED, identity);
	} else {
		tell_login(conn, error == -EACCES ? CONN_LOGIN_TICKET_ENDED : CONN_LOGIN_UNKNOWN,
			NULL);
	}
}

void conn_rules_changed(struct conn *conn)
{
	tell_login(conn, CONN_LOGIN_RULES, NULL);
}

static void on_session_changed(struct session_member *member, const struct identity *identity)
{
	struct conn *conn = container_of(member, struct conn, session);
	if (identity)
		conn_login_changed(conn, identity);
	else
		tell_login(conn, CONN_LOGIN_ENDED, NULL);
}

static void on_session_doubt(struct session_member *member, enum session_doubt doubt)
{
	struct conn *conn = container_of(member, struct conn, session);
	conn->doubt = doubt & 3;
	if (doubt != SESSION_IN_DOUBT)
		withheld_release(&conn->shared->withheld, conn);
}

const struct sessions_events conn_session_events = {
	.on_changed = on_session_changed,
	.on_doubt = on_session_doubt,
};

/* A channel that the connection has left meanwhile may have been left because it must not have it. */
static void deliver_withheld(struct conn *conn, struct publication *publication)
{
	if (bridge_has(conn->shared->bridge, &conn->subscriber, publication_channel(publication)))
		conn_on_publication(&conn->subscriber, publication);
}

static void on_withheld_due(struct conn *conn)
{
	on_session_doubt(&conn->session, SESSION_NO_DOUBT);
}

static void begin_withheld(struct conn_shared *shared)
{
	shared->withheld = (struct withheld){
		.loop = shared->streams->loop,
		.deadlines = shared->deadlines,
		.deliver = deliver_withheld,
		.on_due = on_withheld_due,
	};
	withheld_init(&shared->withheld);
}

/* ---- the beginning ---- */

static size_t queued(const struct conn *conn)
{
	return stream_queued(&conn->stream);
}

static void on_limit(struct conn *conn, enum holding_limit limit)
{
	conn->phase->on_limit(conn, limit);
}

static void begin_holdings(struct conn_shared *shared)
{
	shared->holdings = (struct holdings){
		.incoming_total = &shared->quota->incoming,
		.outgoing_total = &shared->quota->outgoing,
		.settings = &shared->settings,
		.metrics = shared->metrics,
		.deadlines = shared->deadlines,
		.turn = shared->streams->turn,
		.loop = shared->streams->loop,
		.queued = queued,
		.on_limit = on_limit,
	};
	holdings_init(&shared->holdings);
}

static void on_ticket_ended(void *owner)
{
	conn_login_changed(owner, NULL);
}

void conn_shared_init(struct conn_shared *shared)
{
	shared->tickets =
		(struct tickets){ .deadlines = shared->deadlines, .on_ended = on_ticket_ended };
	list_init(&shared->all);
	pool_init(&shared->pool, sizeof(struct conn));
	begin_holdings(shared);
	begin_withheld(shared);
}

struct conn *conn_open(struct conn_shared *shared, int fd, struct newcomer *newcomer)
{
	struct conn *conn = pool_take(&shared->pool);
	if (!conn) {
		close(fd);
		return NULL;
	}
	conn->shared = shared;
	conn_enter(conn, &lingering);
	subscriber_init(&conn->subscriber);
	if (stream_accept(&conn->stream, shared->streams, fd, shared->tls, newcomer,
		    &stream_events) != 0) {
		pool_give(&shared->pool, conn);
		return NULL;
	}
	quota_take_socket(shared->quota);
	list_append(&shared->all, &conn->link);
	shared->count++;
	shared->peak = MAX(shared->peak, shared->count);
	return conn;
}

void conn_shared_finish(struct conn_shared *shared)
{
	MUST(shared->count == 0);
	pool_finish(&shared->pool);
	withheld_finish(&shared->withheld);
	holdings_finish(&shared->holdings);
}
