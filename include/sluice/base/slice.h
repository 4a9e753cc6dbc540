/* A view of bytes that somebody else owns. Not NUL-terminated; may hold any byte. {NULL, 0} is
 * "absent", and equals the empty slice. */
#ifndef SLUICE_BASE_SLICE_H
#define SLUICE_BASE_SLICE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

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

/* Ignores ASCII case (header names, tokens). */
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

/* `s` without one end of line, which editors and `echo` leave behind. */
static inline struct slice slice_without_line_end(struct slice s)
{
	if (s.len && s.at[s.len - 1] == '\n')
		s.len--;
	if (s.len && s.at[s.len - 1] == '\r')
		s.len--;
	return s;
}

/* Cuts the part up to `separator` off the front of `rest` and returns it; the separator is dropped.
 * Without a separator, returns all of `rest`, which becomes absent. Loop `while (rest.at)`. */
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

/* Takes the first `n` bytes off the front of `rest` and returns them; `n` is at most rest->len. */
static inline struct slice slice_take_bytes(struct slice *rest, size_t n)
{
	struct slice part = slice_make(rest->at, n);
	*rest = slice_skip(*rest, n);
	return part;
}

/* Takes `c` off the front of `rest`. False: `rest` does not begin with `c` and is unchanged. */
static inline bool slice_take_char(struct slice *rest, char c)
{
	if (!rest->len || rest->at[0] != c)
		return false;
	*rest = slice_skip(*rest, 1);
	return true;
}

/* The same for a string. */
static inline bool slice_take(struct slice *rest, struct slice prefix)
{
	if (!slice_starts_with(*rest, prefix))
		return false;
	*rest = slice_skip(*rest, prefix.len);
	return true;
}

/* Writes the parts one after another. Returns the length; -EMSGSIZE: they do not fit in `size`
 * bytes. */
static inline ssize_t slice_join(const struct slice *parts, size_t n, char *text, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].len > size - len)
			return -EMSGSIZE;
		if (parts[i].len)
			memcpy(text + len, parts[i].at, parts[i].len);
		len += parts[i].len;
	}
	return (ssize_t)len;
}

/* Reads a decimal number from 0 to `max`, without a sign or spaces. False: it is not such a
 * number. */
static inline bool slice_number(struct slice digits, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	for (size_t i = 0; i < digits.len; i++) {
		uint64_t digit = (uint64_t)(unsigned char)digits.at[i] - '0';
		if (digit > 9 || number > max / 10 || digit > max - number * 10)
			return false;
		number = number * 10 + digit;
	}
	*ret_number = number;
	return digits.len > 0;
}

#endif
