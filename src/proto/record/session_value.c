/* Reads who somebody is from the record that the backend keeps in Redis.
 *
 *	{"cookie":{…},"authenticated":true,"userId":42,"teams":["red",7]}
 *	  express       logged in            user         for the channel rules
 *
 * The record was written by JSON.stringify and is read by JSON.parse; whatever we read differently,
 * the backend and the gateway disagree about who is logged in. cJSON keeps the first of two members
 *of one name where JavaScript keeps the last, compares names without case, ends a text at an
 *escaped NUL, and turns 9007199254740993 into a double. So:
 *
 * 1. json_text says whether it is JSON at all, and escapes_fit_c_strings() whether cJSON can hold
 *its texts. After that cJSON can fail for want of memory only.
 * 2. cJSON builds the tree.
 * 3. finish_tree() walks it once in the order of the text: it refuses duplicate names, and gives
 *each number the very characters it was written with, in `valuestring`, which cJSON leaves NULL for
 *    numbers and frees with the node.
 *
 * After that every text in the tree is a `valuestring`, NUL-terminated and valid UTF-8, and lives
 *as long as the tree. Nothing in here looks at the clock. For express-session `cookie.expires` is stale
 * by design (the store renews only the key's TTL), so that the key exists is what says that the session
 * does; other frameworks keep the end in the record, and whoever has a clock compares. */
#include "sluice/proto/record/session_value.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/date_time.h"
#include "sluice/proto/text/json_text.h"

/* The code unit of the "uXXXX" at the front of `text`, or -1: it is another escape. */
static long escaped_unit(struct slice text)
{
	char digits[5] = { 0 };
	if (text.len < 5 || text.at[0] != 'u')
		return -1;
	memcpy(digits, text.at + 1, 4);
	return strtol(digits, NULL, 16);
}

static bool is_low_surrogate(long unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Half a surrogate pair (RFC 8259 §8.2) is no character, and has no UTF-8. A NUL would end the
 * text. In valid JSON every backslash that is not itself escaped begins an escape. */
static bool escapes_fit_c_strings(struct slice json)
{
	for (slice_cut(&json, '\\'); json.at; slice_cut(&json, '\\')) {
		long unit = escaped_unit(json);
		if (unit == 0 || is_low_surrogate(unit))
			return false;
		json = slice_skip(json, unit < 0 ? 1 : 5);
		if (unit < 0xd800 || unit > 0xdbff)
			continue;
		if (!slice_starts_with(json, SLICE("\\u")) ||
			!is_low_surrogate(escaped_unit(slice_skip(json, 1))))
			return false;
		json = slice_skip(json, 6);
	}
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, equal names are neighbours; comparing each with each would take a peer's 10,000 members
 * seconds. 0, -EACCES: a name comes twice, or -ENOMEM. */
static int check_names(const cJSON *object)
{
	size_t n = 0;
	int result = 0;
	const char **names = calloc((size_t)cJSON_GetArraySize(object) + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (const cJSON *member = object->child; member; member = member->next)
		names[n++] = member->string;
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(names[i - 1], names[i]) == 0)
			result = -EACCES;
	}
	free(names);
	return result;
}

/* Moves `rest`, which begins outside of a string, behind the next number and gives that one. */
static struct slice cut_number(struct slice *rest)
{
	bool in_string = false;
	const char *at = rest->at, *end = rest->at + rest->len;
	for (; at < end && (in_string || (*at != '-' && (*at < '0' || *at > '9'))); at++) {
		if (*at == '"')
			in_string = !in_string;
		else if (*at == '\\')
			at++;
	}
	const char *first = at;
	while (at < end && memchr("+-.0123456789Ee", *at, 15))
		at++;
	MUST(at > first);
	*rest = slice_make(at, (size_t)(end - at));
	return slice_make(first, (size_t)(at - first));
}

static int keep_number_text(cJSON *number, struct slice text)
{
	number->valuestring = cJSON_malloc(text.len + 1);
	if (!number->valuestring)
		return -ENOMEM;
	memcpy(number->valuestring, text.at, text.len);
	number->valuestring[text.len] = '\0';
	return 0;
}

/* `rest` is what of the JSON text lies behind the numbers that have been seen. */
static int finish_tree(cJSON *parent, struct slice *rest)
{
	int result = cJSON_IsObject(parent) ? check_names(parent) : 0;
	for (cJSON *item = parent->child; item && result == 0; item = item->next) {
		if (cJSON_IsNumber(item))
			result = keep_number_text(item, cut_number(rest));
		else
			result = finish_tree(item, rest);
	}
	return result;
}

static int parse(struct slice json, cJSON **ret_record)
{
	if (json.len > SESSION_VALUE_BYTES_MAX ||
		!json_text_is_valid(json, SESSION_VALUE_DEPTH_MAX) || !escapes_fit_c_strings(json))
		return -EACCES;
	cJSON *record = cJSON_ParseWithLengthOpts(json.at, json.len, NULL, false);
	if (!record)
		return -ENOMEM;
	int result = cJSON_IsObject(record) ? finish_tree(record, &json) : -EACCES;
	if (result) {
		cJSON_Delete(record);
		return result;
	}
	*ret_record = record;
	return 0;
}

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

/* The index of an element: digits, without a zero before others; else -1. */
static int index_of(struct slice part)
{
	int index = 0;
	if (part.len == 0 || part.len > 6 || (part.at[0] == '0' && part.len > 1))
		return -1;
	for (size_t i = 0; i < part.len; i++) {
		if (part.at[i] < '0' || part.at[i] > '9')
			return -1;
		index = index * 10 + (part.at[i] - '0');
	}
	return index;
}

/* Unlike cJSON_GetObjectItem the names have a case. */
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

/* What stands at a path, or NULL. */
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

/* ---- who it is ---- */

static struct slice text_of(const cJSON *item)
{
	if (cJSON_IsString(item) || cJSON_IsNumber(item))
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
	if (settings->cookie_object && !cJSON_IsObject(find(record, SLICE("cookie"))))
		return false;
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
	if (!cJSON_IsNumber(item))
		return false;
	/* beyond 2^53 milliseconds, which are 285,000 years, there is no end */
	if (item->valuedouble < 9007199254740992.0)
		*ms = item->valuedouble > 0 ? (int64_t)item->valuedouble : 0;
	return true;
}

int identity_parse(struct identity *ret_identity, const struct session_value_settings *settings,
	struct slice json)
{
	cJSON *record;
	int error = parse(json, &record);
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

struct slice identity_texts_next(struct identity_texts *texts)
{
	while (texts->next) {
		const cJSON *item = texts->next;
		texts->next = texts->is_array ? item->next : NULL;
		struct slice text = text_of(item);
		if (text.len)
			return text;
	}
	return (struct slice){ NULL, 0 };
}
