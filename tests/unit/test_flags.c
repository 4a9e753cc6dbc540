/* The command line. */
#include <errno.h>
#include <stdio.h>

#include "sluice/base/defs.h"
#include "sluice/settings/settings.h"
#include "unit.h"

static void takes_flags_in_two_forms(void **state)
{
	(void)state;
	char *argv[] = { (char[]){ "sluice" }, (char[]){ "--config" }, (char[]){ "a.json" },
		(char[]){ "--listen=:1" }, (char[]){ "--redis-url" }, (char[]){ "redis://a?b=c" },
		(char[]){ "--workers=3" }, (char[]){ "--log-level" }, (char[]){ "warn" },
		(char[]){ "--probe=http://a/?b=c" }, (char[]){ "--dev" }, (char[]){ "--check" },
		(char[]){ "--print-config" }, (char[]){ "--print-settings" },
		(char[]){ "--version" }, (char[]){ "--help" }, NULL };
	struct settings_flags flags;
	struct buffer problems = { 0 };
	assert_int_equal(settings_read_flags((int)COUNT_OF(argv) - 1, argv, &flags, &problems), 0);
	assert_string_equal(flags.config, "a.json");
	assert_string_equal(flags.listen, ":1");
	assert_string_equal(flags.redis_url, "redis://a?b=c");
	assert_string_equal(flags.workers, "3");
	assert_string_equal(flags.log_level, "warn");
	assert_string_equal(flags.probe, "http://a/?b=c");
	assert_true(flags.dev && flags.check && flags.version && flags.help);
	assert_true(flags.print_config && flags.print_settings);
	assert_int_equal(problems.len, 0);
}

static void sets_no_flag_by_default(void **state)
{
	(void)state;
	struct settings_flags flags;
	struct buffer problems = { 0 };
	char *argv[] = { (char[]){ "sluice" }, NULL };
	assert_int_equal(settings_read_flags(1, argv, &flags, &problems), 0);
	assert_memory_equal(&flags, &(struct settings_flags){ NULL }, sizeof(flags));
	assert_int_equal(settings_read_flags(0, argv + 1, &flags, &problems), 0);
}

static void refuses_a_bad_command_line(void **state)
{
	(void)state;
	const struct {
		const char *first, *second, *problem;
	} rows[] = {
		{ "--lisen", NULL, "--lisen: unknown flag; see sluice --help\n" },
		{ "--redis=redis://:hunter2@h", NULL,
			"--redis: unknown flag; see sluice --help\n" },
		{ "-v", NULL, "-v: unknown flag; see sluice --help\n" },
		{ "--", NULL, "--: unknown flag; see sluice --help\n" },
		{ "redis://:hunter2@h", NULL,
			"expected a flag, such as --config FILE; see sluice --help\n" },
		{ "", NULL, "expected a flag, such as --config FILE; see sluice --help\n" },
		{ "--dev=yes", NULL, "--dev takes no value; see sluice --help\n" },
		{ "--config", NULL, "--config needs a value: --config FILE; see sluice --help\n" },
		{ "--config", "--check",
			"--config needs a value: --config FILE; see sluice --help\n" },
		{ "--check", "--nothing", "--nothing: unknown flag; see sluice --help\n" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char first[64], second[64];
		snprintf(first, sizeof(first), "%s", rows[i].first);
		snprintf(second, sizeof(second), "%s", rows[i].second ? rows[i].second : "");
		char *argv[] = { (char[]){ "sluice" }, first, rows[i].second ? second : NULL,
			NULL };
		struct settings_flags flags;
		struct buffer problems = { 0 };
		assert_int_equal(
			settings_read_flags(rows[i].second ? 3 : 2, argv, &flags, &problems),
			-EINVAL);
		assert_int_equal(buffer_append(&problems, "", 1), 0);
		assert_string_equal(problems.bytes, rows[i].problem);
		buffer_finish(&problems);
	}
}

static void help_names_every_flag(void **state)
{
	(void)state;
	const char *const words[] = { "--config", "--dev", "--check", "--print-config",
		"--print-settings", "--listen", "--redis-url", "--workers", "--log-level",
		"--probe", "--version", "--help", "Exit status: 0 " };
	for (size_t i = 0; i < COUNT_OF(words); i++)
		assert_non_null(strstr(settings_usage, words[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_flags_in_two_forms),
		cmocka_unit_test(sets_no_flag_by_default),
		cmocka_unit_test(refuses_a_bad_command_line),
		cmocka_unit_test(help_names_every_flag),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
