/* Reads the Cookie header (RFC 6265 §4.2) exactly as the npm package `cookie` 0.7 does, because the
 * backends use that. Pairs are split at ';'. Spaces around names and values are trimmed. Pairs
 * without '=' are skipped. One pair of double quotes is removed. The value is percent-decoded, or
 * left unchanged if it has a broken escape or would not decode to UTF-8. Names are case-sensitive.
 * Which of several cookies of one name counts is the caller's choice. */
#ifndef SLUICE_PROTO_HTTP_COOKIE_H
#define SLUICE_PROTO_HTTP_COOKIE_H

#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/slice.h"

/* Takes everything up to and including the first cookie `name` off the front of one or several
 * Cookie headers joined with "; ". Returns its value as sent, trimmed and without quotes; absent:
 * there is no such cookie, and the header is absent, too. */
struct slice cookie_next(struct slice *header, struct slice name);

/* The first cookie of that name, the one that `cookie` takes. */
static inline struct slice cookie_find(struct slice header, struct slice name)
{
	return cookie_next(&header, name);
}

/* Percent-decodes such a value, if it can be decoded. Returns the length; -EMSGSIZE: it does not
 * fit in `size` bytes. */
ssize_t cookie_decode(struct slice raw, char *value, size_t size);

#endif
