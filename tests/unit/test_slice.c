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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(trims_blanks_only),
		cmocka_unit_test(cuts_at_each_separator),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
