#include "sluice/base/slice.h"
#include "unit.h"

static void compares(void **state)
{
	(void)state;
	assert_true(slice_equal(SLICE("a"), slice_of("a")));
	assert_false(slice_equal(SLICE("a"), SLICE("A")));
	assert_true(slice_equal_nocase(SLICE("Upgrade"), SLICE("uPGRADE")));
	assert_true(slice_equal(slice_of(NULL), SLICE("")));
	assert_true(slice_starts_with(SLICE("sess:1"), SLICE("sess:")));
	assert_false(slice_starts_with(SLICE("ses"), SLICE("sess:")));
}

static void trims_blanks_only(void **state)
{
	(void)state;
	assert_true(slice_equal(slice_trim(SLICE(" \t a b\t ")), SLICE("a b")));
	assert_int_equal(slice_trim(SLICE(" \t ")).len, 0);
	assert_true(slice_equal(slice_trim(SLICE("\n")), SLICE("\n")));
}

static void cuts_at_each_separator(void **state)
{
	(void)state;
	struct slice rest = SLICE("a,,b,");
	assert_true(slice_equal(slice_cut(&rest, ','), SLICE("a")));
	assert_true(slice_equal(slice_cut(&rest, ','), SLICE("")));
	assert_true(slice_equal(slice_cut(&rest, ','), SLICE("b")));
	assert_non_null(rest.at);
	assert_true(slice_equal(slice_cut(&rest, ','), SLICE("")));
	assert_null(rest.at);
}

static void takes_what_it_begins_with(void **state)
{
	(void)state;
	struct slice rest = SLICE("abc:d");
	assert_false(slice_take(&rest, SLICE("abd")));
	assert_false(slice_take_char(&rest, 'b'));
	assert_true(slice_take(&rest, SLICE("abc")));
	assert_true(slice_take_char(&rest, ':'));
	assert_false(slice_take(&rest, SLICE("de")));
	assert_true(slice_equal(slice_take_bytes(&rest, 1), SLICE("d")));
	assert_int_equal(rest.len, 0);
	assert_false(slice_take_char(&rest, 'd'));
	assert_true(slice_take(&rest, SLICE("")));
}

static void joins_what_fits(void **state)
{
	(void)state;
	const struct slice parts[] = { SLICE("ab"), { NULL, 0 }, SLICE("c") };
	char text[3];
	assert_int_equal(slice_join(parts, 3, text, 3), 3);
	assert_memory_equal(text, "abc", 3);
	assert_int_equal(slice_join(parts, 3, text, 2), -EMSGSIZE);
	assert_int_equal(slice_join(parts, 0, NULL, 0), 0);
}

static void reads_decimal_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t max;
		bool good;
		uint64_t number;
	} cases[] = {
		{ "0", 0, true, 0 },
		{ "007", 7, true, 7 },
		{ "65535", 65535, true, 65535 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999", UINT64_MAX, false, 0 },
		{ "65536", 65535, false, 0 },
		{ "8", 7, false, 0 },
		{ "", 7, false, 0 },
		{ "-1", 7, false, 0 },
		{ "+1", 7, false, 0 },
		{ "1 ", 7, false, 0 },
		{ "1:", 99, false, 0 },
		{ "\xb1", 99, false, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t number = 0;
		bool good = slice_number(slice_of(cases[i].text), cases[i].max, &number);
		if (good != cases[i].good || (good && number != cases[i].number))
			fail_msg("%s: %d, %llu", cases[i].text, good, (unsigned long long)number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(trims_blanks_only),
		cmocka_unit_test(cuts_at_each_separator),
		cmocka_unit_test(takes_what_it_begins_with),
		cmocka_unit_test(joins_what_fits),
		cmocka_unit_test(reads_decimal_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
