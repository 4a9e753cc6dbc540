#include "captured_log.h"
#include "sluice/base/limit.h"

static void logs_the_limits_on_commands(void **state)
{
	(void)state;
	static struct metrics metrics;
	for (int i = 0; i < 100; i++) {
		limit_hit(&metrics, METRIC_LIMIT_COMMAND_BYTES);
		limit_hit(&metrics, METRIC_LIMIT_COMMANDS_PER_SECOND);
	}
	const char *text = read_log();
	assert_non_null(strstr(text, "limit reached limit=command_bytes\n"));
	assert_non_null(strstr(text, "limit reached limit=commands_per_second\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(logs_the_limits_on_commands, capture, release),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
