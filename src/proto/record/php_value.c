/* Reads the format of serialize() once, from front to back, and writes JSON on the way.
 *
 *	N;  b:1;  i:42;  d:0.5;  s:5:"bytes";          a string gives its length, and has no escapes
 *	a:2:{KEY VALUE KEY VALUE}                       keys are i or s
 *	O:3:"Foo":1:{s:1:"a";i:1;}  C:3:"Foo":2:{…}     objects; E:5:"A:One"; an enumeration
 *	R:2;  r:2;                                      a reference to the second value
 *
 * PHP has one array where JSON has two. It is a list if its keys count from 0, and that is known
 * only at its end; so each array is read once in advance, with the printer muted. While it is muted
 * nothing else is read in advance, so a record is read at most once per level of nesting.
 *
 * An object belongs to a class that only the application has. All that can be said is that it
 * exists, which is {}; it still has to be read, for the values behind it. A reference says even
 * less, as it may lead to a null. So it becomes null, and counts as missing. */
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
	return slice_take(&scan->rest, text);
}

/* Takes up to `max` bytes before `end`, which is dropped. */
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

/* Takes a count and the character that ends it. No record contains so much of anything that it
 * needs more than 9 digits. */
static bool take_count(struct scan *scan, char end, size_t *count)
{
	struct slice digits;
	uint64_t number;
	if (!take_until(scan, end, 9, &digits) || !slice_number(digits, 999999999, &number))
		return false;
	*count = (size_t)number;
	return true;
}

/* `len:"bytes"` */
static bool take_text(struct scan *scan, struct slice *text)
{
	size_t len;
	if (!take_count(scan, ':', &len) || !take(scan, SLICE("\"")) || len > scan->rest.len)
		return false;
	*text = slice_take_bytes(&scan->rest, len);
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

/* The digits are printed without quotes, so they must be a number. */
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
	struct slice bytes;
	if (!take_text(scan, &bytes) || !take(scan, SLICE(";")))
		return -EINVAL;
	return json_print_text(&scan->printer, bytes);
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

/* Are 0, 1, 2, … the keys of the next `n` members? */
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

/* Prints a member whose key has been taken. `more`: a member has been printed before; updated. */
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

/* `may_be_list`: if not, it is an object, as an empty record is. */
static int array(struct scan *scan, bool may_be_list, unsigned depth_left)
{
	size_t n;
	if (!take_count(scan, ':', &n) || !take(scan, SLICE("{")) || depth_left == 0)
		return -EINVAL;
	bool is_one = may_be_list && !scan->printer.muted && is_list(*scan, n, depth_left - 1);
	int error = is_one ? list(scan, n, depth_left - 1) : object(scan, n, depth_left - 1);
	return error ? error : take(scan, SLICE("}")) ? 0 : -EINVAL;
}

/* Skips an object whose members are written like those of an array. */
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

/* Skips an object that its class has serialized in its own way. */
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

/* NAME|VALUE one after another; "!NAME|" for a variable that is not set. */
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
