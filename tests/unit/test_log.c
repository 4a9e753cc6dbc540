#include "captured_log.h"

static void writes_one_line_of_text(void **state)
{
	(void)state;
	log_info("listening", log_text("address", "127.0.0.1:80"), log_number("workers", 2));
	const char *line = read_log();
	assert_int_equal(
		strlen(line), strlen("2026-11-22T20:40:37.123Z") +
				      strlen(" info listening address=127.0.0.1:80 workers=2\n"));
	assert_string_equal(line + 24, " info listening address=127.0.0.1:80 workers=2\n");
}

static void escapes_text_that_could_forge_a_line(void **state)
{
	(void)state;
	log_warn("odd", log_slice("value", SLICE("a\nb \"c\"\x1b")), log_text("empty", ""));
	assert_string_equal(
		read_log() + 24, " warn odd value=\"a\\u000ab \\\"c\\\"\\u001b\" empty=\"\"\n");
}

static void writes_json(void **state)
{
	(void)state;
	log_setup(LOG_INFO, true);
	log_error("gone", log_text("why", "x\\y"), log_number("n", -1));
	const char *line = read_log();
	assert_memory_equal(line, "{\"time\":\"", 9);
	assert_non_null(strstr(
		line, "\",\"level\":\"error\",\"event\":\"gone\",\"why\":\"x\\\\y\",\"n\":-1}\n"));
}

static void obeys_the_level(void **state)
{
	(void)state;
	log_debug("unseen");
	assert_string_equal(read_log(), "");
	log_setup(LOG_DEBUG, false);
	log_debug("seen");
	assert_non_null(strstr(read_log(), " debug seen\n"));
}

static void cuts_a_long_line(void **state)
{
	(void)state;
	static char text[10000];
	memset(text, 'x', sizeof(text));
	log_info("long", log_slice("value", slice_make(text, sizeof(text))));
	const char *line = read_log();
	assert_in_range(strlen(line), 4000, 4096);
	assert_int_equal(line[strlen(line) - 1], '\n');
}

static void drops_and_counts_lines_when_nobody_reads(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++)
		log_info("flood");
	assert_non_null(strstr(read_log(), "flood"));
	log_info("after");
	const char *line = strstr(read_log(), "log lines dropped");
	assert_non_null(line);
	assert_non_null(strstr(line, "info after\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_one_line_of_text, capture, release),
		cmocka_unit_test_setup_teardown(
			escapes_text_that_could_forge_a_line, capture, release),
		cmocka_unit_test_setup_teardown(writes_json, capture, release),
		cmocka_unit_test_setup_teardown(obeys_the_level, capture, release),
		cmocka_unit_test_setup_teardown(cuts_a_long_line, capture, release),
		cmocka_unit_test_setup_teardown(
			drops_and_counts_lines_when_nobody_reads, capture, release),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
