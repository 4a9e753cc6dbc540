/* A reload without memory. Each allocation of ours fails in turn, in loading the configuration and in
 * making a generation of it: there is none, the log says why, and the one in force stays as it is.
 * The linker routes the allocations through this file (--wrap). */
#include "captured_log.h"
#include "configuration.h"
#include "sluice/process/generation.h"

__typeof__(malloc) __real_malloc, __wrap_malloc;
__typeof__(calloc) __real_calloc, __wrap_calloc;
__typeof__(realloc) __real_realloc, __wrap_realloc;

static size_t n_allocations, fails_at; /* 0: none fails */

static bool fails(void)
{
	return ++n_allocations == fails_at;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *block, size_t size)
{
	return fails() ? NULL : __real_realloc(block, size);
}

static struct settings *load(void)
{
	const struct settings_flags flags = { .config = config_file };
	struct buffer problems = { 0 };
	struct settings *settings = settings_load(&flags, no_environment, &problems);
	buffer_finish(&problems);
	return settings;
}

static void a_reload_without_memory_changes_nothing(void **state)
{
	(void)state;
	write_text(config_file,
		"{ \"session\": { \"secrets\": [\"a\", \"b\"] }, \"origins\": [\"same-host\"], "
		"\"channels\": [{ \"match\": \"news\", \"allow\": \"session\" }] }");
	struct generation *now = generation_create(load(), NULL);
	assert_non_null(now);
	const struct generation before = *now;
	size_t n_failures = 0;
	for (size_t n = 1;; n++) {
		n_allocations = 0;
		fails_at = n;
		struct settings *settings = load();
		struct generation *next = settings ? generation_create(settings, now) : NULL;
		bool failed = n_allocations >= fails_at;
		fails_at = 0;
		assert_memory_equal(now, &before, sizeof(before));
		assert_int_equal(next == NULL, failed);
		n_failures += failed;
		if (failed && settings)
			assert_non_null(strstr(read_log(), "out of memory"));
		if (failed)
			continue;
		assert_ptr_equal(next->older, now);
		generation_destroy_all(next);
		break;
	}
	assert_true(n_failures > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_reload_without_memory_changes_nothing, capture, release),
	};
	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
