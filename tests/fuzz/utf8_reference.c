#include "utf8_reference.h"

#include <stdint.h>

#include "sluice/base/defs.h"

enum { SURROGATE_FIRST = 0xD800, SURROGATE_LAST = 0xDFFF, CODE_POINT_MAX = 0x10FFFF };

/* The length of a character, from its first byte; 0: no character begins with it. */
static size_t length_of(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xC0 || first > 0xF7)
		return 0;
	return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* May a code point from `low` to `high` be encoded in `len` bytes? */
static bool one_is_good(uint32_t low, uint32_t high, size_t len)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	low = MAX(low, smallest[len]);
	high = MIN(high, CODE_POINT_MAX);
	return low <= high && !(low >= SURROGATE_FIRST && high <= SURROGATE_LAST);
}

/* Reads the character at the front, or its beginning, and removes it. */
static enum utf8_verdict read_character(struct slice *text)
{
	uint8_t first = (uint8_t)text->at[0];
	size_t len = length_of(first), here = MIN(len, text->len);
	if (len == 0)
		return UTF8_INVALID;
	uint32_t code_point = len == 1 ? first : first & (0x7Fu >> len);
	for (size_t i = 1; i < here; i++) {
		uint8_t byte = (uint8_t)text->at[i];
		if (byte < 0x80 || byte > 0xBF)
			return UTF8_INVALID;
		code_point = code_point << 6 | (byte & 0x3F);
	}
	unsigned unknown_bits = 6 * (unsigned)(len - here);
	uint32_t low = code_point << unknown_bits, high = low | ((1u << unknown_bits) - 1);
	*text = slice_skip(*text, here);
	if (!one_is_good(low, high, len))
		return UTF8_INVALID;
	return here < len ? UTF8_UNFINISHED : UTF8_VALID;
}

enum utf8_verdict utf8_reference(struct slice text)
{
	enum utf8_verdict verdict = UTF8_VALID;
	while (text.len && verdict == UTF8_VALID)
		verdict = read_character(&text);
	return verdict;
}
