/* Reads who is logged in from the record that the backend keeps in Redis.
 *
 *	{"cookie":{…},"authenticated":true,"userId":42,"teams":["red",7]}
 *	               logged in            user         for the channel rules
 *
 * A record of any format is read by its step function, which tells record_pick what it reads. So
 * there is one place that knows what a log-in looks like.
 *
 * This module has no clock. For express-session `cookie.expires` is stale by design (the store
 * renews only the key's TTL), and a session exists if its key does. Other frameworks keep the end
 * of the session in the record; the caller compares it with its clock. */
#include "sluice/proto/record/session_value.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/proto/record/msgpack.h"
#include "sluice/proto/record/php_value.h"
#include "sluice/proto/record/record_json.h"
#include "sluice/proto/record/session_hash.h"
#include "sluice/proto/text/date_time.h"

struct identity_record {
	struct record_pick *pick;
	record_step_fn step;
	struct session_hash hash; /* its `scan` is that of every format */
};

/* ---- is it a log-in? ---- */

static struct slice text_at(const struct record_pick *pick, struct slice path)
{
	struct record_texts texts = record_pick_texts(pick, path);
	return record_texts_next(&texts);
}

static bool is_something(const struct record_pick *pick, struct slice path)
{
	enum record_kind kind = record_pick_kind(pick, path);
	if (kind == RECORD_TEXT)
		return text_at(pick, path).len > 0;
	return kind != RECORD_ABSENT && kind != RECORD_VOID && kind != RECORD_NULL &&
	       kind != RECORD_FALSE;
}

static bool is_logged_in(
	const struct record_pick *pick, const struct session_value_settings *settings)
{
	if (settings->present.len && !is_something(pick, settings->present))
		return false;
	return !settings->authenticated.len ||
	       record_pick_kind(pick, settings->authenticated) == RECORD_TRUE;
}

/* Backends write milliseconds (JavaScript, Java) or seconds (PHP, Python), which may have a
 * fraction. 10^11 seconds are the year 5138, and 10^11 milliseconds March 1973, so either way the
 * other reading would be absurd. */
static int64_t milliseconds(double number)
{
	if (number < 1e11)
		number *= 1000;
	/* 2^53 milliseconds are 285,000 years: as good as never. */
	if (number >= 9007199254740992.0)
		return INT64_MAX;
	return number > 0 ? (int64_t)number : 0;
}

static bool read_number(struct slice digits, int64_t *ms)
{
	char text[64];
	if (digits.len >= sizeof(text))
		return false;
	memcpy(text, digits.at, digits.len);
	text[digits.len] = '\0';
	*ms = milliseconds(strtod(text, NULL));
	return true;
}

static bool read_end(const struct record_pick *pick, struct slice path, int64_t *ms)
{
	enum record_kind kind = record_pick_kind(pick, path);
	*ms = INT64_MAX;
	if (kind == RECORD_TEXT)
		return date_time_parse(text_at(pick, path), ms);
	if (kind == RECORD_NUMBER)
		return read_number(text_at(pick, path), ms);
	return kind == RECORD_ABSENT || kind == RECORD_NULL;
}

static int judge(struct identity *identity, const struct session_value_settings *settings)
{
	const struct record_pick *pick = identity->record->pick;
	if (!is_logged_in(pick, settings) ||
		!read_end(pick, settings->expires, &identity->expires_ms))
		return -EACCES;
	enum record_kind kind = record_pick_kind(pick, settings->user);
	if (kind == RECORD_TEXT || kind == RECORD_NUMBER)
		identity->user = text_at(pick, settings->user);
	return 0;
}

/* ---- reading ---- */

static void add_paths(struct record_pick *pick, const struct session_value_settings *settings)
{
	record_pick_add(pick, settings->authenticated);
	record_pick_add(pick, settings->present);
	record_pick_add(pick, settings->expires);
	record_pick_add(pick, settings->user);
	for (size_t i = 0; i < settings->n_fields; i++)
		record_pick_add(pick, settings->fields[i]);
}

int identity_begin(struct identity *ret_identity, const struct session_value_settings *settings,
	enum record_format format, struct slice record, unsigned depth_max)
{
	static const record_step_fn steps[] = {
		[RECORD_FORMAT_JSON] = record_json_step,
		[RECORD_FORMAT_MSGPACK] = msgpack_step,
		[RECORD_FORMAT_PHP] = php_step,
		[RECORD_FORMAT_HASH] = session_hash_step,
	};
	*ret_identity = (struct identity){ .record = calloc(1, sizeof(*ret_identity->record)) };
	struct identity_record *reading = ret_identity->record;
	struct record_pick *pick = reading ? record_pick_create(depth_max) : NULL;
	if (!pick) {
		identity_finish(ret_identity);
		return -ENOMEM;
	}
	add_paths(pick, settings);
	reading->pick = reading->hash.scan.pick = pick;
	reading->hash.scan.rest = record;
	reading->step = steps[format];
	return 0;
}

int identity_go_on(
	struct identity *identity, const struct session_value_settings *settings, size_t work)
{
	struct identity_record *reading = identity->record;
	int result = 0;
	reading->pick->work = 0;
	while (result == 0 && reading->pick->work < work)
		result = reading->step(&reading->hash.scan);
	if (result == 0)
		return 1;
	if (result == 1)
		result = judge(identity, settings);
	if (result)
		identity_finish(identity);
	return result;
}

int identity_parse(struct identity *ret_identity, const struct session_value_settings *settings,
	struct slice json)
{
	int error = identity_begin(
		ret_identity, settings, RECORD_FORMAT_JSON, json, SESSION_VALUE_DEPTH_DEFAULT);
	return error ? error : identity_go_on(ret_identity, settings, SIZE_MAX);
}

void identity_finish(struct identity *identity)
{
	if (identity->record)
		record_pick_destroy(identity->record->pick);
	free(identity->record);
	*identity = (struct identity){ 0 };
}

/* ---- what it says ---- */

bool identity_has(const struct identity *identity, struct slice path)
{
	enum record_kind kind =
		identity->record ? record_pick_kind(identity->record->pick, path) : RECORD_ABSENT;
	return kind != RECORD_ABSENT && kind != RECORD_NULL;
}

struct identity_texts identity_texts(const struct identity *identity, struct slice path)
{
	struct identity_texts texts = { 0 };
	if (identity->record)
		texts.texts = record_pick_texts(identity->record->pick, path);
	return texts;
}

const struct text_set *identity_text_set(const struct identity *identity, struct slice path)
{
	return identity->record ? record_pick_set(identity->record->pick, path) : NULL;
}

struct identity_texts identity_user_texts(const struct identity *identity)
{
	return (struct identity_texts){ .user = identity->user };
}

struct slice identity_texts_next(struct identity_texts *texts)
{
	if (texts->user.at) {
		struct slice user = texts->user;
		texts->user.at = NULL;
		return user;
	}
	return record_texts_next(&texts->texts);
}
