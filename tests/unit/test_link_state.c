#include "captured_log.h"
#include "sluice/feed/link_state.h"

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
