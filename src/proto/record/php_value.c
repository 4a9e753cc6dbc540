/* Reads the format of serialize() once, from front to back.
 *
 *	N;  b:1;  i:42;  d:0.5;  s:5:"bytes";          a string gives its length, and has no escapes
 *	a:2:{KEY VALUE KEY VALUE}                       keys are i or s
 *	O:3:"Foo":1:{s:1:"a";i:1;}  C:3:"Foo":2:{…}     objects; E:5:"A:One"; an enumeration
 *	R:2;  r:2;                                      a reference to the second value
 *
 * PHP has one array where JSON has two. It is a list if its keys count from 0, and that is known
 * only at its end: so it is a table for the pick. A level's `left` counts the members that are still
 * to come in it.
 *
 * An object belongs to a class that only the application has. All that can be said is that it
 * exists; it still has to be read, for the values behind it. A reference says even less, as it may
 * lead to a null. So it is null, and counts as missing. */
#include "sluice/proto/record/php_value.h"

#include <errno.h>

#include "sluice/proto/text/json_token.h"

/* ---- pieces ---- */

static bool take(struct record_scan *scan, struct slice text)
{
	return slice_take(&scan->rest, text);
}

/* Takes up to `max` bytes before `end`, which is dropped. */
static bool take_until(struct record_scan *scan, char end, size_t max, struct slice *taken)
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
static bool take_count(struct record_scan *scan, char end, size_t *count)
{
	struct slice digits;
	uint64_t number;
	if (!take_until(scan, end, 9, &digits) || !slice_number(digits, 999999999, &number))
		return false;
	*count = (size_t)number;
	return true;
}

/* `len:"bytes"` */
static bool take_text(struct record_scan *scan, struct slice *text)
{
	size_t len;
	if (!take_count(scan, ':', &len) || !take(scan, SLICE("\"")) || len > scan->rest.len)
		return false;
	*text = slice_take_bytes(&scan->rest, len);
	return take(scan, SLICE("\""));
}

static bool is_number(struct slice text)
{
	struct slice rest = text, taken;
	return json_take_number(&rest, &taken) && !rest.len;
}

/* ---- values ---- */

static int scalar(struct record_scan *scan, enum record_kind kind)
{
	return record_pick_scalar(scan->pick, kind, (struct slice){ NULL, 0 });
}

static int boolean(struct record_scan *scan)
{
	if (take(scan, SLICE("1;")))
		return scalar(scan, RECORD_TRUE);
	return take(scan, SLICE("0;")) ? scalar(scan, RECORD_FALSE) : -EINVAL;
}

static int number(struct record_scan *scan)
{
	struct slice digits;
	if (!take_until(scan, ';', 64, &digits))
		return -EINVAL;
	if (is_number(digits))
		return record_pick_scalar(scan->pick, RECORD_NUMBER, digits);
	bool special = slice_equal(digits, SLICE("INF")) || slice_equal(digits, SLICE("-INF")) ||
		       slice_equal(digits, SLICE("NAN"));
	return special ? scalar(scan, RECORD_NULL) : -EINVAL;
}

static int text(struct record_scan *scan, bool counts)
{
	struct slice bytes;
	if (!take_text(scan, &bytes) || !take(scan, SLICE(";")))
		return -EINVAL;
	return record_scan_text(scan, bytes, counts);
}

static int reference(struct record_scan *scan)
{
	size_t number;
	return take_count(scan, ';', &number) ? scalar(scan, RECORD_NULL) : -EINVAL;
}

static int array(struct record_scan *scan, enum record_kind kind)
{
	size_t n;
	if (!take_count(scan, ':', &n) || !take(scan, SLICE("{")))
		return -EINVAL;
	int error = record_pick_begin(scan->pick, kind);
	if (!error)
		record_pick_level(scan->pick)->left = n;
	return error;
}

/* An object whose members are written like those of an array. */
static int class(struct record_scan *scan)
{
	struct slice name;
	if (!take_text(scan, &name) || !take(scan, SLICE(":")))
		return -EINVAL;
	int error = array(scan, RECORD_OBJECT);
	if (!error)
		record_pick_ignore(scan->pick);
	return error;
}

/* An object that its class has serialized in its own way. */
static int custom_class(struct record_scan *scan)
{
	struct slice name;
	size_t len;
	if (!take_text(scan, &name) || !take(scan, SLICE(":")) || !take_count(scan, ':', &len) ||
		!take(scan, SLICE("{")) || len > scan->rest.len)
		return -EINVAL;
	scan->rest = slice_skip(scan->rest, len);
	return take(scan, SLICE("}")) ? scalar(scan, RECORD_OBJECT) : -EINVAL;
}

static int enumeration(struct record_scan *scan)
{
	struct slice name;
	if (!take_text(scan, &name) || !take(scan, SLICE(";")))
		return -EINVAL;
	return scalar(scan, RECORD_OBJECT);
}

static int typed(struct record_scan *scan, char type, bool counts)
{
	switch (type) {
	case 'b':
		return boolean(scan);
	case 'i':
	case 'd':
		return number(scan);
	case 's':
		return text(scan, counts);
	case 'a':
		return array(scan, RECORD_TABLE);
	case 'O':
		return class(scan);
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

static int value(struct record_scan *scan)
{
	bool counts = record_pick_value(scan->pick);
	if (take(scan, SLICE("N;")))
		return scalar(scan, RECORD_NULL);
	if (scan->rest.len < 2 || scan->rest.at[1] != ':')
		return -EINVAL;
	char type = scan->rest.at[0];
	scan->rest = slice_skip(scan->rest, 2);
	return typed(scan, type, counts);
}

/* ---- members ---- */

/* The number that is the next index of a list. */
static bool is_next_index(struct record_level *level, struct slice key)
{
	uint64_t number;
	return slice_number(key, UINT64_MAX, &number) && number == level->index++;
}

static int key(struct record_scan *scan)
{
	struct record_level *level = record_pick_level(scan->pick);
	struct slice key;
	bool is_integer = take(scan, SLICE("i:"));
	if (is_integer && (!take_until(scan, ';', 20, &key) || !is_number(key)))
		return -EINVAL;
	if (!is_integer &&
		(!take(scan, SLICE("s:")) || !take_text(scan, &key) || !take(scan, SLICE(";"))))
		return -EINVAL;
	if (level->kind == RECORD_TABLE && !(is_integer && is_next_index(level, key)))
		record_pick_is_object(scan->pick);
	record_pick_name(scan->pick, key);
	return 0;
}

static int member(struct record_scan *scan)
{
	struct record_level *level = record_pick_level(scan->pick);
	if (!level->left) {
		record_pick_end(scan->pick);
		return take(scan, SLICE("}")) ? 0 : -EINVAL;
	}
	level->left--;
	int error = key(scan);
	return error ? error : value(scan);
}

/* NAME|VALUE; "!NAME|" for a variable that is not set. */
static int variable(struct record_scan *scan)
{
	struct slice name;
	if (!take_until(scan, '|', scan->rest.len, &name))
		return -EINVAL;
	if (slice_starts_with(name, SLICE("!")))
		return 0;
	record_pick_name(scan->pick, name);
	return value(scan);
}

/* ---- records ---- */

enum { BEGINNING, SERIALIZED, VARIABLES };

static bool is_serialized(struct slice record)
{
	return slice_starts_with(record, SLICE("a:")) && record.len > 2 && record.at[2] >= '0' &&
	       record.at[2] <= '9';
}

static int begin(struct record_scan *scan)
{
	scan->state = is_serialized(scan->rest) ? SERIALIZED : VARIABLES;
	if (scan->state == SERIALIZED)
		return value(scan);
	record_pick_value(scan->pick);
	return record_pick_begin(scan->pick, RECORD_OBJECT);
}

static int go_on(struct record_scan *scan)
{
	unsigned depth = scan->pick->depth - scan->base;
	if (scan->state == SERIALIZED && !depth)
		return scan->rest.len ? -EINVAL : 1;
	if (scan->state == SERIALIZED || depth > 1)
		return member(scan);
	if (scan->rest.len)
		return variable(scan);
	record_pick_end(scan->pick);
	return 1;
}

int php_step(struct record_scan *scan)
{
	size_t before = scan->rest.len;
	int result = scan->state == BEGINNING ? begin(scan) : go_on(scan);
	scan->pick->work += RECORD_TOKEN_WORK + before - scan->rest.len;
	return result;
}

int php_unwrap(struct slice *record)
{
	struct record_scan scan = { .rest = *record };
	struct slice inner;
	if (!take(&scan, SLICE("s:")) || !take_text(&scan, &inner) || !take(&scan, SLICE(";")) ||
		scan.rest.len)
		return -EINVAL;
	if (!slice_starts_with(inner, SLICE("{")) && !is_serialized(inner))
		return -EINVAL;
	*record = inner;
	return 0;
}
