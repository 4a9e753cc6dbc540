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
 *as long as the tree. Nothing in here looks at the clock: `cookie.expires` is stale by design (the
 *store renews only the key's TTL), so that the key exists is what says that the session does. */
#include "sluice/proto/session_value.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/json_text.h"

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

/* What stands at a dotted path, or NULL. Unlike cJSON_GetObjectItem the names have a case. */
static const cJSON *find(const cJSON *item, struct slice path)
{
	if (!path.len)
		return NULL;
	while (item && path.at) {
		struct slice name = slice_cut(&path, '.');
		item = cJSON_IsObject(item) ? item->child : NULL;
		while (item && !slice_equal(slice_of(item->string), name))
			item = item->next;
	}
	return item;
}

static struct slice text_of(const cJSON *item)
{
	if (cJSON_IsString(item) || cJSON_IsNumber(item))
		return slice_of(item->valuestring);
	if (cJSON_IsBool(item))
		return cJSON_IsTrue(item) ? SLICE("true") : SLICE("false");
	return (struct slice){ NULL, 0 };
}

static bool is_logged_in(const cJSON *record, const struct session_value_settings *settings)
{
	if (settings->cookie_object && !cJSON_IsObject(find(record, SLICE("cookie"))))
		return false;
	return !settings->authenticated.len || cJSON_IsTrue(find(record, settings->authenticated));
}

int identity_parse(struct identity *ret_identity, const struct session_value_settings *settings,
	struct slice json)
{
	cJSON *record;
	int error = parse(json, &record);
	if (error)
		return error;
	if (!is_logged_in(record, settings)) {
		cJSON_Delete(record);
		return -EACCES;
	}
	const cJSON *user = find(record, settings->user);
	struct slice text = cJSON_IsBool(user) ? (struct slice){ NULL, 0 } : text_of(user);
	if (!text.len)
		text.at = NULL;
	*ret_identity = (struct identity){ .user = text, .record = record };
	return 0;
}

void identity_finish(struct identity *identity)
{
	cJSON_Delete(identity->record);
	*identity = (struct identity){ 0 };
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
