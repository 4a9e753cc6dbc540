/* Connects a link to wanted.c. Answers from the link go to wanted.c, and publications go to the
 * owner.
 *
 * The subscriptions are up when the link is up and every channel that was wanted at that moment has
 * been confirmed or refused. If a SUBSCRIBE is answered by NOPERM, we lack the permission, and the
 * link stays up; subscriptions_retry.c asks again. Any other error fails it, as does an error that
 * answers UNSUBSCRIBE. */
#include "subscriptions_internal.h"

#include <errno.h>

static void come_up_if_complete(struct subscriptions *subscriptions)
{
	if (subscriptions->up || !wanted_is_complete(&subscriptions->wanted) ||
		!redis_link_is_up(&subscriptions->link))
		return;
	subscriptions->up = true;
	subscriptions->events->on_up(subscriptions);
}

/* An answer has made room. */
static void go_on(struct subscriptions *subscriptions)
{
	if (wanted_has_more(&subscriptions->wanted))
		turn_schedule(subscriptions->turn, &subscriptions->ask);
	retry_schedule(subscriptions);
	come_up_if_complete(subscriptions);
}

/* ---- what is wanted ---- */

static struct subscriptions *owner_of(struct wanted *wanted)
{
	return container_of(wanted, struct subscriptions, wanted);
}

static void ask(struct turn_task *task)
{
	struct subscriptions *subscriptions = container_of(task, struct subscriptions, ask);
	wanted_ask(&subscriptions->wanted);
	come_up_if_complete(subscriptions);
}

static void on_changed(struct wanted *wanted)
{
	struct subscriptions *subscriptions = owner_of(wanted);
	turn_schedule(subscriptions->turn, &subscriptions->ask);
}

static int on_command(struct wanted *wanted, const struct slice *words, size_t n)
{
	struct redis_link *link = &owner_of(wanted)->link;
	int error = redis_link_subscription_command(link, words, n);
	if (error && error != -ENOBUFS)
		redis_link_fail(link, "cannot send a command");
	return error;
}

static void on_confirmed(struct wanted *wanted, struct slice name, bool was_refused)
{
	struct subscriptions *subscriptions = owner_of(wanted);
	if (was_refused)
		retry_hurry(subscriptions);
	if (listening_is_channel(name))
		listening_confirmed(subscriptions);
	else
		subscriptions->events->on_confirmed(subscriptions, name, was_refused);
}

static void on_refused(struct wanted *wanted, struct slice name, struct slice reason)
{
	struct subscriptions *subscriptions = owner_of(wanted);
	if (listening_is_channel(name))
		listening_refused(subscriptions, reason);
	else
		subscriptions->events->on_refused(subscriptions, name, reason);
}

static enum wanted_class class_of(struct wanted *wanted, struct slice name)
{
	struct subscriptions *subscriptions = owner_of(wanted);
	return listening_is_channel(name) ? WANTED_OWN
					  : subscriptions->events->class_of(subscriptions, name);
}

static const struct wanted_events wanted_events = {
	.on_changed = on_changed,
	.on_command = on_command,
	.on_confirmed = on_confirmed,
	.on_refused = on_refused,
	.class_of = class_of,
};

/* ---- events of the link ---- */

static void on_link_up(struct redis_link *link)
{
	struct subscriptions *subscriptions = link->owner;
	if (listening_begin(subscriptions) != 0) {
		redis_link_fail(link, "cannot send a command");
		return;
	}
	wanted_link_up(&subscriptions->wanted);
	come_up_if_complete(subscriptions);
}

static void on_link_down(struct redis_link *link, const char *reason)
{
	struct subscriptions *subscriptions = link->owner;
	subscriptions->up = false;
	subscriptions->client = 0;
	retry_stop(subscriptions);
	wanted_link_down(&subscriptions->wanted);
	subscriptions->events->on_down(subscriptions, reason);
}

static void take_message(
	struct subscriptions *subscriptions, struct slice name, struct slice payload)
{
	if (wanted_has(&subscriptions->wanted, name))
		subscriptions->events->on_message(subscriptions, name, payload);
}

static void take_answer(struct subscriptions *subscriptions, struct slice name, bool subscribed)
{
	if (wanted_take_answer(&subscriptions->wanted, name, subscribed) == 0)
		go_on(subscriptions);
	else
		redis_link_fail(
			&subscriptions->link, "unexpected answer to SUBSCRIBE or UNSUBSCRIBE");
}

static void on_link_refused(
	struct redis_link *link, size_t channels, const struct redisReply *reply)
{
	struct subscriptions *subscriptions = link->owner;
	bool subscribe = wanted_oldest_is_subscribe(&subscriptions->wanted);
	if (!subscribe || !slice_starts_with(reply_text(reply), SLICE("NOPERM "))) {
		redis_link_fail_by_reply(link, subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE", reply);
		return;
	}
	wanted_take_refusal(&subscriptions->wanted, channels, reply_text(reply));
	go_on(subscriptions);
}

static void on_push(struct redis_link *link, const struct redisReply *reply)
{
	struct subscriptions *subscriptions = link->owner;
	struct slice kind = reply_text(reply->element[0]);
	const struct redisReply *name = reply->element[1], *third = reply->element[2];
	if (name->type != REDIS_REPLY_STRING)
		redis_link_fail(link, "push without a channel");
	else if (slice_equal(kind, SLICE("message")) && listening_is_channel(reply_text(name)))
		listening_take(subscriptions, third);
	else if (slice_equal(kind, SLICE("message")) && third->type == REDIS_REPLY_STRING)
		take_message(subscriptions, reply_text(name), reply_text(third));
	else if (slice_equal(kind, SLICE("subscribe")) && third->type == REDIS_REPLY_INTEGER)
		take_answer(subscriptions, reply_text(name), true);
	else if (slice_equal(kind, SLICE("unsubscribe")) && third->type == REDIS_REPLY_INTEGER)
		take_answer(subscriptions, reply_text(name), false);
	else
		redis_link_fail(link, "malformed push");
}

static void on_batch_end(struct redis_link *link)
{
	struct subscriptions *subscriptions = link->owner;
	subscriptions->events->on_batch_end(subscriptions);
}

static void on_round_trip(struct redis_link *link, uint64_t ns)
{
	struct subscriptions *subscriptions = link->owner;
	subscriptions->events->on_round_trip(subscriptions, ns);
	if (subscriptions->listens)
		wanted_probe(&subscriptions->wanted, listening_channel());
	go_on(subscriptions);
}

static void on_link_closed(struct redis_link *link)
{
	struct subscriptions *subscriptions = link->owner;
	turn_cancel(&subscriptions->ask);
	retry_stop(subscriptions);
	wanted_finish(&subscriptions->wanted);
	subscriptions->events->on_closed(subscriptions);
}

/* ---- for the owner ---- */

int subscriptions_open(struct subscriptions *subscriptions, struct stream_loop *shared,
	struct deadlines *deadlines, const struct redis_link_settings *settings,
	const struct subscriptions_events *events, void *owner)
{
	static const struct redis_link_events link_events = {
		.on_up = on_link_up,
		.on_down = on_link_down,
		.on_push = on_push,
		.on_refused = on_link_refused,
		.on_batch_end = on_batch_end,
		.on_round_trip = on_round_trip,
		.on_closed = on_link_closed,
	};
	*subscriptions = (struct subscriptions){
		.owner = owner, .events = events, .turn = shared->turn, .ask.run = ask
	};
	wanted_init(&subscriptions->wanted, &wanted_events);
	retry_stop(subscriptions);
	return redis_link_open(
		&subscriptions->link, shared, deadlines, settings, &link_events, subscriptions);
}

void subscriptions_close(struct subscriptions *subscriptions)
{
	subscriptions->closing = true;
	retry_stop(subscriptions);
	wanted_stop(&subscriptions->wanted);
	redis_link_close(&subscriptions->link);
}

int subscriptions_listen(struct subscriptions *subscriptions)
{
	subscriptions->listens = true;
	return wanted_add(&subscriptions->wanted, listening_channel());
}

int subscriptions_want(struct subscriptions *subscriptions, struct slice name)
{
	return wanted_add(&subscriptions->wanted, name);
}

void subscriptions_unwant(struct subscriptions *subscriptions, struct slice name)
{
	wanted_remove(&subscriptions->wanted, name);
}

void subscriptions_fail(struct subscriptions *subscriptions, const char *reason)
{
	redis_link_fail(&subscriptions->link, reason);
}

bool subscriptions_is_confirmed(const struct subscriptions *subscriptions, struct slice name)
{
	return wanted_is_confirmed(&subscriptions->wanted, name);
}

bool subscriptions_is_refused(const struct subscriptions *subscriptions, struct slice name)
{
	return wanted_is_refused(&subscriptions->wanted, name);
}

size_t subscriptions_refused_count(
	const struct subscriptions *subscriptions, enum wanted_class class)
{
	return wanted_refused_count(&subscriptions->wanted, class);
}

bool subscriptions_are_barred(const struct subscriptions *subscriptions)
{
	return wanted_is_barred(&subscriptions->wanted);
}

const struct redis_link *subscriptions_link(const struct subscriptions *subscriptions)
{
	return &subscriptions->link;
}
