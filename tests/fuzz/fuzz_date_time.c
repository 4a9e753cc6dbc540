/* Times: date_time_parse. */
#include "fuzz.h"

#include <time.h>

#include "sluice/proto/text/date_time.h"

enum { DAY_MS = 86400000 };

/* The C library counts the same days. */
static void check(struct slice text, int64_t ms)
{
	struct tm tm;
	char date[16];
	time_t seconds;
	int64_t at;
	MUST(date_time_parse(slice_make(text.at, 10), &at));
	MUST(at % DAY_MS == 0 && ms - at < 3 * (int64_t)DAY_MS && at - ms < DAY_MS);
	seconds = (time_t)(at / 1000);
	MUST(gmtime_r(&seconds, &tm));
	snprintf(date, sizeof(date), "%04d-%02d-%02d", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
		tm.tm_mday);
	MUST(slice_starts_with(text, slice_of(date)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = fuzz_copy(fuzz_rest(data, size));
	int64_t ms;
	if (date_time_parse(text, &ms))
		check(text, ms);
	fuzz_free(text);
	return 0;
}
