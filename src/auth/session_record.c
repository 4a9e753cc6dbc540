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
 * Three functions hold the rules, one rule on each line:
 *
 *	session_reading_result   all replies    -> the verdict
 *	read_reply               one reply      -> what it says (enum session_answer)
 *	read_record              record's bytes -> the same
 *
 * Every codec's record is converted to JSON and then read by session_value, so there is one reader
 * that knows what a log-in looks like. */
#include "sluice/auth/session_record.h"

#include <errno.h>
#include <time.h>

#include "sluice/base/hash.h"
#include "sluice/proto/record/msgpack.h"
#include "sluice/proto/record/php_value.h"
#include "sluice/proto/record/session_hash.h"

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

/* ---- a record ---- */

static bool has_expired(const struct identity *identity)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return identity->expires_ms <= (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int parse(const struct session_value_settings *required, struct slice json,
	struct identity *ret_identity)
{
	int error = identity_parse(ret_identity, required, json);
	if (error || !has_expired(ret_identity))
		return error;
	identity_finish(ret_identity);
	return -EACCES;
}

int session_record_parse(
	const struct settings *settings, struct slice json, struct identity *ret_identity)
{
	const struct session_value_settings required = {
		.authenticated = settings->session.authenticated,
		.present = settings->session.present,
		.user = settings->session.user,
		.expires = settings->session.expires,
	};
	return parse(&required, json, ret_identity);
}

int session_record_parse_ticket(
	const struct settings *settings, struct slice json, struct identity *ret_identity)
{
	const struct session_value_settings own = { .user = SLICE("userId") };
	return settings->session.cookie.len ? parse(&own, json, ret_identity)
					    : session_record_parse(settings, json, ret_identity);
}

/* Converts `record` to JSON, whose bytes may be in `json`. 0; -EINVAL: not of this codec;
 * -ENOMEM. */
static int decode(enum session_codec codec, struct slice *record, struct buffer *json)
{
	int error = 0;
	if (codec == SESSION_CODEC_PHP)
		error = php_to_json(*record, json);
	else if (codec == SESSION_CODEC_LARAVEL)
		error = php_laravel_to_json(*record, json);
	/* A Flask-Session that was switched to MessagePack still reads its older JSON records. */
	else if (codec == SESSION_CODEC_MSGPACK && !slice_starts_with(*record, SLICE("{")))
		error = msgpack_to_json(*record, json);
	else
		return 0;
	*record = buffer_slice(json);
	return error;
}

/* If the configuration requires nothing of the record, it is enough that the key exists: a value
 * that cannot be read is a log-in without a user id. */
static bool is_existence_enough(const struct settings *settings)
{
	return !settings->session.authenticated.len && !settings->session.present.len &&
	       !settings->session.expires.len;
}

static enum session_answer read_record(
	const struct settings *settings, struct slice record, struct identity *identity)
{
	struct buffer json = { 0 };
	int error = decode(settings->session.codec, &record, &json);
	if (!error)
		error = session_record_parse(settings, record, identity);
	buffer_finish(&json);
	if (!error)
		return SESSION_ANSWER_GOOD;
	if (error == -ENOMEM)
		return SESSION_ANSWER_UNKNOWN;
	return is_existence_enough(settings) ? SESSION_ANSWER_GOOD : SESSION_ANSWER_REJECTED;
}

/* 0; -EMSGSIZE: longer than a record may be; -ENOMEM. */
static int join_fields(const struct redisReply *reply, struct buffer *json)
{
	struct json_printer printer = { .out = json, .max = SESSION_VALUE_BYTES_MAX };
	bool more = false;
	int error = json_print(&printer, SLICE("{"));
	for (size_t i = 0; i + 1 < reply->elements && !error; i += 2)
		error = session_hash_field(&printer, &more, reply_text(reply->element[i]),
			reply_text(reply->element[i + 1]));
	return error ? error : json_print(&printer, SLICE("}"));
}

static enum session_answer read_hash(struct session_reading *reading,
	const struct settings *settings, const struct redisReply *reply)
{
	struct buffer json = { 0 };
	enum session_answer answer = SESSION_ANSWER_REJECTED;
	int error = join_fields(reply, &json);
	reading->digest = hash_bytes(buffer_slice(&json));
	if (!error)
		answer = read_record(settings, buffer_slice(&json), &reading->identity);
	else if (error == -ENOMEM)
		answer = SESSION_ANSWER_UNKNOWN;
	buffer_finish(&json);
	return answer;
}

static enum session_answer read_string(struct session_reading *reading,
	const struct settings *settings, const struct redisReply *reply)
{
	reading->digest = hash_bytes(reply_text(reply));
	return read_record(settings, reply_text(reply), &reading->identity);
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
		return read_string(reading, settings, reply);
	if (command == HGETALL && reply->type == REDIS_REPLY_ARRAY)
		return reply->elements ? read_hash(reading, settings, reply)
				       : SESSION_ANSWER_MISSING;
	if (command == EXISTS && reply->type == REDIS_REPLY_INTEGER)
		return reply->integer ? SESSION_ANSWER_GOOD : SESSION_ANSWER_MISSING;
	return SESSION_ANSWER_MALFORMED;
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
	*reading = (struct session_reading){ 0 };
}
