#include "sluice/base/holders.h"

#include <stdlib.h>

#include "sluice/base/defs.h"
#include "unit.h"

enum { N = 200, STEPS = 20000, KIB = 1024 };

struct setup {
	struct holders_total total;
	struct holders holders;
	struct holder one[N];
};

static int begin(void **state)
{
	struct setup *setup = calloc(1, sizeof(*setup));
	assert_non_null(setup);
	holders_init(&setup->holders, &setup->total);
	*state = setup;
	return 0;
}

static int end(void **state)
{
	struct setup *setup = *state;
	for (size_t i = 0; i < N; i++)
		holders_set(&setup->holders, &setup->one[i], 0, 0);
	assert_int_equal(holders_total_bytes(&setup->total), 0);
	assert_int_equal(holders_total_average(&setup->total), 0);
	assert_int_equal(holders_total_largest(&setup->total), 0);
	assert_null(holders_worst(&setup->holders, 0, 0, 0));
	free(setup);
	return 0;
}

static void whoever_holds_most_is_the_worst(void **state)
{
	struct setup *setup = *state;
	for (size_t i = 0; i < N; i++)
		holders_set(&setup->holders, &setup->one[i], i == 77 ? 60 * KIB : 3 * KIB, 5);
	assert_ptr_equal(holders_worst(&setup->holders, 0, 0, 5), &setup->one[77]);
	assert_ptr_equal(holders_worst(&setup->holders, 0, 0, 1000), &setup->one[77]);
	assert_int_equal(holder_bytes(&setup->one[77]), 60 * KIB);
}

static void of_equals_the_one_that_has_held_for_longest_is_the_worst(void **state)
{
	struct setup *setup = *state;
	for (uint32_t i = 0; i < N; i++)
		holders_set(&setup->holders, &setup->one[i], 3 * KIB, i);
	for (size_t i = 0; i < N; i++) {
		assert_ptr_equal(holders_worst(&setup->holders, 0, 0, N), &setup->one[i]);
		holders_set(&setup->holders, &setup->one[i], 0, N);
	}
}

/* A byte now and then is no progress; twice as much is. */
static void only_doubling_makes_a_holder_younger(void **state)
{
	struct setup *setup = *state;
	holders_set(&setup->holders, &setup->one[0], 1024, 0);
	holders_set(&setup->holders, &setup->one[1], 1024, 10);
	for (uint32_t i = 1; i < 1000; i++)
		holders_set(&setup->holders, &setup->one[0], 1024 + i, 10 * i);
	assert_ptr_equal(holders_worst(&setup->holders, 0, 0, 20000), &setup->one[0]);
	holders_set(&setup->holders, &setup->one[0], 2048, 19000);
	assert_ptr_equal(holders_worst(&setup->holders, 0, 0, 20000), &setup->one[1]);
}

static void leaves_out_holders_of_less(void **state)
{
	struct setup *setup = *state;
	holders_set(&setup->holders, &setup->one[0], 3 * KIB, 0);
	assert_null(holders_worst(&setup->holders, 4 * KIB, 0, 1000000));
	assert_ptr_equal(holders_worst(&setup->holders, 2 * KIB, 0, 1000000), &setup->one[0]);
	holders_set(&setup->holders, &setup->one[1], 9 * KIB, 1000000);
	assert_ptr_equal(holders_worst(&setup->holders, 4 * KIB, 0, 1000000), &setup->one[1]);
}

static void the_clock_may_wrap_around(void **state)
{
	struct setup *setup = *state;
	holders_set(&setup->holders, &setup->one[0], 100, UINT32_MAX - 5);
	holders_set(&setup->holders, &setup->one[1], 100, 3);
	assert_ptr_equal(holders_worst(&setup->holders, 0, 0, 10), &setup->one[0]);
}

static void two_workers_share_a_total(void **state)
{
	struct setup *setup = *state;
	struct holders other;
	struct holder one = { 0 };
	holders_init(&other, &setup->total);
	holders_set(&other, &one, 1000, 0);
	holders_set(&setup->holders, &setup->one[0], 3000, 0);
	assert_int_equal(holders_total_bytes(&setup->total), 4000);
	assert_int_equal(holders_total_average(&setup->total), 2000);
	assert_ptr_equal(holders_worst(&other, 0, 0, 0), &one);
	holders_set(&other, &one, 0, 0);
	assert_int_equal(holders_total_bytes(&setup->total), 3000);
}

/* ---- a random program against a model ---- */

struct model {
	size_t bytes;
	uint32_t since;
};

static bool same_size(size_t a, size_t b)
{
	return a && b && __builtin_clzll(a) == __builtin_clzll(b);
}

static void check(struct setup *setup, const struct model *model, uint32_t now)
{
	size_t bytes = 0, largest = 0;
	uint64_t most = 0;
	for (size_t i = 0; i < N; i++) {
		largest = MAX(largest, model[i].bytes);
		bytes += model[i].bytes;
		most = MAX(most, model[i].bytes * (uint64_t)(now - model[i].since + 1));
	}
	assert_int_equal(holders_total_bytes(&setup->total), bytes);
	assert_in_range(holders_total_largest(&setup->total), largest / 2, largest);
	struct holder *worst = holders_worst(&setup->holders, 0, 0, now);
	assert_int_equal(worst != NULL, bytes > 0);
	if (!worst)
		return;
	const struct model *of_worst = &model[worst - setup->one];
	assert_in_range(of_worst->bytes * (uint64_t)(now - of_worst->since + 1), most / 2, most);
}

static void counts_and_finds_in_random_programs(void **state)
{
	struct setup *setup = *state;
	struct model model[N] = { { 0 } };
	uint32_t now = 0;
	srandom(1);
	for (int step = 0; step < STEPS; step++) {
		size_t i = (size_t)random() % N;
		size_t bytes = random() % 4 ? (size_t)random() >> (random() % 32) : 0;
		now += (uint32_t)random() % 20;
		if (!same_size(bytes, model[i].bytes))
			model[i].since = now;
		model[i].bytes = bytes;
		holders_set(&setup->holders, &setup->one[i], bytes, now);
		check(setup, model, now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whoever_holds_most_is_the_worst, begin, end),
		cmocka_unit_test_setup_teardown(
			of_equals_the_one_that_has_held_for_longest_is_the_worst, begin, end),
		cmocka_unit_test_setup_teardown(only_doubling_makes_a_holder_younger, begin, end),
		cmocka_unit_test_setup_teardown(leaves_out_holders_of_less, begin, end),
		cmocka_unit_test_setup_teardown(the_clock_may_wrap_around, begin, end),
		cmocka_unit_test_setup_teardown(two_workers_share_a_total, begin, end),
		cmocka_unit_test_setup_teardown(counts_and_finds_in_random_programs, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
