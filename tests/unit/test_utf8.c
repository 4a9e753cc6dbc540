#include <stdlib.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/utf8.h"
#include "unit.h"

/* ---- the oracle: arithmetic on code points, unlike the state machine under test ---- */

static bool some_character_lies_within(uint32_t from, uint32_t to, uint32_t smallest)
{
	from = MAX(from, smallest);
	to = MIN(to, 0x10FFFFu);
	bool only_surrogates = from >= 0xD800 && to <= 0xDFFF;
	return from <= to && !only_surrogates;
}

/* Can `bytes` begin with a character, whose end may be missing? Returns how many bytes the
 * character has, and how many of them are in `bytes`. */
static bool front_is_possible(struct slice bytes, size_t *ret_n, size_t *ret_here)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t first = (uint8_t)bytes.at[0];
	size_t n = first < 0x80             ? 1
		   : (first & 0xE0) == 0xC0 ? 2
		   : (first & 0xF0) == 0xE0 ? 3
		   : (first & 0xF8) == 0xF0 ? 4
					    : 0;
	if (!n)
		return false;
	uint32_t value = n == 1 ? first : first & (0x7Fu >> n);
	size_t here = 1;
	for (; here < n && here < bytes.len; here++) {
		if (((uint8_t)bytes.at[here] & 0xC0) != 0x80)
			return false;
		value = value << 6 | ((uint8_t)bytes.at[here] & 0x3F);
	}
	unsigned missing = 6 * (unsigned)(n - here);
	*ret_n = n;
	*ret_here = here;
	return some_character_lies_within(
		value << missing, (value << missing) + (1u << missing) - 1, smallest[n]);
}

/* Can `bytes` begin a valid text? Are they one? */
static bool oracle(struct slice bytes, bool *ret_complete)
{
	*ret_complete = true;
	while (bytes.len) {
		size_t n, here;
		if (!front_is_possible(bytes, &n, &here))
			return false;
		*ret_complete = here == n;
		bytes = slice_skip(bytes, here);
	}
	return true;
}

static void agrees_with_the_oracle(struct slice bytes)
{
	struct utf8 by_byte = { 0 };
	bool complete = true;
	for (size_t i = 0; i < bytes.len; i++) {
		bool possible = oracle(slice_make(bytes.at, i + 1), &complete);
		assert_int_equal(utf8_feed(&by_byte, slice_make(bytes.at + i, 1)), possible);
		if (possible)
			assert_int_equal(utf8_is_complete(&by_byte), complete);
		else
			assert_false(utf8_is_complete(&by_byte));
	}
	assert_int_equal(utf8_is_valid(bytes), oracle(bytes, &complete) && complete);
}

/* ---- the tests ---- */

static void all_strings_of_one_and_two_bytes(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			char bytes[] = { (char)a, (char)b };
			agrees_with_the_oracle(slice_make(bytes, 2));
		}
	}
}

/* Every byte at which a range of RFC 3629 begins or ends. */
static void strings_of_four_bytes_at_the_limits_of_each_range(void **state)
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
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3F));
	bytes[0] = (char)(n == 1 ? c : (0xF00u >> n & 0xF0) | c);
	return n;
}

static void every_code_point(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x120000; c++) {
		char bytes[4];
		size_t n = encode(c, bytes);
		bool surrogate = c >= 0xD800 && c <= 0xDFFF;
		assert_int_equal(utf8_is_valid(slice_make(bytes, n)), c <= 0x10FFFF && !surrogate);
	}
}

/* The fast path for ASCII must not skip any other byte, wherever it lies in a word. */
static void finds_other_bytes_among_ascii(void **state)
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

static void result_does_not_depend_on_the_split(void **state)
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

static void refusal_is_final(void **state)
{
	(void)state;
	struct utf8 utf8 = { 0 };
	assert_false(utf8_feed(&utf8, SLICE("a\xFF")));
	assert_false(utf8_feed(&utf8, SLICE("plain ascii")));
	assert_false(utf8_feed(&utf8, SLICE("")));
	assert_false(utf8_is_complete(&utf8));
}

static void empty_text_is_valid(void **state)
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
		cmocka_unit_test(all_strings_of_one_and_two_bytes),
		cmocka_unit_test(strings_of_four_bytes_at_the_limits_of_each_range),
		cmocka_unit_test(every_code_point),
		cmocka_unit_test(finds_other_bytes_among_ascii),
		cmocka_unit_test(result_does_not_depend_on_the_split),
		cmocka_unit_test(refusal_is_final),
		cmocka_unit_test(empty_text_is_valid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
