/* A recognizer for JSON (RFC 8259 §2-§7).
 *
 * The libraries that build a tree from JSON are lenient, each in its own way: cJSON takes "01", any
 * control character as a blank, a byte order mark, "\uZZZZ" and bytes that are no UTF-8. Where such
 * a reading decides who is logged in, a text that two programs understand in two ways is an attack.
 * So what is JSON is decided here, and only then may others read it.
 *
 * One function for each rule of the grammar, in the words of the RFC. Each takes its part off the
 * front of the scan and says whether it was there. One octet ahead always tells which rule it must
 * be, so nothing is tried twice: once a rule has begun and fails, the text is refused. Only value()
 * calls itself, and never deeper than the caller's limit, so that a peer cannot choose how much
 * stack we use. Every octet is looked at once, and once more as UTF-8 (§8.1). */
#include "sluice/proto/text/json_text.h"

#include "sluice/proto/text/utf8.h"

struct scan {
	const char *at, *end;
};

static bool value(struct scan *scan, unsigned depth_left);

static bool take(struct scan *scan, char octet)
{
	if (scan->at == scan->end || *scan->at != octet)
		return false;
	scan->at++;
	return true;
}

static bool take_any(struct scan *scan, const char *octets)
{
	for (; *octets; octets++) {
		if (take(scan, *octets))
			return true;
	}
	return false;
}

static void skip_blanks(struct scan *scan)
{
	while (take_any(scan, " \t\n\r"))
		;
}

static bool digits(struct scan *scan)
{
	const char *first = scan->at;
	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return scan->at > first;
}

/* A digit after a leading zero is left over, and no rule takes it there. */
static bool number(struct scan *scan)
{
	take(scan, '-');
	if (!take(scan, '0') && !digits(scan))
		return false;
	if (take(scan, '.') && !digits(scan))
		return false;
	if (!take_any(scan, "eE"))
		return true;
	take_any(scan, "+-");
	return digits(scan);
}

static bool escape(struct scan *scan)
{
	if (!take(scan, 'u'))
		return take_any(scan, "\"\\/bfnrt");
	for (int i = 0; i < 4; i++) {
		if (!take_any(scan, "0123456789abcdefABCDEF"))
			return false;
	}
	return true;
}

static bool string_after_quote(struct scan *scan)
{
	while (scan->at < scan->end) {
		char octet = *scan->at++;
		if (octet == '"')
			return true;
		if ((unsigned char)octet < ' ' || (octet == '\\' && !escape(scan)))
			return false;
	}
	return false;
}

static bool literal(struct scan *scan, struct slice word)
{
	if (!slice_starts_with(slice_make(scan->at, (size_t)(scan->end - scan->at)), word))
		return false;
	scan->at += word.len;
	return true;
}

static bool array_after_bracket(struct scan *scan, unsigned depth_left)
{
	skip_blanks(scan);
	if (take(scan, ']'))
		return true;
	do {
		if (!value(scan, depth_left))
			return false;
	} while (take(scan, ','));
	return take(scan, ']');
}

static bool object_after_brace(struct scan *scan, unsigned depth_left)
{
	skip_blanks(scan);
	if (take(scan, '}'))
		return true;
	do {
		skip_blanks(scan);
		if (!take(scan, '"') || !string_after_quote(scan))
			return false;
		skip_blanks(scan);
		if (!take(scan, ':') || !value(scan, depth_left))
			return false;
	} while (take(scan, ','));
	return take(scan, '}');
}

static bool bare_value(struct scan *scan, unsigned depth_left)
{
	if (take(scan, '{'))
		return depth_left && object_after_brace(scan, depth_left - 1);
	if (take(scan, '['))
		return depth_left && array_after_bracket(scan, depth_left - 1);
	if (take(scan, '"'))
		return string_after_quote(scan);
	return literal(scan, SLICE("true")) || literal(scan, SLICE("false")) ||
	       literal(scan, SLICE("null")) || number(scan);
}

static bool value(struct scan *scan, unsigned depth_left)
{
	skip_blanks(scan);
	if (!bare_value(scan, depth_left))
		return false;
	skip_blanks(scan);
	return true;
}

bool json_text_is_valid(struct slice text, unsigned depth_max)
{
	if (text.len == 0 || !utf8_is_valid(text))
		return false;
	struct scan scan = { text.at, text.at + text.len };
	return value(&scan, depth_max) && scan.at == scan.end;
}
