/* The bits of a word are offsets, the lowest first, so one byte of a text moves all offsets by two
 * operations for each word (Baeza-Yates and Gonnet call this Shift-And):
 *
 *	name          a b a b c
 *	offsets of a  1 0 1 0 0 0
 *	reached       1 0 1 0 0 0     before the text "ab"
 *	behind "a"    0 1 0 1 0 0     (reached and offsets of a), moved by one
 *	behind "ab"   0 0 1 0 1 0
 *
 * A name of up to 63 bytes needs one word. */
#include "sluice/proto/channel_match.h"

#include <string.h>

#include "sluice/base/defs.h"

static size_t count_words(const struct channel_match *match)
{
	return match->len / 64 + 1;
}

void channel_match_init(struct channel_match *match, struct slice name)
{
	MUST(name.len <= CHANNEL_NAME_MAX);
	uint16_t rows = 0;
	match->steps = 0;
	match->name = name;
	match->len = name.len;
	memset(match->row, 0, sizeof(match->row));
	for (size_t i = 0; i < name.len; i++) {
		uint16_t *row = &match->row[(unsigned char)name.at[i]];
		if (!*row) {
			*row = ++rows;
			match->offsets[*row] = (struct channel_offsets){ 0 };
		}
		match->offsets[*row].words[i / 64] |= UINT64_C(1) << i % 64;
	}
}

/* Moves the offsets at which `byte` is. False: there are none. */
static bool advance_by(
	const struct channel_match *match, struct channel_offsets *reached, unsigned char byte)
{
	const struct channel_offsets *offsets = &match->offsets[match->row[byte]];
	uint64_t carry = 0, any = 0;
	if (!match->row[byte])
		return false;
	for (size_t i = 0; i < count_words(match); i++) {
		uint64_t word = reached->words[i] & offsets->words[i];
		reached->words[i] = word << 1 | carry;
		carry = word >> 63;
		any |= word;
	}
	return any != 0;
}

void channel_match_advance(struct channel_match *match, const struct channel_offsets *from,
	struct channel_offsets *to, struct slice text)
{
	struct channel_offsets reached = *from;
	match->steps++;
	for (size_t i = 0; i < text.len; i++) {
		match->steps++;
		if (!advance_by(match, &reached, (unsigned char)text.at[i]))
			return;
	}
	for (size_t i = 0; i < count_words(match); i++)
		to->words[i] |= reached.words[i];
}

/* ---- a set of texts ---- */

_Static_assert((int)CHANNEL_NAME_MAX <= (int)TEXT_SET_LEN_MAX, "a name is no longer than a text");

static bool has_offset(const struct channel_offsets *offsets, size_t at)
{
	return offsets->words[at / 64] >> at % 64 & 1;
}

static size_t count_offsets(const struct channel_offsets *offsets)
{
	size_t n = 0;
	for (size_t i = 0; i < CHANNEL_OFFSET_WORDS; i++)
		n += (size_t)__builtin_popcountll(offsets->words[i]);
	return n;
}

/* Each text that the name has at this offset. */
static void advance_at(struct channel_match *match, size_t offset, struct channel_offsets *to,
	const struct text_set *set)
{
	struct slice rest = slice_skip(match->name, offset);
	uint64_t hash = 0;
	rest.len = MIN(rest.len, set->longest);
	for (size_t len = 1; len <= rest.len; len++) {
		match->steps++;
		hash = text_set_hash(set, hash, rest.at[len - 1]);
		if (!has_offset(to, offset + len) &&
			text_set_has(set, hash, slice_make(rest.at, len)))
			to->words[(offset + len) / 64] |= UINT64_C(1) << (offset + len) % 64;
	}
}

bool channel_match_advance_by_set(struct channel_match *match, const struct channel_offsets *from,
	struct channel_offsets *to, const struct text_set *set)
{
	if (count_offsets(from) * MIN(match->len, set->longest) > set->reading)
		return false;
	for (size_t at = 0; at < match->len; at++)
		if (has_offset(from, at))
			advance_at(match, at, to, set);
	return true;
}

bool channel_offsets_any(const struct channel_offsets *offsets)
{
	uint64_t any = 0;
	for (size_t i = 0; i < CHANNEL_OFFSET_WORDS; i++)
		any |= offsets->words[i];
	return any != 0;
}

bool channel_match_is_complete(
	const struct channel_match *match, const struct channel_offsets *offsets)
{
	return offsets->words[match->len / 64] >> match->len % 64 & 1;
}
