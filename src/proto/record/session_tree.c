/* If two readers of a session record disagree, the backend and the gateway disagree about who is
 * logged in. The record was written by JSON.stringify and the backend reads it with JSON.parse.
 * cJSON reads some records differently: of two members with one name it finds the first, JavaScript
 * the last; it compares names without case; it ends a string at an escaped NUL; it turns
 * 9007199254740993 into a double. So:
 *
 * 1. json_text decides whether the record is JSON, and escapes_fit_c_strings() whether cJSON can
 *    hold its strings. After that cJSON can only run out of memory.
 * 2. cJSON builds the tree.
 * 3. finish_tree() walks the tree once, in the order of the text. It refuses duplicate names, and
 *    turns each number into what cJSON calls Raw: an item whose `valuestring` is its JSON, here the
 *    characters of the number as written. */
#include "sluice/proto/record/session_tree.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/hex.h"
#include "sluice/proto/text/json_text.h"

/* The code unit of the "uXXXX" at the front of `text`; -1: it is another escape. */
static int escaped_unit(struct slice text)
{
	return text.len >= 5 && text.at[0] == 'u' ? (int)hex_four(text.at + 1) : -1;
}

static bool is_low_surrogate(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Half a surrogate pair (RFC 8259 §8.2) is not a character and has no UTF-8; a NUL would end the
 * string. In valid JSON every backslash that is not itself escaped begins an escape. */
static bool escapes_fit_c_strings(struct slice json)
{
	for (slice_cut(&json, '\\'); json.at; slice_cut(&json, '\\')) {
		int unit = escaped_unit(json);
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

/* Sorts the names, so that equal ones become neighbours: comparing each with each would take
 * seconds for 10,000 members. 0; -EACCES: a duplicate name; or -ENOMEM. */
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

/* Returns the next number in `rest` and moves `rest` behind it. `rest` begins outside of a
 * string. */
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

static int make_raw(cJSON *number, struct slice text)
{
	char *raw = cJSON_malloc(text.len + 1);
	if (!raw)
		return -ENOMEM;
	memcpy(raw, text.at, text.len);
	raw[text.len] = '\0';
	number->type = cJSON_Raw;
	number->valuestring = raw;
	return 0;
}

/* `rest`: the JSON behind the numbers that have been visited. */
static int finish_tree(cJSON *parent, struct slice *rest)
{
	int result = cJSON_IsObject(parent) ? check_names(parent) : 0;
	for (cJSON *item = parent->child; item && result == 0; item = item->next) {
		if (cJSON_IsNumber(item))
			result = make_raw(item, cut_number(rest));
		else
			result = finish_tree(item, rest);
	}
	return result;
}

int session_tree_parse(struct slice json, struct cJSON **ret_record)
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
