/* If two readers of a session record disagree, the backend and the gateway disagree about who is
 * logged in. So the grammar is strict, to the byte; a record that the backend could not read is
 * refused. But text is only text: JavaScript writes half a surrogate pair where its slice() has cut
 * an emoji in two, Python writes NaN and a name twice, and whoever can put such a thing into
 * somebody's record must not be able to log him out with it. It is void where it counts
 * (record_pick.h), and skipped where it does not.
 *
 * One byte ahead determines what comes, and what may come is one of the states below. What object
 * or array it is in is the pick's level. */
#include "sluice/proto/record/record_json.h"

#include <errno.h>

#include "sluice/proto/text/json_token.h"
#include "sluice/proto/text/utf8.h"

enum {
	VALUE,
	FIRST_ELEMENT, /* or the end of the array */
	NAME,
	FIRST_NAME, /* or the end of the object */
	BEHIND,     /* a value */
};

/* No byte becomes more than six by escaping. */
enum { RAW_MAX = 6 * RECORD_VALUE_BYTES_MAX };

/* ---- tokens ---- */

static int void_scalar(struct record_scan *scan)
{
	return record_pick_scalar(scan->pick, RECORD_VOID, (struct slice){ 0 });
}

static int escaped_text(struct record_scan *scan, struct slice raw)
{
	struct buffer decoded = { 0 };
	int error = buffer_reserve(&decoded, raw.len);
	if (error)
		return error;
	ssize_t len = json_decode_string(raw, decoded.bytes);
	if (len < 0)
		error = void_scalar(scan);
	else
		error = record_pick_scalar(
			scan->pick, RECORD_TEXT, slice_make(decoded.bytes, (size_t)len));
	buffer_finish(&decoded);
	return error;
}

static int text(struct record_scan *scan, bool counts)
{
	struct slice raw;
	if (!json_take_string(&scan->rest, &raw))
		return -EINVAL;
	if (!counts)
		return record_pick_scalar(scan->pick, RECORD_TEXT, (struct slice){ 0 });
	if (raw.len > RAW_MAX)
		return record_pick_scalar(scan->pick, RECORD_OBJECT, (struct slice){ 0 });
	if (raw.len && memchr(raw.at, '\\', raw.len))
		return escaped_text(scan, raw);
	return utf8_is_valid(raw) ? record_pick_scalar(scan->pick, RECORD_TEXT, raw)
				  : void_scalar(scan);
}

static int number(struct record_scan *scan)
{
	struct slice digits;
	if (!json_take_number(&scan->rest, &digits))
		return -EINVAL;
	return record_pick_scalar(scan->pick, RECORD_NUMBER, digits);
}

static int literal(struct record_scan *scan, bool strict)
{
	struct slice none = { NULL, 0 };
	if (slice_take(&scan->rest, SLICE("true")))
		return record_pick_scalar(scan->pick, RECORD_TRUE, none);
	if (slice_take(&scan->rest, SLICE("false")))
		return record_pick_scalar(scan->pick, RECORD_FALSE, none);
	if (slice_take(&scan->rest, SLICE("null")))
		return record_pick_scalar(scan->pick, RECORD_NULL, none);
	if (!strict && (slice_take(&scan->rest, SLICE("NaN")) ||
			       slice_take(&scan->rest, SLICE("Infinity")) ||
			       slice_take(&scan->rest, SLICE("-Infinity"))))
		return void_scalar(scan);
	return number(scan);
}

static int value(struct record_scan *scan, bool strict)
{
	bool counts = record_pick_value(scan->pick);
	if (slice_take_char(&scan->rest, '{')) {
		scan->state = FIRST_NAME;
		return record_pick_begin(scan->pick, RECORD_OBJECT);
	}
	if (slice_take_char(&scan->rest, '[')) {
		scan->state = FIRST_ELEMENT;
		return record_pick_begin(scan->pick, RECORD_ARRAY);
	}
	scan->state = BEHIND;
	return slice_take_char(&scan->rest, '"') ? text(scan, counts) : literal(scan, strict);
}

/* Not inlined: only few names need the room, and the compiler clears it each time. */
static __attribute__((noinline)) void tell_escaped_name(struct record_scan *scan, struct slice raw)
{
	char decoded[6 * RECORD_NAME_MAX];
	ssize_t len = -1;
	if (raw.len <= sizeof(decoded) && record_pick_wants_name(scan->pick))
		len = json_decode_string(raw, decoded);
	record_pick_name(
		scan->pick, slice_make(len < 0 ? NULL : decoded, len < 0 ? 0 : (size_t)len));
}

static void tell_name(struct record_scan *scan, struct slice raw)
{
	if (memchr(raw.at, '\\', raw.len))
		tell_escaped_name(scan, raw);
	else
		record_pick_name(scan->pick, raw);
}

static int name(struct record_scan *scan)
{
	struct slice raw;
	if (!slice_take_char(&scan->rest, '"') || !json_take_string(&scan->rest, &raw))
		return -EINVAL;
	tell_name(scan, raw);
	json_skip_whitespace(&scan->rest);
	scan->state = VALUE;
	return slice_take_char(&scan->rest, ':') ? 0 : -EINVAL;
}

static int end(struct record_scan *scan)
{
	record_pick_end(scan->pick);
	scan->state = BEHIND;
	return 0;
}

static int behind(struct record_scan *scan)
{
	if (scan->pick->depth == scan->base)
		return scan->rest.len ? -EINVAL : 1;
	bool is_array = record_pick_level(scan->pick)->kind == RECORD_ARRAY;
	if (slice_take_char(&scan->rest, is_array ? ']' : '}'))
		return end(scan);
	scan->state = is_array ? VALUE : NAME;
	return slice_take_char(&scan->rest, ',') ? 0 : -EINVAL;
}

/* ---- steps ---- */

static int take_token(struct record_scan *scan, bool strict)
{
	switch (scan->state) {
	case FIRST_ELEMENT:
		return slice_take_char(&scan->rest, ']') ? end(scan) : value(scan, strict);
	case FIRST_NAME:
		return slice_take_char(&scan->rest, '}') ? end(scan) : name(scan);
	case NAME:
		return name(scan);
	case BEHIND:
		return behind(scan);
	default:
		return value(scan, strict);
	}
}

static int step(struct record_scan *scan, bool strict)
{
	size_t before = scan->rest.len;
	json_skip_whitespace(&scan->rest);
	int result = take_token(scan, strict);
	scan->pick->work += RECORD_TOKEN_WORK + before - scan->rest.len;
	return result;
}

int record_json_step(struct record_scan *scan)
{
	return step(scan, false);
}

int record_json_strict_step(struct record_scan *scan)
{
	return step(scan, true);
}
