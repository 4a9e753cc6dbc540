#include <stdlib.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/utf8.h"
#include "unit.h"

/* ---- the oracle: arithmetic on code points, nothing like the machine under test ---- */

static bool some_character_lies_within(uint32_t from, uint32_t to, uint32_t smallest)
{
	from = MAX(from, smallest);
	to = MIN(to, 0x10FFFFu);
	bool only_surrogates = from >= 0xD800 && to <= 0xDFFF;
	return from <= to && !only_surrogates;
}

/* Reads the character at the front of `bytes`, of which the end may be missing: could it be one?
 * Gives how many octets it has, and how many of them are here. */
static bool front_is_possible(struct slice bytes, size_t *ret_octets, size_t *ret_here)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t first = (uint8_t)bytes.at[0];
	size_t octets = first < 0x80             ? 1
			: (first & 0xE0) == 0xC0 ? 2
			: (first & 0xF0) == 0xE0 ? 3
			: (first & 0xF8) == 0xF0 ? 4
						 : 0;
	if (!octets)
		return false;
	uint32_t value = octets == 1 ? first : first & (0x7Fu >> octets);
	size_t here = 1;
	for (; here < octets && here < bytes.len; here++) {
		if (((uint8_t)bytes.at[here] & 0xC0) != 0x80)
			return false;
		value = value << 6 | ((uint8_t)bytes.at[here] & 0x3F);
	}
	unsigned missing = 6 * (unsigned)(octets - here);
	*ret_octets = octets;
	*ret_here = here;
	return some_character_lies_within(
		value << missing, (value << missing) + (1u << missing) - 1, smallest[octets]);
}

/* Can `bytes` begin a valid text? And be one? */
static bool oracle(struct slice bytes, bool *ret_complete)
{
	*ret_complete = true;
	while (bytes.len) {
		size_t octets, here;
		if (!front_is_possible(bytes, &octets, &here))
			return false;
		*ret_complete = here == octets;
		bytes = slice_skip(bytes, here);
	}
	return true;
}

static void agrees_with_the_oracle(struct slice bytes)
{
	struct utf8 by_octet = { 0 };
	bool complete = true;
	for (size_t i = 0; i < bytes.len; i++) {
		bool possible = oracle(slice_make(bytes.at, i + 1), &complete);
		assert_int_equal(utf8_feed(&by_octet, slice_make(bytes.at + i, 1)), possible);
		if (possible)
			assert_int_equal(utf8_is_complete(&by_octet), complete);
		else
			assert_false(utf8_is_complete(&by_octet));
	}
	assert_int_equal(utf8_is_valid(bytes), oracle(bytes, &complete) && complete);
}

/* ---- the tests ---- */

static void one_and_two_octets(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			char bytes[] = { (char)a, (char)b };
			agrees_with_the_oracle(slice_make(bytes, 2));
		}
	}
}

/* Every octet at which some range of RFC 3629 begins or ends. */
static void four_octets_at_the_borders(void **state)
{
	(void)state;
	static const uint8_t borders[] = { 0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0,
		0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5,
		0xFF };
	size_t n = COUNT_OF(borders);
	for (size_t i = 0; i < n * n * n * n; i++) {
		char bytes[] = { (char)borders[i % n], (char)borders[i / n % n],
			(char)borders[i / n / n % n], (char)borders[i / n / n / n] };
		agrees_with_the_oracle(slice_make(bytes, sizeof(bytes)));
	}
}

static size_t encode(uint32_t c, char bytes[4])
{
	size_t octets = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = octets; i-- > 1; c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3F));
	bytes[0] = (char)(octets == 1 ? c : (0xF00u >> octets & 0xF0) | c);
	return octets;
}

static void every_character(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x120000; c++) {
		char bytes[4];
		size_t octets = encode(c, bytes);
		bool surrogate = c >= 0xD800 && c <= 0xDFFF;
		assert_int_equal(
			utf8_is_valid(slice_make(bytes, octets)), c <= 0x10FFFF && !surrogate);
	}
}

/* The fast path for ASCII must not step over anything else, wherever it lies in a word. */
static void other_octets_among_ascii(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 40; len++) {
		char *text = malloc(len);
		assert_non_null(text);
		for (size_t i = 0; i < len; i++) {
			memset(text, 'a', len);
			assert_true(utf8_is_valid(slice_make(text, len)));
			text[i] = (char)0x80;
			assert_false(utf8_is_valid(slice_make(text, len)));
			text[i] = (char)0xC3;
			assert_false(utf8_is_valid(slice_make(text, len)));
			if (i + 1 < len) {
				text[i + 1] = (char)0xA9;
				assert_true(utf8_is_valid(slice_make(text, len)));
			}
		}
		free(text);
	}
}

static void a_split_changes_nothing(void **state)
{
	(void)state;
	struct slice text =
		SLICE("plain ascii first, \xC3\xA9\xE2\x82\xAC\xED\x9F\xBF\xF0\x9F\x94\x91 and "
		      "more ascii \xF4\x8F\xBF\xBF");
	for (size_t i = 0; i <= text.len; i++) {
		struct utf8 utf8 = { 0 };
		assert_true(utf8_feed(&utf8, slice_make(text.at, i)));
		assert_true(utf8_feed(&utf8, slice_skip(text, i)));
		assert_true(utf8_is_complete(&utf8));
	}
}

static void refusal_is_for_ever(void **state)
{
	(void)state;
	struct utf8 utf8 = { 0 };
	assert_false(utf8_feed(&utf8, SLICE("a\xFF")));
	assert_false(utf8_feed(&utf8, SLICE("plain ascii")));
	assert_false(utf8_feed(&utf8, SLICE("")));
	assert_false(utf8_is_complete(&utf8));
}

static void nothing_is_valid(void **state)
{
	(void)state;
	struct utf8 utf8 = { 0 };
	assert_true(utf8_is_complete(&utf8));
	assert_true(utf8_feed(&utf8, (struct slice){ NULL, 0 }));
	assert_true(utf8_is_valid((struct slice){ NULL, 0 }));
	assert_true(utf8_is_valid(SLICE("\0")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_and_two_octets),
		cmocka_unit_test(four_octets_at_the_borders),
		cmocka_unit_test(every_character),
		cmocka_unit_test(other_octets_among_ascii),
		cmocka_unit_test(a_split_changes_nothing),
		cmocka_unit_test(refusal_is_for_ever),
		cmocka_unit_test(nothing_is_valid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
