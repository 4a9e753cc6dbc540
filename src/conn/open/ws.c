/* A WebSocket, from the 101 to its closing handshake. Frames are read by proto/ws/ws_reader, and
 * messages are handed to the dialect. Publications are queued by reference, in the dialect's form.
 *
 * It ends in one of three ways. The peer closes: its code is echoed, then our side of TCP is ended
 * at once, because Chrome waits for that. We close: a close frame, then WS_CLOSING_MS for the
 * peer's. The peer breaks the protocol: a close frame, and our side is ended without waiting (RFC
 * 6455 §7.1.7). */
#include "sluice/conn/open/ws.h"

#include <errno.h>
#include <string.h>

#include "sluice/conn/open/heartbeat.h"
#include "sluice/conn/open/open.h"
#include "sluice/conn/open/open_shared.h"
#include "sluice/conn/open/ws_allowance.h"
#include "sluice/conn/open/ws_message.h"
#include "sluice/hub/publication_forms.h"
#include "sluice/proto/ws/ws_close.h"

/* Time for the peer to answer a close frame; conn_gets_more_time extends it. */
enum { WS_CLOSING_MS = 5000 };

enum { CONTROL_FRAME_MAX = WS_SERVER_HEADER_MAX + WS_CONTROL_PAYLOAD_MAX, PONGS_QUEUED = 4096 };

static struct conn *of_reader(struct ws_reader *reader)
{
	return container_of(reader, struct conn, reader);
}

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

static void drop_pong(struct conn *conn)
{
	if (conn->pong)
		chunk_unref(conn->pong);
	conn->pong = NULL;
}

/* ---- closing ---- */

static void leave_dialect(struct conn *conn)
{
	const struct dialect *dialect = conn_dialect(conn);
	if (dialect->leave)
		dialect->leave(conn);
}

/* Reads nothing more, and drops a pong that was kept. */
static void leave(struct conn *conn)
{
	ws_reader_stop(&conn->reader);
	drop_pong(conn);
	leave_dialect(conn);
}

/* _Fail the WebSocket Connection_ (RFC 6455 §7.1.7). */
static void fail(struct conn *conn, unsigned code)
{
	int error = 0;
	if (conn_is_open(conn)) {
		conn->close_code = (uint16_t)code;
		error = send_close(conn, code, ws_reader_limit(conn, code));
	}
	if (error)
		conn_abort(conn);
	else
		conn_linger(conn);
}

static void on_bytes(struct conn *conn, char *bytes, size_t len)
{
	ws_allow_frames(conn);
	int code = ws_reader_feed(&conn->reader, bytes, len);
	if (code)
		fail(conn, (unsigned)code);
	else if (conn_holds_message(conn, ws_reader_holds(&conn->reader),
			 ws_reader_ended_message(&conn->reader)) != 0)
		conn_abort(conn);
}

static void on_closing_limit(struct conn *conn, enum holding_limit limit)
{
	(void)limit;
	conn_abort(conn);
}

static const struct conn_phase closing = {
	.on_bytes = on_bytes,
	.on_limit = on_closing_limit,
	.leave = leave,
};

static void on_closing_due(struct deadline *deadline)
{
	struct conn *conn = container_of(deadline, struct conn, deadline);
	if (conn_gets_more_time(conn))
		deadline_set(conn->shared->deadlines, deadline, WS_CLOSING_MS, on_closing_due);
	else
		conn_abort(conn);
}

static void close_with(struct conn *conn, unsigned code, struct slice reason)
{
	struct conn_shared *shared = conn->shared;
	leave_dialect(conn);
	drop_pong(conn); /* nothing follows a close frame */
	ws_reader_discard(&conn->reader);
	conn_holds_nothing(conn);
	bridge_unsubscribe_all(shared->bridge, &conn->subscriber);
	conn->close_code = (uint16_t)code;
	conn_enter(conn, &closing);
	conn_time_begins(conn);
	deadline_set(shared->deadlines, &conn->deadline, WS_CLOSING_MS, on_closing_due);
	if (send_close(conn, code, reason) != 0)
		conn_abort(conn);
}

static void on_limit(struct conn *conn, enum holding_limit limit)
{
	if (limit == HOLDING_BUFFERED_BYTES)
		stream_drop_queued(&conn->stream);
	if (limit == HOLDING_MESSAGE_SECONDS)
		close_with(conn, WS_CLOSE_POLICY, SLICE("unfinished message"));
	else
		close_with(conn, WS_CLOSE_TRY_LATER, SLICE("overload"));
}

/* ---- events of the reader ---- */

/* While the queue is stuck, only the most recent ping is answered (RFC 6455 §5.5.3), so a peer that
 * sends pings and does not read cannot make the queue grow. This is checked after every few pongs
 * and not at the end of the turn, because one turn may read thousands of pings. */
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
	if (!conn_is_open(conn))
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
	if (conn_is_open(conn))
		heartbeat_pong(conn);
}

static void on_close(struct ws_reader *reader, unsigned code, struct slice reason)
{
	struct conn *conn = of_reader(reader);
	if (conn_is_open(conn)) {
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
	if (conn_is_open(conn))
		conn_dialect(conn)->on_message(conn, opcode, payload);
}

const struct ws_reader_events_pair ws_reader_events = { .of = {
								{ .on_ping = on_ping,
									.on_pong = on_pong,
									.on_close = on_close },
								{ .on_message = on_message,
									.on_ping = on_ping,
									.on_pong = on_pong,
									.on_close = on_close },
							} };

/* ---- while it is open ---- */

static void on_drained(struct conn *conn)
{
	if (conn->pong && stream_send(&conn->stream, conn->pong) != 0)
		conn_abort(conn);
	drop_pong(conn);
}

/* Most connections have no compression, and read nothing of its settings. NULL: no memory. */
static struct chunk *frames_for(
	const struct conn *conn, enum publication_form form, struct publication *publication)
{
	if (!conn->window_bits)
		return publication_frames(publication, form, 0, 0, NULL);
	return publication_frames(publication, form, conn->window_bits,
		conn_settings(conn)->compression.threshold, conn->shared->open->ws->deflater);
}

static void on_publication(struct conn *conn, struct publication *publication)
{
	const struct dialect *dialect = conn_dialect(conn);
	if (dialect->withholds && dialect->withholds(conn, publication_channel(publication)))
		return;
	struct chunk *frames = frames_for(conn, dialect->form, publication);
	if (!frames) {
		open_on_dropped(conn, publication_channel(publication));
	} else if (open_send(conn, frames)) {
		struct metrics *metrics = conn->shared->metrics;
		metrics_add(metrics, METRIC_DELIVERIES_TOTAL, publication->count);
		metrics_add(metrics, METRIC_DELIVERED_BYTES_TOTAL, frames->len);
	}
}

static void tell_gap(struct conn *conn, struct chunk *gap)
{
	if (gap)
		open_send(conn, gap);
	else
		open_close_for_now(conn);
}

static void on_gap(struct conn *conn, uint64_t homes)
{
	struct chunk *gap = conn->shared->open->ws->of[conn->dialect].gap;
	if ((gap || open_closes_on_gap(conn)) &&
		bridge_has_channel_of(conn->shared->bridge, &conn->subscriber, homes))
		tell_gap(conn, gap);
}

static struct chunk *message(struct buffer *text)
{
	return ws_message(text, SLICE(""));
}

static const struct transport websocket = {
	.phase = {
		.is_open = true,
		.on_bytes = on_bytes,
		.on_drained = on_drained,
		.on_confirmed = open_on_confirmed,
		.on_refused = open_on_refused,
		.on_publication = on_publication,
		.on_gap = on_gap,
		.on_dropped = open_on_dropped,
		.on_login = open_on_login,
		.on_limit = on_limit,
		.on_drain = open_on_drain,
		.leave = leave,
	},
	.message = message,
	.close = close_with,
};

void ws_begin(struct conn *conn, unsigned dialect, unsigned window_bits, struct slice user)
{
	const struct ws_reading *reading = &conn->shared->open->ws->of[dialect].reading;
	conn->dialect = dialect & 15;
	conn->window_bits = window_bits & 15;
	if (conn_dialect(conn)->reading)
		reading = conn_dialect(conn)->reading(conn);
	ws_reader_init(&conn->reader, &reading->settings);
	if (window_bits)
		ws_reader_allow_compression(&conn->reader);
	if (open_begin(conn, &websocket, user) != 0) {
		conn_abort(conn);
		return;
	}
	heartbeat_begin(conn);
	stream_resume(&conn->stream);
}
