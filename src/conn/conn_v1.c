/* A connection that speaks sluice.v1: what it is told besides publications, and what it says.
 *
 * Every command is answered, by what was asked for or by an error; none of them ends the connection. An
 * answer that does not fit behind what still waits to be sent does, as a publication would: whoever sends a
 * message must expect the connection to be gone, its memory still there.
 *
 * What all connections are sent (a gap, a heartbeat) is one chunk for all of a worker's. */
#include <errno.h>
#include <stdlib.h>

#include "conn_internal.h"
#include "sluice/base/limit.h"
#include "sluice/proto/envelope.h"
#include "sluice/proto/envelope_read.h"

enum { CONNECTION_ID_LEN = 16 };

/* ---- sending ---- */

int conn_v1_begin(struct buffer *text)
{
	static const char room[WS_SERVER_HEADER_MAX];
	return buffer_append(text, room, sizeof(room));
}

/* The frame, with a reference; NULL: no memory. `more` goes behind it. */
static struct chunk *end_message(struct buffer *text, int error, struct slice more)
{
	uint8_t header[WS_SERVER_HEADER_MAX];
	struct chunk *chunk = NULL;
	size_t len = error ? 0 : ws_frame_format(header, WS_TEXT, true, text->len - sizeof(header));
	if (!error)
		error = buffer_append_slice(text, more);
	if (!error) {
		char *frame = text->bytes + sizeof(header) - len;
		memcpy(frame, header, len);
		chunk = chunk_create(frame, text->len - sizeof(header) + len);
	}
	buffer_finish(text);
	return chunk;
}

void conn_v1_send(struct conn *conn, struct buffer *text, int error)
{
	struct chunk *chunk = end_message(text, error, SLICE(""));
	if (chunk) {
		conn_ws_send(conn, chunk);
		chunk_unref(chunk);
	} else {
		conn_abort(conn);
	}
}

void conn_v1_answer(struct conn *conn, const char *type, struct slice id, struct slice channel,
	const char *reason)
{
	struct buffer text = { 0 };
	int error = conn_v1_begin(&text);
	if (!error)
		error = envelope_answer(&text, type, id, channel, reason);
	conn_v1_send(conn, &text, error);
}

void conn_v1_error(struct conn *conn, struct slice id, const char *code, const char *message)
{
	struct buffer text = { 0 };
	int error = conn_v1_begin(&text);
	if (!error)
		error = envelope_error(&text, id, code, message);
	conn_v1_send(conn, &text, error);
}

/* ---- commands ---- */

static void perform(struct conn *conn, const struct envelope_command *command)
{
	if (command->type == ENVELOPE_PING)
		conn_v1_answer(conn, "pong", command->id, (struct slice){ 0 }, NULL);
	else if (!channel_name_is_valid(command->channel))
		conn_v1_error(conn, command->id, "forbidden", "no channel may have this name");
	else if (command->type == ENVELOPE_SUBSCRIBE)
		conn_v1_subscribe(conn, command->channel, command->id);
	else
		conn_v1_unsubscribe(conn, command->channel, command->id);
}

void conn_v1_message(struct conn *conn, enum ws_opcode opcode, struct slice payload)
{
	struct envelope_command command = { 0 };
	const char *problem = NULL;
	bool in_time = conn_allow_command(conn);
	if (opcode != WS_TEXT) {
		problem = "a binary message is no command";
	} else if (payload.len > conn->conns->settings->limits.command_bytes) {
		limit_hit(conn->conns->metrics, METRIC_LIMIT_COMMAND_BYTES);
		problem = "longer than limits.command_bytes";
	} else if (envelope_read(payload, &command, &problem) == 0) {
		problem = NULL;
	}
	if (!in_time)
		conn_v1_error(conn, command.id, "limit", "more than limits.commands_per_second");
	else if (problem)
		conn_v1_error(conn, command.id, "bad_request", problem);
	else
		perform(conn, &command);
}

/* ---- the rest ---- */

int conns_v1_open(struct conns *conns)
{
	struct buffer gap = { 0 }, heartbeat = { 0 };
	int error = conn_v1_begin(&gap);
	if (!error)
		error = envelope_gap(&gap, (struct slice){ 0 });
	conns->gap = end_message(&gap, error, SLICE(""));
	error = conn_v1_begin(&heartbeat);
	if (!error)
		error = envelope_heartbeat(&heartbeat);
	conns->heartbeat = end_message(&heartbeat, error,
		conns->ping ? slice_make(conns->ping->bytes, conns->ping->len) : SLICE(""));
	return conns->gap && conns->heartbeat ? 0 : -ENOMEM;
}

void conns_v1_finish(struct conns *conns)
{
	chunk_unref(conns->gap);
	chunk_unref(conns->heartbeat);
}

struct names {
	struct buffer list;
	int error;
};

static bool add_name(void *context, struct slice channel)
{
	struct names *names = context;
	names->error = envelope_list(&names->list, channel);
	return !names->error;
}

int conn_v1_welcome(struct conn *conn)
{
	static const char digits[] = "0123456789abcdef";
	char id[CONNECTION_ID_LEN];
	struct names names = { 0 };
	struct buffer text = { 0 };
	for (size_t i = 0; i < sizeof(id); i++)
		id[i] = digits[arc4random_uniform(16)];
	hub_each_channel(&conn->subscriber, add_name, &names);
	int error = names.error ? names.error : conn_v1_begin(&text);
	if (!error)
		error = envelope_welcome(&text, slice_make(id, sizeof(id)),
			buffer_slice(&conn->http->user), buffer_slice(&names.list),
			conn->conns->settings->heartbeat_interval_ms);
	buffer_finish(&names.list);
	struct chunk *chunk = end_message(&text, error, SLICE(""));
	if (!chunk)
		return -ENOMEM;
	error = stream_send(&conn->stream, chunk);
	chunk_unref(chunk);
	return error;
}

void conn_v1_missed(struct conn *conn, struct slice channel)
{
	struct buffer text = { 0 };
	int error = conn_v1_begin(&text);
	if (!error)
		error = envelope_gap(&text, channel);
	conn_v1_send(conn, &text, error);
}
