#include "unit.h"

#include <string.h>

#include "sluice/proto/text/hex.h"

static void knows_the_digits_of_both_cases(void **state)
{
	(void)state;
	static const char digits[] = "0123456789abcdef", upper[] = "ABCDEF";
	for (int c = -128; c < 128; c++) {
		const char *lower_at = c ? strchr(digits, c) : NULL;
		const char *upper_at = c ? strchr(upper, c) : NULL;
		int expected = lower_at   ? (int)(lower_at - digits)
			       : upper_at ? 10 + (int)(upper_at - upper)
					  : -1;
		assert_int_equal(hex_digit((char)c), expected);
	}
	assert_int_equal(hex_four("dEaD"), 0xdead);
	assert_int_equal(hex_four("0001"), 1);
}

static void prints_lower_case(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 0x00, 0x9f, 0xa0, 0xff };
	char text[8];
	hex_print(bytes, sizeof(bytes), text);
	assert_memory_equal(text, "009fa0ff", sizeof(text));
	hex_print(NULL, 0, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_digits_of_both_cases),
		cmocka_unit_test(prints_lower_case),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
