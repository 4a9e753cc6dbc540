#include <errno.h>
#include <stdio.h>

#include "sluice/hub/hub.h"
#include "unit.h"

/* What the hub has said since the last look, one word an event. */
static char said[512];
static uint32_t last_ticket;
static int want_result, unwant_result;
static bool leave_when_told;

static const char *look(void)
{
	static char copy[sizeof(said)];
	memcpy(copy, said, sizeof(said));
	said[0] = '\0';
	return copy;
}

static void say(const char *event, struct slice name)
{
	size_t len = strlen(said);
	snprintf(said + len, sizeof(said) - len, "%s%s:%.*s", len ? " " : "", event,
		SLICE_ARGS(name));
}

struct reader {
	struct subscriber subscriber;
	char name;
};

static struct slice reader_name(struct subscriber *subscriber)
{
	return slice_make(&container_of(subscriber, struct reader, subscriber)->name, 1);
}

static int on_wanted(struct hub *hub, struct slice channel, uint32_t ticket)
{
	(void)hub;
	say("wanted", channel);
	last_ticket = ticket;
	return want_result;
}

static int on_unwanted(struct hub *hub, struct slice channel)
{
	(void)hub;
	say("unwanted", channel);
	return unwant_result;
}

static void on_confirmed(struct hub *hub, struct subscriber *subscriber, struct slice channel)
{
	char text[64];
	snprintf(text, sizeof(text), "confirmed:%.*s", SLICE_ARGS(reader_name(subscriber)));
	say(text, channel);
	if (subscriber->unconfirmed == 0)
		say("ready", reader_name(subscriber));
	if (leave_when_told)
		hub_unsubscribe_all(hub, subscriber);
}

static void on_publication(
	struct hub *hub, struct subscriber *subscriber, struct publication *publication)
{
	(void)publication;
	say("got", reader_name(subscriber));
	if (leave_when_told)
		hub_unsubscribe_all(hub, subscriber);
}

static const struct hub_events events = { on_wanted, on_unwanted, on_confirmed, on_publication };

static struct hub hub;
static struct reader a, b;

static int set_up(void **state)
{
	(void)state;
	said[0] = '\0';
	want_result = unwant_result = 0;
	leave_when_told = false;
	hub_init(&hub, &events, NULL);
	subscriber_init(&a.subscriber);
	subscriber_init(&b.subscriber);
	a.name = 'a';
	b.name = 'b';
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hub_unsubscribe_all(&hub, &a.subscriber);
	hub_unsubscribe_all(&hub, &b.subscriber);
	hub_finish(&hub);
	return 0;
}

static size_t publish(const char *channel)
{
	struct publication_run run = { 0 };
	assert_int_equal(publication_run_add(&run, slice_of(channel), SLICE("x")), 0);
	struct publication *publication = publication_run_take(&run);
	size_t receivers = hub_publish(&hub, publication);
	publication_unref(publication);
	return receivers;
}

static void tells_of_the_first_and_the_last(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("news")), 0);
	assert_string_equal(look(), "wanted:news");
	hub_confirm(&hub, SLICE("news"), last_ticket);
	look();
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("news")), 0);
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("news")), -EEXIST);
	assert_int_equal(hub_unsubscribe(&hub, &a.subscriber, SLICE("news")), 0);
	assert_int_equal(hub_unsubscribe(&hub, &a.subscriber, SLICE("news")), -ENOENT);
	assert_string_equal(look(), "");
	hub_unsubscribe_all(&hub, &b.subscriber);
	assert_string_equal(look(), "unwanted:news");
	assert_int_equal(table_count(&hub.channels), 0);
	assert_int_equal(hub_subscription_count(&hub), 0);
}

static void hands_publications_to_subscribers_of_the_channel(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("x")), 0);
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("y")), 0);
	look();
	assert_int_equal(publish("x"), 2);
	assert_string_equal(look(), "got:a got:b");
	assert_int_equal(publish("y"), 1);
	assert_string_equal(look(), "got:b");
	assert_int_equal(publish("z"), 0);
	assert_string_equal(look(), "");
}

static void is_ready_when_all_channels_are_confirmed(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	uint32_t x = last_ticket;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("y")), 0);
	uint32_t y = last_ticket;
	look();
	hub_confirm(&hub, SLICE("x"), x);
	assert_string_equal(look(), "confirmed:a:x");
	assert_true(hub_is_confirmed(&hub, SLICE("x")));
	assert_false(hub_is_confirmed(&hub, SLICE("y")));
	assert_false(hub_is_confirmed(&hub, SLICE("z")));
	assert_true(hub_has(&hub, &a.subscriber, SLICE("y")));
	assert_false(hub_has(&hub, &b.subscriber, SLICE("y")));
	assert_false(hub_has(&hub, &a.subscriber, SLICE("z")));
	hub_confirm(&hub, SLICE("y"), y);
	assert_string_equal(look(), "confirmed:a:y ready:a");
	hub_confirm(&hub, SLICE("y"), y); /* after a reconnect: nothing new */
	assert_string_equal(look(), "");
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("x")), 0);
	assert_int_equal(b.subscriber.unconfirmed, 0);
}

static void an_old_ticket_confirms_nothing(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	uint32_t old = last_ticket;
	hub_unsubscribe_all(&hub, &a.subscriber);
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	look();
	hub_confirm(&hub, SLICE("x"), old);
	assert_string_equal(look(), "");
	hub_confirm(&hub, SLICE("x"), last_ticket);
	assert_string_equal(look(), "confirmed:a:x ready:a");
}

static void leaving_an_unconfirmed_channel_does_not_count(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("y")), 0);
	assert_int_equal(hub_unsubscribe(&hub, &a.subscriber, SLICE("x")), 0);
	assert_int_equal(a.subscriber.unconfirmed, 1);
	hub_confirm(&hub, SLICE("y"), last_ticket);
	assert_int_equal(a.subscriber.unconfirmed, 0);
}

static void a_channel_that_cannot_be_wanted_never_was(void **state)
{
	(void)state;
	want_result = -ENOTCONN;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), -ENOTCONN);
	assert_string_equal(look(), "wanted:x");
	assert_int_equal(a.subscriber.count, 0);
	assert_int_equal(table_count(&hub.channels), 0);
}

/* The first word may have got lost. */
static void an_unconfirmed_channel_is_asked_for_by_each_subscriber(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	uint32_t ticket = last_ticket;
	look();
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("x")), 0);
	assert_string_equal(look(), "wanted:x");
	assert_int_equal(last_ticket, ticket);
	hub_unsubscribe_all(&hub, &b.subscriber);
	want_result = -ENOMEM;
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("x")), -ENOMEM);
	assert_int_equal(b.subscriber.count, 0);
	assert_int_equal(hub_subscription_count(&hub), 1);
}

static void a_channel_that_cannot_be_left_stays_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	hub_confirm(&hub, SLICE("x"), last_ticket);
	look();
	unwant_result = -ENOMEM;
	hub_unsubscribe_all(&hub, &a.subscriber);
	assert_string_equal(look(), "unwanted:x");
	assert_int_equal(table_count(&hub.channels), 1);
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("x")), 0);
	assert_int_equal(b.subscriber.unconfirmed, 0);
	hub_unsubscribe_all(&hub, &b.subscriber);
	assert_string_equal(look(), "unwanted:x");
	assert_int_equal(publish("x"), 0);
	assert_string_equal(look(), "unwanted:x");
	unwant_result = 0;
	assert_int_equal(publish("x"), 0);
	assert_string_equal(look(), "unwanted:x");
	assert_int_equal(table_count(&hub.channels), 0);
}

/* The tear-down finishes the hub with it. */
static void a_channel_that_can_never_be_left_is_no_leak(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	unwant_result = -EPIPE;
	hub_unsubscribe_all(&hub, &a.subscriber);
	assert_int_equal(table_count(&hub.channels), 1);
}

static void everyone_may_leave_while_being_told(void **state)
{
	(void)state;
	leave_when_told = true;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("x")), 0);
	look();
	assert_int_equal(publish("x"), 2);
	assert_string_equal(look(), "got:a got:b unwanted:x");
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	look();
	hub_confirm(&hub, SLICE("x"), last_ticket);
	assert_string_equal(look(), "confirmed:a:x ready:a unwanted:x");
}

static void each_subscription_is_told_of_its_confirmation(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("x")), 0);
	uint32_t x = last_ticket;
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("y")), 0);
	look();
	hub_confirm(&hub, SLICE("x"), x);
	assert_string_equal(look(), "confirmed:a:x ready:a confirmed:b:x");
	assert_int_equal(b.subscriber.unconfirmed, 1);
	/* who comes later is not told: it can see that nothing is to be waited for */
	hub_unsubscribe_all(&hub, &a.subscriber);
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	assert_int_equal(a.subscriber.unconfirmed, 0);
	assert_string_equal(look(), "");
}

static bool leave_x_and_z(void *context, struct slice channel)
{
	struct reader *reader = context;
	say("has", channel);
	if (!slice_equal(channel, SLICE("y")))
		assert_int_equal(hub_unsubscribe(&hub, &reader->subscriber, channel), 0);
	return true;
}

static bool leave_all(void *context, struct slice channel)
{
	struct reader *reader = context;
	say("has", channel);
	hub_unsubscribe_all(&hub, &reader->subscriber);
	return false;
}

static void channels_can_be_left_while_they_are_listed(void **state)
{
	(void)state;
	hub_each_channel(&a.subscriber, leave_x_and_z, &a);
	assert_string_equal(look(), "");
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("y")), 0);
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("z")), 0);
	look();
	hub_each_channel(&a.subscriber, leave_x_and_z, &a);
	assert_string_equal(look(), "has:x unwanted:x has:y has:z unwanted:z");
	hub_each_channel(&a.subscriber, leave_x_and_z, &a);
	assert_string_equal(look(), "has:y");
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("z")), 0);
	look();
	hub_each_channel(&a.subscriber, leave_all, &a);
	assert_string_equal(look(), "has:y unwanted:y unwanted:z");
}

static void leave_everything(void *context, struct subscriber *subscriber)
{
	(void)context;
	say("at", reader_name(subscriber));
	hub_unsubscribe_all(&hub, subscriber);
}

static void subscribers_can_leave_while_they_are_listed(void **state)
{
	(void)state;
	hub_each_subscriber(&hub, SLICE("x"), leave_everything, NULL);
	assert_string_equal(look(), "");
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("x")), 0);
	look();
	hub_each_subscriber(&hub, SLICE("x"), leave_everything, NULL);
	assert_string_equal(look(), "at:a at:b unwanted:x");
}

int main(void)
{
#define HUB_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		HUB_TEST(tells_of_the_first_and_the_last),
		HUB_TEST(hands_publications_to_subscribers_of_the_channel),
		HUB_TEST(is_ready_when_all_channels_are_confirmed),
		HUB_TEST(an_old_ticket_confirms_nothing),
		HUB_TEST(leaving_an_unconfirmed_channel_does_not_count),
		HUB_TEST(a_channel_that_cannot_be_wanted_never_was),
		HUB_TEST(an_unconfirmed_channel_is_asked_for_by_each_subscriber),
		HUB_TEST(a_channel_that_cannot_be_left_stays_as_it_is),
		HUB_TEST(a_channel_that_can_never_be_left_is_no_leak),
		HUB_TEST(everyone_may_leave_while_being_told),
		HUB_TEST(each_subscription_is_told_of_its_confirmation),
		HUB_TEST(channels_can_be_left_while_they_are_listed),
		HUB_TEST(subscribers_can_leave_while_they_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
