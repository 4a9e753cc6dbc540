/* Each rule of the grammar takes its part off the front of `rest` and says whether the part was
 * there. One byte ahead always determines the rule, so nothing is tried twice: if a rule fails
 * after it has begun, the text is not JSON. */
#include "sluice/proto/text/json_token.h"

#include <errno.h>

#include "sluice/proto/text/hex.h"
#include "sluice/proto/text/utf8.h"

void json_skip_whitespace(struct slice *rest)
{
	size_t len = 0;
	while (len < rest->len && (rest->at[len] == ' ' || rest->at[len] == '\t' ||
					  rest->at[len] == '\n' || rest->at[len] == '\r'))
		len++;
	*rest = slice_skip(*rest, len);
}

/* ---- numbers ---- */

static bool digits(struct slice *rest)
{
	size_t len = 0;
	while (len < rest->len && rest->at[len] >= '0' && rest->at[len] <= '9')
		len++;
	*rest = slice_skip(*rest, len);
	return len > 0;
}

static bool number(struct slice *rest)
{
	slice_take_char(rest, '-');
	if (!slice_take_char(rest, '0') && !digits(rest))
		return false;
	if (slice_take_char(rest, '.') && !digits(rest))
		return false;
	if (!slice_take_char(rest, 'e') && !slice_take_char(rest, 'E'))
		return true;
	if (!slice_take_char(rest, '+'))
		slice_take_char(rest, '-');
	return digits(rest);
}

bool json_take_number(struct slice *rest, struct slice *ret_text)
{
	struct slice before = *rest;
	if (!number(rest))
		return false;
	*ret_text = slice_make(before.at, before.len - rest->len);
	return true;
}

/* ---- strings ---- */

/* The length of the escape behind a backslash; 0: it is none. */
static size_t escape_len(struct slice text)
{
	static const bool single[256] = {
		['"'] = true,
		['\\'] = true,
		['/'] = true,
		['b'] = true,
		['f'] = true,
		['n'] = true,
		['r'] = true,
		['t'] = true,
	};
	if (text.len && single[(unsigned char)text.at[0]])
		return 1;
	if (text.len < 5 || text.at[0] != 'u')
		return 0;
	for (size_t i = 1; i <= 4; i++) {
		if (hex_digit(text.at[i]) < 0)
			return 0;
	}
	return 5;
}

static bool is_plain(char c)
{
	return (unsigned char)c >= ' ' && c != '"' && c != '\\';
}

static size_t plain_len(struct slice text)
{
	size_t len = 0;
	while (len < text.len && is_plain(text.at[len]))
		len++;
	return len;
}

bool json_take_string(struct slice *rest, struct slice *ret_raw)
{
	size_t len = 0, more = 1;
	while (more) {
		len += plain_len(slice_skip(*rest, len));
		if (len == rest->len || rest->at[len] != '\\')
			break;
		more = escape_len(slice_skip(*rest, len + 1));
		len += 1 + more;
	}
	*ret_raw = slice_take_bytes(rest, len);
	return more && slice_take_char(rest, '"');
}

/* Takes the code unit of "uXXXX". -1: something else is there. */
static int take_unit(struct slice *rest)
{
	if (rest->len < 5 || rest->at[0] != 'u')
		return -1;
	int unit = (int)hex_four(rest->at + 1);
	*rest = slice_skip(*rest, 5);
	return unit;
}

/* Takes a character of Unicode, of which the first code unit was `unit`. 0: it is none, or is
 * NUL. */
static unsigned take_character(struct slice *rest, int unit)
{
	if (unit < 0xd800 || unit > 0xdfff)
		return (unsigned)unit;
	if (unit >= 0xdc00 || !slice_take_char(rest, '\\'))
		return 0;
	int low = take_unit(rest);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	return 0x10000 + (((unsigned)unit - 0xd800) << 10) + ((unsigned)low - 0xdc00);
}

static size_t print_utf8(unsigned character, char *at)
{
	static const unsigned char heads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
	for (size_t i = len; i-- > 1; character >>= 6)
		at[i] = (char)(0x80 | (character & 0x3f));
	at[0] = (char)(heads[len] | character);
	return len;
}

/* Takes an escape whose backslash has been taken. Returns the length; 0: it is no character. */
static size_t decode_escape(struct slice *rest, char *at)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int unit = take_unit(rest);
	if (unit >= 0) {
		unsigned character = take_character(rest, unit);
		return character ? print_utf8(character, at) : 0;
	}
	*at = to[strchr(from, rest->at[0]) - from];
	*rest = slice_skip(*rest, 1);
	return 1;
}

ssize_t json_decode_string(struct slice raw, char *room)
{
	size_t len = 0;
	if (!utf8_is_valid(raw))
		return -EILSEQ;
	while (raw.len) {
		struct slice plain = slice_take_bytes(&raw, plain_len(raw));
		memcpy(room + len, plain.at, plain.len);
		len += plain.len;
		if (!slice_take_char(&raw, '\\'))
			continue;
		size_t more = decode_escape(&raw, room + len);
		if (!more)
			return -EILSEQ;
		len += more;
	}
	return (ssize_t)len;
}
