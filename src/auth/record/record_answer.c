/* What a record's bytes say.
 *
 * A short record is read at once. A long one is kept, and read in pieces of SESSION_PIECE_WORK, so
 * that a worker's other connections need not wait for it (session_read.c).
 *
 * Of a hash, the fields that count have become one record as they arrived (record_fields.c). */
#include "sluice/auth/record/record_answer.h"

#include <errno.h>
#include <time.h>

#include "sluice/base/hash.h"
#include "sluice/base/log.h"
#include "sluice/proto/record/compression.h"
#include "sluice/proto/record/php_value.h"

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

enum session_answer record_answer_hash(
	struct session_reading *reading, const struct settings *settings)
{
	int error = record_fields_end(&reading->fields);
	if (error == -EINVAL)
		return SESSION_ANSWER_MALFORMED;
	enum session_answer answer =
		error ? answer_of(reading, settings, (struct slice){ 0 }, error)
		      : read_record(reading, settings, buffer_slice(&reading->record));
	if (!reading->unfinished)
		buffer_finish(&reading->record);
	return answer;
}

enum session_answer record_answer_string(
	struct session_reading *reading, const struct settings *settings, struct slice record)
{
	if (record.len > settings->limits.record_bytes)
		return answer_of(reading, settings, record, -EMSGSIZE);
	return read_record(reading, settings, record);
}
