/* A recognizer for JSON (RFC 8259 §2-§7).
 *
 * Libraries that build a tree from JSON are lenient, each in its own way: cJSON accepts "01", any
 * control character as whitespace, a byte order mark, "\uZZZZ" and bytes that are not UTF-8. If the
 * result decides who is logged in, a text that two programs read differently is an attack. So this
 * module decides what is JSON, and other code reads only what it has accepted.
 *
 * Each rule of the grammar is a function named after it. It takes its part off the front of `rest`
 * and says whether the part was there. One byte ahead always determines the rule, so nothing is
 * tried twice: if a rule fails after it has begun, the text is not JSON. Only value() recurses, and
 * the caller limits how deep, so that a peer cannot choose how much stack is used. Every byte is
 * read once here and once as UTF-8 (§8.1). */
#include "sluice/proto/text/json_text.h"

#include "sluice/proto/text/hex.h"
#include "sluice/proto/text/utf8.h"

static bool value(struct slice *rest, unsigned depth_left);

static bool take_any(struct slice *rest, const char *chars)
{
	for (; *chars; chars++) {
		if (slice_take_char(rest, *chars))
			return true;
	}
	return false;
}

static void skip_whitespace(struct slice *rest)
{
	while (take_any(rest, " \t\n\r"))
		;
}

static bool digits(struct slice *rest)
{
	size_t len = 0;
	while (len < rest->len && rest->at[len] >= '0' && rest->at[len] <= '9')
		len++;
	*rest = slice_skip(*rest, len);
	return len > 0;
}

/* A digit after a leading zero stays in `rest`, where no rule accepts it. */
static bool number(struct slice *rest)
{
	slice_take_char(rest, '-');
	if (!slice_take_char(rest, '0') && !digits(rest))
		return false;
	if (slice_take_char(rest, '.') && !digits(rest))
		return false;
	if (!take_any(rest, "eE"))
		return true;
	take_any(rest, "+-");
	return digits(rest);
}

static bool escape(struct slice *rest)
{
	if (!slice_take_char(rest, 'u'))
		return take_any(rest, "\"\\/bfnrt");
	for (size_t i = 0; i < 4; i++) {
		if (i >= rest->len || hex_digit(rest->at[i]) < 0)
			return false;
	}
	*rest = slice_skip(*rest, 4);
	return true;
}

static bool is_plain(char c)
{
	return (unsigned char)c >= ' ' && c != '"' && c != '\\';
}

static bool string_after_quote(struct slice *rest)
{
	do {
		size_t plain = 0;
		while (plain < rest->len && is_plain(rest->at[plain]))
			plain++;
		*rest = slice_skip(*rest, plain);
		if (slice_take_char(rest, '"'))
			return true;
	} while (slice_take_char(rest, '\\') && escape(rest));
	return false;
}

static bool array_after_bracket(struct slice *rest, unsigned depth_left)
{
	skip_whitespace(rest);
	if (slice_take_char(rest, ']'))
		return true;
	do {
		if (!value(rest, depth_left))
			return false;
	} while (slice_take_char(rest, ','));
	return slice_take_char(rest, ']');
}

static bool object_after_brace(struct slice *rest, unsigned depth_left)
{
	skip_whitespace(rest);
	if (slice_take_char(rest, '}'))
		return true;
	do {
		skip_whitespace(rest);
		if (!slice_take_char(rest, '"') || !string_after_quote(rest))
			return false;
		skip_whitespace(rest);
		if (!slice_take_char(rest, ':') || !value(rest, depth_left))
			return false;
	} while (slice_take_char(rest, ','));
	return slice_take_char(rest, '}');
}

static bool bare_value(struct slice *rest, unsigned depth_left)
{
	if (slice_take_char(rest, '{'))
		return depth_left && object_after_brace(rest, depth_left - 1);
	if (slice_take_char(rest, '['))
		return depth_left && array_after_bracket(rest, depth_left - 1);
	if (slice_take_char(rest, '"'))
		return string_after_quote(rest);
	return slice_take(rest, SLICE("true")) || slice_take(rest, SLICE("false")) ||
	       slice_take(rest, SLICE("null")) || number(rest);
}

static bool value(struct slice *rest, unsigned depth_left)
{
	skip_whitespace(rest);
	if (!bare_value(rest, depth_left))
		return false;
	skip_whitespace(rest);
	return true;
}

bool json_text_is_valid(struct slice text, unsigned depth_max)
{
	if (text.len == 0 || !utf8_is_valid(text))
		return false;
	return value(&text, depth_max) && text.len == 0;
}
