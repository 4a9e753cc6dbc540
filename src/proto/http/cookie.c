/* Finds one cookie in the Cookie header (RFC 6265 §4.2.1, §5.4).
 *
 * RFC 6265 leaves to the server how it reads what a browser sends back, and servers differ: which
 *of two cookies of one name counts, what quotes mean, what a broken escape does. A gateway that
 *reads a header otherwise than the backend would let one cookie pass here and another one there. So
 *this is the reading of the npm package `cookie`, odd corners included, because that is the one
 *that signed in the user:
 *
 *	connect.sid = "s%3Aabc.def" ; connect.sid=other
 *	^name         ^one pair of quotes off, then percent-decoded
 *	                              ^never looked at: the first of a name wins
 *
 * A value whose escapes are broken, or do not decode to UTF-8, is its own raw text. It will fail
 *the signature then, as it does in the backend. Header names are without case, cookie names are
 *not. */
#include "sluice/proto/http/cookie.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "sluice/proto/text/utf8.h"

static int hex_digit(char octet)
{
	if (octet >= '0' && octet <= '9')
		return octet - '0';
	if (octet >= 'a' && octet <= 'f')
		return octet - 'a' + 10;
	if (octet >= 'A' && octet <= 'F')
		return octet - 'A' + 10;
	return -1;
}

/* The octet that the escape at the front of `text` means, or -1. */
static int escaped_octet(struct slice text)
{
	if (text.len < 3)
		return -1;
	int high = hex_digit(text.at[1]), low = hex_digit(text.at[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static ssize_t decode(struct slice text, char *decoded, size_t size)
{
	size_t len = 0;
	while (text.len) {
		bool escape = text.at[0] == '%';
		int octet = escape ? escaped_octet(text) : (unsigned char)text.at[0];
		if (octet < 0)
			return -EINVAL;
		if (len == size)
			return -EMSGSIZE;
		decoded[len++] = (char)octet;
		text = slice_skip(text, escape ? 3 : 1);
	}
	return (ssize_t)len;
}

static struct slice unquote(struct slice text)
{
	if (text.len == 0 || text.at[0] != '"' || text.at[text.len - 1] != '"')
		return text;
	/* A lone quote is both ends of a pair, for `cookie`. */
	return text.len == 1 ? slice_skip(text, 1) : slice_make(text.at + 1, text.len - 2);
}

struct slice cookie_find(struct slice header, struct slice name)
{
	while (header.at) {
		struct slice rest = slice_cut(&header, ';');
		struct slice pair_name = slice_cut(&rest, '=');
		if (rest.at && slice_equal(slice_trim(pair_name), name))
			return unquote(slice_trim(rest));
	}
	return (struct slice){ NULL, 0 };
}

ssize_t cookie_decode(struct slice raw, char *value, size_t size)
{
	if (raw.len && memchr(raw.at, '%', raw.len)) {
		ssize_t len = decode(raw, value, size);
		if (len == -EMSGSIZE)
			return len;
		if (len >= 0 && utf8_is_valid(slice_make(value, (size_t)len)))
			return len;
	}
	if (raw.len > size)
		return -EMSGSIZE;
	if (raw.len)
		memcpy(value, raw.at, raw.len);
	return (ssize_t)raw.len;
}

ssize_t cookie_get(struct slice header, struct slice name, char *value, size_t size)
{
	struct slice raw = cookie_find(header, name);
	return raw.at ? cookie_decode(raw, value, size) : -ENOENT;
}

ssize_t percent_decode(struct slice text, char *decoded)
{
	return decode(text, decoded, text.len);
}
