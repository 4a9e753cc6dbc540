#include "sluice/redis/info/server_info.h"
#include "unit.h"

static void reads_run_id_and_time(void **state)
{
	(void)state;
	struct redis_server_info info = redis_server_info_read(
		SLICE("# Server\r\nredis_version:7.0.15\r\n"
		      "run_id:fedcba98765432100123456789abcdef01234567\r\n"
		      "server_time_usec:1764547200123456\r\nuptime_in_seconds:1\r\n"));
	assert_true(info.run_id == UINT64_C(0xfedcba9876543210));
	assert_true(info.time_ms == UINT64_C(1764547200123));
}

static void takes_what_is_malformed_as_absent(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "\r\n", "run_id:", "run_id:0123", "run_id:xyz",
		"run_id:0123456789abcdeX", "xrun_id:0123456789abcdef",
		"server_time_usec:", "server_time_usec:-5", "server_time_usec:18446744073709551616",
		"\nrun_id" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct redis_server_info info = redis_server_info_read(slice_of(texts[i]));
		assert_true(info.run_id == 0 && info.time_ms == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_run_id_and_time),
		cmocka_unit_test(takes_what_is_malformed_as_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
