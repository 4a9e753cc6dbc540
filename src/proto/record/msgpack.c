/* Reads MessagePack once, from front to back, and writes JSON on the way.
 *
 *	83 a6 userId a7 user-42 …        {"userId":"user-42",…}
 *	^  ^ string of 6 bytes
 *	^ map of 3 pairs
 *
 * The first byte of an item gives its type: the ends of its range hold small values in themselves;
 * the middle, c0 to df, is a table of types and of how many bytes of value or length follow. A
 * container announces how many items it has, and each of them takes at least a byte; so a count
 * beyond the record ends with the record, after work linear in its length. Nothing is allocated for
 * a count.
 *
 * Why not libmsgpack-c, which Debian has? It allocates what a header announces, before the items
 * have arrived: an array or a map gets its whole block at once (template_callback_array in its
 * unpack.c), and neither a zone nor an unpacker takes a limit. Measured with Debian 12's 4.0.0, and
 * with 6.0.0, whose sources differ in the version number alone:
 *
 *	dd ff ff ff ff               5 bytes    malloc of 137,438,953,480 bytes
 *	df ff ff ff ff               5 bytes    malloc of 274,877,906,952 bytes
 *	dd 01 00 00 00, 31 times   155 bytes    16,643,006,776 bytes held at once
 *
 * With `ulimit -v` of 256 MiB, or without overcommit, the same records give
 * MSGPACK_UNPACK_NOMEM_ERROR, and while the blocks are held other threads may fail to allocate.
 * Nesting beyond the library's 32 levels gives the same error, so a bad record (which is refused)
 * cannot be told from a lack of memory (which calls for a retry). To bound the library, every
 * header would have to be checked before it: that is the reader below, without its output.
 *
 * A value that JSON cannot express must not cost a user the log-in, as a session holds whatever the
 * application puts there: it becomes {}, and a key that is neither a string nor an integer is left
 * out with its value. */
#include "sluice/proto/record/msgpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sluice/proto/record/session_tree.h"
#include "sluice/proto/text/json_print.h"

enum item_type {
	ITEM_NONE, /* not a valid first byte */
	ITEM_NIL,
	ITEM_FALSE,
	ITEM_TRUE,
	ITEM_UNSIGNED,
	ITEM_SIGNED,
	ITEM_FLOAT,
	ITEM_TEXT,
	ITEM_OPAQUE, /* binary, or an extension */
	ITEM_ARRAY,
	ITEM_MAP,
};

struct item {
	enum item_type type;
	unsigned width;    /* of a number, in bytes */
	uint64_t bits;     /* the value of a number; the count of a container */
	struct slice text; /* of a string */
};

struct scan {
	struct slice rest;
	struct json_printer printer;
};

/* From c0 on: `width` bytes hold the value or the length, to which `more` is added (the type byte
 * of an extension, the length of a fixed one). */
static const struct head {
	uint8_t type, width, more;
} heads[32] = {
	{ ITEM_NIL, 0, 0 },
	{ ITEM_NONE, 0, 0 },
	{ ITEM_FALSE, 0, 0 },
	{ ITEM_TRUE, 0, 0 },
	{ ITEM_OPAQUE, 1, 0 },
	{ ITEM_OPAQUE, 2, 0 },
	{ ITEM_OPAQUE, 4, 0 },
	{ ITEM_OPAQUE, 1, 1 },
	{ ITEM_OPAQUE, 2, 1 },
	{ ITEM_OPAQUE, 4, 1 },
	{ ITEM_FLOAT, 4, 0 },
	{ ITEM_FLOAT, 8, 0 },
	{ ITEM_UNSIGNED, 1, 0 },
	{ ITEM_UNSIGNED, 2, 0 },
	{ ITEM_UNSIGNED, 4, 0 },
	{ ITEM_UNSIGNED, 8, 0 },
	{ ITEM_SIGNED, 1, 0 },
	{ ITEM_SIGNED, 2, 0 },
	{ ITEM_SIGNED, 4, 0 },
	{ ITEM_SIGNED, 8, 0 },
	{ ITEM_OPAQUE, 0, 2 },
	{ ITEM_OPAQUE, 0, 3 },
	{ ITEM_OPAQUE, 0, 5 },
	{ ITEM_OPAQUE, 0, 9 },
	{ ITEM_OPAQUE, 0, 17 },
	{ ITEM_TEXT, 1, 0 },
	{ ITEM_TEXT, 2, 0 },
	{ ITEM_TEXT, 4, 0 },
	{ ITEM_ARRAY, 2, 0 },
	{ ITEM_ARRAY, 4, 0 },
	{ ITEM_MAP, 2, 0 },
	{ ITEM_MAP, 4, 0 },
};

/* ---- one item ---- */

static bool take(struct scan *scan, uint64_t len, struct slice *taken)
{
	if (len > scan->rest.len)
		return false;
	*taken = slice_take_bytes(&scan->rest, (size_t)len);
	return true;
}

/* Most significant byte first. */
static bool take_bits(struct scan *scan, unsigned width, uint64_t *bits)
{
	struct slice bytes;
	*bits = 0;
	if (!take(scan, width, &bytes))
		return false;
	for (size_t i = 0; i < width; i++)
		*bits = *bits << 8 | (uint8_t)bytes.at[i];
	return true;
}

static bool take_head(struct scan *scan, struct item *item)
{
	uint64_t first;
	*item = (struct item){ ITEM_NONE };
	if (!take_bits(scan, 1, &first))
		return false;
	item->bits = first;
	if (first < 0x80)
		item->type = ITEM_UNSIGNED;
	else if (first < 0x90)
		*item = (struct item){ ITEM_MAP, 0, first & 15 };
	else if (first < 0xa0)
		*item = (struct item){ ITEM_ARRAY, 0, first & 15 };
	else if (first < 0xc0)
		*item = (struct item){ ITEM_TEXT, 0, first & 31 };
	else if (first >= 0xe0)
		*item = (struct item){ ITEM_SIGNED, 1, first };
	else {
		const struct head *head = &heads[first - 0xc0];
		*item = (struct item){ (enum item_type)head->type, head->width };
		if (!take_bits(scan, head->width, &item->bits))
			return false;
		item->bits += head->more;
	}
	return item->type != ITEM_NONE;
}

static bool take_item(struct scan *scan, struct item *item)
{
	if (!take_head(scan, item))
		return false;
	if (item->type == ITEM_TEXT || item->type == ITEM_OPAQUE)
		return take(scan, item->bits, &item->text);
	return true;
}

/* ---- as JSON ---- */

static int64_t signed_value(const struct item *item)
{
	unsigned shift = 64 - 8 * item->width;
	return (int64_t)(item->bits << shift) >> shift;
}

static struct slice integer(const struct item *item, char text[24])
{
	int len = item->type == ITEM_UNSIGNED ? snprintf(text, 24, "%" PRIu64, item->bits)
					      : snprintf(text, 24, "%" PRId64, signed_value(item));
	return slice_make(text, (size_t)len);
}

static double float_value(const struct item *item)
{
	double number;
	float narrow;
	uint32_t narrow_bits = (uint32_t)item->bits;
	if (item->width == sizeof(narrow)) {
		memcpy(&narrow, &narrow_bits, sizeof(narrow));
		return (double)narrow;
	}
	memcpy(&number, &item->bits, sizeof(number));
	return number;
}

static int value(struct scan *scan, unsigned depth_left);

static int array(struct scan *scan, uint64_t n, unsigned depth_left)
{
	int error = json_print(&scan->printer, SLICE("["));
	for (uint64_t i = 0; i < n && !error; i++) {
		if (i)
			error = json_print(&scan->printer, SLICE(","));
		if (!error)
			error = value(scan, depth_left);
	}
	return error ? error : json_print(&scan->printer, SLICE("]"));
}

/* Takes a key. If it cannot be a name, its member is left out. */
static int name(struct scan *scan, bool more, unsigned depth_left, bool *ret_is_name)
{
	char digits[24];
	struct item key;
	struct scan before = *scan;
	if (!take_item(scan, &key))
		return -EINVAL;
	*ret_is_name = true;
	if (key.type == ITEM_TEXT && json_print_can_hold(key.text))
		return json_print_name(&scan->printer, more, key.text);
	if (key.type == ITEM_UNSIGNED || key.type == ITEM_SIGNED)
		return json_print_name(&scan->printer, more, integer(&key, digits));
	*ret_is_name = false;
	scan->rest = before.rest;
	scan->printer.muted++;
	int error = value(scan, depth_left);
	scan->printer.muted--;
	return error;
}

static int map(struct scan *scan, uint64_t n, unsigned depth_left)
{
	bool more = false;
	int error = json_print(&scan->printer, SLICE("{"));
	for (uint64_t i = 0; i < n && !error; i++) {
		bool is_name;
		error = name(scan, more, depth_left, &is_name);
		if (error)
			break;
		scan->printer.muted += !is_name;
		error = value(scan, depth_left);
		scan->printer.muted -= !is_name;
		more |= is_name;
	}
	return error ? error : json_print(&scan->printer, SLICE("}"));
}

static int value(struct scan *scan, unsigned depth_left)
{
	char digits[24];
	struct item item;
	if (!take_item(scan, &item))
		return -EINVAL;
	switch (item.type) {
	case ITEM_NIL:
		return json_print(&scan->printer, SLICE("null"));
	case ITEM_FALSE:
		return json_print(&scan->printer, SLICE("false"));
	case ITEM_TRUE:
		return json_print(&scan->printer, SLICE("true"));
	case ITEM_UNSIGNED:
	case ITEM_SIGNED:
		return json_print(&scan->printer, integer(&item, digits));
	case ITEM_FLOAT:
		return json_print_double(&scan->printer, float_value(&item));
	case ITEM_TEXT:
		return json_print_text(&scan->printer, item.text);
	case ITEM_OPAQUE:
		return json_print(&scan->printer, SLICE("{}"));
	case ITEM_ARRAY:
		return depth_left ? array(scan, item.bits, depth_left - 1) : -EINVAL;
	case ITEM_MAP:
		return depth_left ? map(scan, item.bits, depth_left - 1) : -EINVAL;
	case ITEM_NONE:
		break;
	}
	return -EINVAL;
}

int msgpack_to_json(struct slice record, struct buffer *json)
{
	struct scan scan = {
		.rest = record,
		.printer = { .out = json, .max = json->len + SESSION_VALUE_BYTES_MAX },
	};
	int error = record.len <= SESSION_VALUE_BYTES_MAX
			    ? value(&scan, SESSION_VALUE_DEPTH_MAX_CONVERTED)
			    : -EINVAL;
	if (!error && scan.rest.len)
		error = -EINVAL;
	return error == -EMSGSIZE ? -EINVAL : error;
}
