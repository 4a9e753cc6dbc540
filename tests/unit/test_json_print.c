#include "unit.h"

#include <errno.h>
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
		{ { "a\0b", 3 }, { "\"a\\u0000b\"", 10 } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer out = { 0 };
		struct json_printer printer = { .out = &out, .max = 100 };
		assert_int_equal(json_print_string(&printer, cases[i].text), 0);
		assert_printed(&out, cases[i].json);
	}
}

static void keeps_to_the_maximum_length(void **state)
{
	(void)state;
	for (size_t max = 0; max < 12; max++) {
		struct buffer out = { 0 };
		struct json_printer printer = { .out = &out, .max = max };
		assert_int_equal(
			json_print_string(&printer, SLICE("a\nbc")), max < 11 ? -EMSGSIZE : 0);
		assert_true(out.len <= max);
		buffer_finish(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_strings),
		cmocka_unit_test(keeps_to_the_maximum_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
