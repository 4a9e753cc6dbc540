/* The tests let time pass by moving the loop's clock (uv_now is loop->time), so that hours cost
 * nothing. */
#include <unistd.h>

#include "loop.h"
#include "sluice/net/deadlines.h"
#include "unit.h"

struct item {
	struct deadline deadline;
	struct deadlines *deadlines;
	unsigned met;
	uint64_t met_at;
	uint64_t again_ms;          /* on_due sets it again, */
	struct item *clears, *sets; /* and clears and sets others */
};

static void on_due(struct deadline *deadline)
{
	struct item *item = container_of(deadline, struct item, deadline);
	item->met++;
	item->met_at = uv_now(item->deadlines->timer.loop);
	assert_false(deadline_is_set(deadline));
	if (item->again_ms)
		deadline_set(item->deadlines, deadline, item->again_ms, on_due);
	if (item->clears)
		deadline_clear(item->deadlines, &item->clears->deadline);
	if (item->sets)
		deadline_set(item->deadlines, &item->sets->deadline, 0, on_due);
}

struct wheel {
	uv_loop_t loop;
	struct deadlines deadlines;
};

static void wheel_open(struct wheel *wheel)
{
	assert_int_equal(uv_loop_init(&wheel->loop), 0);
	assert_int_equal(deadlines_open(&wheel->deadlines, &wheel->loop), 0);
}

static void wheel_close(struct wheel *wheel)
{
	deadlines_close(&wheel->deadlines);
	deadlines_close(&wheel->deadlines);
	uv_run(&wheel->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&wheel->loop), 0);
}

static void poll(struct wheel *wheel)
{
	wheel->deadlines.check.check_cb(&wheel->deadlines.check);
}

static void run_timers(struct wheel *wheel)
{
	uv_timer_t *timer = &wheel->deadlines.timer;
	if (uv_is_active((uv_handle_t *)timer) && uv_timer_get_due_in(timer) == 0) {
		uv_timer_cb on_tick = timer->timer_cb;
		uv_timer_stop(timer);
		on_tick(timer);
	}
}

/* `ms` pass as if in a poll, then timers run. */
static void stall(struct wheel *wheel, uint64_t ms)
{
	wheel->loop.time += ms;
	poll(wheel);
	run_timers(wheel);
}

/* `ms` pass one by one. */
static void pass(struct wheel *wheel, uint64_t ms)
{
	while (ms-- > 0)
		stall(wheel, 1);
}

static void set(struct wheel *wheel, struct item *item, uint64_t ms)
{
	item->deadlines = &wheel->deadlines;
	deadline_set(&wheel->deadlines, &item->deadline, ms, on_due);
}

static void fires_never_early_and_at_most_a_tick_late(void **state)
{
	(void)state;
	static const uint64_t times[] = { 0, 1, 49, 50, 51, 99, 100, 1000, 51199, 51200, 51201,
		120000 };
	struct wheel wheel;
	wheel_open(&wheel);
	for (uint64_t phase = 0; phase < 2 * DEADLINE_TICK_MS; phase += 7) {
		struct item items[COUNT_OF(times)] = { 0 };
		pass(&wheel, phase);
		uint64_t start = uv_now(&wheel.loop);
		for (size_t i = 0; i < COUNT_OF(times); i++)
			set(&wheel, &items[i], times[i]);
		pass(&wheel, 120000 + DEADLINE_TICK_MS);
		for (size_t i = 0; i < COUNT_OF(times); i++) {
			assert_int_equal(items[i].met, 1);
			assert_true(items[i].met_at >= start + times[i]);
			assert_true(items[i].met_at <= start + times[i] + DEADLINE_TICK_MS);
		}
	}
	wheel_close(&wheel);
}

static void catches_up_after_a_stall(void **state)
{
	(void)state;
	static const uint64_t stalls[] = { 60, 1000, 51200, 60000, 3600000, 86400000 };
	for (size_t i = 0; i < COUNT_OF(stalls); i++) {
		struct wheel wheel;
		wheel_open(&wheel);
		struct item due = { 0 }, later = { 0 };
		set(&wheel, &due, stalls[i] - DEADLINE_TICK_MS);
		set(&wheel, &later, stalls[i] + DEADLINE_TICK_MS);
		stall(&wheel, stalls[i]);
		assert_int_equal(due.met, 1);
		assert_int_equal(later.met, 0);
		pass(&wheel, 2 * DEADLINE_TICK_MS);
		assert_int_equal(due.met, 1);
		assert_int_equal(later.met, 1);
		wheel_close(&wheel);
	}
}

/* After a day's stall, a deadline that sets itself for every tick fires once, not 1.7 million
 * times. */
static void polls_the_sockets_first(void **state)
{
	(void)state;
	struct wheel wheel;
	struct item item = { 0 };
	wheel_open(&wheel);
	set(&wheel, &item, 100);
	pass(&wheel, 40);
	wheel.loop.time += 5000; /* a long turn: no poll */
	run_timers(&wheel);
	assert_int_equal(item.met, 0);
	wheel.loop.time += DEADLINE_TICK_MS;
	poll(&wheel);
	run_timers(&wheel);
	assert_int_equal(item.met, 1);
	wheel_close(&wheel);
}

/* Bytes that arrived while the process was stopped are in time. */
static void on_byte(uv_poll_t *handle, int status, int events)
{
	(void)status, (void)events;
	struct item *item = handle->data;
	deadline_clear(item->deadlines, &item->deadline);
	uv_poll_stop(handle);
}

static void bytes_that_came_in_time_are_not_late(void **state)
{
	(void)state;
	struct test_loop test;
	struct deadlines deadlines;
	uv_poll_t readable;
	int ends[2];
	test_loop_open(&test);
	assert_int_equal(deadlines_open(&deadlines, &test.loop), 0);
	assert_int_equal(pipe(ends), 0);
	struct item item = { .deadlines = &deadlines }, other = { .deadlines = &deadlines };
	assert_int_equal(uv_poll_init(&test.loop, &readable, ends[0]), 0);
	readable.data = &item;
	assert_int_equal(uv_poll_start(&readable, UV_READABLE, on_byte), 0);
	deadline_set(&deadlines, &item.deadline, 60, on_due);
	deadline_set(&deadlines, &other.deadline, 60, on_due);
	assert_int_equal(write(ends[1], "x", 1), 1);
	uv_sleep(150); /* the loop is held up */
	RUN_UNTIL(&test, other.met == 1);
	assert_int_equal(item.met, 0);
	uv_close((uv_handle_t *)&readable, NULL);
	deadlines_close(&deadlines);
	test_loop_close(&test);
	close(ends[0]);
	close(ends[1]);
}

static void a_repeating_deadline_cannot_hold_the_hand(void **state)
{
	(void)state;
	struct wheel wheel;
	wheel_open(&wheel);
	struct item item = { .again_ms = 1 };
	set(&wheel, &item, 1);
	stall(&wheel, 86400000);
	assert_int_equal(item.met, 1);
	pass(&wheel, 500);
	assert_true(item.met >= 9 && item.met <= 12);
	deadline_clear(&wheel.deadlines, &item.deadline);
	wheel_close(&wheel);
}

static void moves_and_clears(void **state)
{
	(void)state;
	struct wheel wheel;
	wheel_open(&wheel);
	struct item moved = { 0 }, cleared = { 0 };
	set(&wheel, &moved, 100);
	set(&wheel, &cleared, 100);
	pass(&wheel, 90);
	set(&wheel, &moved, 300);
	deadline_clear(&wheel.deadlines, &cleared.deadline);
	deadline_clear(&wheel.deadlines, &cleared.deadline);
	assert_false(deadline_is_set(&cleared.deadline));
	pass(&wheel, 299);
	assert_int_equal(moved.met, 0);
	pass(&wheel, 51);
	assert_int_equal(moved.met, 1);
	assert_int_equal(cleared.met, 0);
	wheel_close(&wheel);
}

/* All in one slot: the first clears its neighbour and moves a third, both in the list that is being
 * walked. One of the next round stays. */
static void on_due_may_change_the_slot_being_passed(void **state)
{
	(void)state;
	struct wheel wheel;
	wheel_open(&wheel);
	struct item moved = { 0 }, cleared = { 0 }, next_round = { 0 };
	struct item first = { .clears = &cleared, .sets = &moved, .again_ms = 51200 };
	moved.deadlines = &wheel.deadlines;
	set(&wheel, &first, 100);
	set(&wheel, &next_round, 100 + 51200);
	set(&wheel, &cleared, 100);
	set(&wheel, &moved, 100);
	pass(&wheel, 100);
	assert_int_equal(first.met, 1);
	assert_int_equal(cleared.met + moved.met + next_round.met, 0);
	pass(&wheel, DEADLINE_TICK_MS);
	assert_int_equal(moved.met, 1);
	pass(&wheel, 51200 - DEADLINE_TICK_MS);
	assert_int_equal(next_round.met, 1);
	assert_int_equal(first.met, 2);
	assert_int_equal(cleared.met, 0);
	deadline_clear(&wheel.deadlines, &first.deadline);
	deadline_clear(&wheel.deadlines, &moved.deadline);
	wheel_close(&wheel);
}

static void survives_ticks_wrapping_around(void **state)
{
	(void)state;
	struct wheel wheel;
	wheel_open(&wheel);
	/* three ticks before 32 bits overflow */
	wheel.loop.time += ((1ULL << 32) - 3) * DEADLINE_TICK_MS;
	poll(&wheel);
	struct item before = { 0 }, after = { 0 }, stalled = { 0 };
	set(&wheel, &before, 100);
	set(&wheel, &after, 500);
	set(&wheel, &stalled, 60000);
	pass(&wheel, 100);
	assert_int_equal(before.met, 1);
	pass(&wheel, 399);
	assert_int_equal(after.met, 0);
	pass(&wheel, 1);
	assert_int_equal(after.met, 1);
	stall(&wheel, 70000);
	assert_int_equal(stalled.met, 1);
	wheel_close(&wheel);
}

static void stops_the_timer_without_deadlines(void **state)
{
	(void)state;
	struct wheel wheel;
	wheel_open(&wheel);
	const uv_handle_t *timer = (const uv_handle_t *)&wheel.deadlines.timer;
	struct item item = { 0 };
	assert_false(uv_is_active(timer));
	set(&wheel, &item, 100);
	assert_true(uv_is_active(timer));
	assert_false(uv_has_ref(timer));
	pass(&wheel, 100);
	assert_int_equal(item.met, 1);
	assert_false(uv_is_active(timer));
	set(&wheel, &item, 100);
	deadline_clear(&wheel.deadlines, &item.deadline);
	pass(&wheel, DEADLINE_TICK_MS);
	assert_false(uv_is_active(timer));
	wheel_close(&wheel);
}

static void on_due_closes(struct deadline *deadline)
{
	struct item *item = container_of(deadline, struct item, deadline);
	item->met++;
	deadlines_close(item->deadlines);
}

static void fires_nothing_after_close(void **state)
{
	(void)state;
	struct wheel wheel;
	wheel_open(&wheel);
	struct item closing = { .deadlines = &wheel.deadlines }, other = { 0 };
	deadline_set(&wheel.deadlines, &closing.deadline, 50, on_due_closes);
	set(&wheel, &other, 50);
	pass(&wheel, 200);
	assert_int_equal(closing.met, 1);
	assert_int_equal(other.met, 0);
	deadline_clear(&wheel.deadlines, &other.deadline);
	wheel_close(&wheel);
}

static void runs_on_the_real_clock(void **state)
{
	(void)state;
	struct test_loop test;
	struct deadlines deadlines;
	test_loop_open(&test);
	assert_int_equal(deadlines_open(&deadlines, &test.loop), 0);
	struct item item = { .deadlines = &deadlines };
	uint64_t start = uv_now(&test.loop);
	deadline_set(&deadlines, &item.deadline, 120, on_due);
	RUN_UNTIL(&test, item.met == 1);
	assert_true(item.met_at >= start + 120);
	deadlines_close(&deadlines);
	test_loop_close(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_never_early_and_at_most_a_tick_late),
		cmocka_unit_test(catches_up_after_a_stall),
		cmocka_unit_test(polls_the_sockets_first),
		cmocka_unit_test(bytes_that_came_in_time_are_not_late),
		cmocka_unit_test(a_repeating_deadline_cannot_hold_the_hand),
		cmocka_unit_test(moves_and_clears),
		cmocka_unit_test(on_due_may_change_the_slot_being_passed),
		cmocka_unit_test(survives_ticks_wrapping_around),
		cmocka_unit_test(stops_the_timer_without_deadlines),
		cmocka_unit_test(fires_nothing_after_close),
		cmocka_unit_test(runs_on_the_real_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
