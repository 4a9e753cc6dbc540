#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/date_time.h"

static void parses_dates_and_times(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "1970-01-01T00:00:00.000Z", 0 },
		{ "1970-01-01", 0 },
		{ "2026-11-22T20:09:33.192Z", 1795378173192 },
		{ "2026-11-22T20:09:33.192999Z", 1795378173192 },
		{ "2026-11-22T20:09:33.1Z", 1795378173100 },
		{ "2026-11-22T20:09:33Z", 1795378173000 },
		{ "2026-11-22T20:09:33", 1795378173000 },
		{ "2026-11-22 20:09:33", 1795378173000 },
		{ "2026-11-22T20:09Z", 1795378140000 },
		{ "2026-11-22T22:09:33+02:00", 1795378173000 },
		{ "2026-11-22T22:09:33+0200", 1795378173000 },
		{ "2026-11-22T15:39:33-04:30", 1795378173000 },
		{ "2000-02-29T00:00:00Z", 951782400000 },
		{ "2016-12-31T23:59:60Z", 1483228800000 },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "0000-01-01T00:00:00Z", -62167219200000 },
		{ "9999-12-31T23:59:59.999Z", 253402300799999 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t ms = 1;
		if (!date_time_parse(slice_of(cases[i].text), &ms) || ms != cases[i].ms)
			fail_msg("%s: %lld", cases[i].text, (long long)ms);
	}
}

static void refuses_anything_else(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "2026", "2026-11", "2026-11-22T", "2026-11-22Z",
		"2026-13-01", "2026-00-01", "2026-11-31", "2026-11-00", "1900-02-29", "2023-02-29",
		"26-11-22", "+2026-11-22", "2026-11-22T24:00Z", "2026-11-22T20:60Z",
		"2026-11-22T20:09:61Z", "2026-11-22T20:09:33.Z", "2026-11-22T20:09:33z",
		"2026-11-22T20:09:33ZZ", "2026-11-22T20:09:33+2", "2026-11-22T20:09:33+24:00",
		"2026-11-22T20:09:33+02:60", "2026-11-22T20", "2026/11/22", "2026-1-2",
		" 2026-11-22", "2026-11-22T20:09:33.192Z ", "Sun, 22 Nov 2026 20:09:33 GMT" };
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		int64_t ms;
		if (date_time_parse(slice_of(texts[i]), &ms))
			fail_msg("%s", texts[i]);
	}
	int64_t ms;
	assert_false(date_time_parse((struct slice){ NULL, 0 }, &ms));
}

/* Every day of four centuries. */
static void counts_days_as_the_c_library_does(void **state)
{
	(void)state;
	for (int64_t day = -100000; day < 60000; day++) {
		char text[32];
		struct tm tm;
		int64_t ms;
		time_t seconds = (time_t)(day * 86400 + 45296);
		assert_non_null(gmtime_r(&seconds, &tm));
		assert_true(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
		assert_true(date_time_parse(slice_of(text), &ms));
		assert_true(ms == (int64_t)seconds * 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_dates_and_times),
		cmocka_unit_test(refuses_anything_else),
		cmocka_unit_test(counts_days_as_the_c_library_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
