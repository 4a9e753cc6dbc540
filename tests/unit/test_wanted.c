/* The state of wanted channels, without a link: which commands are sent, and what each answer
 * changes. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "sluice/redis/wanted.h"

static struct wanted wanted;
static char seen[4096]; /* commands and events since the last look */
static int command_result;
static bool changed;
static bool stop_when_confirmed;

static void note(const char *event, struct slice name)
{
	size_t len = strlen(seen);
	snprintf(seen + len, sizeof(seen) - len, "%s%s%s%.*s", len ? " " : "", event,
		*event ? ":" : "", SLICE_ARGS(name));
}

static const char *look(void)
{
	static char copy[sizeof(seen)];
	memcpy(copy, seen, sizeof(seen));
	seen[0] = '\0';
	return copy;
}

static void on_changed(struct wanted *all)
{
	(void)all;
	changed = true;
}

static int on_command(struct wanted *all, const struct slice *words, size_t n)
{
	(void)all;
	if (command_result)
		return command_result;
	for (size_t i = 0; i < n; i++)
		note("", words[i]);
	return 0;
}

static void on_confirmed(struct wanted *all, struct slice channel, bool was_refused)
{
	assert_true(wanted_is_confirmed(all, channel));
	note(was_refused ? "healed" : "confirmed", channel);
	if (stop_when_confirmed)
		wanted_stop(all);
}

static void on_refused(struct wanted *all, struct slice channel, struct slice reason)
{
	assert_false(wanted_is_confirmed(all, channel));
	assert_true(slice_starts_with(reason, SLICE("NOPERM")));
	note("refused", channel);
}

static enum wanted_class class_of(struct wanted *all, struct slice channel)
{
	(void)all;
	return slice_equal(channel, SLICE("own"))    ? WANTED_OWN
	       : slice_equal(channel, SLICE("auto")) ? WANTED_AUTOMATIC
						     : WANTED_ASKED;
}

static const struct wanted_events events = { on_changed, on_command, on_confirmed, on_refused,
	class_of };

static int set_up(void **state)
{
	(void)state;
	seen[0] = '\0';
	command_result = 0;
	stop_when_confirmed = false;
	wanted_init(&wanted, &events);
	wanted_link_up(&wanted);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	wanted_finish(&wanted);
	return 0;
}

static void want(const char *name)
{
	assert_int_equal(wanted_add(&wanted, slice_of(name)), 0);
}

static void unwant(const char *name)
{
	wanted_remove(&wanted, slice_of(name));
}

static void answer(const char *name, bool subscribed)
{
	assert_int_equal(wanted_take_answer(&wanted, slice_of(name), subscribed), 0);
}

/* What the end of a turn does. */
static const char *asked(void)
{
	changed = false;
	wanted_ask(&wanted);
	return look();
}

static void asks_for_the_changes_of_a_turn(void **state)
{
	(void)state;
	want("a");
	want("b");
	want("a");
	want("c");
	unwant("c");
	assert_true(changed);
	assert_string_equal(asked(), "SUBSCRIBE a b");
	assert_false(wanted_has_more(&wanted));
	answer("a", true);
	answer("b", true);
	assert_string_equal(look(), "confirmed:a confirmed:b");
	unwant("a");
	want("d");
	assert_string_equal(asked(), "SUBSCRIBE d UNSUBSCRIBE a");
	answer("d", true);
	answer("a", false);
	assert_string_equal(look(), "confirmed:d");
	assert_int_equal(table_count(&wanted.channels), 2);
}

static void has_no_channel_in_two_commands(void **state)
{
	(void)state;
	want("a");
	assert_string_equal(asked(), "SUBSCRIBE a");
	unwant("a");
	assert_string_equal(asked(), "");
	want("a");
	unwant("a");
	answer("a", true);
	assert_true(changed);
	assert_string_equal(asked(), "UNSUBSCRIBE a");
	want("a");
	answer("a", false);
	assert_string_equal(asked(), "SUBSCRIBE a");
	answer("a", true);
	assert_string_equal(look(), "confirmed:a");
}

static void rejects_answers_that_are_not_due(void **state)
{
	(void)state;
	assert_int_equal(wanted_take_answer(&wanted, SLICE("a"), true), -EPROTO);
	want("a");
	want("b");
	assert_string_equal(asked(), "SUBSCRIBE a b");
	assert_int_equal(wanted_take_answer(&wanted, SLICE("b"), true), -EPROTO);
	assert_int_equal(wanted_take_answer(&wanted, SLICE("a"), false), -EPROTO);
	answer("a", true);
	assert_int_equal(wanted_take_answer(&wanted, SLICE("a"), true), -EPROTO);
	assert_string_equal(look(), "confirmed:a");
}

static void asks_again_when_there_is_room(void **state)
{
	(void)state;
	want("a");
	command_result = -ENOBUFS;
	assert_string_equal(asked(), "");
	assert_false(changed);
	assert_true(wanted_has_more(&wanted));
	command_result = 0;
	assert_string_equal(asked(), "SUBSCRIBE a");
	assert_false(wanted_has_more(&wanted));
}

static void finds_the_refused_channel_of_several(void **state)
{
	(void)state;
	want("a");
	want("bad");
	assert_string_equal(asked(), "SUBSCRIBE a bad");
	assert_true(wanted_oldest_is_subscribe(&wanted));
	wanted_take_refusal(&wanted, 2, SLICE("NOPERM"));
	assert_string_equal(asked(), "SUBSCRIBE a SUBSCRIBE bad");
	answer("a", true);
	wanted_take_refusal(&wanted, 1, SLICE("NOPERM"));
	assert_string_equal(look(), "confirmed:a refused:bad");
	want("bad");
	assert_string_equal(asked(), "");
	/* it is wanted again, together with another */
	unwant("bad");
	want("bad");
	want("c");
	assert_string_equal(asked(), "SUBSCRIBE bad SUBSCRIBE c");
}

static void refuse_one(void)
{
	wanted_take_refusal(&wanted, 1, SLICE("NOPERM"));
}

static void asks_again_for_refused_channels(void **state)
{
	(void)state;
	want("bad");
	assert_false(wanted_has_refused(&wanted));
	asked();
	refuse_one();
	assert_string_equal(look(), "refused:bad");
	assert_true(wanted_has_refused(&wanted));
	assert_true(wanted_is_refused(&wanted, SLICE("bad")));
	wanted_ask_refused(&wanted, 10);
	assert_true(changed);
	assert_string_equal(asked(), "SUBSCRIBE bad");
	assert_true(wanted_is_refused(&wanted, SLICE("bad")));
	refuse_one();
	assert_string_equal(look(), "");
	wanted_ask_refused(&wanted, 10);
	asked();
	answer("bad", true);
	assert_string_equal(look(), "healed:bad");
	assert_false(wanted_has_refused(&wanted));
	assert_int_equal(wanted_refused_count(&wanted, WANTED_ASKED), 0);
	unwant("bad");
	asked();
	answer("bad", false);
	assert_int_equal(table_count(&wanted.channels), 0);
}

static void asks_again_for_our_own_and_automatic_channels_first(void **state)
{
	(void)state;
	static const char *const names[] = { "a", "auto", "b", "own", "c" };
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		want(names[i]);
		asked();
		refuse_one();
	}
	look();
	assert_int_equal(wanted_refused_count(&wanted, WANTED_OWN), 1);
	assert_int_equal(wanted_refused_count(&wanted, WANTED_AUTOMATIC), 1);
	assert_int_equal(wanted_refused_count(&wanted, WANTED_ASKED), 3);
	wanted_ask_refused(&wanted, 3);
	assert_string_equal(asked(), "SUBSCRIBE own SUBSCRIBE auto SUBSCRIBE a");
	for (size_t i = 0; i < 3; i++)
		refuse_one();
	unwant("own");
	unwant("auto");
	assert_string_equal(asked(), "");
	wanted_ask_refused(&wanted, 2);
	assert_string_equal(asked(), "SUBSCRIBE b SUBSCRIBE c");
	wanted_link_down(&wanted);
	assert_false(wanted_has_refused(&wanted));
	assert_int_equal(wanted_refused_count(&wanted, WANTED_ASKED), 0);
	assert_int_equal(table_count(&wanted.channels), 3);
}

static void asks_for_one_channel_while_the_command_is_denied(void **state)
{
	(void)state;
	static const char *const reasons[] = {
		"NOPERM this user has no permissions to run the 'subscribe' command or its "
		"subcommand",
		"NOPERM User sluice has no permissions to run the 'subscribe' command",
	};
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		want("a");
		want("b");
		asked();
		wanted_take_refusal(&wanted, 2, slice_of(reasons[i]));
		assert_string_equal(look(), "refused:a refused:b");
		assert_true(wanted_is_barred(&wanted));
		assert_true(wanted_is_complete(&wanted));
		wanted_ask_refused(&wanted, 10);
		assert_string_equal(asked(), "SUBSCRIBE a");
		answer("a", true);
		assert_string_equal(look(), "healed:a");
		assert_false(wanted_is_barred(&wanted));
		wanted_link_down(&wanted);
		unwant("a");
		unwant("b");
		asked();
		wanted_link_up(&wanted);
	}
}

static void probes_with_a_channel_that_stays_confirmed(void **state)
{
	(void)state;
	static const char denied[] =
		"NOPERM User x has no permissions to run the 'subscribe' command";
	wanted_probe(&wanted, SLICE("a"));
	want("a");
	wanted_probe(&wanted, SLICE("a"));
	assert_string_equal(asked(), "SUBSCRIBE a");
	answer("a", true);
	look();
	for (size_t i = 0; i < 2; i++) {
		wanted_probe(&wanted, SLICE("a"));
		wanted_probe(&wanted, SLICE("a"));
		assert_string_equal(look(), "SUBSCRIBE a");
		wanted_take_refusal(&wanted, 1, slice_of(denied));
		assert_true(wanted_is_barred(&wanted));
		assert_true(wanted_is_confirmed(&wanted, SLICE("a")));
		assert_false(wanted_is_refused(&wanted, SLICE("a")));
	}
	wanted_probe(&wanted, SLICE("a"));
	unwant("a");
	assert_string_equal(asked(), "SUBSCRIBE a");
	answer("a", true);
	assert_false(wanted_is_barred(&wanted));
	assert_string_equal(asked(), "UNSUBSCRIBE a");
	answer("a", false);
	assert_int_equal(table_count(&wanted.channels), 0);
}

static void asks_for_everything_when_the_link_is_back(void **state)
{
	(void)state;
	want("a");
	want("b");
	asked();
	answer("a", true);
	look();
	wanted_link_down(&wanted);
	assert_false(wanted_is_complete(&wanted));
	assert_false(wanted_is_confirmed(&wanted, SLICE("a")));
	assert_true(wanted_has(&wanted, SLICE("a")));
	unwant("b");
	assert_string_equal(asked(), "");
	assert_int_equal(table_count(&wanted.channels), 1);
	wanted_link_up(&wanted);
	assert_false(wanted_is_complete(&wanted));
	assert_string_equal(asked(), "SUBSCRIBE a");
	want("later");
	answer("a", true);
	assert_true(wanted_is_complete(&wanted));
	assert_string_equal(look(), "confirmed:a");
}

static void raises_no_event_after_it_was_stopped(void **state)
{
	(void)state;
	want("a");
	asked();
	changed = false;
	wanted_stop(&wanted);
	want("b");
	answer("a", true);
	assert_string_equal(asked(), "");
	assert_false(changed);
}

static void sends_nothing_after_an_event_stopped_it(void **state)
{
	(void)state;
	want("a");
	asked();
	answer("a", true);
	want("b");
	unwant("a");
	want("a");
	look();
	stop_when_confirmed = true;
	assert_string_equal(asked(), "confirmed:a");
}

int main(void)
{
#define WANTED_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WANTED_TEST(asks_for_the_changes_of_a_turn),
		WANTED_TEST(has_no_channel_in_two_commands),
		WANTED_TEST(rejects_answers_that_are_not_due),
		WANTED_TEST(asks_again_when_there_is_room),
		WANTED_TEST(finds_the_refused_channel_of_several),
		WANTED_TEST(asks_again_for_refused_channels),
		WANTED_TEST(asks_again_for_our_own_and_automatic_channels_first),
		WANTED_TEST(asks_for_one_channel_while_the_command_is_denied),
		WANTED_TEST(probes_with_a_channel_that_stays_confirmed),
		WANTED_TEST(asks_for_everything_when_the_link_is_back),
		WANTED_TEST(raises_no_event_after_it_was_stopped),
		WANTED_TEST(sends_nothing_after_an_event_stopped_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
