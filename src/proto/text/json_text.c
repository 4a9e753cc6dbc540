/* A recognizer for JSON (RFC 8259 §2-§7).
 *
 * Libraries that build a tree from JSON are lenient, each in its own way: cJSON accepts "01", any
 * control character as whitespace, a byte order mark, "\uZZZZ" and bytes that are not UTF-8. If the
 * result decides who is logged in, a text that two programs read differently is an attack. So this
 * module decides what is JSON, and other code reads only what it has accepted.
 *
 * The tokens are json_token's; each rule here takes what they make up off the front of `rest`. Only
 * value() recurses, and the caller limits how deep, so that a peer cannot choose how much stack is
 * used. Every byte is read once here and once as UTF-8 (§8.1). */
#include "sluice/proto/text/json_text.h"

#include "sluice/proto/text/json_token.h"
#include "sluice/proto/text/utf8.h"

static bool value(struct slice *rest, unsigned depth_left);

static bool string_after_quote(struct slice *rest)
{
	struct slice raw;
	return json_take_string(rest, &raw);
}

static bool number(struct slice *rest)
{
	struct slice text;
	return json_take_number(rest, &text);
}

static bool array_after_bracket(struct slice *rest, unsigned depth_left)
{
	json_skip_whitespace(rest);
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
	json_skip_whitespace(rest);
	if (slice_take_char(rest, '}'))
		return true;
	do {
		json_skip_whitespace(rest);
		if (!slice_take_char(rest, '"') || !string_after_quote(rest))
			return false;
		json_skip_whitespace(rest);
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
	json_skip_whitespace(rest);
	if (!bare_value(rest, depth_left))
		return false;
	json_skip_whitespace(rest);
	return true;
}

bool json_text_is_valid(struct slice text, unsigned depth_max)
{
	if (text.len == 0 || !utf8_is_valid(text))
		return false;
	return value(&text, depth_max) && text.len == 0;
}
