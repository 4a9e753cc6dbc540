#include "unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/json_print.h"

#define assert_printed(buffer, text) \
	do { \
		assert_true(slice_equal(buffer_slice(buffer), text)); \
		buffer_finish(buffer); \
	} while (0)

static void prints_strings(void **state)
{
	(void)state;
	static const struct {
		struct slice text, json;
	} cases[] = {
		{ { "", 0 }, { "\"\"", 2 } },
		{ { NULL, 0 }, { "\"\"", 2 } },
		{ { "a/b", 3 }, { "\"a/b\"", 5 } },
		{ { "\"\\", 2 }, { "\"\\\"\\\\\"", 6 } },
		{ { "a\n\x1f"
		    "b",
			  4 },
			{ "\"a\\u000a\\u001fb\"", 16 } },
		{ { "\x7f\xc3\xa9", 3 }, { "\"\x7f\xc3\xa9\"", 5 } },
		{ { "a\0b", 3 }, { "{}", 2 } },
		{ { "\xff", 1 }, { "{}", 2 } },
		{ { "\xed\xa0\x80", 3 }, { "{}", 2 } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer out = { 0 };
		struct json_printer printer = { .out = &out, .max = 100 };
		assert_int_equal(json_print_text(&printer, cases[i].text), 0);
		assert_int_equal(json_print_can_hold(cases[i].text), cases[i].json.at[0] == '"');
		assert_printed(&out, cases[i].json);
	}
}

static void prints_names(void **state)
{
	(void)state;
	struct buffer out = { 0 };
	struct json_printer printer = { .out = &out, .max = 100 };
	assert_int_equal(json_print_name(&printer, false, SLICE("a\"")), 0);
	assert_int_equal(json_print_name(&printer, true, SLICE("b")), 0);
	assert_printed(&out, SLICE("\"a\\\"\":,\"b\":"));
}

static void prints_numbers_that_read_back(void **state)
{
	(void)state;
	static const struct {
		double number;
		const char *json;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "-0" },
		{ 0.1, "0.1" },
		{ 1e25, "1e+25" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 5e-324, "4.94065645841247e-324" },
		{ -1.5, "-1.5" },
		{ (double)INFINITY, "null" },
		{ -(double)INFINITY, "null" },
		{ (double)NAN, "null" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer out = { 0 };
		struct json_printer printer = { .out = &out, .max = 100 };
		assert_int_equal(json_print_double(&printer, cases[i].number), 0);
		assert_printed(&out, slice_of(cases[i].json));
	}
}

static void keeps_to_the_maximum_length(void **state)
{
	(void)state;
	for (size_t max = 0; max < 12; max++) {
		struct buffer out = { 0 };
		struct json_printer printer = { .out = &out, .max = max };
		int expected = max < 11 ? -EMSGSIZE : 0;
		assert_int_equal(json_print_name(&printer, true, SLICE("a\\bc\"")), expected);
		assert_true(out.len <= max);
		buffer_finish(&out);
		assert_int_equal(
			json_print_text(&printer, SLICE("a\nbc")), expected ? expected : 0);
		assert_true(out.len <= max);
		buffer_finish(&out);
	}
}

static void prints_nothing_while_muted(void **state)
{
	(void)state;
	struct buffer out = { 0 };
	struct json_printer printer = { .out = &out, .max = 0, .muted = 1 };
	assert_int_equal(json_print_name(&printer, true, SLICE("a")), 0);
	assert_int_equal(json_print_text(&printer, SLICE("\xff\n")), 0);
	assert_int_equal(json_print_double(&printer, 1), 0);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_strings),
		cmocka_unit_test(prints_names),
		cmocka_unit_test(prints_numbers_that_read_back),
		cmocka_unit_test(keeps_to_the_maximum_length),
		cmocka_unit_test(prints_nothing_while_muted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
