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
 *	session_reading_result   all replies          -> the verdict
 *	read_reply               one reply            -> what it says (enum session_answer)
 *	answer_of                what a record's
 *	                         reading has come to  -> the same
 *
 * A short record is read at once. A long one is kept, and read in pieces of SESSION_PIECE_WORK, so
 * that a worker's other connections need not wait for it (session_read.c). */
#include "sluice/auth/session_record.h"

#include <errno.h>
#include <time.h>

#include "sluice/base/hash.h"
#include "sluice/base/log.h"
#include "sluice/proto/record/compression.h"
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

/* ---- a log-in ---- */

static bool has_expired(const struct identity *identity)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return identity->expires_ms <= (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What counts in a record by the settings. */
static struct session_value_settings paths_of(const struct settings *settings)
{
	return (struct session_value_settings){
		.authenticated = settings->session.authenticated,
		.present = settings->session.present,
		.user = settings->session.user,
		.expires = settings->session.expires,
		.fields = settings->session.fields,
		.n_fields = settings->session.n_fields,
	};
}

static struct session_value_settings paths_of_ticket(const struct settings *settings)
{
	if (!settings->session.cookie.len)
		return paths_of(settings);
	return (struct session_value_settings){
		.user = SLICE("userId"),
		.fields = settings->session.fields,
		.n_fields = settings->session.n_fields,
	};
}

int session_record_parse_ticket(
	const struct settings *settings, struct slice json, struct identity *ret_identity)
{
	struct session_value_settings paths = paths_of_ticket(settings);
	struct slice fields[RECORD_PATHS_MAX] = { SLICE("session") };
	size_t n = MIN(paths.n_fields, COUNT_OF(fields) - 1);
	if (n)
		memcpy(fields + 1, paths.fields, n * sizeof(fields[0]));
	paths.fields = fields;
	paths.n_fields = n + 1;
	if (json.len > SESSION_TICKET_BYTES_MAX)
		return -EACCES;
	int error = identity_parse(ret_identity, &paths, json);
	if (error)
		return error == -ENOMEM ? -ENOMEM : -EACCES;
	if (!has_expired(ret_identity))
		return 0;
	identity_finish(ret_identity);
	return -EACCES;
}

/* ---- a record ---- */

/* If the configuration requires nothing of the record, it is enough that the key exists: a value
 * that cannot be read is a log-in without a user id. */
static bool is_existence_enough(const struct settings *settings)
{
	return !settings->session.authenticated.len && !settings->session.present.len &&
	       !settings->session.expires.len;
}

static void log_unreadable(_Atomic uint64_t *quiet_until, const char *reason)
{
	if (log_may(quiet_until))
		log_warn("a session's record cannot be read", log_text("reason", reason));
}

static void too_large(struct session_reading *reading)
{
	static _Atomic uint64_t quiet_until;
	reading->problem = "the session's record is larger than limits.record_bytes";
	log_unreadable(&quiet_until, "it is larger than limits.record_bytes");
}

static void too_deep(struct session_reading *reading)
{
	static _Atomic uint64_t quiet_until;
	reading->problem = "the session's record is nested deeper than limits.record_depth";
	log_unreadable(&quiet_until, "it is nested deeper than limits.record_depth");
}

/* One line says why, if it can be told. */
static void not_of_this_format(struct slice record)
{
	static _Atomic uint64_t quiet_until;
	const char *compression = record_compression(record);
	if (compression && log_may(&quiet_until))
		log_warn("a session's record cannot be read",
			log_text("reason", "it is compressed; the session store of the backend "
					   "must write it as it is"),
			log_text("compression", compression));
}

/* What the reading of a record has come to. */
static enum session_answer answer_of(struct session_reading *reading,
	const struct settings *settings, struct slice record, int result)
{
	if (result == 0 && !has_expired(&reading->identity))
		return SESSION_ANSWER_GOOD;
	if (result == -ENOMEM)
		return SESSION_ANSWER_UNKNOWN;
	if (result == 0)
		identity_finish(&reading->identity);
	else if (result == -EMSGSIZE)
		too_large(reading);
	else if (result == -E2BIG)
		too_deep(reading);
	else if (result == -EINVAL)
		not_of_this_format(record);
	return is_existence_enough(settings) ? SESSION_ANSWER_GOOD : SESSION_ANSWER_REJECTED;
}

/* 0; -EINVAL: the record is not of this codec. */
static int format_of(
	const struct settings *settings, struct slice *record, enum record_format *ret_format)
{
	enum session_codec codec = settings->session.codec;
	if (codec == SESSION_CODEC_LARAVEL && php_unwrap(record) != 0)
		return -EINVAL;
	/* Flask-Session that was switched to MessagePack still reads its older JSON records, and
	 * Laravel may be told to write JSON. */
	bool is_json = slice_starts_with(*record, SLICE("{"));
	if (settings->session.lookup == SESSION_LOOKUP_HASH)
		*ret_format = RECORD_FORMAT_HASH;
	else if (codec == SESSION_CODEC_PHP || (codec == SESSION_CODEC_LARAVEL && !is_json))
		*ret_format = RECORD_FORMAT_PHP;
	else if (codec == SESSION_CODEC_MSGPACK && !is_json)
		*ret_format = RECORD_FORMAT_MSGPACK;
	else
		*ret_format = RECORD_FORMAT_JSON;
	return 0;
}

/* Reads for so much work. 1: there is more; else what it has come to. */
static int read_on(struct session_reading *reading, const struct settings *settings, size_t work)
{
	struct session_value_settings paths = paths_of(settings);
	return identity_go_on(&reading->identity, &paths, work);
}

static int begin(
	struct session_reading *reading, const struct settings *settings, struct slice record)
{
	struct session_value_settings paths = paths_of(settings);
	enum record_format format;
	int error = format_of(settings, &record, &format);
	if (error)
		return error;
	return identity_begin(
		&reading->identity, &paths, format, record, settings->limits.record_depth);
}

static enum session_answer read_at_once(
	struct session_reading *reading, const struct settings *settings, struct slice record)
{
	int result = begin(reading, settings, record);
	if (!result)
		result = read_on(reading, settings, SIZE_MAX);
	return answer_of(reading, settings, record, result);
}

/* `record` may be reading->record. */
static enum session_answer read_in_pieces(
	struct session_reading *reading, const struct settings *settings, struct slice record)
{
	if (record.len > reading->room)
		return SESSION_ANSWER_UNKNOWN;
	int error = reading->record.len ? 0 : buffer_append_slice(&reading->record, record);
	if (!error)
		error = begin(reading, settings, buffer_slice(&reading->record));
	if (error)
		return answer_of(reading, settings, record, error);
	reading->unfinished = true;
	return 0;
}

/* 0: it is read in pieces. */
static enum session_answer read_record(
	struct session_reading *reading, const struct settings *settings, struct slice record)
{
	reading->digest = hash_bytes(record);
	return record.len > SESSION_PIECE_WORK ? read_in_pieces(reading, settings, record)
					       : read_at_once(reading, settings, record);
}

bool session_reading_go_on(struct session_reading *reading, const struct settings *settings)
{
	int result = read_on(reading, settings, SESSION_PIECE_WORK);
	if (result == 1)
		return true;
	reading->answers |= answer_of(reading, settings, buffer_slice(&reading->record), result);
	reading->unfinished = false;
	buffer_finish(&reading->record);
	return false;
}

static bool is_wanted(const struct session_value_settings *paths, struct slice name)
{
	bool wanted = record_path_begins(paths->authenticated, name) ||
		      record_path_begins(paths->present, name) ||
		      record_path_begins(paths->user, name) ||
		      record_path_begins(paths->expires, name);
	for (size_t i = 0; i < paths->n_fields && !wanted; i++)
		wanted = record_path_begins(paths->fields[i], name);
	return wanted;
}

/* The fields that count. 0; -EMSGSIZE: the record is too large; -ENOMEM. */
static int join_fields(struct session_reading *reading, const struct settings *settings,
	const struct redisReply *reply)
{
	struct session_value_settings paths = paths_of(settings);
	size_t len = 0;
	int error = 0;
	for (size_t i = 0; i + 1 < reply->elements && !error; i += 2) {
		struct slice name = reply_text(reply->element[i]);
		struct slice value = reply_text(reply->element[i + 1]);
		len += name.len + value.len;
		if (len > settings->limits.record_bytes)
			error = -EMSGSIZE;
		else if (is_wanted(&paths, name))
			error = session_hash_add(&reading->record, name, value);
	}
	return error;
}

static enum session_answer read_hash(struct session_reading *reading,
	const struct settings *settings, const struct redisReply *reply)
{
	int error = join_fields(reading, settings, reply);
	enum session_answer answer =
		error ? answer_of(reading, settings, (struct slice){ 0 }, error)
		      : read_record(reading, settings, buffer_slice(&reading->record));
	if (!reading->unfinished)
		buffer_finish(&reading->record);
	return answer;
}

static enum session_answer read_string(struct session_reading *reading,
	const struct settings *settings, const struct redisReply *reply)
{
	struct slice record = reply_text(reply);
	if (record.len > settings->limits.record_bytes)
		return answer_of(reading, settings, record, -EMSGSIZE);
	return read_record(reading, settings, record);
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
	buffer_finish(&reading->record);
	*reading = (struct session_reading){ 0 };
}
