/* What answers to look-ups say about the next one. */
#include "sluice/auth/look_ups.h"
#include "unit.h"

static struct look_ups look_ups;

static int set_up(void **state)
{
	(void)state;
	look_ups = (struct look_ups){ 0 };
	return 0;
}

static void note(const char *problem, uint64_t now_ms)
{
	look_ups_note(&look_ups, problem ? slice_of(problem) : (struct slice){ 0 }, now_ms);
}

static void assert_problem(const char *part)
{
	const char *problem = look_ups_problem(&look_ups);
	if (!part)
		assert_null(problem);
	else if (!problem || !strstr(problem, part))
		fail_msg("%s: %s", part, problem ? problem : "no problem");
}

static void knows_nothing_before_the_first_answer(void **state)
{
	(void)state;
	assert_problem("answered yet");
	note(NULL, 1);
	assert_problem(NULL);
}

static void names_the_cause(void **state)
{
	(void)state;
	static const struct {
		const char *error, *part;
	} cases[] = {
		{ "NOPERM User sluice has no permissions to run the 'get' command", "ACL" },
		{ "LOADING Redis is loading the dataset in memory", "LOADING" },
		{ "BUSY Redis is busy running a script.", "BUSY" },
		{ "MASTERDOWN Link with MASTER is down", "MASTERDOWN" },
		{ "CLUSTERDOWN Hash slot not served", "CLUSTERDOWN" },
		{ "ERR unknown command", "Sentinel" },
		{ "ASK 1 h:1", "cluster" },
		{ "ERR something else", "see the log" },
		{ "MOVED 1 h:1", "cluster" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		note(cases[i].error, i);
		assert_problem(cases[i].part);
	}
}

static void one_good_answer_does_not_outweigh_a_failure(void **state)
{
	(void)state;
	note(NULL, 1000);
	note("BUSY", 2000);
	assert_problem("look-ups fail");
	note("BUSY Redis", 2000);
	note(NULL, 2001);
	assert_problem("BUSY");
	note(NULL, 2000 + LOOK_UPS_HOLD_MS - 1);
	assert_problem("BUSY");
	note(NULL, 2000 + LOOK_UPS_HOLD_MS);
	assert_problem(NULL);
}

/* The server answers for some keys, and always will. */
static void a_redirection_counts_as_long_as_the_link(void **state)
{
	(void)state;
	note("MOVED 1 127.0.0.1:7001", 1000);
	note(NULL, 90000);
	note("NOPERM x", 90001);
	assert_problem("MOVED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(knows_nothing_before_the_first_answer, set_up),
		cmocka_unit_test_setup(names_the_cause, set_up),
		cmocka_unit_test_setup(one_good_answer_does_not_outweigh_a_failure, set_up),
		cmocka_unit_test_setup(a_redirection_counts_as_long_as_the_link, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
