#include <stddef.h>
#include <stdint.h>

#include "sluice/base/arena.h"
#include "unit.h"

static void gives_zeroed_memory_that_stays(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	char *blocks[100];
	for (size_t i = 0; i < 100; i++) {
		blocks[i] = arena_take(&arena, i + 1);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		assert_int_equal(blocks[i][i], 0);
		memset(blocks[i], (int)i, i + 1);
	}
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(blocks[i][i], (char)i);
	arena_finish(&arena);
	assert_non_null(arena_take(&arena, 1));
	arena_finish(&arena);
}

static void copies_end_with_a_nul(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct slice copy = arena_copy(&arena, SLICE("a\0b"));
	assert_int_equal(copy.len, 3);
	assert_memory_equal(copy.at, "a\0b", 4);
	copy = arena_copy(&arena, (struct slice){ NULL, 0 });
	assert_non_null(copy.at);
	assert_string_equal(copy.at, "");
	arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_zeroed_memory_that_stays),
		cmocka_unit_test(copies_end_with_a_nul),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
