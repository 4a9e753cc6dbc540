/* JSON values that know the line where they were written. */
#ifndef SLUICE_SETTINGS_JSON_H
#define SLUICE_SETTINGS_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "problems.h"
#include "sluice/base/slice.h"

enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_LIST,
	JSON_OBJECT,
};

/* A value is followed in memory by all values inside it, in the order of the text. */
struct json_value {
	enum json_kind kind;
	unsigned line;      /* where it begins, or the key before it; 0: unknown */
	unsigned size;      /* how many values this is, with all inside it */
	const char *key;    /* of an object's member */
	const char *string; /* of a string, without a NUL inside */
	double number;      /* of a number */
};

/* Each element of a list, or member of an object. */
#define JSON_EACH(child, parent) \
	for (const struct json_value *child = (parent) + 1; child < (parent) + (parent)->size; \
		child += child->size)

struct json_document {
	struct json_value *root; /* with its strings, valid until json_finish */
	void *tree;              /* private */
};

/* Reads JSON with comments, nested at most 16 levels deep; memory is proportional to the text.
 * `name` is used in messages. False: the problem has been added, and there is nothing to finish. */
bool json_read(struct json_document *ret_document, const char *name, struct slice text,
	struct problems *problems);
void json_finish(struct json_document *document);

/* A string from outside that is to be a number, true, false or null, without a line. Everything
 * else becomes a string, and refers to `text`; or a list or an object, but without its elements. */
struct json_value json_literal(const char *text);

static inline bool json_is_string(const struct json_value *value)
{
	return value->kind == JSON_STRING;
}

/* Adds "KEY: must be TAKES, not VALUE (WHY)", without the last part if `why` is "". A secret is not
 * shown, nor is a string with an "@", which may be a URL with a password in the wrong place. */
void json_refuse(const struct json_value *value, bool secret, struct problems *problems,
	struct place place, const char *key, const char *takes, const char *why);

#endif
