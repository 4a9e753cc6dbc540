/* A connection after the 101. What the browser of a plain connection sends is checked and thrown away
 * (ws_reader with no on_message); one with sluice.v1 sends commands (conn_v1.c). What is published is queued
 * by reference.
 *
 * How it ends: the peer closes (its code is echoed, then our side of TCP is ended at once, as Chrome
 * waits for that); we close (conn_ws_close: close frame, CONN_CLOSING_MS for the peer's); the peer
 * breaks the protocol (close frame, and our side is ended without waiting, RFC 6455 §7.1.7). */
#include <errno.h>
#include <stdlib.h>

#include "conn_internal.h"
#include "sluice/base/log.h"

static struct conn *of_reader(struct ws_reader *reader)
{
	return container_of(reader, struct conn, reader);
}

enum { CONTROL_FRAME_MAX = WS_SERVER_HEADER_MAX + WS_CONTROL_PAYLOAD_MAX, PONGS_QUEUED = 4096 };

static size_t format_control(
	uint8_t frame[CONTROL_FRAME_MAX], enum ws_opcode opcode, struct slice payload)
{
	size_t header_len = ws_frame_format(frame, opcode, true, payload.len);
	if (payload.len)
		memcpy(frame + header_len, payload.at, payload.len);
	return header_len + payload.len;
}

static int send_control(struct conn *conn, enum ws_opcode opcode, struct slice payload)
{
	uint8_t frame[CONTROL_FRAME_MAX];
	return stream_send_bytes(&conn->stream, frame, format_control(frame, opcode, payload));
}

static int send_close(struct conn *conn, unsigned code, struct slice reason)
{
	char payload[WS_CONTROL_PAYLOAD_MAX];
	size_t len = ws_close_format(payload, code, reason);
	return send_control(conn, WS_CLOSE, slice_make(payload, len));
}

/* ---- closing ---- */

static void on_closing_due(struct deadline *deadline)
{
	struct conn *conn = container_of(deadline, struct conn, deadline);
	if (conn_gets_more_time(conn))
		deadline_set(conn->conns->deadlines, deadline, CONN_CLOSING_MS, on_closing_due);
	else
		conn_abort(conn);
}

void conn_ws_close(struct conn *conn, unsigned code, struct slice reason)
{
	struct conns *conns = conn->conns;
	conn_v1_end(conn);
	bridge_unsubscribe_all(conns->bridge, &conn->subscriber);
	conn->close_code = (uint16_t)code;
	conn->state = CONN_CLOSING;
	conn_time_begins(conn);
	deadline_set(conns->deadlines, &conn->deadline, CONN_CLOSING_MS, on_closing_due);
	if (send_close(conn, code, reason) != 0)
		conn_abort(conn);
}

/* _Fail the WebSocket Connection_ (RFC 6455 §7.1.7). */
static void fail(struct conn *conn, unsigned code)
{
	int error = 0;
	if (conn->state == CONN_OPEN) {
		conn->close_code = (uint16_t)code;
		error = send_close(conn, code, conn_reader_limit(conn, code));
	}
	if (error)
		conn_abort(conn);
	else
		conn_linger(conn);
}

/* ---- events of the reader ---- */

static void drop_pong(struct conn *conn)
{
	if (conn->pong)
		chunk_unref(conn->pong);
	conn->pong = NULL;
}

/* While the queue is stuck only the most recent ping is answered (RFC 6455 §5.5.3): who sends pings and
 * does not read cannot make it grow. Whether it is stuck is asked after every few pongs, and not at the
 * end of the turn, by which thousands of pings may have been read. */
static int keep_pong(struct conn *conn, struct slice payload)
{
	uint8_t frame[CONTROL_FRAME_MAX];
	drop_pong(conn);
	conn->pong = chunk_create(frame, format_control(frame, WS_PONG, payload));
	return conn->pong ? 0 : -ENOMEM;
}

static void on_ping(struct ws_reader *reader, struct slice payload)
{
	struct conn *conn = of_reader(reader);
	if (conn->state != CONN_OPEN)
		return;
	if (stream_queued(&conn->stream) > PONGS_QUEUED)
		stream_flush(&conn->stream);
	int error = stream_is_stuck(&conn->stream) ? keep_pong(conn, payload)
						   : send_control(conn, WS_PONG, payload);
	if (error)
		conn_abort(conn);
}

static void on_pong(struct ws_reader *reader, struct slice payload)
{
	(void)payload;
	struct conn *conn = of_reader(reader);
	if (conn->state == CONN_OPEN)
		conn_heartbeat_pong(conn);
}

static void on_close(struct ws_reader *reader, unsigned code, struct slice reason)
{
	struct conn *conn = of_reader(reader);
	if (conn->state == CONN_OPEN) {
		conn->close_code = (uint16_t)code;
		if (send_close(conn, code, reason) != 0) {
			conn_abort(conn);
			return;
		}
	}
	conn_linger(conn);
}

static void on_message(struct ws_reader *reader, enum ws_opcode opcode, struct slice payload)
{
	struct conn *conn = of_reader(reader);
	if (conn->state == CONN_OPEN)
		conn_v1_message(conn, opcode, payload);
}

const struct ws_reader_events conn_reader_events = {
	.on_ping = on_ping,
	.on_pong = on_pong,
	.on_close = on_close,
};

const struct ws_reader_events conn_v1_reader_events = {
	.on_message = on_message,
	.on_ping = on_ping,
	.on_pong = on_pong,
	.on_close = on_close,
};

/* ---- from the outside ---- */

void conn_ws_begin(struct conn *conn, char *early, size_t len)
{
	struct conns *conns = conn->conns;
	conn->state = CONN_OPEN;
	conn->close_code = WS_CLOSE_ABNORMAL; /* until there is a better one */
	metrics_add(conns->metrics, METRIC_CONNECTIONS, 1);
	metrics_add(conns->metrics, METRIC_CONNECTIONS_TOTAL, 1);
	deadline_clear(conns->deadlines, &conn->deadline);
	conn_heartbeat_begin(conn);
	stream_resume(&conn->stream);
	if (len)
		conn_ws_bytes(conn, early, len);
}

void conn_ws_drained(struct conn *conn)
{
	conn->stuck_since = 0;
	if (conn->state == CONN_OPEN && conn->pong && stream_send(&conn->stream, conn->pong) != 0)
		conn_abort(conn);
	drop_pong(conn);
}

void conn_ws_end(struct conn *conn)
{
	ws_reader_stop(&conn->reader);
	drop_pong(conn);
	conn_v1_end(conn);
}

void conn_ws_bytes(struct conn *conn, char *bytes, size_t len)
{
	conn_allow_frames(conn);
	int code = ws_reader_feed(&conn->reader, bytes, len);
	if (code)
		fail(conn, (unsigned)code);
}

/* NULL: no memory. */
static struct chunk *form_for(const struct conn *conn, struct publication *publication)
{
	if (conn->v1)
		publication = publication_enveloped(publication);
	if (!publication)
		return NULL;
	if (!conn->window_bits)
		return &publication->chunk;
	return publication_compressed(publication, conn->window_bits,
		conn->conns->settings->compression.threshold, conn->conns->deflater);
}

/* False: it has been ended instead. */
static bool send_chunk(struct conn *conn, struct chunk *chunk)
{
	struct slice beyond = conn_queue_limit(conn, chunk->len);
	if (beyond.len)
		conn_ws_close(conn, WS_CLOSE_TRY_LATER, beyond);
	else if (stream_send(&conn->stream, chunk) != 0)
		conn_abort(conn);
	else
		return true;
	return false;
}

void conn_ws_send(struct conn *conn, struct chunk *chunk)
{
	(void)send_chunk(conn, chunk);
}

void conn_ws_publication(struct conn *conn, struct publication *publication)
{
	struct metrics *metrics = conn->conns->metrics;
	if (conn->v1 && conn_v1_awaits(conn, publication_channel(publication)))
		return;
	struct chunk *frames = form_for(conn, publication);
	if (!frames) {
		conn_v1_missed(conn, publication_channel(publication));
	} else if (send_chunk(conn, frames)) {
		metrics_add(metrics, METRIC_DELIVERIES_TOTAL, publication->count);
		metrics_add(metrics, METRIC_DELIVERED_BYTES_TOTAL, frames->len);
	}
}
