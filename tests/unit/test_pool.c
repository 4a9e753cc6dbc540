#include <stdbool.h>
#include <string.h>

#include "sluice/base/pool.h"
#include "unit.h"

enum { SIZE = 2400, MANY = 1000 };

static bool is_zero(const char *block)
{
	for (size_t i = 0; i < SIZE; i++)
		if (block[i])
			return false;
	return true;
}

static void gives_blocks_that_do_not_overlap(void **state)
{
	(void)state;
	struct pool pool;
	static char *blocks[MANY];
	pool_init(&pool, SIZE);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < MANY; i++) {
			blocks[i] = pool_take(&pool);
			assert_non_null(blocks[i]);
			assert_int_equal((uintptr_t)blocks[i] % 8, 0);
			assert_true(is_zero(blocks[i]));
			memset(blocks[i], (int)(i % 255 + 1), SIZE);
		}
		for (size_t i = 0; i < MANY; i++) {
			char *block = blocks[round == 1 ? MANY - 1 - i : i];
			assert_int_equal(block[0], block[SIZE - 1]);
			assert_true(block[0] != 0);
			pool_give(&pool, block);
		}
	}
	pool_give(&pool, NULL);
	pool_finish(&pool);
}

static void unmaps_empty_slabs(void **state)
{
	(void)state;
	struct pool pool;
	static char *blocks[MANY];
	pool_init(&pool, SIZE);
	for (size_t i = 0; i < MANY; i++)
		blocks[i] = pool_take(&pool);
	size_t most = pool.slabs;
	assert_in_range(most, MANY / 27, MANY / 27 + 1);
	/* every second block stays, then some of them, then one */
	for (size_t i = 0; i < MANY; i += 2)
		pool_give(&pool, blocks[i]);
	assert_int_equal(pool.slabs, most);
	for (size_t i = 1; i < MANY / 2; i += 2)
		pool_give(&pool, blocks[i]);
	assert_true(pool.slabs <= most / 2 + 1 + 4);
	for (size_t i = MANY / 2 + 1; i < MANY - 1; i += 2)
		pool_give(&pool, blocks[i]);
	assert_in_range(pool.slabs, 1, 5);
	pool_give(&pool, blocks[MANY - 1]);
	assert_int_equal(pool.slabs, 4);
	pool_finish(&pool);
}

static void supports_blocks_of_any_size(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1, 8, 17, 100, 4096, 30000, 60000 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct pool pool;
		pool_init(&pool, sizes[i]);
		char *one = pool_take(&pool), *other = pool_take(&pool);
		memset(one, 1, sizes[i]);
		memset(other, 2, sizes[i]);
		assert_int_equal(one[sizes[i] - 1], 1);
		pool_give(&pool, one);
		assert_int_equal(other[0], 2);
		pool_give(&pool, other);
		pool_finish(&pool);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_blocks_that_do_not_overlap),
		cmocka_unit_test(unmaps_empty_slabs),
		cmocka_unit_test(supports_blocks_of_any_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
