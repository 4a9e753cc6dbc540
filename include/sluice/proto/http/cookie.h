/* The Cookie header (RFC 6265 §4.2), read as the npm package `cookie` 0.7 reads it, because that is
 * what the backends use: split on ';', blanks around name and value trimmed, pairs without '='
 * skipped, the FIRST cookie of a name wins (even an undecodable one), one pair of double quotes
 * stripped, the value percent-decoded; if it cannot be decoded (bad escape, or not UTF-8 when
 * decoded) the raw text is used. Names are compared case-sensitively. */
#ifndef SLUICE_PROTO_HTTP_COOKIE_H
#define SLUICE_PROTO_HTTP_COOKIE_H

#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/slice.h"

/* Finds cookie `name` in one or several Cookie headers joined with "; ". Gives its value as it
 * stands there, trimmed and without quotes; absent: no such cookie. */
struct slice cookie_find(struct slice header, struct slice name);

/* Writes such a value, percent-decoded if it can be. Gives its length; -EMSGSIZE: it does not fit. */
ssize_t cookie_decode(struct slice raw, char *value, size_t size);

#endif
