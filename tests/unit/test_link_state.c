#include <fcntl.h>
#include <unistd.h>

#include "sluice/base/log.h"
#include "sluice/feed/link_state.h"
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

static size_t count(const char *text, const char *part)
{
	size_t n = 0;
	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

static void logs_few_lines_when_the_reasons_alternate(void **state)
{
	(void)state;
	struct link_state link;
	link_state_init(&link, "command", 0);
	for (int i = 0; i < 100; i++)
		(void)link_state_down(&link, i % 2 ? "LOADING" : "connection refused");
	size_t lines = count(read_log(), "redis link down");
	assert_in_range(lines, 2, 2 * LINK_STATE_BURST);
	link_state_up(&link);
	assert_int_equal(count(read_log(), "redis link up"), 1);
}

static void logs_few_lines_when_the_link_flaps(void **state)
{
	(void)state;
	struct link_state link;
	link_state_init(&link, "command", 0);
	for (int i = 0; i < 100; i++) {
		link_state_up(&link);
		assert_true(link_state_down(&link, "Redis closed the connection"));
	}
	link_state_up(&link);
	const char *text = read_log();
	size_t down = count(text, "redis link down");
	assert_in_range(down, 2, 2 * LINK_STATE_BURST);
	assert_int_equal(count(text, "redis link up"), down + 1); /* and ends with it */
	assert_true(link_state_is_up(&link));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			logs_few_lines_when_the_reasons_alternate, capture, release),
		cmocka_unit_test_setup_teardown(
			logs_few_lines_when_the_link_flaps, capture, release),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
