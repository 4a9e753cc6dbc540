/* Reads who is logged in from the record that the backend keeps in Redis.
 *
 *	{"cookie":{…},"authenticated":true,"userId":42,"teams":["red",7]}
 *	  express       logged in            user         for the channel rules
 *
 * session_tree makes a tree of the record, which lives as long as the identity: every string that
 * the identity returns is a `valuestring` of that tree.
 *
 * This module has no clock. For express-session `cookie.expires` is stale by design (the store
 * renews only the key's TTL), and a session exists if its key does. Other frameworks keep the end
 * of the session in the record; the caller compares it with its clock. */
#include "sluice/proto/record/session_value.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>

#include "sluice/proto/record/session_tree.h"
#include "sluice/proto/text/date_time.h"

/* ---- paths ---- */

/* RFC 6901 §4: "~1" is "/", and "~0" is "~". */
static bool is_named_by_pointer(const char *name, struct slice part)
{
	for (; part.len; part = slice_skip(part, 1), name++) {
		char c = part.at[0];
		if (c == '~' && part.len > 1) {
			part = slice_skip(part, 1);
			c = part.at[0] == '1' ? '/' : '~';
		}
		if (*name != c)
			return false;
	}
	return *name == '\0';
}

/* The index of an element, without leading zeros (RFC 6901 §4); -1: `part` is not one. */
static int index_of(struct slice part)
{
	uint64_t index;
	if (!slice_number(part, SESSION_VALUE_BYTES_MAX, &index) ||
		(part.at[0] == '0' && part.len > 1))
		return -1;
	return (int)index;
}

/* Unlike cJSON_GetObjectItem, compares names with their case. */
static const cJSON *step(const cJSON *item, struct slice part, bool is_pointer)
{
	if (is_pointer && cJSON_IsArray(item)) {
		int index = index_of(part);
		return index < 0 ? NULL : cJSON_GetArrayItem(item, index);
	}
	if (!cJSON_IsObject(item))
		return NULL;
	for (item = item->child; item; item = item->next) {
		if (is_pointer ? is_named_by_pointer(item->string, part)
			       : slice_equal(slice_of(item->string), part))
			return item;
	}
	return NULL;
}

/* The item at a path, or NULL. */
static const cJSON *find(const cJSON *item, struct slice path)
{
	if (!path.len)
		return NULL;
	bool is_pointer = path.at[0] == '/';
	if (is_pointer)
		path = slice_skip(path, 1);
	while (item && path.at)
		item = step(item, slice_cut(&path, is_pointer ? '/' : '.'), is_pointer);
	return item;
}

bool identity_path_is_valid(struct slice text)
{
	if (slice_starts_with(text, SLICE("/"))) {
		for (slice_cut(&text, '~'); text.at; slice_cut(&text, '~')) {
			if (text.len == 0 || (text.at[0] != '0' && text.at[0] != '1'))
				return false;
		}
		return true;
	}
	do {
		if (slice_cut(&text, '.').len == 0)
			return false;
	} while (text.at);
	return true;
}

/* ---- the identity ---- */

static struct slice text_of(const cJSON *item)
{
	if (cJSON_IsString(item) || cJSON_IsRaw(item))
		return slice_of(item->valuestring);
	if (cJSON_IsBool(item))
		return cJSON_IsTrue(item) ? SLICE("true") : SLICE("false");
	return (struct slice){ NULL, 0 };
}

static bool is_something(const cJSON *item)
{
	return item && !cJSON_IsNull(item) && !cJSON_IsFalse(item) &&
	       !(cJSON_IsString(item) && item->valuestring[0] == '\0');
}

static bool is_logged_in(const cJSON *record, const struct session_value_settings *settings)
{
	if (settings->present.len && !is_something(find(record, settings->present)))
		return false;
	return !settings->authenticated.len || cJSON_IsTrue(find(record, settings->authenticated));
}

static bool read_end(const cJSON *item, int64_t *ms)
{
	*ms = INT64_MAX;
	if (!item || cJSON_IsNull(item))
		return true;
	if (cJSON_IsString(item))
		return date_time_parse(slice_of(item->valuestring), ms);
	if (!cJSON_IsRaw(item))
		return false;
	double number = strtod(item->valuestring, NULL);
	/* 2^53 milliseconds are 285,000 years: as good as never. */
	if (number < 9007199254740992.0)
		*ms = number > 0 ? (int64_t)number : 0;
	return true;
}

int identity_parse(struct identity *ret_identity, const struct session_value_settings *settings,
	struct slice json)
{
	cJSON *record;
	int error = session_tree_parse(json, &record);
	if (error)
		return error;
	int64_t expires_ms;
	if (!is_logged_in(record, settings) ||
		!read_end(find(record, settings->expires), &expires_ms)) {
		cJSON_Delete(record);
		return -EACCES;
	}
	const cJSON *user = find(record, settings->user);
	struct slice text = cJSON_IsBool(user) ? (struct slice){ NULL, 0 } : text_of(user);
	if (!text.len)
		text.at = NULL;
	*ret_identity =
		(struct identity){ .user = text, .expires_ms = expires_ms, .record = record };
	return 0;
}

void identity_finish(struct identity *identity)
{
	cJSON_Delete(identity->record);
	*identity = (struct identity){ 0 };
}

bool identity_has(const struct identity *identity, struct slice path)
{
	const cJSON *item = find(identity->record, path);
	return item && !cJSON_IsNull(item);
}

struct identity_texts identity_texts(const struct identity *identity, struct slice path)
{
	const cJSON *item = find(identity->record, path);
	bool is_array = cJSON_IsArray(item);
	return (struct identity_texts){ .next = is_array ? item->child : item,
		.is_array = is_array };
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
	while (texts->next) {
		const cJSON *item = texts->next;
		texts->next = texts->is_array ? item->next : NULL;
		struct slice text = text_of(item);
		if (text.len)
			return text;
	}
	return (struct slice){ NULL, 0 };
}
