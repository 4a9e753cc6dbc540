/* A view of bytes that somebody else owns. Not NUL-terminated; may hold any byte; {NULL, 0} is
 * "absent" and is equal to the empty slice. */
#ifndef SLUICE_BASE_SLICE_H
#define SLUICE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
	const char *at;
	size_t len;
};

/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){ "" literal, sizeof(literal) - 1 })

/* For printf's "%.*s". */
#define SLICE_ARGS(s) (int)(s).len, (s).at

static inline struct slice slice_make(const char *at, size_t len)
{
	return (struct slice){ at, len };
}

static inline struct slice slice_of(const char *string)
{
	return (struct slice){ string, string ? strlen(string) : 0 };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* ASCII case does not matter (header names, tokens). */
static inline bool slice_equal_nocase(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.at, b.at, a.len) == 0);
}

static inline bool slice_starts_with(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_equal(slice_make(s.at, prefix.len), prefix);
}

/* `s` without its first `n` bytes; `n` is at most s.len. */
static inline struct slice slice_skip(struct slice s, size_t n)
{
	return slice_make(s.at + n, s.len - n);
}

/* `s` without spaces and tabs at both ends. */
static inline struct slice slice_trim(struct slice s)
{
	while (s.len && (s.at[0] == ' ' || s.at[0] == '\t'))
		s = slice_skip(s, 1);
	while (s.len && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Cuts the part up to `separator` off the front of `rest` and gives it; the separator is dropped.
 * Without one, all of `rest` is given and `rest` becomes absent. Loop `while (rest.at)`. */
static inline struct slice slice_cut(struct slice *rest, char separator)
{
	const char *end = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
	struct slice part = *rest;
	if (end) {
		part.len = (size_t)(end - rest->at);
		*rest = slice_skip(*rest, part.len + 1);
	} else {
		*rest = (struct slice){ NULL, 0 };
	}
	return part;
}

#endif
