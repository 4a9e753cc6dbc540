#include <fcntl.h>
#include <unistd.h>

#include "sluice/base/limit.h"
#include "sluice/base/log.h"
#include "unit.h"

static int saved_stderr, reading_end;

/* stderr becomes a pipe, whose other end the test reads. */
static int capture(void **state)
{
	(void)state;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	reading_end = ends[0];
	fcntl(reading_end, F_SETFL, O_NONBLOCK);
	return 0;
}

static int release(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(reading_end);
	log_setup(LOG_INFO, false);
	return 0;
}

static const char *read_log(void)
{
	static char text[1 << 17];
	ssize_t len = read(reading_end, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

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
