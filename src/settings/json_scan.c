/* A JSON parser knows neither comments nor lines, so the text is scanned first:
 *
 *	{ "path": "/ws",  // where                  the comment becomes blanks, and the lines of the
 *	  "limits": { "channels": 8 } }             values are noted: 1, 1, 2, 2
 *
 * The scan also finds the most common mistakes (a trailing comma, a missing quote) and names them
 * better than "syntax error" would. Messages name a place and never quote the text there, which may
 * be a secret. */
#include "json_scan.h"

#include <string.h>

#include "sluice/base/slice.h"
#include "sluice/proto/text/utf8.h"

struct scan {
	struct json_text *text;
	struct problems *problems;
	char *at, *end;
	unsigned line;
	unsigned depth;
	char last; /* the last byte that was neither blank nor part of a comment */
	unsigned last_line;
	unsigned key_line; /* of the key whose value comes next; 0: there is none */
};

/* For the tail of a condition: adds the problem and returns false. */
static bool refuse(const struct scan *scan, unsigned line, const char *message)
{
	problems_add(scan->problems, (struct place){ scan->text->name, line }, "%s", message);
	return false;
}

static void note_value(struct scan *scan)
{
	scan->text->lines[scan->text->n++] = scan->key_line ? scan->key_line : scan->line;
	scan->key_line = 0;
}

/* At a colon: the string before it was noted as a value, but is the key of the next one. */
static void note_key(struct scan *scan)
{
	if (scan->text->n)
		scan->key_line = scan->text->lines[--scan->text->n];
}

/* Only valid UTF-8, and of the control characters only those that are blanks. */
static bool check_bytes(struct scan *scan)
{
	struct utf8 utf8 = { 0 };
	unsigned line = 1;
	for (const char *at = scan->at; at < scan->end; at++) {
		if (!utf8_feed(&utf8, slice_make(at, 1)))
			return refuse(scan, line, "is not valid UTF-8");
		if ((unsigned char)*at < ' ' && !strchr("\t\r\n", *at ? *at : 1))
			return refuse(scan, line, "contains a control character");
		line += *at == '\n';
	}
	return utf8_is_complete(&utf8) || refuse(scan, line, "is not valid UTF-8");
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
			return refuse(scan, line, "this comment is never closed");
		blank(scan);
	}
	blank(scan);
	blank(scan);
	return true;
}

static bool scan_string(struct scan *scan)
{
	note_value(scan);
	for (scan->at++; scan->at < scan->end && *scan->at != '"'; scan->at++) {
		if (*scan->at == '\n' || *scan->at == '\r')
			break;
		if (*scan->at == '\t')
			return refuse(
				scan, scan->line, "a tab inside a string must be written as \\t");
		if (starts_with(scan, SLICE("\\u0000")))
			return refuse(scan, scan->line, "a string must not contain \\u0000");
		if (*scan->at == '\\' && scan->at + 1 < scan->end && scan->at[1] != '\n')
			scan->at++;
	}
	if (scan->at == scan->end || *scan->at != '"')
		return refuse(scan, scan->line, "a string has no closing quote on this line");
	scan->at++;
	return true;
}

static bool scan_open(struct scan *scan)
{
	note_value(scan);
	scan->at++;
	return ++scan->depth <= JSON_DEPTH_MAX ||
	       refuse(scan, scan->line, "is nested more than 16 levels deep");
}

static bool scan_close(struct scan *scan)
{
	if (scan->last == ',')
		return refuse(scan, scan->last_line,
			"JSON allows no comma before a closing bracket; remove it");
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
		return scan_string(scan);
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

bool json_scan(struct json_text *text, struct problems *problems)
{
	struct scan scan = { text, problems, text->bytes, text->bytes + text->len, .line = 1 };
	if (!check_bytes(&scan))
		return false;
	if (starts_with(&scan, SLICE("\xef\xbb\xbf"))) /* a byte order mark, from some editors */
		memset(scan.at, ' ', 3);
	while (scan.at < scan.end) {
		if (!scan_next(&scan))
			return false;
	}
	return true;
}
