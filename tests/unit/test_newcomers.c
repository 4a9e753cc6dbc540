/* The share of a loop turn that newcomers get. Time is the test's: uv_hrtime is defined here, and
 * moves by what a step costs. */
#include "loop.h"
#include "sluice/net/newcomers.h"

#include <stdio.h>

enum { COUNT = 200, MS = 1000000 };

static uint64_t now_ns = 1000000000;

uint64_t uv_hrtime(void)
{
	return now_ns;
}

static struct {
	struct newcomer newcomers[COUNT];
	struct newcomer many[NEWCOMERS_WAITING_MAX + 100];
	char addresses[COUNT][16];
	struct newcomer *served[NEWCOMERS_WAITING_MAX];
	size_t n_served, n_dropped;
	struct newcomer *last_dropped;
	uint64_t step_ns; /* that serving one takes */
	bool begins;
} play;

static struct {
	struct test_loop test;
	struct newcomers newcomers;
	struct metrics metrics;
	struct newcomers_pace pace;
} site;

static void serve(struct newcomer *newcomer)
{
	now_ns += play.step_ns;
	play.served[play.n_served++] = newcomer;
	assert_false(newcomer_waits(newcomer));
	if (play.begins && !newcomer->begun)
		newcomers_begin(&site.newcomers, newcomer);
}

static void drop(struct newcomer *newcomer)
{
	play.n_dropped++;
	play.last_dropped = newcomer;
	assert_false(newcomer_waits(newcomer));
}

static int open_site(void **state)
{
	(void)state;
	memset(&play, 0, sizeof(play));
	play.step_ns = MS;
	test_loop_open(&site.test);
	memset(&site.metrics, 0, sizeof(site.metrics));
	memset(&site.pace, 0, sizeof(site.pace));
	newcomers_open(&site.newcomers, &site.test.loop, serve, drop);
	site.newcomers.metrics = &site.metrics;
	site.newcomers.pace = &site.pace;
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(play.addresses[i], sizeof(play.addresses[i]), "192.0.2.%zu", i);
		play.newcomers[i].address = play.addresses[i];
	}
	return 0;
}

static int close_site(void **state)
{
	(void)state;
	newcomers_close(&site.newcomers);
	test_loop_close(&site.test);
	return 0;
}

static bool ready(struct newcomer *newcomer)
{
	return newcomers_ready(&site.newcomers, newcomer);
}

static void turn(void)
{
	uv_run(&site.test.loop, UV_RUN_NOWAIT);
}

/* Spends the slice, so that whatever comes next waits. */
static void spend(void)
{
	newcomers_charge(&site.newcomers, (uint64_t)NEWCOMERS_SLICE_US * 1000);
}

static void serves_at_once_without_contention(void **state)
{
	(void)state;
	play.step_ns = MS / 100;
	for (size_t i = 0; i < COUNT; i++) {
		assert_false(ready(&play.newcomers[i]));
		assert_int_equal(play.n_served, i + 1);
	}
}

static void waits_when_the_slice_is_spent_and_goes_on_in_the_next_turns(void **state)
{
	(void)state;
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(ready(&play.newcomers[i]), i >= 2); /* a slice is two steps */
	assert_int_equal(play.n_served, 2);
	turn(); /* its end still belongs to the same turn: one step, so that nobody starves */
	for (size_t served = play.n_served; served < 10; served = play.n_served) {
		turn();
		assert_in_range(play.n_served - served, 1, 2);
	}
	assert_int_equal(site.newcomers.waiting, 0);
	assert_false(uv_is_active((uv_handle_t *)&site.newcomers.busy));
}

/* Nobody overtakes: while somebody waits, the others wait, too. */
static void waits_behind_those_who_wait(void **state)
{
	(void)state;
	play.step_ns = MS / 1000;
	spend();
	assert_true(ready(&play.newcomers[0]));
	site.newcomers.spent_ns = 0;
	assert_true(ready(&play.newcomers[1]));
	turn();
	assert_int_equal(play.n_served, 2);
}

static void serves_addresses_in_turn(void **state)
{
	(void)state;
	spend();
	for (size_t i = 0; i < 100; i++) {
		play.many[i].address = "198.51.100.1";
		assert_true(ready(&play.many[i]));
	}
	assert_true(ready(&play.newcomers[7]));
	for (int i = 0; i < 3 && !play.newcomers[7].owner; i++) {
		turn();
		for (size_t k = 0; k < play.n_served; k++)
			if (play.served[k] == &play.newcomers[7])
				play.newcomers[7].owner = &play;
	}
	assert_non_null(play.newcomers[7].owner); /* within three turns, of a hundred others */
	RUN_UNTIL(&site.test, play.n_served == 101);
}

/* Within an address: whoever has begun, in their order; then the newest. */
static void serves_those_who_have_begun_first_and_then_the_newest(void **state)
{
	(void)state;
	struct newcomer *of = play.many;
	for (size_t i = 0; i < 6; i++)
		of[i].address = "198.51.100.1";
	newcomers_begin(&site.newcomers, &of[2]);
	newcomers_begin(&site.newcomers, &of[4]);
	spend();
	for (size_t i = 0; i < 6; i++)
		assert_true(ready(&of[i]));
	RUN_UNTIL(&site.test, play.n_served == 6);
	static const size_t order[] = { 2, 4, 5, 3, 1, 0 };
	for (size_t i = 0; i < 6; i++)
		assert_ptr_equal(play.served[i], &of[order[i]]);
}

static void drops_the_oldest_of_the_longest_lane_when_too_many_wait(void **state)
{
	(void)state;
	spend();
	assert_true(ready(&play.newcomers[3])); /* older than all others, but alone */
	for (size_t i = 0; i < NEWCOMERS_WAITING_MAX + 99; i++) {
		play.many[i].address = "198.51.100.1";
		assert_true(ready(&play.many[i]));
		assert_true(site.newcomers.waiting <= NEWCOMERS_WAITING_MAX);
	}
	assert_int_equal(play.n_dropped, 100);
	assert_ptr_equal(play.last_dropped, &play.many[99]);
	assert_true(newcomer_waits(&play.newcomers[3]));
	assert_int_equal(site.metrics.values[METRIC_LIMIT_TLS_HANDSHAKES_PER_SECOND], 100);
	newcomers_shed(&site.newcomers, SIZE_MAX);
	assert_int_equal(site.newcomers.waiting, 0);
	assert_true(list_is_empty(&site.newcomers.ring));
}

static void removes_those_who_leave(void **state)
{
	(void)state;
	spend();
	for (size_t i = 0; i < 5; i++)
		assert_true(ready(&play.newcomers[i]));
	for (size_t i = 0; i < 5; i++) {
		newcomers_remove(&site.newcomers, &play.newcomers[i]);
		newcomers_remove(&site.newcomers, &play.newcomers[i]);
	}
	turn();
	assert_int_equal(play.n_served, 0);
	assert_false(uv_is_active((uv_handle_t *)&site.newcomers.busy));
}

/* ---- the pace ---- */

static struct tls_settings *some_tls(void)
{
	return (struct tls_settings *)&play;
}

static void begins_as_many_handshakes_a_second_as_the_pace_says(void **state)
{
	(void)state;
	play.begins = true;
	play.step_ns = 0;
	atomic_store(&site.pace.per_second, 20);
	for (size_t i = 0; i < COUNT; i++) {
		play.newcomers[i].tls = some_tls();
		ready(&play.newcomers[i]);
	}
	size_t burst = play.n_served;
	assert_in_range(burst, 1, 3); /* what 100 ms allow, and one */
	for (int tenths = 1; tenths <= 20; tenths++) {
		now_ns += 100 * MS;
		/* the loop sleeps by its own clock */
		RUN_UNTIL(&site.test, play.n_served >= burst + 2 * (size_t)tenths);
		turn();
		assert_int_equal(play.n_served, burst + 2 * (size_t)tenths);
	}
	assert_true(site.metrics.values[METRIC_LIMIT_TLS_HANDSHAKES_PER_SECOND] > 0);
	newcomers_shed(&site.newcomers, SIZE_MAX);
}

static void the_pace_does_not_delay_a_handshake_under_way(void **state)
{
	(void)state;
	play.step_ns = 0;
	atomic_store(&site.pace.per_second, 1);
	for (size_t i = 0; i < 10; i++) {
		play.newcomers[i].tls = some_tls();
		newcomers_begin(&site.newcomers, &play.newcomers[i]);
	}
	play.newcomers[10].tls = play.newcomers[11].tls = some_tls();
	assert_true(ready(&play.newcomers[10]));
	assert_true(ready(&play.newcomers[11]));
	for (size_t i = 0; i < 10; i++)
		assert_true(ready(&play.newcomers[i]));
	RUN_UNTIL(&site.test, play.n_served == 10);
	turn();
	assert_int_equal(play.n_served, 10);
	newcomers_shed(&site.newcomers, SIZE_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_site, close_site)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(serves_at_once_without_contention),
		TEST(waits_when_the_slice_is_spent_and_goes_on_in_the_next_turns),
		TEST(waits_behind_those_who_wait),
		TEST(serves_addresses_in_turn),
		TEST(serves_those_who_have_begun_first_and_then_the_newest),
		TEST(drops_the_oldest_of_the_longest_lane_when_too_many_wait),
		TEST(removes_those_who_leave),
		TEST(begins_as_many_handshakes_a_second_as_the_pace_says),
		TEST(the_pace_does_not_delay_a_handshake_under_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
