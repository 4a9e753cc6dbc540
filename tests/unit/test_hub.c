#include <errno.h>
#include <stdio.h>

#include "sluice/hub/hub.h"
#include "unit.h"

/* The hub's events since the last look, one word each. */
static char said[512];
static uint32_t last_ticket;
static int want_result, unwant_result;
static bool leave_in_event;

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
	if (leave_in_event)
		hub_unsubscribe_all(hub, subscriber);
}

static void on_refused(struct hub *hub, struct subscriber *subscriber, struct slice channel)
{
	char text[64];
	snprintf(text, sizeof(text), "refused:%.*s", SLICE_ARGS(reader_name(subscriber)));
	say(text, channel);
	if (leave_in_event)
		hub_unsubscribe_all(hub, subscriber);
}

static void on_publication(
	struct hub *hub, struct subscriber *subscriber, struct publication *publication)
{
	(void)publication;
	say("got", reader_name(subscriber));
	if (leave_in_event)
		hub_unsubscribe_all(hub, subscriber);
}

static const struct hub_events events = { on_wanted, on_unwanted, on_confirmed, on_refused,
	on_publication };

static struct hub hub;
static struct reader a, b;

static int set_up(void **state)
{
	(void)state;
	said[0] = '\0';
	want_result = unwant_result = 0;
	leave_in_event = false;
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

static void reports_the_first_and_the_last_subscriber(void **state)
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
	hub_confirm(&hub, SLICE("y"), y); /* again, as after a reconnect */
	assert_string_equal(look(), "");
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("x")), 0);
	assert_int_equal(b.subscriber.unconfirmed, 0);
}

static void counts_a_refused_channel_as_unconfirmed(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	hub_confirm(&hub, SLICE("x"), last_ticket);
	look();
	hub_refuse(&hub, SLICE("x"), last_ticket - 1);
	assert_false(hub_is_refused(&hub, SLICE("x")));
	hub_refuse(&hub, SLICE("x"), last_ticket);
	assert_string_equal(look(), "refused:a:x");
	assert_true(hub_is_refused(&hub, SLICE("x")));
	assert_false(hub_is_confirmed(&hub, SLICE("x")));
	assert_int_equal(a.subscriber.unconfirmed, 1);
	hub_refuse(&hub, SLICE("x"), last_ticket); /* it was asked for again */
	assert_string_equal(look(), "");
	assert_int_equal(hub_subscribe(&hub, &b.subscriber, SLICE("x")), 0);
	look();
	hub_confirm(&hub, SLICE("x"), last_ticket);
	assert_string_equal(look(), "confirmed:a:x ready:a confirmed:b:x ready:b");
	assert_false(hub_is_refused(&hub, SLICE("x")));
	leave_in_event = true;
	hub_refuse(&hub, SLICE("x"), last_ticket);
	assert_string_equal(look(), "refused:a:x refused:b:x unwanted:x");
	assert_int_equal(table_count(&hub.channels), 0);
}

static void ignores_an_old_ticket(void **state)
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

static void does_not_count_an_unconfirmed_channel_that_was_left(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("y")), 0);
	assert_int_equal(hub_unsubscribe(&hub, &a.subscriber, SLICE("x")), 0);
	assert_int_equal(a.subscriber.unconfirmed, 1);
	hub_confirm(&hub, SLICE("y"), last_ticket);
	assert_int_equal(a.subscriber.unconfirmed, 0);
}

static void forgets_a_channel_that_cannot_be_wanted(void **state)
{
	(void)state;
	want_result = -ENOTCONN;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), -ENOTCONN);
	assert_string_equal(look(), "wanted:x");
	assert_int_equal(a.subscriber.count, 0);
	assert_int_equal(table_count(&hub.channels), 0);
}

/* The first want may have been lost. */
static void wants_an_unconfirmed_channel_again_for_each_subscriber(void **state)
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

static void keeps_a_channel_that_cannot_be_unwanted(void **state)
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

/* The tear-down finishes the hub while the channel exists. */
static void frees_a_channel_that_could_never_be_unwanted(void **state)
{
	(void)state;
	assert_int_equal(hub_subscribe(&hub, &a.subscriber, SLICE("x")), 0);
	unwant_result = -EPIPE;
	hub_unsubscribe_all(&hub, &a.subscriber);
	assert_int_equal(table_count(&hub.channels), 1);
}

static void lets_subscribers_leave_in_every_event(void **state)
{
	(void)state;
	leave_in_event = true;
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

static void confirms_each_subscription(void **state)
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
	/* one that subscribes later gets no event: its count says that the channel is confirmed */
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

static void lets_channels_be_left_while_they_are_listed(void **state)
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

static void lets_subscribers_leave_while_they_are_listed(void **state)
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
		HUB_TEST(reports_the_first_and_the_last_subscriber),
		HUB_TEST(hands_publications_to_subscribers_of_the_channel),
		HUB_TEST(is_ready_when_all_channels_are_confirmed),
		HUB_TEST(counts_a_refused_channel_as_unconfirmed),
		HUB_TEST(ignores_an_old_ticket),
		HUB_TEST(does_not_count_an_unconfirmed_channel_that_was_left),
		HUB_TEST(forgets_a_channel_that_cannot_be_wanted),
		HUB_TEST(wants_an_unconfirmed_channel_again_for_each_subscriber),
		HUB_TEST(keeps_a_channel_that_cannot_be_unwanted),
		HUB_TEST(frees_a_channel_that_could_never_be_unwanted),
		HUB_TEST(lets_subscribers_leave_in_every_event),
		HUB_TEST(confirms_each_subscription),
		HUB_TEST(lets_channels_be_left_while_they_are_listed),
		HUB_TEST(lets_subscribers_leave_while_they_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
