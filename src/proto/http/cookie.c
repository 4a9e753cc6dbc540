/* Finds one cookie in the Cookie header (RFC 6265 §4.2.1, §5.4).
 *
 * RFC 6265 leaves it to the server how to read what a browser sends back, and servers differ: which
 * of two cookies with one name counts, what quotes mean, what a broken escape does. If the gateway
 * read a header differently than the backend, one cookie could pass here and another one there. So
 * this is the reading of the npm package `cookie`, odd corners included, because the backend logs
 * the user in with it:
 *
 *	connect.sid = "s%3Aabc.def" ; connect.sid=other
 *	^name         ^without one pair of quotes, then percent-decoded
 *	                              ^the next one: frameworks differ in which of them counts
 *
 * A value with broken escapes, or one that does not decode to UTF-8, stays as it is. It then fails
 * the signature, as it does in the backend. */
#include "sluice/proto/http/cookie.h"

#include <errno.h>
#include <string.h>

#include "sluice/proto/text/percent.h"
#include "sluice/proto/text/utf8.h"

static struct slice unquote(struct slice text)
{
	if (text.len == 0 || text.at[0] != '"' || text.at[text.len - 1] != '"')
		return text;
	/* For `cookie`, a lone quote is both ends of a pair. */
	return text.len == 1 ? slice_skip(text, 1) : slice_make(text.at + 1, text.len - 2);
}

struct slice cookie_next(struct slice *header, struct slice name)
{
	while (header->at) {
		struct slice rest = slice_cut(header, ';');
		struct slice pair_name = slice_cut(&rest, '=');
		if (rest.at && slice_equal(slice_trim(pair_name), name))
			return unquote(slice_trim(rest));
	}
	return (struct slice){ NULL, 0 };
}

ssize_t cookie_decode(struct slice raw, char *value, size_t size)
{
	if (raw.len && memchr(raw.at, '%', raw.len)) {
		ssize_t len = percent_decode(raw, value, size);
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
