#include "loop.h"
#include "sluice/net/turn.h"
#include "unit.h"

#include <string.h>

enum { LOG_MAX = 32 };

static struct turn *turn;
static char order[LOG_MAX];
static size_t n_order;

struct letter {
	struct turn_task task;
	char name;
	struct letter *schedules, *cancels;
};

static void note(struct turn_task *task)
{
	struct letter *letter = container_of(task, struct letter, task);
	assert_true(n_order < LOG_MAX - 1);
	order[n_order++] = letter->name;
	order[n_order] = '\0';
	if (letter->schedules)
		turn_schedule(turn, &letter->schedules->task);
	if (letter->cancels)
		turn_cancel(&letter->cancels->task);
}

static struct letter letter(char name)
{
	return (struct letter){ .task.run = note, .name = name };
}

static int setup(void **state)
{
	static struct test_loop test;
	test_loop_open(&test);
	turn = &test.turn;
	n_order = 0;
	order[0] = '\0';
	*state = &test;
	return 0;
}

static void runs_each_task_once_in_order(void **state)
{
	struct test_loop *test = *state;
	struct letter a = letter('a'), b = letter('b');
	turn_schedule(turn, &a.task);
	turn_schedule(turn, &b.task);
	turn_schedule(turn, &a.task);
	assert_int_equal(n_order, 0);
	uv_run(&test->loop, UV_RUN_NOWAIT);
	uv_run(&test->loop, UV_RUN_NOWAIT);
	assert_string_equal(order, "ab");
	test_loop_close(test);
}

static void on_polled(uv_check_t *polled)
{
	(void)polled;
	order[n_order++] = '|';
	order[n_order] = '\0';
}

static void runs_tasks_scheduled_by_a_task_in_the_same_end(void **state)
{
	struct test_loop *test = *state;
	struct letter a = letter('a'), b = letter('b');
	a.schedules = &b;
	uv_check_t polled;
	uv_check_init(&test->loop, &polled);
	uv_check_start(&polled, on_polled); /* the handle started last is called first */
	turn_schedule(turn, &a.task);
	uv_run(&test->loop, UV_RUN_NOWAIT);
	assert_string_equal(order, "ab|");
	uv_close((uv_handle_t *)&polled, NULL);
	test_loop_close(test);
}

static void does_not_block_the_loop_with_a_repeating_task(void **state)
{
	struct test_loop *test = *state;
	struct letter a = letter('a');
	a.schedules = &a;
	turn_schedule(turn, &a.task);
	/* two rounds before the poll, two after it, and no waiting */
	uint64_t start = uv_hrtime();
	uv_run(&test->loop, UV_RUN_ONCE);
	assert_string_equal(order, "aaaa");
	assert_true(uv_hrtime() - start < 15000000);
	turn_cancel(&a.task);
	test_loop_close(test);
}

static void cancels_a_task(void **state)
{
	struct test_loop *test = *state;
	struct letter a = letter('a'), b = letter('b'), c = letter('c');
	a.cancels = &b;
	turn_schedule(turn, &a.task);
	turn_schedule(turn, &b.task);
	turn_schedule(turn, &c.task);
	turn_cancel(&c.task);
	turn_cancel(&c.task);
	uv_run(&test->loop, UV_RUN_NOWAIT);
	assert_string_equal(order, "a");
	test_loop_close(test);
}

static void on_timer(uv_timer_t *timer)
{
	turn_schedule(turn, timer->data);
}

/* Timers come first in a turn before libuv 1.45, and last since then: two turns show both. */
static void runs_tasks_scheduled_by_a_timer_before_the_poll(void **state)
{
	struct test_loop *test = *state;
	struct letter a = letter('a');
	uv_timer_t timer;
	uv_check_t polled;
	uv_timer_init(&test->loop, &timer);
	timer.data = &a.task;
	uv_timer_start(&timer, on_timer, 0, 0);
	uv_check_init(&test->loop, &polled);
	uv_check_start(&polled, on_polled);
	uv_run(&test->loop, UV_RUN_NOWAIT);
	uv_run(&test->loop, UV_RUN_NOWAIT);
	assert_non_null(strstr(order, "a|"));
	uv_close((uv_handle_t *)&timer, NULL);
	uv_close((uv_handle_t *)&polled, NULL);
	test_loop_close(test);
}

/* A loop that is kept alive only by a task runs it and then ends. */
static void keeps_the_loop_alive_for_a_task(void **state)
{
	struct test_loop *test = *state;
	struct letter a = letter('a');
	uv_unref((uv_handle_t *)&test->ticker);
	assert_int_equal(uv_run(&test->loop, UV_RUN_DEFAULT), 0);
	turn_schedule(turn, &a.task);
	assert_int_equal(uv_run(&test->loop, UV_RUN_DEFAULT), 0);
	assert_string_equal(order, "a");
	test_loop_close(test);
}

static void runs_remaining_tasks_at_close_and_none_after(void **state)
{
	struct test_loop *test = *state;
	struct letter a = letter('a'), b = letter('b');
	turn_schedule(turn, &a.task);
	turn_close(turn);
	turn_schedule(turn, &b.task);
	turn_close(turn);
	test_loop_close(test);
	assert_string_equal(order, "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(runs_each_task_once_in_order, setup),
		cmocka_unit_test_setup(runs_tasks_scheduled_by_a_task_in_the_same_end, setup),
		cmocka_unit_test_setup(does_not_block_the_loop_with_a_repeating_task, setup),
		cmocka_unit_test_setup(cancels_a_task, setup),
		cmocka_unit_test_setup(runs_tasks_scheduled_by_a_timer_before_the_poll, setup),
		cmocka_unit_test_setup(keeps_the_loop_alive_for_a_task, setup),
		cmocka_unit_test_setup(runs_remaining_tasks_at_close_and_none_after, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
