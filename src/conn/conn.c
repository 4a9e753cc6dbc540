/* The life of a connection: who is told what by stream, deadline and bridge, by its state; and the
 * drain.
 *
 * A conn is freed in one place, on_stream_closed, and whatever ends it goes through conn_abort or
 * conn_linger. Both leave the hub, the session look-up and the quota's shares at once, so nothing can
 * find the conn any more; only the stream's handle is waited for.
 *
 * The drain closes connections in the order in which they came. Every step it asks how many should be
 * closed by now, total x elapsed / duration, and closes as many: an even spread whatever the number,
 * with one deadline for all. */
#include <errno.h>
#include <malloc.h>
#include <unistd.h>

#include "conn_internal.h"
#include "sluice/base/log.h"
#include "sluice/proto/ws/ws_deflate.h"
#include "sluice/proto/ws/ws_inflate.h"

enum { DRAIN_STEP_MS = 50, DRAIN_RETRY_MS = 1000, CONNS_A_WAVE = 128 };

static struct conn *of_stream(struct stream *stream)
{
	return container_of(stream, struct conn, stream);
}

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
	metrics_add(conn->conns->metrics, metric, 1);
	metrics_add(conn->conns->metrics, METRIC_CONNECTIONS, -1);
}

/* From here on nothing but the stream knows the connection. */
static void leave_all(struct conn *conn)
{
	conn->state = CONN_LINGERING;
	conn_ws_end(conn);
	bridge_unsubscribe_all(conn->conns->bridge, &conn->subscriber);
	conn_http_end(conn);
	sessions_leave(conn->conns->sessions, &conn->session);
	tickets_forget(&conn->conns->tickets, conn);
	quota_give_share(conn->conns->quota, conn->address);
	quota_give_share(conn->conns->quota, conn->user);
	conn->address = conn->user = NULL;
	if (conn->counted)
		quota_give_connection(conn->conns->quota);
	conn->counted = false;
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
	return takes && conn->extensions++ < CONN_EXTENSIONS_MAX;
}

static void on_linger_due(struct deadline *deadline)
{
	struct conn *conn = container_of(deadline, struct conn, deadline);
	if (conn_gets_more_time(conn))
		deadline_set(conn->conns->deadlines, deadline, CONN_LINGER_MS, on_linger_due);
	else
		conn_abort(conn);
}

void conn_linger(struct conn *conn)
{
	leave_all(conn);
	conn_time_begins(conn);
	deadline_set(conn->conns->deadlines, &conn->deadline, CONN_LINGER_MS, on_linger_due);
	stream_end(&conn->stream);
	stream_resume(&conn->stream);
}

void conn_abort(struct conn *conn)
{
	leave_all(conn);
	deadline_clear(conn->conns->deadlines, &conn->deadline);
	stream_close(&conn->stream);
}

/* ---- events of the stream ---- */

static void on_open(struct stream *stream)
{
	(void)stream; /* nothing is said before the peer has spoken */
}

static void on_bytes(struct stream *stream, char *bytes, size_t len)
{
	struct conn *conn = of_stream(stream);
	switch ((enum conn_state)conn->state) {
	case CONN_REQUEST:
	case CONN_WAITING:
		conn_http_bytes(conn, bytes, len);
		break;
	case CONN_OPEN:
	case CONN_CLOSING:
		conn_ws_bytes(conn, bytes, len);
		break;
	case CONN_LINGERING:
		break;
	}
}

/* A peer that ends its side without a close frame has gone: there is nobody to answer. */
static void on_end(struct stream *stream, int error)
{
	struct conn *conn = of_stream(stream);
	char text[TLS_ERROR_MAX];
	if (error && conn->state == CONN_REQUEST)
		log_debug("connection failed",
			log_text("reason", stream_error_text(stream, error, text)));
	/* A peer may end its side right behind its request: the answer still goes out. */
	if (error == 0 && conn->state == CONN_LINGERING)
		stream_flush(stream);
	if (error || stream_queued(stream) == 0 || conn->state != CONN_LINGERING)
		conn_abort(conn);
}

static void on_drained(struct stream *stream)
{
	conn_ws_drained(of_stream(stream));
}

/* What a wave of connections has freed stays resident, as something above it on the heap always lives
 * on. So when half of them have gone it is given back to the system: some milliseconds, each time for
 * at least as many connections as are left. */
static void give_back_memory(struct conns *conns)
{
	if (conns->peak < CONNS_A_WAVE || conns->count > conns->peak / 2)
		return;
	conns->peak = conns->count;
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

static void on_stream_closed(struct stream *stream)
{
	struct conn *conn = of_stream(stream);
	struct conns *conns = conn->conns;
	quota_give_socket(conns->quota);
	ws_reader_finish(&conn->reader);
	list_remove(&conn->link);
	pool_give(&conns->pool, conn);
	conns->count--;
	give_back_memory(conns);
	if (conns->draining && conns->count == 0) {
		deadline_clear(conns->deadlines, &conns->drain);
		conns->on_empty(conns);
	}
}

static const struct stream_events stream_events = {
	.on_open = on_open,
	.on_bytes = on_bytes,
	.on_end = on_end,
	.on_drained = on_drained,
	.on_closed = on_stream_closed,
};

/* ---- events of the bridge ---- */

void conn_on_confirmed(struct subscriber *subscriber, struct slice channel)
{
	struct conn *conn = container_of(subscriber, struct conn, subscriber);
	if (conn->state == CONN_WAITING && subscriber->unconfirmed == 0)
		conn_http_ready(conn);
	else if (conn->state == CONN_OPEN && conn->v1)
		conn_v1_confirmed(conn, channel);
}

void conn_on_publication(struct subscriber *subscriber, struct publication *publication)
{
	struct conn *conn = container_of(subscriber, struct conn, subscriber);
	/* What comes before the 101 came before the browser was told that it is connected. */
	if (conn->state == CONN_OPEN)
		conn_ws_publication(conn, publication);
}

void conn_on_dropped(struct subscriber *subscriber, struct slice channel)
{
	struct conn *conn = container_of(subscriber, struct conn, subscriber);
	if (conn->state == CONN_OPEN && conn->v1)
		conn_v1_missed(conn, channel);
}

void conns_on_gap(struct conns *conns, uint64_t homes)
{
	LIST_EACH_SAFE (node, &conns->all) {
		struct conn *conn = container_of(node, struct conn, link);
		if (conn->state == CONN_OPEN && conn->v1 &&
			bridge_has_channel_of(conns->bridge, &conn->subscriber, homes))
			conn_ws_send(conn, conns->gap);
	}
}

/* ---- events of the sessions ---- */

static void on_session_changed(struct session_member *member, const struct identity *identity)
{
	struct conn *conn = container_of(member, struct conn, session);
	if (identity && tickets_kept(&conn->conns->tickets, conn).at)
		conn_ticket_apply(conn);
	else if (identity)
		conn_channels_apply(conn, identity);
	else if (conn->state == CONN_OPEN)
		conn_ws_close(conn, WS_CLOSE_SESSION_ENDED, SLICE("session ended"));
	else if (conn->state == CONN_WAITING)
		conn_reject(conn, "the session has ended");
}

const struct sessions_events conn_session_events = {
	.on_changed = on_session_changed,
};

/* ---- all of a worker's ---- */

int conns_open(struct conns *conns)
{
	static const char ping[] = "\x89\x00"; /* FIN, opcode 9, no payload */
	list_init(&conns->all);
	list_init(&conns->half_open);
	conns->count = conns->peak = 0;
	conns->draining = false;
	conns->ping = chunk_create(ping, 2);
	pool_init(&conns->pool, sizeof(struct conn));
	pool_init(&conns->requests, sizeof(struct conn_http));
	conns->inflaters = ws_inflaters_create();
	conns->deflater = ws_deflater_create();
	conns_settings_changed(conns);
	int error = conns_v1_open(conns);
	return conns->ping && conns->inflaters && conns->deflater ? error : -ENOMEM;
}

void conns_finish(struct conns *conns)
{
	MUST(conns->count == 0);
	chunk_unref(conns->ping);
	conns_v1_finish(conns);
	pool_finish(&conns->requests);
	pool_finish(&conns->pool);
	ws_inflaters_destroy(conns->inflaters);
	ws_deflater_destroy(conns->deflater);
}

void conns_settings_changed(struct conns *conns)
{
	const struct settings *settings = conns->settings;
	conns->reading = (struct conn_reading){
		.settings.events = &conn_reader_events,
		.settings.message_bytes = settings->limits.message_bytes,
		.settings.message_fragments = settings->limits.fragments,
		.settings.inflaters = conns->inflaters,
		.settings.buffered_bytes = settings->limits.buffered_bytes,
		.frames_per_second = settings->limits.frames_per_second,
	};
	conns->reading_v1 = conns->reading;
	conns->reading_v1.settings.events = &conn_v1_reader_events;
	conns_tickets_apply(conns);
	conns_channels_apply(conns);
}

static int begin(
	struct conns *conns, struct conn *conn, int fd, const struct sockaddr_storage *peer)
{
	conn->conns = conns;
	conn->state = CONN_REQUEST;
	subscriber_init(&conn->subscriber);
	ws_reader_init(&conn->reader, &conns->reading.settings);
	int error = conn_http_begin(conn, peer);
	if (error) {
		close(fd);
		return error;
	}
	error = stream_accept(&conn->stream, conns->shared, fd, conns->tls, &stream_events);
	if (error) {
		deadline_clear(conns->deadlines, &conn->deadline);
		leave_all(conn);
	}
	return error;
}

void conns_accept(struct conns *conns, int fd, const struct sockaddr_storage *peer)
{
	struct conn *conn = pool_take(&conns->pool);
	if (!conn) {
		close(fd);
		return;
	}
	if (begin(conns, conn, fd, peer) != 0) {
		pool_give(&conns->pool, conn);
		return;
	}
	quota_take_socket(conns->quota);
	list_append(&conns->all, &conn->link);
	conns->count++;
	conns->peak = MAX(conns->peak, conns->count);
}

/* "retry_after_ms=N" with N drawn for each browser. The closes are spread already, so a short wait is
 * enough to keep those of one step apart. */
static void drain_one(struct conn *conn)
{
	char reason[WS_CLOSE_REASON_MAX];
	int len = snprintf(
		reason, sizeof(reason), "retry_after_ms=%u", arc4random_uniform(DRAIN_RETRY_MS));
	conn_ws_close(conn, WS_CLOSE_RESTART, slice_make(reason, (size_t)len));
}

static void on_drain_due(struct deadline *deadline)
{
	struct conns *conns = container_of(deadline, struct conns, drain);
	uint64_t elapsed = uv_now(conns->shared->loop) - conns->drain_begin;
	uint64_t duration = conns->settings->drain_ms;
	bool last = elapsed >= duration;
	/* Rounded up: the first goes now, and a lonely one is not kept waiting. */
	size_t due = last ? SIZE_MAX
			  : (size_t)((conns->drain_total * elapsed + duration - 1) / duration);
	LIST_EACH_SAFE (node, &conns->all) {
		struct conn *conn = container_of(node, struct conn, link);
		if (conn->state != CONN_OPEN) {
			conn_http_drain(conn);
		} else if (conns->drain_closed < due) {
			conns->drain_closed++;
			drain_one(conn);
		}
	}
	/* After the end it goes on for those that were still waiting to be opened. */
	deadline_set(conns->deadlines, &conns->drain, DRAIN_STEP_MS, on_drain_due);
}

void conns_drain(struct conns *conns)
{
	if (conns->draining)
		return;
	conns->draining = true;
	conns->drain_begin = uv_now(conns->shared->loop);
	conns->drain_total = 0;
	LIST_EACH (node, &conns->all)
		conns->drain_total += container_of(node, struct conn, link)->state == CONN_OPEN;
	if (conns->count == 0) {
		conns->on_empty(conns);
		return;
	}
	deadline_set(conns->deadlines, &conns->drain, DRAIN_STEP_MS, on_drain_due);
}

void conns_abort(struct conns *conns)
{
	LIST_EACH_SAFE (node, &conns->all)
		conn_abort(container_of(node, struct conn, link));
}

struct conns *conn_conns(struct conn *conn)
{
	return conn->conns;
}
