/* This file decides who is logged in.
 *
 * The configuration says how a session is stored: as a string, as a hash, or as a key that only has
 * to exist. session.must_exist adds a second key that has to exist as well. So one or two commands
 * are sent together:
 *
 *	GET sess:X                         {"user":…}     JSON, or another codec's bytes
 *	HGETALL spring:session:sessions:X  name, value, … the fields become one JSON object
 *	EXISTS sess:X                      0 or 1         the record is not read
 *	EXISTS spring:…:expires:X          0 or 1         session.must_exist, besides one of these
 *
 * Two functions hold the rules, one rule on each line, and a third one in record_answer.c:
 *
 *	session_reading_result   all replies   -> the verdict
 *	read_reply               one reply     -> what it says (enum session_answer)
 *	answer_of                one record    -> the same */
#include "sluice/auth/record/session_record.h"

/* ---- the commands ---- */

enum command { GET, HGETALL, EXISTS };

static enum command command_of(const struct settings *settings, size_t i)
{
	if (i > 0) /* session.must_exist */
		return EXISTS;
	if (settings->session.codec == SESSION_CODEC_NONE ||
		settings->session.lookup == SESSION_LOOKUP_EXISTS)
		return EXISTS;
	return settings->session.lookup == SESSION_LOOKUP_HASH ? HGETALL : GET;
}

static void add_command(
	const struct settings *settings, struct session_commands *commands, struct slice key)
{
	static const struct slice names[] = {
		[GET] = { "GET", 3 },
		[HGETALL] = { "HGETALL", 7 },
		[EXISTS] = { "EXISTS", 6 },
	};
	size_t i = commands->n++;
	commands->all[i].words[0] = names[command_of(settings, i)];
	commands->all[i].words[1] = key;
	commands->all[i].n_words = 2;
}

void session_record_commands(
	const struct settings *settings, struct slice key, struct session_commands *ret_commands)
{
	struct slice must_exist = settings->session.must_exist;
	ret_commands->n = 0;
	add_command(settings, ret_commands, key);
	if (!must_exist.len)
		return;
	ssize_t len = session_key_move(settings->session.key, key, must_exist, ret_commands->room,
		sizeof(ret_commands->room));
	/* A ticket may name a key that session.key does not make: no second key then. */
	if (len >= 0)
		add_command(settings, ret_commands, slice_make(ret_commands->room, (size_t)len));
}

struct slice session_record_key_of(
	const struct settings *settings, struct slice changed, char room[SESSION_KEY_MAX])
{
	struct slice key = settings->session.key, must_exist = settings->session.must_exist;
	if (!must_exist.len || session_key_id(key, changed).at)
		return changed;
	ssize_t len = session_key_move(must_exist, changed, key, room, SESSION_KEY_MAX);
	return len < 0 ? changed : slice_make(room, (size_t)len);
}

/* ---- the verdict ---- */

/* One negative reply is enough, even if Redis could not give the other. A session is good only if
 * there are replies and all of them are positive. */
enum session_result session_reading_result(const struct session_reading *reading)
{
	if (reading->answers & (SESSION_ANSWER_MISSING | SESSION_ANSWER_REJECTED))
		return SESSION_NONE;
	if (reading->answers == SESSION_ANSWER_GOOD)
		return SESSION_GOOD;
	return SESSION_UNAVAILABLE;
}

/* ---- a reply ---- */

/* connect-redis treats a key of another type as no session. Any other error (LOADING, NOPERM, …)
 * says nothing about the session. */
static bool is_wrong_type(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR &&
	       slice_starts_with(reply_text(reply), SLICE("WRONGTYPE"));
}

static enum session_answer read_reply(struct session_reading *reading,
	const struct settings *settings, enum command command, const struct redisReply *reply)
{
	if (!reply)
		return SESSION_ANSWER_UNKNOWN;
	if (reply->type == REDIS_REPLY_ERROR)
		return is_wrong_type(reply) ? SESSION_ANSWER_REJECTED : SESSION_ANSWER_UNKNOWN;
	if (command == GET && reply->type == REDIS_REPLY_NIL)
		return SESSION_ANSWER_MISSING;
	if (command == GET && reply->type == REDIS_REPLY_STRING)
		return record_answer_string(reading, settings, reply_text(reply));
	if (command == HGETALL && reply->type == REDIS_REPLY_ARRAY)
		return reply->elements ? record_answer_hash(reading, settings)
				       : SESSION_ANSWER_MISSING;
	if (command == EXISTS && reply->type == REDIS_REPLY_INTEGER)
		return reply->integer ? SESSION_ANSWER_GOOD : SESSION_ANSWER_MISSING;
	return SESSION_ANSWER_MALFORMED;
}

void session_reading_take_element(
	struct session_reading *reading, const struct settings *settings, struct slice text)
{
	record_fields_take(&reading->fields, settings, &reading->record, text);
}

struct slice session_reading_take(struct session_reading *reading, const struct settings *settings,
	size_t i, const struct redisReply *reply)
{
	reading->answers |= read_reply(reading, settings, command_of(settings, i), reply);
	bool problem = reply && reply->type == REDIS_REPLY_ERROR && !is_wrong_type(reply);
	return problem ? reply_error_reason(reply) : (struct slice){ 0 };
}

void session_reading_finish(struct session_reading *reading)
{
	identity_finish(&reading->identity);
	buffer_finish(&reading->record);
	*reading = (struct session_reading){ 0 };
}
