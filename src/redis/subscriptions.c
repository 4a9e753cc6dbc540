/* What is wanted from Redis, and how that becomes true.
 *
 * A channel has four small facts, and everything follows from comparing them:
 *
 *	wanted       somebody here wants it
 *	asked        the last command about it on this link was SUBSCRIBE
 *	outstanding  commands about it that are not answered yet
 *	confirmed    wanted, and its owner has been told that Redis delivers it
 *
 *	wanted != asked                              -> at the turn's end, ask
 *	wanted, asked, none outstanding, !confirmed  -> confirmed
 *	!wanted, !asked, none outstanding            -> forgotten
 *
 * Redis answers in order, so counting is enough: however quickly a channel is wanted, left and wanted
 * again, the state after the last answer is the one that was asked for last, and that answer's kind
 * is checked. An answer that nothing was asked for fails the link, as would one of another shape.
 *
 * Asking waits for the end of the turn: a browser that leaves as another comes costs nothing, and a
 * thousand new channels cost two commands. When the link is lost, Redis forgets everything that we
 * asked for, so every channel is as if never asked; when it is back, all that is wanted is asked for
 * again. `up` waits for the confirmation of what was wanted at that moment, not of what is added
 * meanwhile, or a steady stream of new channels could put it off for ever.
 *
 * Names are freed only at the turn's end or when an answer has come, never under a caller who may
 * still hold one. */
#include "sluice/redis/subscriptions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS_PER_COMMAND = 512 };

struct wanted_channel {
	struct table_entry entry;
	struct list changed;
	uint32_t outstanding;
	bool wanted, asked, confirmed, awaited;
	uint32_t name_len;
	char name[];
};

static struct slice name_of(const struct wanted_channel *channel)
{
	return slice_make(channel->name, channel->name_len);
}

static struct wanted_channel *find(const struct subscriptions *subscriptions, struct slice name)
{
	struct table_entry *entry = table_find(&subscriptions->channels, name);
	return entry ? container_of(entry, struct wanted_channel, entry) : NULL;
}

static struct wanted_channel *create(struct subscriptions *subscriptions, struct slice name)
{
	struct wanted_channel *channel =
		name.len <= UINT32_MAX ? calloc(1, sizeof(*channel) + name.len) : NULL;
	if (!channel)
		return NULL;
	channel->name_len = (uint32_t)name.len;
	memcpy(channel->name, name.at, name.len);
	if (table_add(&subscriptions->channels, &channel->entry, name_of(channel)) != 0) {
		free(channel);
		return NULL;
	}
	return channel;
}

static void destroy(struct subscriptions *subscriptions, struct wanted_channel *channel)
{
	list_remove(&channel->changed);
	table_remove(&subscriptions->channels, &channel->entry);
	free(channel);
}

static void mark_changed(struct subscriptions *subscriptions, struct wanted_channel *channel)
{
	if (!list_is_linked(&channel->changed))
		list_append(&subscriptions->changed, &channel->changed);
	turn_schedule(subscriptions->turn, &subscriptions->ask);
}

/* ---- what follows from the facts ---- */

static void come_up_if_complete(struct subscriptions *subscriptions)
{
	if (subscriptions->up || subscriptions->awaited || !redis_link_is_up(&subscriptions->link))
		return;
	subscriptions->up = true;
	subscriptions->events->on_up(subscriptions);
}

static void await_no_more(struct subscriptions *subscriptions, struct wanted_channel *channel)
{
	if (!channel->awaited)
		return;
	channel->awaited = false;
	subscriptions->awaited--;
}

/* May destroy the channel. */
static void settle(struct subscriptions *subscriptions, struct wanted_channel *channel)
{
	if (subscriptions->closing || channel->outstanding || channel->wanted != channel->asked)
		return;
	if (!channel->wanted) {
		destroy(subscriptions, channel);
	} else if (!channel->confirmed) {
		channel->confirmed = true;
		await_no_more(subscriptions, channel);
		subscriptions->events->on_confirmed(subscriptions, name_of(channel));
	}
}

/* ---- asking ---- */

struct batch {
	struct slice words[1 + CHANNELS_PER_COMMAND];
	size_t n; /* channels in it */
};

static void flush(struct subscriptions *subscriptions, struct batch *batch)
{
	size_t n = batch->n;
	batch->n = 0;
	if (n && redis_link_is_up(&subscriptions->link) &&
		redis_link_subscription_command(&subscriptions->link, batch->words, n + 1) != 0)
		redis_link_fail(&subscriptions->link, "a command could not be sent");
}

static void ask_for(
	struct subscriptions *subscriptions, struct wanted_channel *channel, struct batch *batch)
{
	channel->asked = channel->wanted;
	channel->outstanding++;
	batch->words[1 + batch->n++] = name_of(channel);
	if (batch->n == CHANNELS_PER_COMMAND)
		flush(subscriptions, batch);
}

/* Settling and flushing raise events, in which any channel may change and the link may fail; so the
 * list is emptied first, and a channel in a batch has an answer outstanding, or its link is gone. */
static void ask(struct turn_task *task)
{
	struct subscriptions *subscriptions = container_of(task, struct subscriptions, ask);
	struct batch batches[] = { { .words = { SLICE("UNSUBSCRIBE") } },
		{ .words = { SLICE("SUBSCRIBE") } } };
	struct list changed;
	list_take(&changed, &subscriptions->changed);
	for (struct list *node; (node = list_pop(&changed));) {
		struct wanted_channel *channel = container_of(node, struct wanted_channel, changed);
		if (channel->wanted != channel->asked && redis_link_is_up(&subscriptions->link))
			ask_for(subscriptions, channel, &batches[channel->wanted]);
		else
			settle(subscriptions, channel);
	}
	flush(subscriptions, &batches[true]);
	flush(subscriptions, &batches[false]);
	come_up_if_complete(subscriptions);
}

/* ---- what the link brings ---- */

static void on_link_up(struct redis_link *link)
{
	struct subscriptions *subscriptions = link->owner;
	TABLE_EACH (entry, &subscriptions->channels) {
		struct wanted_channel *channel = container_of(entry, struct wanted_channel, entry);
		if (!channel->wanted)
			continue;
		channel->awaited = true;
		subscriptions->awaited++;
		mark_changed(subscriptions, channel);
	}
	come_up_if_complete(subscriptions);
}

static void on_link_down(struct redis_link *link, const char *reason)
{
	struct subscriptions *subscriptions = link->owner;
	subscriptions->up = false;
	subscriptions->awaited = 0;
	TABLE_EACH (entry, &subscriptions->channels) {
		struct wanted_channel *channel = container_of(entry, struct wanted_channel, entry);
		channel->outstanding = 0;
		channel->asked = channel->confirmed = channel->awaited = false;
		if (!channel->wanted)
			mark_changed(subscriptions, channel);
	}
	subscriptions->events->on_down(subscriptions, reason);
}

static void take_message(
	struct subscriptions *subscriptions, struct slice name, struct slice payload)
{
	struct wanted_channel *channel = find(subscriptions, name);
	if (channel && channel->wanted)
		subscriptions->events->on_message(subscriptions, name, payload);
}

static void take_answer(struct subscriptions *subscriptions, struct slice name, bool subscribed)
{
	struct wanted_channel *channel = find(subscriptions, name);
	if (!channel || !channel->outstanding ||
		(channel->outstanding == 1 && channel->asked != subscribed)) {
		redis_link_fail(&subscriptions->link, "a subscription that was not asked for");
		return;
	}
	channel->outstanding--;
	settle(subscriptions, channel);
	come_up_if_complete(subscriptions);
}

static void on_push(struct redis_link *link, const struct redisReply *reply)
{
	struct subscriptions *subscriptions = link->owner;
	struct slice kind = resp_text(reply->element[0]);
	const struct redisReply *name = reply->element[1], *third = reply->element[2];
	if (name->type != REDIS_REPLY_STRING)
		redis_link_fail(link, "a push without a channel");
	else if (slice_equal(kind, SLICE("message")) && third->type == REDIS_REPLY_STRING)
		take_message(subscriptions, resp_text(name), resp_text(third));
	else if (slice_equal(kind, SLICE("subscribe")) && third->type == REDIS_REPLY_INTEGER)
		take_answer(subscriptions, resp_text(name), true);
	else if (slice_equal(kind, SLICE("unsubscribe")) && third->type == REDIS_REPLY_INTEGER)
		take_answer(subscriptions, resp_text(name), false);
	else
		redis_link_fail(link, "a push of an unexpected shape");
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
}

static void on_link_closed(struct redis_link *link)
{
	struct subscriptions *subscriptions = link->owner;
	turn_cancel(&subscriptions->ask);
	TABLE_EACH (entry, &subscriptions->channels)
		destroy(subscriptions, container_of(entry, struct wanted_channel, entry));
	subscriptions->events->on_closed(subscriptions);
}

/* ---- the door ---- */

int subscriptions_open(struct subscriptions *subscriptions, struct stream_loop *shared,
	struct deadlines *deadlines, const struct redis_link_settings *settings,
	const struct subscriptions_events *events, void *owner)
{
	static const struct redis_link_events link_events = {
		.on_up = on_link_up,
		.on_down = on_link_down,
		.on_push = on_push,
		.on_batch_end = on_batch_end,
		.on_round_trip = on_round_trip,
		.on_closed = on_link_closed,
	};
	*subscriptions = (struct subscriptions){
		.owner = owner, .events = events, .turn = shared->turn, .ask.run = ask
	};
	list_init(&subscriptions->changed);
	return redis_link_open(
		&subscriptions->link, shared, deadlines, settings, &link_events, subscriptions);
}

void subscriptions_close(struct subscriptions *subscriptions)
{
	subscriptions->closing = true;
	redis_link_close(&subscriptions->link);
}

int subscriptions_want(struct subscriptions *subscriptions, struct slice name)
{
	struct wanted_channel *channel = find(subscriptions, name);
	if (!channel)
		channel = create(subscriptions, name);
	if (!channel)
		return -ENOMEM;
	if (channel->wanted)
		return 0;
	channel->wanted = true;
	subscriptions->wanted++;
	mark_changed(subscriptions, channel);
	return 0;
}

void subscriptions_unwant(struct subscriptions *subscriptions, struct slice name)
{
	struct wanted_channel *channel = find(subscriptions, name);
	if (!channel || !channel->wanted)
		return;
	channel->wanted = channel->confirmed = false;
	subscriptions->wanted--;
	await_no_more(subscriptions, channel);
	mark_changed(subscriptions, channel);
}

bool subscriptions_is_confirmed(const struct subscriptions *subscriptions, struct slice name)
{
	const struct wanted_channel *channel = find(subscriptions, name);
	return channel && channel->confirmed;
}

bool subscriptions_is_up(const struct subscriptions *subscriptions)
{
	return subscriptions->up && !subscriptions->closing;
}

size_t subscriptions_count(const struct subscriptions *subscriptions)
{
	return subscriptions->wanted;
}
