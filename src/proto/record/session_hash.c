/* A record is name and value one after another, each behind its length.
 *
 * Whether a value is JSON is known only at its end. So a value that counts is read twice: first
 * with no path leading to it, and if that went well, again. */
#include "sluice/proto/record/session_hash.h"

#include <errno.h>

#include "sluice/proto/record/record_json.h"

enum { BEGINNING, FIELD, TRYING, READING };

/* The text of a serialized String (Java Object Serialization Specification §6.4): magic and version
 * of the stream, TC_STRING, the length in two bytes, the text. Absent: `value` is something
 * else. */
static struct slice jdk_string(struct slice value)
{
	static const struct slice head = { "\xac\xed\x00\x05t", 5 };
	struct slice none = { NULL, 0 };
	if (value.len < head.len + 2 || !slice_starts_with(value, head))
		return none;
	value = slice_skip(value, head.len);
	size_t len = (size_t)(unsigned char)value.at[0] << 8 | (unsigned char)value.at[1];
	value = slice_skip(value, 2);
	return value.len == len ? value : none;
}

/* ---- packing ---- */

int session_hash_add_text(struct buffer *record, struct slice text)
{
	int error = buffer_append(record, &text.len, sizeof(text.len));
	return error ? error : buffer_append_slice(record, text);
}

int session_hash_add(struct buffer *record, struct slice name, struct slice value)
{
	int error = session_hash_add_text(record, name);
	return error ? error : session_hash_add_text(record, value);
}

static struct slice take_bytes(struct slice *rest)
{
	size_t len;
	memcpy(&len, rest->at, sizeof(len));
	*rest = slice_skip(*rest, sizeof(len));
	return slice_take_bytes(rest, len);
}

/* ---- reading ---- */

static int text(struct session_hash *hash, struct slice bytes)
{
	record_pick_set_aim(hash->scan.pick, hash->at);
	hash->scan.state = FIELD;
	return record_scan_text(&hash->scan, bytes, record_pick_value(hash->scan.pick));
}

static void read_as_json(struct session_hash *hash, uint64_t at, unsigned state)
{
	hash->inner = (struct record_scan){
		.pick = hash->scan.pick,
		.rest = hash->value,
		.base = hash->scan.pick->depth,
	};
	record_pick_set_aim(hash->scan.pick, at);
	hash->scan.state = (uint8_t)state;
}

static int take_field(struct session_hash *hash)
{
	struct record_pick *pick = hash->scan.pick;
	if (!hash->scan.rest.len) {
		record_pick_end(pick);
		return 1;
	}
	record_pick_name(pick, take_bytes(&hash->scan.rest));
	hash->value = take_bytes(&hash->scan.rest);
	hash->at = record_pick_aim(pick);
	struct slice string = jdk_string(hash->value);
	if (!hash->at)
		return 0;
	if (string.at)
		return text(hash, string);
	read_as_json(hash, 0, TRYING);
	return 0;
}

/* What failed has left its levels behind. */
static int try_json(struct session_hash *hash)
{
	int result = record_json_strict_step(&hash->inner);
	if (result == 1)
		read_as_json(hash, hash->at, READING);
	if (result == 0 || result == 1 || result == -E2BIG)
		return MIN(result, 0);
	record_pick_leave(hash->scan.pick, hash->inner.base);
	return text(hash, hash->value);
}

static int read_json(struct session_hash *hash)
{
	int result = record_json_strict_step(&hash->inner);
	if (result == 1)
		hash->scan.state = FIELD;
	return MIN(result, 0);
}

int session_hash_step(struct record_scan *scan)
{
	struct session_hash *hash = container_of(scan, struct session_hash, scan);
	scan->pick->work += RECORD_TOKEN_WORK;
	switch (scan->state) {
	case FIELD:
		return take_field(hash);
	case TRYING:
		return try_json(hash);
	case READING:
		return read_json(hash);
	default:
		scan->state = FIELD;
		record_pick_value(scan->pick);
		return record_pick_begin(scan->pick, RECORD_OBJECT);
	}
}
