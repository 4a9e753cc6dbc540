/* What serialize() writes, read once from front to back and written as JSON on the way.
 *
 *	N;  b:1;  i:42;  d:0.5;  s:5:"octets";         a text says how long it is, and has no escapes
 *	a:2:{KEY VALUE KEY VALUE}                       keys are i or s
 *	O:3:"Foo":1:{s:1:"a";i:1;}  C:3:"Foo":2:{…}     objects; E:5:"A:One"; of an enumeration
 *	R:2;  r:2;                                      the second value once more
 *
 * PHP has one array for what JSON has two of. A list is one whose keys count from 0, and that is only
 * known at its end; so each array is passed over once before it is written, with the printer muted. What
 * is muted does not look ahead itself, so a record is read at most once for each level that it is deep.
 *
 * An object belongs to classes that only its application has. All that can be said of it is that it is
 * there, which is {}; but it has to be read, for what stands behind it. A reference says even less: it
 * may be to a null. So it is null, and whoever asks whether something is there gets a no. */
#include "sluice/proto/record/php_value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sluice/proto/record/session_tree.h"
#include "sluice/proto/text/json_print.h"
#include "sluice/proto/text/json_text.h"

struct scan {
	struct slice rest;
	struct json_printer printer;
};

/* ---- pieces ---- */

static bool take(struct scan *scan, struct slice text)
{
	if (!slice_starts_with(scan->rest, text))
		return false;
	scan->rest = slice_skip(scan->rest, text.len);
	return true;
}

/* Up to `end`, which is dropped; `max` octets at most. */
static bool take_until(struct scan *scan, char end, size_t max, struct slice *taken)
{
	size_t len = MIN(scan->rest.len, max + 1);
	const char *at = len ? memchr(scan->rest.at, end, len) : NULL;
	if (!at)
		return false;
	*taken = slice_make(scan->rest.at, (size_t)(at - scan->rest.at));
	scan->rest = slice_skip(scan->rest, taken->len + 1);
	return true;
}

/* A count, with what ends it; no record holds more than 9 digits' worth of anything. */
static bool take_count(struct scan *scan, char end, size_t *count)
{
	struct slice digits;
	*count = 0;
	if (!take_until(scan, end, 9, &digits) || digits.len == 0)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return false;
		*count = *count * 10 + (size_t)(digits.at[i] - '0');
	}
	return true;
}

/* `len:"octets"` */
static bool take_text(struct scan *scan, struct slice *text)
{
	size_t len;
	if (!take_count(scan, ':', &len) || !take(scan, SLICE("\"")) || len > scan->rest.len)
		return false;
	*text = slice_make(scan->rest.at, len);
	scan->rest = slice_skip(scan->rest, len);
	return take(scan, SLICE("\""));
}

static bool is_number(struct slice text)
{
	return text.len && (text.at[0] == '-' || (text.at[0] >= '0' && text.at[0] <= '9')) &&
	       json_text_is_valid(text, 0);
}

/* ---- values ---- */

static int value(struct scan *scan, unsigned depth_left);

static int null(struct scan *scan)
{
	return json_print(&scan->printer, SLICE("null"));
}

static int boolean(struct scan *scan)
{
	if (take(scan, SLICE("1;")))
		return json_print(&scan->printer, SLICE("true"));
	return take(scan, SLICE("0;")) ? json_print(&scan->printer, SLICE("false")) : -EINVAL;
}

/* Its digits are let through only if they are a number: they come unquoted. */
static int number(struct scan *scan)
{
	struct slice digits;
	if (!take_until(scan, ';', 64, &digits))
		return -EINVAL;
	if (is_number(digits))
		return json_print(&scan->printer, digits);
	bool special = slice_equal(digits, SLICE("INF")) || slice_equal(digits, SLICE("-INF")) ||
		       slice_equal(digits, SLICE("NAN"));
	return special ? null(scan) : -EINVAL;
}

static int text(struct scan *scan)
{
	struct slice octets;
	if (!take_text(scan, &octets) || !take(scan, SLICE(";")))
		return -EINVAL;
	return json_print_text(&scan->printer, octets);
}

static int reference(struct scan *scan)
{
	size_t number;
	return take_count(scan, ';', &number) ? null(scan) : -EINVAL;
}

static bool take_key(struct scan *scan, struct slice *key)
{
	if (take(scan, SLICE("i:")))
		return take_until(scan, ';', 20, key) && is_number(*key);
	return take(scan, SLICE("s:")) && take_text(scan, key) && take(scan, SLICE(";"));
}

/* Are the keys of the `n` members ahead 0, 1, 2, …? */
static bool is_list(struct scan scan, size_t n, unsigned depth_left)
{
	scan.printer.muted++;
	for (size_t i = 0; i < n; i++) {
		char digits[24];
		struct slice key;
		snprintf(digits, sizeof(digits), "%zu", i);
		if (!slice_starts_with(scan.rest, SLICE("i:")) || !take_key(&scan, &key) ||
			!slice_equal(key, slice_of(digits)) || value(&scan, depth_left) != 0)
			return false;
	}
	return true;
}

static int list(struct scan *scan, size_t n, unsigned depth_left)
{
	int error = json_print(&scan->printer, SLICE("["));
	for (size_t i = 0; i < n && !error; i++) {
		struct slice key;
		if (i)
			error = json_print(&scan->printer, SLICE(","));
		if (!error)
			error = take_key(scan, &key) ? value(scan, depth_left) : -EINVAL;
	}
	return error ? error : json_print(&scan->printer, SLICE("]"));
}

/* The value of a member; `more`: it is not the first that is written, and it has been now. */
static int member(struct scan *scan, struct slice key, bool *more, unsigned depth_left)
{
	bool is_name = json_print_can_hold(key);
	int error = is_name ? json_print_name(&scan->printer, *more, key) : 0;
	if (error)
		return error;
	*more |= is_name;
	scan->printer.muted += !is_name;
	error = value(scan, depth_left);
	scan->printer.muted -= !is_name;
	return error;
}

static int object(struct scan *scan, size_t n, unsigned depth_left)
{
	bool more = false;
	int error = json_print(&scan->printer, SLICE("{"));
	for (size_t i = 0; i < n && !error; i++) {
		struct slice key;
		error = take_key(scan, &key) ? member(scan, key, &more, depth_left) : -EINVAL;
	}
	return error ? error : json_print(&scan->printer, SLICE("}"));
}

/* `may_be_list`: else it is an object, as a record is even when it is empty. */
static int array(struct scan *scan, bool may_be_list, unsigned depth_left)
{
	size_t n;
	if (!take_count(scan, ':', &n) || !take(scan, SLICE("{")) || depth_left == 0)
		return -EINVAL;
	bool is_one = may_be_list && !scan->printer.muted && is_list(*scan, n, depth_left - 1);
	int error = is_one ? list(scan, n, depth_left - 1) : object(scan, n, depth_left - 1);
	return error ? error : take(scan, SLICE("}")) ? 0 : -EINVAL;
}

/* Passes over an object whose members are written as those of an array are. */
static int class(struct scan *scan, unsigned depth_left)
{
	struct slice name;
	if (!take_text(scan, &name) || !take(scan, SLICE(":")))
		return -EINVAL;
	scan->printer.muted++;
	int error = array(scan, false, depth_left);
	scan->printer.muted--;
	return error ? error : json_print(&scan->printer, SLICE("{}"));
}

/* Passes over an object that its class has written in its own way. */
static int custom_class(struct scan *scan)
{
	struct slice name;
	size_t len;
	if (!take_text(scan, &name) || !take(scan, SLICE(":")) || !take_count(scan, ':', &len) ||
		!take(scan, SLICE("{")) || len > scan->rest.len)
		return -EINVAL;
	scan->rest = slice_skip(scan->rest, len);
	return take(scan, SLICE("}")) ? json_print(&scan->printer, SLICE("{}")) : -EINVAL;
}

static int enumeration(struct scan *scan)
{
	struct slice name;
	if (!take_text(scan, &name) || !take(scan, SLICE(";")))
		return -EINVAL;
	return json_print(&scan->printer, SLICE("{}"));
}

static int value(struct scan *scan, unsigned depth_left)
{
	if (take(scan, SLICE("N;")))
		return null(scan);
	struct slice head = slice_make(scan->rest.at, MIN(scan->rest.len, 2));
	if (head.len < 2 || head.at[1] != ':')
		return -EINVAL;
	scan->rest = slice_skip(scan->rest, 2);
	switch (head.at[0]) {
	case 'b':
		return boolean(scan);
	case 'i':
	case 'd':
		return number(scan);
	case 's':
		return text(scan);
	case 'a':
		return array(scan, true, depth_left);
	case 'O':
		return class(scan, depth_left);
	case 'C':
		return custom_class(scan);
	case 'E':
		return enumeration(scan);
	case 'R':
	case 'r':
		return reference(scan);
	default:
		return -EINVAL;
	}
}

/* ---- records ---- */

/* NAME|VALUE one after another; of a variable that is not set there is "!NAME|". */
static int variables(struct scan *scan)
{
	bool more = false;
	int error = json_print(&scan->printer, SLICE("{"));
	while (scan->rest.len && !error) {
		struct slice name;
		if (!take_until(scan, '|', SESSION_VALUE_BYTES_MAX, &name))
			error = -EINVAL;
		else if (!slice_starts_with(name, SLICE("!")))
			error = member(scan, name, &more, SESSION_VALUE_DEPTH_MAX_CONVERTED - 1);
	}
	return error ? error : json_print(&scan->printer, SLICE("}"));
}

static int serialized(struct scan *scan)
{
	return take(scan, SLICE("a:")) ? array(scan, false, SESSION_VALUE_DEPTH_MAX_CONVERTED)
				       : -EINVAL;
}

static bool is_serialized(struct slice record)
{
	return slice_starts_with(record, SLICE("a:")) && record.len > 2 && record.at[2] >= '0' &&
	       record.at[2] <= '9';
}

static int convert(struct slice record, struct buffer *json, int (*read)(struct scan *scan))
{
	struct scan scan = {
		.rest = record,
		.printer = { .out = json, .max = json->len + SESSION_VALUE_BYTES_MAX },
	};
	int error = record.len <= SESSION_VALUE_BYTES_MAX ? read(&scan) : -EINVAL;
	if (!error && scan.rest.len)
		error = -EINVAL;
	return error == -EMSGSIZE ? -EINVAL : error;
}

int php_to_json(struct slice record, struct buffer *json)
{
	return convert(record, json, is_serialized(record) ? serialized : variables);
}

int php_laravel_to_json(struct slice record, struct buffer *json)
{
	struct scan scan = { .rest = record };
	struct slice inner;
	if (!take(&scan, SLICE("s:")) || !take_text(&scan, &inner) || !take(&scan, SLICE(";")) ||
		scan.rest.len)
		return -EINVAL;
	if (slice_starts_with(inner, SLICE("{")))
		return buffer_append_slice(json, inner);
	return convert(inner, json, serialized);
}
