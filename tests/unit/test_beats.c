/* A clock that is held by hand, a made-up server, and as many processes as a test likes. */
#include "sluice/base/random.h"
#include "sluice/feed/beats.h"
#include "unit.h"

static const uint64_t MS = 1000000, SECOND = 1000000000, LIMIT = 10000000000;

enum { LATENCY_MS = 2, TICK_MS = 100, PROCESSES_MAX = 50, LINKS = 2, PING_MS = 1000 };

/* ---- one process, driven by hand ---- */

struct process {
	struct beats beats;
	struct beat_link links[LINKS];
	uint64_t now;
};

static int open_process(void **state)
{
	static struct process process;
	process = (struct process){ .now = SECOND };
	assert_int_equal(beats_init(&process.beats, process.now), 0);
	for (size_t i = 0; i < LINKS; i++)
		beats_add(&process.beats, &process.links[i]);
	*state = &process;
	return 0;
}

static int close_process(void **state)
{
	struct process *process = *state;
	for (size_t i = 0; i < LINKS; i++)
		beats_remove(&process->beats, &process->links[i]);
	beats_finish(&process->beats);
	return 0;
}

static void confirm_all(struct process *process)
{
	for (size_t i = 0; i < LINKS; i++)
		beats_confirmed(&process->beats, &process->links[i], process->now);
}

/* Time passes, with a tick each 100 ms. */
static void pass(struct process *process, uint64_t ms)
{
	for (uint64_t end = process->now + ms * MS; process->now < end;) {
		process->now += MIN(TICK_MS * MS, end - process->now);
		beats_tick(&process->beats, process->now);
	}
}

/* Publishes when a beat is due, at the latest after 1.5 s. */
static uint64_t publish(struct process *process)
{
	uint64_t mark;
	for (int i = 0; !beats_take(&process->beats, process->now, &mark); i++) {
		assert_true(i <= 15);
		pass(process, TICK_MS);
	}
	return mark;
}

static enum beat_doubt judge(struct process *process, size_t link)
{
	return beats_judge(&process->beats, &process->links[link], LIMIT, process->now);
}

static enum beat_doubt doubt(struct process *process, size_t link)
{
	return beats_doubt(&process->beats, &process->links[link], LIMIT, process->now);
}

static void hear(struct process *process, size_t link, uint64_t mark)
{
	beats_heard(&process->beats, &process->links[link], mark, 0, process->now);
}

/* A PING is sent now and answered now. */
static void ping(struct process *process, size_t link)
{
	beats_answered(&process->beats, &process->links[link], process->now);
}

static void publishes_nothing_while_no_link_hears(void **state)
{
	struct process *process = *state;
	uint64_t mark;
	pass(process, 10000);
	assert_false(beats_take(&process->beats, process->now, &mark));
}

static void publishes_at_once_when_a_link_is_confirmed(void **state)
{
	struct process *process = *state;
	uint64_t mark;
	confirm_all(process);
	assert_true(beats_take(&process->beats, process->now, &mark));
	assert_true(mark >> 48 == 0);
	assert_false(beats_take(&process->beats, process->now, &mark)); /* one worker is enough */
	pass(process, BEATS_QUIET_MS - 1);
	assert_false(beats_take(&process->beats, process->now, &mark));
	pass(process, BEATS_JITTER_MS + 1);
	assert_true(beats_take(&process->beats, process->now, &mark));
}

static void is_silent_while_others_beat(void **state)
{
	struct process *process = *state;
	uint64_t mark;
	confirm_all(process);
	for (uint64_t other = 1; other < 100; other++) {
		hear(process, other % LINKS, other);
		pass(process, BEATS_QUIET_MS - 1);
		assert_false(beats_take(&process->beats, process->now, &mark));
	}
}

static void finds_a_link_that_misses_accepted_beats(void **state)
{
	struct process *process = *state;
	confirm_all(process);
	uint64_t mark = publish(process), lost = process->now;
	hear(process, 0, mark);
	hear(process, 1, mark);
	/* from now on link 1 hears nothing, and its PINGs are answered */
	while (judge(process, 1) == BEAT_FINE) {
		assert_true(process->now - lost < 4 * SECOND);
		if (beats_take(&process->beats, process->now, &mark)) {
			beats_accepted(&process->beats, mark, LINKS, process->now);
			hear(process, 0, mark);
		}
		pass(process, TICK_MS);
		if ((process->now - lost) % SECOND == 0)
			ping(process, 1);
		assert_int_equal(judge(process, 0), BEAT_FINE);
	}
	assert_true(process->now - lost >= BEATS_PATIENCE_MS * MS);
	assert_int_equal(doubt(process, 1), BEAT_STARVING);
}

static void does_not_take_a_refused_or_unanswered_publish_as_a_beat(void **state)
{
	struct process *process = *state;
	confirm_all(process);
	for (int i = 0; i < 10; i++) {
		publish(process);
		ping(process, 0);
		assert_int_equal(judge(process, 0), BEAT_FINE);
	}
	assert_true(beats_are_unproven(&process->beats, process->now));
}

/* Its thread is busy: the beat may be among the bytes that it has not read. */
static void waits_for_a_ping_behind_the_beat(void **state)
{
	struct process *process = *state;
	confirm_all(process);
	ping(process, 0);
	uint64_t mark = publish(process);
	pass(process, 100);
	beats_accepted(&process->beats, mark, LINKS, process->now);
	pass(process, 8000);
	assert_int_equal(judge(process, 0), BEAT_FINE);
	ping(process, 0);
	assert_int_equal(judge(process, 0), BEAT_STARVING);
}

static void acts_at_once_when_the_server_counts_fewer_links(void **state)
{
	struct process *process = *state;
	confirm_all(process);
	pass(process, 100);
	uint64_t mark = publish(process);
	hear(process, 0, mark);
	beats_accepted(&process->beats, mark, LINKS - 1, process->now);
	assert_int_equal(judge(process, 1), BEAT_FINE); /* it may still be on the way */
	pass(process, 1000);
	ping(process, 1);
	ping(process, 0);
	assert_int_equal(judge(process, 1), BEAT_STARVING);
	assert_int_equal(judge(process, 0), BEAT_FINE);
}

static void does_not_count_links_that_came_after_the_publish(void **state)
{
	struct process *process = *state;
	beats_confirmed(&process->beats, &process->links[0], process->now);
	pass(process, 100);
	uint64_t mark = publish(process);
	pass(process, 1);
	beats_confirmed(&process->beats, &process->links[1], process->now);
	beats_accepted(&process->beats, mark, 1, process->now);
	hear(process, 0, mark);
	pass(process, 1000);
	ping(process, 0);
	ping(process, 1);
	assert_int_equal(judge(process, 0), BEAT_FINE);
	assert_int_equal(judge(process, 1), BEAT_FINE);
}

static void has_more_patience_with_a_link_that_was_made_anew_in_vain(void **state)
{
	struct process *process = *state;
	beats_confirmed(&process->beats, &process->links[0], process->now);
	pass(process, 1);
	beats_accepted(&process->beats, publish(process), 0, process->now);
	pass(process, BEATS_MISSED_MS);
	ping(process, 0);
	assert_int_equal(judge(process, 0), BEAT_STARVING);
	for (int i = 0; i < 5; i++) {
		beats_down(&process->beats, &process->links[0]);
		pass(process, 100);
		beats_confirmed(&process->beats, &process->links[0], process->now);
		assert_int_equal(doubt(process, 0), BEAT_STARVING);
		uint64_t since = process->now;
		pass(process, 1);
		do {
			assert_true(process->now - since < 6 * SECOND);
			beats_accepted(&process->beats, publish(process), 0, process->now);
			ping(process, 0);
		} while (judge(process, 0) == BEAT_FINE);
		assert_true(process->now - since >= BEATS_PATIENCE_AGAIN_MS * MS);
	}
	hear(process, 0, publish(process));
	assert_int_equal(doubt(process, 0), BEAT_FINE);
}

static void measures_the_lag_of_own_beats(void **state)
{
	struct process *process = *state;
	confirm_all(process);
	uint64_t mark = publish(process);
	pass(process, 700);
	hear(process, 0, mark);
	assert_true(beats_lag(&process->beats, process->now) == 700 * MS);
	mark = publish(process);
	hear(process, 0, mark);
	hear(process, 1, mark);
	assert_true(beats_lag(&process->beats, process->now) == 0);
}

static void measures_the_lag_of_the_beats_of_others_by_their_stamps(void **state)
{
	struct process *process = *state;
	confirm_all(process);
	pass(process, 1000);
	beats_heard(&process->beats, &process->links[0], 1, 300 * MS, process->now);
	assert_true(beats_lag(&process->beats, process->now) == 300 * MS);
}

/* Their clocks may be wrong, so such a beat only makes us publish one of our own. */
static void does_not_judge_by_stamps_but_measures(void **state)
{
	struct process *process = *state;
	uint64_t mark;
	confirm_all(process);
	pass(process, 1000);
	publish(process);
	for (uint64_t other = 1; other < 20; other++) {
		beats_heard(&process->beats, &process->links[0], other, 2 * LIMIT, process->now);
		assert_int_equal(judge(process, 0), BEAT_FINE);
		pass(process, TICK_MS);
	}
	assert_true(beats_take(&process->beats, process->now, &mark));
}

/* Slower and slower: a beat arrives each 2 s, and each is later by a second than the last. */
static void finds_a_link_that_is_late_before_it_has_heard_the_beat(void **state)
{
	struct process *process = *state;
	beats_confirmed(&process->beats, &process->links[0], process->now);
	uint64_t mark = publish(process), sent = process->now;
	beats_accepted(&process->beats, mark, 1, process->now);
	while (judge(process, 0) == BEAT_FINE) {
		assert_true(process->now - sent <= LIMIT + TICK_MS * MS);
		pass(process, TICK_MS);
	}
	assert_true(process->now - sent > LIMIT);
	assert_int_equal(doubt(process, 0), BEAT_LAGGING);
}

static void forgives_what_was_late_while_the_process_was_stopped(void **state)
{
	struct process *process = *state;
	confirm_all(process);
	uint64_t mark = publish(process);
	beats_accepted(&process->beats, mark, LINKS, process->now);
	process->now += 60 * SECOND; /* without a tick */
	beats_tick(&process->beats, process->now);
	ping(process, 0);
	assert_int_equal(judge(process, 0), BEAT_FINE);
	hear(process, 0, mark);
	assert_int_equal(judge(process, 0), BEAT_FINE);
	assert_false(beats_are_unproven(&process->beats, process->now));
}

static void is_off_while_publishing_is_denied_and_tries_again(void **state)
{
	struct process *process = *state;
	uint64_t mark;
	confirm_all(process);
	assert_true(beats_are_allowed(&process->beats));
	publish(process);
	assert_true(beats_denied(&process->beats, process->now));
	assert_false(beats_refused(&process->beats, &process->links[0])); /* told already */
	beats_confirmed(&process->beats, &process->links[0], process->now);
	assert_false(beats_are_allowed(&process->beats));
	pass(process, BEATS_DENIED_MS - 1);
	assert_false(beats_take(&process->beats, process->now, &mark));
	assert_false(beats_are_unproven(&process->beats, process->now));
	pass(process, 1);
	assert_true(beats_take(&process->beats, process->now, &mark));
	assert_false(beats_denied(&process->beats, process->now));
	pass(process, BEATS_DENIED_MS);
	assert_true(beats_take(&process->beats, process->now, &mark));
	beats_accepted(&process->beats, mark, LINKS, process->now);
	assert_true(beats_are_allowed(&process->beats));
}

static void is_off_while_a_link_is_denied_the_channel(void **state)
{
	struct process *process = *state;
	uint64_t mark;
	assert_true(beats_refused(&process->beats, &process->links[0]));
	assert_false(beats_are_allowed(&process->beats));
	pass(process, 2000);
	assert_false(beats_take(&process->beats, process->now, &mark));
	beats_confirmed(&process->beats, &process->links[0], process->now);
	assert_true(beats_are_allowed(&process->beats));
}

static void tells_how_long_a_link_has_heard_nothing(void **state)
{
	struct process *process = *state;
	confirm_all(process);
	assert_true(beats_silence(&process->beats, &process->links[0], process->now) == UINT64_MAX);
	hear(process, 0, 7);
	pass(process, 2500);
	beats_down(&process->beats, &process->links[0]); /* counted on */
	pass(process, 500);
	assert_true(beats_silence(&process->beats, &process->links[0], process->now) == 3 * SECOND);
}

/* Many more beats than are remembered. */
static void remembers_what_a_link_is_owed_for_long(void **state)
{
	struct process *process = *state;
	confirm_all(process);
	for (int i = 0; i < 3 * BEATS_KNOWN_MAX; i++) {
		uint64_t mark = publish(process);
		beats_accepted(&process->beats, mark, LINKS, process->now);
		hear(process, 0, mark);
	}
	assert_int_equal(judge(process, 0), BEAT_FINE);
	assert_int_equal(judge(process, 1), BEAT_LAGGING);
}

/* ---- a fleet ---- */

struct flight {
	uint64_t at, mark;
};

/* Each process ticks at a moment of its own. A beat arrives at all links after LATENCY_MS, and the
 * answer to PUBLISH, too. Returns the number of beats in a minute. */
static unsigned count_beats(size_t processes, size_t links)
{
	static struct process all[PROCESSES_MAX];
	static struct flight flights[4096];
	unsigned n = 0, landed = 0;
	for (size_t i = 0; i < processes; i++) {
		all[i] = (struct process){ .now = random_below(TICK_MS) };
		assert_int_equal(beats_init(&all[i].beats, 0), 0);
		for (size_t link = 0; link < links; link++) {
			beats_add(&all[i].beats, &all[i].links[link]);
			beats_confirmed(&all[i].beats, &all[i].links[link], 0);
		}
	}
	for (uint64_t ms = 1; ms <= 60000; ms++) {
		for (; landed < n && flights[landed].at <= ms; landed++)
			for (size_t i = 0; i < processes; i++)
				for (size_t link = 0; link < links; link++)
					beats_heard(&all[i].beats, &all[i].links[link],
						flights[landed].mark, 0, ms * MS);
		for (size_t i = 0; i < processes; i++) {
			if ((ms + all[i].now) % TICK_MS)
				continue;
			beats_tick(&all[i].beats, ms * MS);
			if (beats_take(&all[i].beats, ms * MS, &flights[n].mark))
				flights[n++].at = ms + LATENCY_MS;
			assert_true(n < COUNT_OF(flights));
			for (size_t link = 0; link < links; link++)
				assert_int_equal(beats_judge(&all[i].beats, &all[i].links[link],
							 SECOND, ms * MS),
					BEAT_FINE);
		}
	}
	for (size_t i = 0; i < processes; i++)
		beats_finish(&all[i].beats);
	return n;
}

static void makes_about_one_beat_a_second_whatever_the_size_of_the_fleet(void **state)
{
	(void)state;
	assert_in_range(count_beats(1, 1), 40, 61);
	assert_in_range(count_beats(1, LINKS), 40, 61);
	assert_in_range(count_beats(2, LINKS), 40, 65);
	assert_in_range(count_beats(50, LINKS), 50, 150); /* the first 50 come at once */
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, open_process, close_process)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(publishes_nothing_while_no_link_hears),
		ROW(publishes_at_once_when_a_link_is_confirmed),
		ROW(is_silent_while_others_beat),
		ROW(finds_a_link_that_misses_accepted_beats),
		ROW(does_not_take_a_refused_or_unanswered_publish_as_a_beat),
		ROW(waits_for_a_ping_behind_the_beat),
		ROW(acts_at_once_when_the_server_counts_fewer_links),
		ROW(does_not_count_links_that_came_after_the_publish),
		ROW(has_more_patience_with_a_link_that_was_made_anew_in_vain),
		ROW(measures_the_lag_of_own_beats),
		ROW(measures_the_lag_of_the_beats_of_others_by_their_stamps),
		ROW(does_not_judge_by_stamps_but_measures),
		ROW(finds_a_link_that_is_late_before_it_has_heard_the_beat),
		ROW(forgives_what_was_late_while_the_process_was_stopped),
		ROW(is_off_while_publishing_is_denied_and_tries_again),
		ROW(is_off_while_a_link_is_denied_the_channel),
		ROW(tells_how_long_a_link_has_heard_nothing),
		ROW(remembers_what_a_link_is_owed_for_long),
		cmocka_unit_test(makes_about_one_beat_a_second_whatever_the_size_of_the_fleet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
