/* cJSON builds a tree, which is then laid out as an array of our own values: cJSON has no place for
 * a line. The scan has noted the lines in the order of the text, which is also the order of a walk
 * through the tree, parents first, so the n-th value has the n-th line.
 *
 * Whether the text is JSON is decided by json_text_is_valid. cJSON is more lenient; it only tells
 * where it stopped. */
#include "json.h"

#include <cjson/cJSON.h>

#include "json_scan.h"
#include "sluice/base/secret.h"
#include "sluice/proto/text/json_text.h"
#include "sluice/proto/text/utf8.h"

enum { GIVEN_MAX = 80 };

/* ---- reading ---- */

static enum json_kind kind_of(const cJSON *node)
{
	return cJSON_IsString(node)   ? JSON_STRING
	       : cJSON_IsNumber(node) ? JSON_NUMBER
	       : cJSON_IsArray(node)  ? JSON_LIST
	       : cJSON_IsObject(node) ? JSON_OBJECT
	       : cJSON_IsTrue(node)   ? JSON_TRUE
	       : cJSON_IsFalse(node)  ? JSON_FALSE
				      : JSON_NULL;
}

/* Returns the place behind the last value. Recursion is bounded by JSON_DEPTH_MAX. */
static struct json_value *lay_out(
	const cJSON *node, struct json_value *value, const unsigned **lines)
{
	struct json_value *next = value + 1;
	value->line = *(*lines)++;
	for (const cJSON *child = node->child; child; child = child->next)
		next = lay_out(child, next, lines);
	value->kind = kind_of(node);
	value->size = (unsigned)(next - value);
	value->key = node->string;
	value->string = node->valuestring;
	value->number = node->valuedouble;
	return next;
}

/* Says as much as can be said about a text that the parser gave up at `stop`. */
static void refuse_syntax(const struct json_text *text, const char *stop, struct problems *problems)
{
	struct place place = { text->name, 1 };
	const char *line = text->bytes, *first = text->bytes;
	first += strspn(first, " \t\r\n");
	for (const char *at = text->bytes; at < stop; at++) {
		if (*at == '\n') {
			place.line++;
			line = at + 1;
		}
	}
	if (!*first)
		problems_add(problems, place, "is empty; write a JSON object, such as { … }");
	else if (stop <= first && !strchr("{[", *first))
		problems_add(problems, place, "is not JSON, which begins with \"{\"");
	else
		problems_add(
			problems, place, "is not valid JSON, near column %td", stop - line + 1);
}

static bool build(
	struct json_document *document, const struct json_text *text, struct problems *problems)
{
	const char *stop = text->bytes;
	const unsigned *lines = text->lines;
	bool valid = json_text_is_valid(slice_make(text->bytes, text->len), JSON_DEPTH_MAX);
	cJSON *tree = cJSON_ParseWithLengthOpts(text->bytes, text->len + 1, &stop, true);
	document->root = tree && valid ? calloc(text->n, sizeof(*document->root)) : NULL;
	document->tree = tree;
	if (document->root) {
		lay_out(tree, document->root, &lines);
		return true;
	}
	if (!tree)
		refuse_syntax(text, stop, problems);
	else if (!valid)
		problems_add(problems, (struct place){ text->name, 0 },
			"contains a number or an escape sequence that is not JSON");
	else
		problems->no_memory = true;
	cJSON_Delete(tree);
	return false;
}

bool json_read(struct json_document *ret_document, const char *name, struct slice text,
	struct problems *problems)
{
	struct json_text copy = { name, calloc(1, text.len + 1), text.len,
		calloc(text.len + 1, sizeof(*copy.lines)), 0 };
	bool good = copy.bytes && copy.lines;
	if (good && text.len)
		memcpy(copy.bytes, text.at, text.len);
	if (good)
		good = json_scan(&copy, problems) && build(ret_document, &copy, problems);
	else
		problems->no_memory = true;
	free(copy.lines);
	if (copy.bytes)
		secret_wipe(copy.bytes, copy.len);
	free(copy.bytes);
	return good;
}

void json_finish(struct json_document *document)
{
	const struct json_value *values = document->root;
	for (unsigned i = 0; values && i < values->size; i++)
		if (values[i].string)
			secret_wipe((void *)(uintptr_t)values[i].string, strlen(values[i].string));
	free(document->root);
	cJSON_Delete(document->tree);
}

struct json_value json_literal(const char *text)
{
	struct json_value value = { .kind = JSON_STRING, .size = 1, .string = text };
	cJSON *tree = cJSON_ParseWithOpts(text, NULL, true);
	if (tree) {
		value.kind = kind_of(tree);
		value.number = tree->valuedouble;
	}
	cJSON_Delete(tree);
	return value;
}

/* ---- messages ---- */

static bool may_be_shown(const char *string)
{
	return utf8_is_valid(slice_of(string)) && !strchr(string, '@');
}

static void describe_string(const char *string, char given[GIVEN_MAX])
{
	size_t len = problems_shown_length(string);
	snprintf(given, GIVEN_MAX, "\"%.*s%s\"", (int)len, string, string[len] ? "…" : "");
}

static void describe(const struct json_value *value, bool secret, char given[GIVEN_MAX])
{
	static const char *const words[] = {
		[JSON_NULL] = "null",
		[JSON_FALSE] = "false",
		[JSON_TRUE] = "true",
		[JSON_NUMBER] = "a number",
		[JSON_STRING] = "the given string",
		[JSON_LIST] = "a list",
		[JSON_OBJECT] = "an object",
	};
	if (value->kind == JSON_STRING && !secret && may_be_shown(value->string))
		describe_string(value->string, given);
	else if (value->kind == JSON_NUMBER && !secret)
		snprintf(given, GIVEN_MAX, "%.15g", value->number);
	else
		snprintf(given, GIVEN_MAX, "%s", words[value->kind]);
}

void json_refuse(const struct json_value *value, bool secret, struct problems *problems,
	struct place place, const char *key, const char *takes, const char *why)
{
	char given[GIVEN_MAX];
	describe(value, secret, given);
	if (*why)
		problems_add(
			problems, place, "%s: must be %s, not %s (%s)", key, takes, given, why);
	else
		problems_add(problems, place, "%s: must be %s, not %s", key, takes, given);
}
