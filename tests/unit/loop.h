/* A loop with a turn for tests: opened, run until a condition holds (for ten seconds at most), and
 * closed with no handle left. */
#ifndef SLUICE_TESTS_LOOP_H
#define SLUICE_TESTS_LOOP_H

#include "sluice/net/turn.h"
#include "unit.h"

struct test_loop {
	uv_loop_t loop;
	uv_timer_t ticker; /* wakes the loop when nothing else happens */
	struct turn turn;
};

static inline void test_loop_ticks(uv_timer_t *ticker)
{
	(void)ticker;
}

static inline void test_loop_open(struct test_loop *test)
{
	assert_int_equal(uv_loop_init(&test->loop), 0);
	assert_int_equal(uv_timer_init(&test->loop, &test->ticker), 0);
	assert_int_equal(uv_timer_start(&test->ticker, test_loop_ticks, 20, 20), 0);
	assert_int_equal(turn_open(&test->turn, &test->loop), 0);
}

#define RUN_UNTIL(test, condition) \
	do { \
		uint64_t give_up = uv_hrtime() + 10000000000ULL; \
		while (!(condition)) { \
			assert_true(uv_hrtime() < give_up && #condition); \
			uv_run(&(test)->loop, UV_RUN_ONCE); \
		} \
	} while (0)

/* The test must have closed whatever it opened. */
static inline void test_loop_close(struct test_loop *test)
{
	uv_unref((uv_handle_t *)&test->ticker);
	RUN_UNTIL(test, !uv_loop_alive(&test->loop));
	uv_close((uv_handle_t *)&test->ticker, NULL);
	turn_close(&test->turn);
	uv_run(&test->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&test->loop), 0);
}

#endif
