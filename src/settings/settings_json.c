/* JSON with comments, read so that messages can name lines.
 *
 * cJSON builds the tree, but knows neither comments nor lines. So the text is scanned once before:
 *
 *	{ "path": "/ws",  // where                  the comment is blanked in place, so that every
 *	  "limits": { "channels": 8 } }             octet stays where it was, and the lines of the
 *	                                            values are noted: 1, 1, 2, 2
 *
 * A text has its values in the order in which a walk through the tree meets them, parents first, so
 * afterwards the n-th value of the tree is on the n-th line noted. The line is kept in the tree, in
 * `valueint`: cJSON's rounded copy of a number, which nothing here reads. A member's line is that of
 * its key.
 *
 * The scan also finds what people get wrong most often (a trailing comma, a missing quote), to say
 * it in better words than "syntax error". Whether it is JSON is decided by json_text_is_valid; cJSON
 * is more lenient, and tells only where it stopped. Messages name a place, never the text there,
 * which may be a secret. */
#include "settings_internal.h"

#include "sluice/proto/text/json_text.h"
#include "sluice/proto/text/utf8.h"

enum { JSON_DEPTH_MAX = 16 };

struct scan {
	struct loading *loading;
	const char *name;
	char *at, *end;
	unsigned line;
	unsigned depth;
	char last; /* the last octet that was neither blank nor comment */
	unsigned last_line;
	unsigned key_line; /* 0: no key waits for its value */
	unsigned *lines;   /* of every value */
	size_t n;
};

/* For the tail of a condition: tells the problem and gives false. */
static bool refuse(const struct scan *scan, unsigned line, const char *message)
{
	loading_problem(scan->loading, (struct place){ scan->name, line }, "%s", message);
	return false;
}

static void note_value(struct scan *scan)
{
	scan->lines[scan->n++] = scan->key_line ? scan->key_line : scan->line;
	scan->key_line = 0;
}

/* What was noted as a value, a text, was the key of what comes. */
static void note_key(struct scan *scan)
{
	if (scan->n)
		scan->key_line = scan->lines[--scan->n];
}

/* Only valid UTF-8, and of the control characters only those that are blanks. */
static bool check_octets(struct scan *scan)
{
	struct utf8 utf8 = { 0 };
	unsigned line = 1;
	for (const char *at = scan->at; at < scan->end; at++) {
		if (!utf8_feed(&utf8, slice_make(at, 1)))
			return refuse(scan, line, "is not UTF-8");
		if ((unsigned char)*at < ' ' && !strchr("\t\r\n", *at ? *at : 1))
			return refuse(scan, line, "holds a control character");
		line += *at == '\n';
	}
	return utf8_is_complete(&utf8) || refuse(scan, line, "is not UTF-8");
}

static bool starts_with(const struct scan *scan, struct slice prefix)
{
	return slice_starts_with(slice_make(scan->at, (size_t)(scan->end - scan->at)), prefix);
}

static void blank(struct scan *scan)
{
	if (*scan->at == '\n')
		scan->line++;
	else
		*scan->at = ' ';
	scan->at++;
}

static bool blank_comment(struct scan *scan)
{
	unsigned line = scan->line;
	if (starts_with(scan, SLICE("//"))) {
		while (scan->at < scan->end && *scan->at != '\n')
			blank(scan);
		return true;
	}
	blank(scan);
	blank(scan);
	while (!starts_with(scan, SLICE("*/"))) {
		if (scan->at == scan->end)
			return refuse(scan, line, "this comment has no end");
		blank(scan);
	}
	blank(scan);
	blank(scan);
	return true;
}

static bool scan_text(struct scan *scan)
{
	note_value(scan);
	for (scan->at++; scan->at < scan->end && *scan->at != '"'; scan->at++) {
		if (*scan->at == '\n' || *scan->at == '\r')
			break;
		if (*scan->at == '\t')
			return refuse(scan, scan->line, "a tab within a text is written \\t");
		if (starts_with(scan, SLICE("\\u0000")))
			return refuse(scan, scan->line, "a text must not hold \\u0000");
		if (*scan->at == '\\' && scan->at + 1 < scan->end && scan->at[1] != '\n')
			scan->at++;
	}
	if (scan->at == scan->end || *scan->at != '"')
		return refuse(scan, scan->line, "a text has no closing quote on this line");
	scan->at++;
	return true;
}

static bool scan_open(struct scan *scan)
{
	note_value(scan);
	scan->at++;
	return ++scan->depth <= JSON_DEPTH_MAX ||
	       refuse(scan, scan->line, "is nested more than 16 deep");
}

static bool scan_close(struct scan *scan)
{
	if (scan->last == ',')
		return refuse(scan, scan->last_line,
			"a comma before a closing bracket is not JSON; take it away");
	if (scan->depth)
		scan->depth--;
	scan->at++;
	return true;
}

/* A number, true, false, null, or rubbish. */
static bool scan_literal(struct scan *scan)
{
	note_value(scan);
	do
		scan->at++;
	while (scan->at < scan->end && !strchr(" \t\r\n,:{}[]\"/", *scan->at));
	return true;
}

static bool scan_token(struct scan *scan)
{
	switch (*scan->at) {
	case '"':
		return scan_text(scan);
	case '{':
	case '[':
		return scan_open(scan);
	case '}':
	case ']':
		return scan_close(scan);
	case ':':
		note_key(scan);
		scan->at++;
		return true;
	case ',':
		scan->at++;
		return true;
	default:
		return scan_literal(scan);
	}
}

static bool scan_next(struct scan *scan)
{
	if (starts_with(scan, SLICE("//")) || starts_with(scan, SLICE("/*")))
		return blank_comment(scan);
	if (strchr(" \t\r\n", *scan->at)) {
		scan->line += *scan->at++ == '\n';
		return true;
	}
	char token = *scan->at;
	unsigned line = scan->line;
	bool good = scan_token(scan);
	scan->last = token;
	scan->last_line = line;
	return good;
}

static bool scan_all(struct scan *scan)
{
	if (!check_octets(scan))
		return false;
	if (starts_with(scan, SLICE("\xef\xbb\xbf"))) /* a byte order mark, from some editors */
		memset(scan->at, ' ', 3);
	while (scan->at < scan->end) {
		if (!scan_next(scan))
			return false;
	}
	return true;
}

static void refuse_at(const struct scan *scan, struct slice text, const char *stop)
{
	unsigned line = 1;
	const char *begin = text.at;
	for (const char *at = text.at; at < stop; at++) {
		if (*at == '\n') {
			line++;
			begin = at + 1;
		}
	}
	loading_problem(scan->loading, (struct place){ scan->name, line },
		"cannot be read as JSON, near column %td", stop - begin + 1);
}

/* Recursion is bounded by JSON_DEPTH_MAX. */
static const unsigned *put_lines(cJSON *value, const unsigned *lines)
{
	for (; value; value = value->next) {
		value->valueint = (int)*lines++;
		lines = put_lines(value->child, lines);
	}
	return lines;
}

static cJSON *build(struct scan *scan, struct slice text)
{
	const char *stop = text.at;
	bool valid = json_text_is_valid(text, JSON_DEPTH_MAX);
	cJSON *root = cJSON_ParseWithLengthOpts(text.at, text.len + 1, &stop, true);
	if (root && valid) {
		put_lines(root, scan->lines);
		return root;
	}
	if (root)
		refuse(scan, 0, "holds a number or an escape that is not JSON");
	else
		refuse_at(scan, text, stop);
	cJSON_Delete(root);
	return NULL;
}

cJSON *settings_json_parse(struct loading *loading, const char *name, struct slice text)
{
	char *copy = calloc(1, text.len + 1);
	unsigned *lines = calloc(text.len + 1, sizeof(*lines));
	cJSON *root = NULL;
	if (copy && lines) {
		if (text.len)
			memcpy(copy, text.at, text.len);
		struct scan scan = { loading, name, copy, copy + text.len, 1, .lines = lines };
		if (scan_all(&scan))
			root = build(&scan, slice_make(copy, text.len));
	} else {
		loading->no_memory = true;
	}
	free(lines);
	free(copy);
	return root;
}
