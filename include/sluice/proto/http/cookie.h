/* The Cookie header (RFC 6265 §4.2), read as the npm package `cookie` 0.7 reads it, as that is what
 * the backends use: pairs are split at ';'; spaces around names and values are trimmed; pairs
 * without '=' are skipped; the FIRST cookie of a name counts (even if it cannot be decoded); one
 * pair of double quotes is removed; the value is percent-decoded, or stays as it is if it has a
 * broken escape or would not decode to UTF-8. Names are compared with their case. */
#ifndef SLUICE_PROTO_HTTP_COOKIE_H
#define SLUICE_PROTO_HTTP_COOKIE_H

#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/slice.h"

/* Finds cookie `name` in one or several Cookie headers joined with "; ". Gives its value as sent,
 * trimmed and without quotes; absent: there is no such cookie. */
struct slice cookie_find(struct slice header, struct slice name);

/* Percent-decodes such a value, if it can be decoded. Gives the length; -EMSGSIZE: it does not fit
 * in `size` bytes. */
ssize_t cookie_decode(struct slice raw, char *value, size_t size);

#endif
