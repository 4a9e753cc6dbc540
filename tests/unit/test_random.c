#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/base/random.h"
#include "unit.h"

enum { LEN = 16, MANY = 1000 };

static void gives_no_bytes_twice(void **state)
{
	(void)state;
	static char drawn[MANY][LEN];
	for (size_t i = 0; i < MANY; i++)
		random_bytes(drawn[i], LEN);
	for (size_t i = 0; i < MANY; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(drawn[i], drawn[j], LEN);
}

static void fills_exactly_the_bytes_asked_for(void **state)
{
	(void)state;
	static const size_t lens[] = { 0, 1, 255, 256, 257, 1000 };
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		bool written[1000] = { false };
		for (int round = 0; round < 100; round++) {
			unsigned char bytes[1001] = { 0 };
			random_bytes(bytes, lens[i]);
			for (size_t at = 0; at < lens[i]; at++)
				written[at] |= bytes[at] != 0;
			assert_int_equal(bytes[lens[i]], 0);
		}
		for (size_t at = 0; at < lens[i]; at++)
			assert_true(written[at]);
	}
}

static void *draw(void *bytes)
{
	random_bytes(bytes, LEN);
	return NULL;
}

static void gives_each_thread_other_bytes(void **state)
{
	(void)state;
	char mine[LEN], theirs[LEN];
	pthread_t thread;
	draw(mine);
	assert_int_equal(pthread_create(&thread, NULL, draw, theirs), 0);
	pthread_join(thread, NULL);
	assert_memory_not_equal(mine, theirs, LEN);
}

static void stays_below_the_bound_and_reaches_every_number(void **state)
{
	(void)state;
	static const uint32_t bounds[] = { 1, 2, 3, 10, 100 };
	for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
		bool seen[100] = { false };
		for (int round = 0; round < 100 * MANY; round++) {
			uint32_t number = random_below(bounds[i]);
			assert_true(number < bounds[i]);
			seen[number] = true;
		}
		for (uint32_t number = 0; number < bounds[i]; number++)
			assert_true(seen[number]);
	}
	uint32_t large = 0;
	for (int round = 0; round < MANY; round++)
		large |= random_below(UINT32_MAX);
	assert_true(large > UINT32_MAX / 2);
}

/* Both ends are drawn, and nothing beyond them. */
static void waits_in_the_upper_half(void **state)
{
	(void)state;
	static const uint32_t bounds[] = { 1, 2, 7, 100 };
	for (size_t i = 0; i < COUNT_OF(bounds); i++) {
		uint32_t least = UINT32_MAX, most = 0;
		for (int n = 0; n < 10000; n++) {
			uint32_t wait = random_wait(bounds[i]);
			least = wait < least ? wait : least;
			most = wait > most ? wait : most;
		}
		assert_int_equal(least, bounds[i] / 2);
		assert_int_equal(most, bounds[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_no_bytes_twice),
		cmocka_unit_test(fills_exactly_the_bytes_asked_for),
		cmocka_unit_test(gives_each_thread_other_bytes),
		cmocka_unit_test(stays_below_the_bound_and_reaches_every_number),
		cmocka_unit_test(waits_in_the_upper_half),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
