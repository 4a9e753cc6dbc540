#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exact.h"
#include "sluice/base/defs.h"
#include "sluice/proto/text/percent.h"

static void decodes_escapes_and_refuses_broken_ones(void **state)
{
	(void)state;
	static const struct {
		struct slice text;
		ssize_t result;
		const char *decoded;
	} cases[] = {
		{ { NULL, 0 }, 0, "" },
		{ { "", 0 }, 0, "" },
		{ { "abc", 3 }, 3, "abc" },
		{ { "%41%6a%6A", 9 }, 3, "Ajj" },
		{ { "a%20b+c", 7 }, 5, "a b+c" },
		{ { "%25%2541", 8 }, 4, "%%41" },
		{ { "%00x", 4 }, 2, "\0x" },
		{ { "a\0b", 3 }, 3, "a\0b" },
		{ { "%ff%FE", 6 }, 2, "\xff\xfe" },
		{ { "\xc3\xa9", 2 }, 2, "\xc3\xa9" },
		{ { "%", 1 }, -EINVAL, NULL },
		{ { "%4", 2 }, -EINVAL, NULL },
		{ { "abc%", 4 }, -EINVAL, NULL },
		{ { "abc%4", 5 }, -EINVAL, NULL },
		{ { "%%41", 4 }, -EINVAL, NULL },
		{ { "%4%1", 4 }, -EINVAL, NULL },
		{ { "%g1", 3 }, -EINVAL, NULL },
		{ { "%1g", 3 }, -EINVAL, NULL },
		{ { "%/1", 3 }, -EINVAL, NULL },
		{ { "%:1", 3 }, -EINVAL, NULL },
		{ { "%@1", 3 }, -EINVAL, NULL },
		{ { "%`1", 3 }, -EINVAL, NULL },
		{ { "% 1", 3 }, -EINVAL, NULL },
		{ { "%+1", 3 }, -EINVAL, NULL },
		{ { "%-1", 3 }, -EINVAL, NULL },
		{ { "%0x41", 5 }, -EINVAL, NULL },
		{ { "%u0041", 6 }, -EINVAL, NULL },
		{ { "%\0001", 3 }, -EINVAL, NULL },
		{ { "%\xff\xff", 3 }, -EINVAL, NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *text = exact_copy(cases[i].text), *decoded = exact_copy(cases[i].text);
		ssize_t len = percent_decode(
			slice_make(text, cases[i].text.len), decoded, cases[i].text.len);
		assert_int_equal(len, cases[i].result);
		if (len > 0)
			assert_memory_equal(decoded, cases[i].decoded, (size_t)len);
		free(text);
		free(decoded);
	}
}

static void decodes_every_byte(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		char text[4], decoded[4];
		snprintf(text, sizeof(text), byte % 2 ? "%%%02x" : "%%%02X", (unsigned)byte);
		assert_int_equal(percent_decode(slice_make(text, 3), decoded, 1), 1);
		assert_int_equal((unsigned char)decoded[0], byte);
	}
}

static void stops_when_the_room_is_full(void **state)
{
	(void)state;
	char *room = malloc(2);
	assert_non_null(room);
	assert_int_equal(percent_decode(SLICE("%41b"), room, 2), 2);
	assert_memory_equal(room, "Ab", 2);
	assert_int_equal(percent_decode(SLICE("%41bc"), room, 2), -EMSGSIZE);
	assert_int_equal(percent_decode(SLICE("%41b%"), room, 2), -EINVAL);
	assert_int_equal(percent_decode(SLICE("a"), room, 0), -EMSGSIZE);
	free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_escapes_and_refuses_broken_ones),
		cmocka_unit_test(decodes_every_byte),
		cmocka_unit_test(stops_when_the_room_is_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
