/* Reads MessagePack once, from front to back.
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
 * What a path cannot name must not cost a user the log-in, as a session holds whatever the
 * application puts there: of binary data only the existence is known, and a key that is neither a
 * string nor an integer is skipped with its value.
 *
 * A level's `left` counts the items that are still to come in it, and of a map keys and values
 * both: a key comes when it is even. */
#include "sluice/proto/record/msgpack.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What it costs to print a number, in steps. */
enum { INTEGER_WORK = 10, FLOAT_WORK = 120 };

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

static bool take(struct record_scan *scan, uint64_t len, struct slice *taken)
{
	if (len > scan->rest.len)
		return false;
	*taken = slice_take_bytes(&scan->rest, (size_t)len);
	return true;
}

/* Most significant byte first. */
static bool take_bits(struct record_scan *scan, unsigned width, uint64_t *bits)
{
	struct slice bytes;
	*bits = 0;
	if (!take(scan, width, &bytes))
		return false;
	for (size_t i = 0; i < width; i++)
		*bits = *bits << 8 | (uint8_t)bytes.at[i];
	return true;
}

static bool take_head(struct record_scan *scan, struct item *item)
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

static bool take_item(struct record_scan *scan, struct item *item)
{
	if (!take_head(scan, item))
		return false;
	if (item->type == ITEM_TEXT || item->type == ITEM_OPAQUE)
		return take(scan, item->bits, &item->text);
	return true;
}

/* ---- numbers ---- */

static int64_t signed_value(const struct item *item)
{
	unsigned shift = 64 - 8 * item->width;
	return (int64_t)(item->bits << shift) >> shift;
}

static struct slice integer(const struct item *item, char text[32])
{
	int len = item->type == ITEM_UNSIGNED ? snprintf(text, 32, "%" PRIu64, item->bits)
					      : snprintf(text, 32, "%" PRId64, signed_value(item));
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

/* The shortest decimal that reads back as the same number; absent: it is none. */
static struct slice decimal(double number, char text[32])
{
	int len = 0;
	for (int digits = 15; digits <= 17 && isfinite(number); digits++) {
		len = snprintf(text, 32, "%.*g", digits, number);
		/* compared as bytes: 0.0 and -0.0 are equal */
		double again = strtod(text, NULL);
		if (memcmp(&again, &number, sizeof(number)) == 0)
			break;
	}
	return slice_make(len ? text : NULL, (size_t)len);
}

static int number(struct record_scan *scan, const struct item *item)
{
	char text[32];
	scan->pick->work += item->type == ITEM_FLOAT ? FLOAT_WORK : INTEGER_WORK;
	struct slice digits =
		item->type == ITEM_FLOAT ? decimal(float_value(item), text) : integer(item, text);
	enum record_kind kind = digits.at ? RECORD_NUMBER : RECORD_NULL;
	return record_pick_scalar(scan->pick, kind, digits);
}

/* ---- values ---- */

static int container(struct record_scan *scan, enum record_kind kind, uint64_t left)
{
	int error = record_pick_begin(scan->pick, kind);
	if (!error)
		record_pick_level(scan->pick)->left = left;
	return error;
}

static int value(struct record_scan *scan, const struct item *item)
{
	struct slice none = { NULL, 0 };
	bool counts = record_pick_value(scan->pick);
	switch (item->type) {
	case ITEM_NIL:
		return record_pick_scalar(scan->pick, RECORD_NULL, none);
	case ITEM_FALSE:
		return record_pick_scalar(scan->pick, RECORD_FALSE, none);
	case ITEM_TRUE:
		return record_pick_scalar(scan->pick, RECORD_TRUE, none);
	case ITEM_UNSIGNED:
	case ITEM_SIGNED:
	case ITEM_FLOAT:
		return counts ? number(scan, item)
			      : record_pick_scalar(scan->pick, RECORD_NUMBER, none);
	case ITEM_TEXT:
		return record_scan_text(scan, item->text, counts);
	case ITEM_OPAQUE:
		return record_pick_scalar(scan->pick, RECORD_OBJECT, none);
	case ITEM_ARRAY:
		return container(scan, RECORD_ARRAY, item->bits);
	case ITEM_MAP:
		return container(scan, RECORD_OBJECT, 2 * item->bits);
	case ITEM_NONE:
		break;
	}
	return -EINVAL;
}

/* A key that no path can name may be a whole array or map. */
static int key(struct record_scan *scan, const struct item *item)
{
	char digits[32];
	struct slice name = { NULL, 0 };
	bool wanted = record_pick_wants_name(scan->pick);
	if (item->type == ITEM_TEXT)
		name = item->text;
	else if (wanted && (item->type == ITEM_UNSIGNED || item->type == ITEM_SIGNED))
		name = integer(item, digits);
	record_pick_name(scan->pick, name);
	return item->type == ITEM_ARRAY || item->type == ITEM_MAP ? value(scan, item) : 0;
}

/* ---- steps ---- */

static bool is_key_next(const struct record_level *level)
{
	return level->kind == RECORD_OBJECT && level->left % 2 == 0;
}

static int take_next(struct record_scan *scan)
{
	struct record_level *level = record_pick_level(scan->pick);
	struct item item;
	bool is_root = scan->pick->depth == scan->base;
	if (is_root && scan->state)
		return scan->rest.len ? -EINVAL : 1;
	scan->state = 1;
	if (!is_root && !level->left) {
		record_pick_end(scan->pick);
		return 0;
	}
	bool is_key = !is_root && is_key_next(level);
	if (!is_root)
		level->left--;
	if (!take_item(scan, &item))
		return -EINVAL;
	return is_key ? key(scan, &item) : value(scan, &item);
}

int msgpack_step(struct record_scan *scan)
{
	size_t before = scan->rest.len;
	int result = take_next(scan);
	scan->pick->work += RECORD_TOKEN_WORK + before - scan->rest.len;
	return result;
}
