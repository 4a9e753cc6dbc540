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
#include "sluice/gateway/session_record.h"

#include <errno.h>
#include <time.h>

#include "sluice/base/hash.h"
#include "sluice/proto/msgpack.h"
#include "sluice/proto/php_value.h"
#include "sluice/proto/session_hash.h"

/* ---- the commands ---- */

/* Or is it enough that the key exists? */
static bool is_read(const struct options *options)
{
	return options->session.codec != SESSION_CODEC_NONE &&
	       options->session.lookup != SESSION_LOOKUP_EXISTS;
}

static void add_command(struct session_commands *commands, struct slice name, struct slice key)
{
	commands->all[commands->n].words[0] = name;
	commands->all[commands->n].words[1] = key;
	commands->all[commands->n].n_words = 2;
	commands->n++;
}

void session_record_commands(
	const struct options *options, struct slice key, struct session_commands *ret_commands)
{
	ret_commands->n = 0;
	if (!is_read(options))
		add_command(ret_commands, SLICE("EXISTS"), key);
	else if (options->session.lookup == SESSION_LOOKUP_HASH)
		add_command(ret_commands, SLICE("HGETALL"), key);
	else
		add_command(ret_commands, SLICE("GET"), key);
	if (!options->session.must_exist.len)
		return;
	ssize_t len = session_key_move(options->session.key, key, options->session.must_exist,
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

static enum session_result read_json(const struct options *options, bool cookie_object,
	struct slice json, struct identity *identity)
{
	const struct session_value_settings settings = {
		.cookie_object = cookie_object,
		.authenticated = options->session.authenticated,
		.present = options->session.present,
		.user = options->session.user,
		.expires = options->session.expires,
	};
	int error = identity_parse(identity, &settings, json);
	if (error)
		return error == -ENOMEM ? SESSION_UNAVAILABLE : SESSION_NONE;
	if (!is_over(identity))
		return SESSION_GOOD;
	identity_finish(identity);
	return SESSION_NONE;
}

/* Does nothing have to hold? Then the key exists, be its value legible or not. */
static bool anything_goes(const struct options *options)
{
	return !options->session.authenticated.len && !options->session.present.len &&
	       !options->session.expires.len;
}

static enum session_result read_record(
	const struct options *options, struct slice record, struct identity *identity)
{
	struct buffer json = { 0 };
	enum session_result result = SESSION_UNAVAILABLE;
	int error = decode(options->session.codec, &record, &json);
	if (!error)
		result = read_json(options, options->session.cookie_object, record, identity);
	buffer_finish(&json);
	if (error == -EINVAL)
		result = SESSION_NONE;
	if (result != SESSION_NONE || !anything_goes(options))
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
	const struct options *options, struct slice json, struct identity *ret_identity)
{
	return read_json(options, false, json, ret_identity);
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

static enum session_result read_hash(struct session_reading *reading, const struct options *options,
	const struct redisReply *reply)
{
	struct buffer json = { 0 };
	enum session_result result = SESSION_NONE;
	int error = join_fields(reply, &json);
	reading->digest = hash_bytes(buffer_slice(&json));
	if (!error)
		result = read_record(options, buffer_slice(&json), &reading->identity);
	else if (error == -ENOMEM)
		result = SESSION_UNAVAILABLE;
	buffer_finish(&json);
	return result;
}

static enum session_result read_answer(struct session_reading *reading,
	const struct options *options, bool to_exists, const struct redisReply *reply)
{
	bool hash = !to_exists && options->session.lookup == SESSION_LOOKUP_HASH;
	if (!reply)
		return SESSION_UNAVAILABLE;
	if (reply->type == REDIS_REPLY_ERROR)
		return read_error(reading, reply);
	if (to_exists && reply->type == REDIS_REPLY_INTEGER)
		return reply->integer ? SESSION_GOOD : missing(reading);
	if (hash && reply->type == REDIS_REPLY_ARRAY)
		return reply->elements ? read_hash(reading, options, reply) : missing(reading);
	if (!to_exists && !hash && reply->type == REDIS_REPLY_NIL)
		return missing(reading);
	if (!to_exists && !hash && reply->type == REDIS_REPLY_STRING) {
		reading->digest = hash_bytes(resp_text(reply));
		return read_record(options, resp_text(reply), &reading->identity);
	}
	reading->malformed = true;
	return SESSION_UNAVAILABLE;
}

void session_reading_take(struct session_reading *reading, const struct options *options, size_t i,
	const struct redisReply *reply)
{
	enum session_result before = reading->result;
	reading->problem = (struct slice){ 0 };
	bool to_exists = i > 0 || !is_read(options);
	enum session_result result = read_answer(reading, options, to_exists, reply);
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
	const struct options *options, struct slice changed, char room[SESSION_KEY_MAX])
{
	struct slice key = options->session.key, must_exist = options->session.must_exist;
	if (!must_exist.len || session_key_id(key, changed).at)
		return changed;
	ssize_t len = session_key_move(must_exist, changed, key, room, SESSION_KEY_MAX);
	return len < 0 ? changed : slice_make(room, (size_t)len);
}
