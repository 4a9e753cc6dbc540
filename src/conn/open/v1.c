/* sluice.v1: the messages to a page besides publications, and its commands.
 *
 * Every command is answered, with its result or with an error. No command ends the connection but
 * one that is too long, which the reader refuses before it is kept. */
#include "sluice/conn/open/dialect.h"

#include "sluice/base/random.h"
#include "sluice/conn/open/v1_answer.h"
#include "sluice/conn/open/v1_channels.h"
#include "sluice/conn/open/ws_allowance.h"
#include "sluice/proto/envelope.h"
#include "sluice/proto/envelope_read.h"
#include "sluice/proto/text/hex.h"

enum { CONNECTION_ID_LEN = 16 };

/* ---- commands ---- */

static void perform(struct conn *conn, const struct envelope_command *command)
{
	if (command->type == ENVELOPE_PING)
		v1_answer(conn, "pong", command->id, (struct slice){ 0 }, NULL);
	else if (!channel_name_is_valid(command->channel))
		v1_error(conn, command->id, "forbidden", "no channel may have this name");
	else if (command->type == ENVELOPE_SUBSCRIBE)
		v1_subscribe(conn, command->channel, command->id);
	else
		v1_unsubscribe(conn, command->channel, command->id);
}

/* NULL: the message is a command. Else what is wrong with it; `command` has its id, if there is
 * one. */
static const char *read_command(
	enum ws_opcode opcode, struct slice payload, struct envelope_command *command)
{
	const char *problem;
	if (opcode != WS_TEXT)
		return "a binary message is no command";
	return envelope_read(payload, command, &problem) == 0 ? NULL : problem;
}

static void on_message(struct conn *conn, enum ws_opcode opcode, struct slice payload)
{
	struct envelope_command command = { 0 };
	bool in_time = ws_allow_command(conn);
	const char *problem = read_command(opcode, payload, &command);
	if (!in_time)
		v1_error(conn, command.id, "limit", "more than limits.commands_per_second");
	else if (problem)
		v1_error(conn, command.id, "bad_request", problem);
	else
		perform(conn, &command);
}

/* ---- the welcome ---- */

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

static void make_id(char id[CONNECTION_ID_LEN])
{
	uint8_t random[CONNECTION_ID_LEN / 2];
	random_bytes(random, sizeof(random));
	hex_print(random, sizeof(random), id);
}

static int write_welcome(struct buffer *text, struct conn *conn, struct slice user)
{
	char id[CONNECTION_ID_LEN];
	struct names names = { 0 };
	make_id(id);
	hub_each_channel(&conn->subscriber, add_name, &names);
	int error = names.error;
	if (!error)
		error = envelope_welcome(text, slice_make(id, sizeof(id)), user,
			buffer_slice(&names.list), conn_settings(conn)->heartbeat_interval_ms);
	buffer_finish(&names.list);
	return error;
}

const struct dialect dialect_v1 = {
	.subprotocol = "sluice.v1",
	.form = PUBLICATION_ENVELOPED,
	.write_welcome = write_welcome,
	.write_heartbeat = envelope_heartbeat,
	.write_gap = envelope_gap,
	.on_message = on_message,
	.on_confirmed = v1_on_confirmed,
	.on_refused = v1_on_refused,
	.on_joined = v1_on_joined,
	.on_revoked = v1_on_revoked,
	.withholds = v1_withholds,
	.leave = v1_leave,
};
