/* How a session lies in Redis is the configuration's: as a string, as a hash, or it is enough that its
 * key exists; and there may be a second key that has to exist too. So a session is read by one command
 * or two, which are sent together, and it is good when all of their answers say so.
 *
 *	GET sess:X                        "{…}"        -> JSON, or a codec's record as JSON -> identity
 *	HGETALL spring:session:sessions:X [n, v, n, v] -> JSON                              -> identity
 *	EXISTS sess:X                     1            -> an identity that says nothing
 *	EXISTS spring:…:expires:X         1            besides one of those
 *
 * Whatever way it is written, a record becomes JSON and is read by session_value: there is one reader
 * that decides who is logged in. */
#include "sluice/auth/session_record.h"

#include <errno.h>
#include <time.h>

#include "sluice/base/hash.h"
#include "sluice/proto/record/msgpack.h"
#include "sluice/proto/record/php_value.h"
#include "sluice/proto/record/session_hash.h"

/* ---- the commands ---- */

/* Or is it enough that the key exists? */
static bool is_read(const struct settings *settings)
{
	return settings->session.codec != SESSION_CODEC_NONE &&
	       settings->session.lookup != SESSION_LOOKUP_EXISTS;
}

static void add_command(struct session_commands *commands, struct slice name, struct slice key)
{
	commands->all[commands->n].words[0] = name;
	commands->all[commands->n].words[1] = key;
	commands->all[commands->n].n_words = 2;
	commands->n++;
}

void session_record_commands(
	const struct settings *settings, struct slice key, struct session_commands *ret_commands)
{
	ret_commands->n = 0;
	if (!is_read(settings))
		add_command(ret_commands, SLICE("EXISTS"), key);
	else if (settings->session.lookup == SESSION_LOOKUP_HASH)
		add_command(ret_commands, SLICE("HGETALL"), key);
	else
		add_command(ret_commands, SLICE("GET"), key);
	if (!settings->session.must_exist.len)
		return;
	ssize_t len = session_key_move(settings->session.key, key, settings->session.must_exist,
		ret_commands->room, sizeof(ret_commands->room));
	if (len >= 0)
		add_command(
			ret_commands, SLICE("EXISTS"), slice_make(ret_commands->room, (size_t)len));
}

/* ---- the record ---- */

/* As JSON, which is the record itself or lies in `json`. 0; -EINVAL: it is no such record; -ENOMEM. */
static int decode(enum session_codec codec, struct slice *record, struct buffer *json)
{
	int error = 0;
	if (codec == SESSION_CODEC_PHP)
		error = php_to_json(*record, json);
	else if (codec == SESSION_CODEC_LARAVEL)
		error = php_laravel_to_json(*record, json);
	/* Flask-Session reads what it wrote as JSON before it was told to write MessagePack. */
	else if (codec == SESSION_CODEC_MSGPACK && !slice_starts_with(*record, SLICE("{")))
		error = msgpack_to_json(*record, json);
	else
		return 0;
	*record = buffer_slice(json);
	return error;
}

static bool is_over(const struct identity *identity)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return identity->expires_ms <= (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum session_result read_json(const struct settings *settings, bool cookie_object,
	struct slice json, struct identity *identity)
{
	const struct session_value_settings paths = {
		.cookie_object = cookie_object,
		.authenticated = settings->session.authenticated,
		.present = settings->session.present,
		.user = settings->session.user,
		.expires = settings->session.expires,
	};
	int error = identity_parse(identity, &paths, json);
	if (error)
		return error == -ENOMEM ? SESSION_UNAVAILABLE : SESSION_NONE;
	if (!is_over(identity))
		return SESSION_GOOD;
	identity_finish(identity);
	return SESSION_NONE;
}

/* Does nothing have to hold? Then the key exists, be its value legible or not. */
static bool anything_goes(const struct settings *settings)
{
	return !settings->session.authenticated.len && !settings->session.present.len &&
	       !settings->session.expires.len;
}

static enum session_result read_record(
	const struct settings *settings, struct slice record, struct identity *identity)
{
	struct buffer json = { 0 };
	enum session_result result = SESSION_UNAVAILABLE;
	int error = decode(settings->session.codec, &record, &json);
	if (!error)
		result = read_json(settings, settings->session.cookie_object, record, identity);
	buffer_finish(&json);
	if (error == -EINVAL)
		result = SESSION_NONE;
	if (result != SESSION_NONE || !anything_goes(settings))
		return result;
	*identity = (struct identity){ 0 };
	return SESSION_GOOD;
}

/* 0; -EMSGSIZE: it is longer than any record; -ENOMEM. */
static int join_fields(const struct redisReply *reply, struct buffer *json)
{
	struct json_printer printer = { .out = json, .max = SESSION_VALUE_BYTES_MAX };
	bool more = false;
	int error = json_print(&printer, SLICE("{"));
	for (size_t i = 0; i + 1 < reply->elements && !error; i += 2)
		error = session_hash_field(&printer, &more, resp_text(reply->element[i]),
			resp_text(reply->element[i + 1]));
	return error ? error : json_print(&printer, SLICE("}"));
}

enum session_result session_record_of_ticket(
	const struct settings *settings, struct slice json, struct identity *ret_identity)
{
	return read_json(settings, false, json, ret_identity);
}

/* ---- the answers ---- */

static enum session_result missing(struct session_reading *reading)
{
	reading->missing = true;
	return SESSION_NONE;
}

/* WRONGTYPE is no session, as it is none for connect-redis. Any other error (LOADING, NOPERM, …) says
 * nothing about the session, and the operator has to know: whoever has a clock tells him. */
static enum session_result read_error(
	struct session_reading *reading, const struct redisReply *reply)
{
	if (slice_starts_with(resp_text(reply), SLICE("WRONGTYPE")))
		return SESSION_NONE;
	reading->problem = resp_error_reason(reply);
	return SESSION_UNAVAILABLE;
}

static enum session_result read_hash(struct session_reading *reading,
	const struct settings *settings, const struct redisReply *reply)
{
	struct buffer json = { 0 };
	enum session_result result = SESSION_NONE;
	int error = join_fields(reply, &json);
	reading->digest = hash_bytes(buffer_slice(&json));
	if (!error)
		result = read_record(settings, buffer_slice(&json), &reading->identity);
	else if (error == -ENOMEM)
		result = SESSION_UNAVAILABLE;
	buffer_finish(&json);
	return result;
}

static enum session_result read_answer(struct session_reading *reading,
	const struct settings *settings, bool to_exists, const struct redisReply *reply)
{
	bool hash = !to_exists && settings->session.lookup == SESSION_LOOKUP_HASH;
	if (!reply)
		return SESSION_UNAVAILABLE;
	if (reply->type == REDIS_REPLY_ERROR)
		return read_error(reading, reply);
	if (to_exists && reply->type == REDIS_REPLY_INTEGER)
		return reply->integer ? SESSION_GOOD : missing(reading);
	if (hash && reply->type == REDIS_REPLY_ARRAY)
		return reply->elements ? read_hash(reading, settings, reply) : missing(reading);
	if (!to_exists && !hash && reply->type == REDIS_REPLY_NIL)
		return missing(reading);
	if (!to_exists && !hash && reply->type == REDIS_REPLY_STRING) {
		reading->digest = hash_bytes(resp_text(reply));
		return read_record(settings, resp_text(reply), &reading->identity);
	}
	reading->malformed = true;
	return SESSION_UNAVAILABLE;
}

void session_reading_take(struct session_reading *reading, const struct settings *settings,
	size_t i, const struct redisReply *reply)
{
	enum session_result before = reading->result;
	reading->problem = (struct slice){ 0 };
	bool to_exists = i > 0 || !is_read(settings);
	enum session_result result = read_answer(reading, settings, to_exists, reply);
	if (i > 0 && before == SESSION_GOOD && result != SESSION_GOOD)
		identity_finish(&reading->identity);
	/* What is not there is no session, whatever else could not be told. */
	if (i == 0 || (before != SESSION_NONE && result != SESSION_GOOD))
		reading->result = result;
}

void session_reading_finish(struct session_reading *reading)
{
	if (reading->result == SESSION_GOOD)
		identity_finish(&reading->identity);
	*reading = (struct session_reading){ .result = SESSION_UNAVAILABLE };
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
