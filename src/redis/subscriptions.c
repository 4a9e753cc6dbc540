/* What is wanted from Redis, and how that becomes true.
 *
 * A channel has a few small facts, and everything follows from comparing them:
 *
 *	wanted       somebody here wants it
 *	asked        the last command about it on this link was SUBSCRIBE, and was not refused
 *	unanswered   that command's answer is still to come
 *	refused      wanted, but Redis does not let us have it
 *	confirmed    wanted, and its owner has been told that Redis delivers it
 *
 *	not unanswered, wanted != asked, !refused    -> at the turn's end, ask
 *	not unanswered, wanted, asked, !confirmed    -> confirmed
 *	not unanswered, !wanted, !asked              -> forgotten
 *
 * No channel is in two commands at a time: however quickly it is wanted, left and wanted again, the
 * next command about it waits for the answer to the last. So what is outstanding is never more than
 * the channels, and as Redis answers in order, one list of them tells which each answer is about. An
 * answer about another one fails the link, as would one of another shape.
 *
 * Redis refuses a SUBSCRIBE as a whole when its ACL denies us one of the channels, and does not say
 * which. A browser that asks for such a channel must not take the others' away, so the link stays and
 * each channel of the refused command is asked for alone; which of them is then refused is known, and
 * it is remembered (as `alone`) to spare the others when the link comes back. A refused UNSUBSCRIBE
 * fails the link, as does any other error.
 *
 * Asking waits for the end of the turn: a browser that leaves as another comes costs nothing, and a
 * thousand new channels cost two commands. Channels for which the link has no room stay in the list;
 * each answer (to PING, too) makes room, and looks at them again. When the link is lost, Redis
 * forgets everything that we asked for, so every channel is as if never asked; when it is back, all
 * that is wanted is asked for again. `up` waits for the answers about what was wanted at that moment,
 * not of what is added meanwhile, or a steady stream of new channels could put it off for ever.
 *
 * Names are freed only at the turn's end or when an answer has come, never under a caller who may
 * still hold one. */
#include "subscriptions_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS_PER_COMMAND = 512 };

struct wanted_channel {
	struct list
		link; /* in the list of the unanswered while it is, else perhaps of the changed */
	bool unanswered, wanted, asked, refused, confirmed, awaited;
	bool alone; /* was refused in company: to be asked for alone */
	struct table_key name;
};

static struct slice name_of(const struct wanted_channel *channel)
{
	return table_key_bytes(&channel->name);
}

static struct wanted_channel *find(const struct subscriptions *subscriptions, struct slice name)
{
	struct table_key *key = table_find(&subscriptions->channels, name);
	return key ? container_of(key, struct wanted_channel, name) : NULL;
}

static struct wanted_channel *create(struct subscriptions *subscriptions, struct slice name)
{
	struct wanted_channel *channel = calloc(1, sizeof(*channel) + name.len);
	if (!channel)
		return NULL;
	if (table_add(&subscriptions->channels, &channel->name, name) != 0) {
		free(channel);
		return NULL;
	}
	return channel;
}

static void destroy(struct subscriptions *subscriptions, struct wanted_channel *channel)
{
	list_remove(&channel->link);
	table_remove(&subscriptions->channels, &channel->name);
	free(channel);
}

/* One that is unanswered is looked at when its answer comes. */
static void mark_changed(struct subscriptions *subscriptions, struct wanted_channel *channel)
{
	if (!list_is_linked(&channel->link))
		list_append(&subscriptions->changed, &channel->link);
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

static void await_no_answer(struct wanted_channel *channel)
{
	if (channel->unanswered)
		list_remove(&channel->link);
	channel->unanswered = false;
}

static void confirm(struct subscriptions *subscriptions, struct slice name)
{
	if (listening_is_channel(name))
		listening_confirmed(subscriptions);
	else
		subscriptions->events->on_confirmed(subscriptions, name);
}

static void refuse(struct subscriptions *subscriptions, struct slice name, struct slice why)
{
	if (listening_is_channel(name))
		listening_refused(subscriptions, why);
	else
		subscriptions->events->on_refused(subscriptions, name, why);
}

/* May destroy the channel. */
static void settle(struct subscriptions *subscriptions, struct wanted_channel *channel)
{
	if (subscriptions->closing || channel->unanswered || channel->wanted != channel->asked)
		return;
	if (!channel->wanted) {
		destroy(subscriptions, channel);
	} else if (!channel->confirmed) {
		channel->confirmed = true;
		await_no_more(subscriptions, channel);
		confirm(subscriptions, name_of(channel));
	}
}

/* ---- asking ---- */

struct batch {
	struct slice command;
	size_t max, n; /* channels in it */
	struct wanted_channel *channels[CHANNELS_PER_COMMAND];
};

static int send_batch(struct subscriptions *subscriptions, const struct batch *batch)
{
	struct slice words[1 + CHANNELS_PER_COMMAND];
	words[0] = batch->command;
	for (size_t i = 0; i < batch->n; i++)
		words[1 + i] = name_of(batch->channels[i]);
	return redis_link_subscription_command(&subscriptions->link, words, 1 + batch->n);
}

/* An answer brings those that are put off back to mind, so nothing is scheduled here. */
static void put_off(struct subscriptions *subscriptions, struct wanted_channel *channel)
{
	if (!list_is_linked(&channel->link))
		list_append(&subscriptions->changed, &channel->link);
}

static void flush(struct subscriptions *subscriptions, struct batch *batch, bool subscribe)
{
	int error = batch->n ? send_batch(subscriptions, batch) : 0;
	if (error && error != -ENOBUFS)
		redis_link_fail(&subscriptions->link, "cannot send a command");
	for (size_t i = 0; i < batch->n; i++) {
		struct wanted_channel *channel = batch->channels[i];
		if (error == -ENOBUFS)
			put_off(subscriptions, channel);
		if (error)
			continue;
		channel->asked = subscribe;
		channel->unanswered = true;
		list_remove(&channel->link);
		list_append(&subscriptions->unanswered, &channel->link);
	}
	batch->n = 0;
}

static bool is_to_be_asked(
	const struct subscriptions *subscriptions, const struct wanted_channel *channel)
{
	return channel->wanted != channel->asked && !channel->refused && !channel->unanswered &&
	       redis_link_is_up(&subscriptions->link);
}

/* Settling and flushing raise events, in which any channel may change and the link may fail; so the
 * list is emptied first, and nothing is noted of a channel before its command is sent. No channel in
 * a batch is destroyed meanwhile: only `settle` does that, and the list names each channel once. */
static void ask(struct turn_task *task)
{
	struct subscriptions *subscriptions = container_of(task, struct subscriptions, ask);
	struct batch leave = { .command = SLICE("UNSUBSCRIBE"), .max = CHANNELS_PER_COMMAND };
	struct batch together = { .command = SLICE("SUBSCRIBE"), .max = CHANNELS_PER_COMMAND };
	struct batch alone = { .command = SLICE("SUBSCRIBE"), .max = 1 };
	struct list changed;
	list_take(&changed, &subscriptions->changed);
	for (struct list *node; (node = list_pop(&changed));) {
		struct wanted_channel *channel = container_of(node, struct wanted_channel, link);
		if (!is_to_be_asked(subscriptions, channel)) {
			settle(subscriptions, channel);
			continue;
		}
		struct batch *batch = !channel->wanted ? &leave
				      : channel->alone ? &alone
						       : &together;
		batch->channels[batch->n++] = channel;
		if (batch->n == batch->max)
			flush(subscriptions, batch, batch != &leave);
	}
	flush(subscriptions, &together, true);
	flush(subscriptions, &leave, false);
	come_up_if_complete(subscriptions);
}

/* ---- what the link brings ---- */

static void on_link_up(struct redis_link *link)
{
	struct subscriptions *subscriptions = link->owner;
	if (listening_begin(subscriptions) != 0) {
		redis_link_fail(link, "cannot send a command");
		return;
	}
	TABLE_EACH (key, &subscriptions->channels) {
		struct wanted_channel *channel = container_of(key, struct wanted_channel, name);
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
	subscriptions->client = 0;
	TABLE_EACH (key, &subscriptions->channels) {
		struct wanted_channel *channel = container_of(key, struct wanted_channel, name);
		await_no_answer(channel);
		channel->asked = channel->refused = channel->confirmed = channel->awaited = false;
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

/* May destroy the channel. */
static void take_answer(struct subscriptions *subscriptions, struct wanted_channel *channel)
{
	await_no_answer(channel);
	channel->alone = false;
	if (channel->wanted != channel->asked)
		mark_changed(subscriptions, channel);
	else
		settle(subscriptions, channel);
}

static struct wanted_channel *oldest_unanswered(const struct subscriptions *subscriptions)
{
	return list_is_empty(&subscriptions->unanswered)
		       ? NULL
		       : container_of(subscriptions->unanswered.next, struct wanted_channel, link);
}

/* What had no room may have it now. */
static void go_on(struct subscriptions *subscriptions)
{
	if (!list_is_empty(&subscriptions->changed))
		turn_schedule(subscriptions->turn, &subscriptions->ask);
	come_up_if_complete(subscriptions);
}

static void expect_answer(struct subscriptions *subscriptions, struct slice name, bool subscribed)
{
	struct wanted_channel *channel = oldest_unanswered(subscriptions);
	if (!channel || channel->asked != subscribed || !slice_equal(name_of(channel), name)) {
		redis_link_fail(
			&subscriptions->link, "unexpected answer to SUBSCRIBE or UNSUBSCRIBE");
		return;
	}
	take_answer(subscriptions, channel);
	go_on(subscriptions);
}

/* Which of several it was that Redis denies us is not known. */
static void take_refusal(struct subscriptions *subscriptions, struct wanted_channel *channel,
	bool only, struct slice why)
{
	await_no_answer(channel);
	channel->asked = false;
	channel->alone = true;
	channel->refused = only && channel->wanted;
	if (!channel->refused) {
		mark_changed(subscriptions, channel);
		return;
	}
	await_no_more(subscriptions, channel);
	refuse(subscriptions, name_of(channel), why);
}

static void on_link_refused(
	struct redis_link *link, size_t channels, const struct redisReply *reply)
{
	struct subscriptions *subscriptions = link->owner;
	struct slice why = resp_text(reply);
	struct wanted_channel *channel = oldest_unanswered(subscriptions);
	MUST(channel);
	if (!channel->asked || !slice_starts_with(why, SLICE("NOPERM "))) {
		redis_link_fail_by_reply(link, channel->asked ? "SUBSCRIBE" : "UNSUBSCRIBE", reply);
		return;
	}
	for (size_t i = 0; i < channels; i++)
		take_refusal(subscriptions, oldest_unanswered(subscriptions), channels == 1, why);
	go_on(subscriptions);
}

static void on_push(struct redis_link *link, const struct redisReply *reply)
{
	struct subscriptions *subscriptions = link->owner;
	struct slice kind = resp_text(reply->element[0]);
	const struct redisReply *name = reply->element[1], *third = reply->element[2];
	if (name->type != REDIS_REPLY_STRING)
		redis_link_fail(link, "push without a channel");
	else if (slice_equal(kind, SLICE("message")) && listening_is_channel(resp_text(name)))
		listening_take(subscriptions, third);
	else if (slice_equal(kind, SLICE("message")) && third->type == REDIS_REPLY_STRING)
		take_message(subscriptions, resp_text(name), resp_text(third));
	else if (slice_equal(kind, SLICE("subscribe")) && third->type == REDIS_REPLY_INTEGER)
		expect_answer(subscriptions, resp_text(name), true);
	else if (slice_equal(kind, SLICE("unsubscribe")) && third->type == REDIS_REPLY_INTEGER)
		expect_answer(subscriptions, resp_text(name), false);
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
	go_on(subscriptions);
}

static void on_link_closed(struct redis_link *link)
{
	struct subscriptions *subscriptions = link->owner;
	turn_cancel(&subscriptions->ask);
	TABLE_EACH (key, &subscriptions->channels)
		destroy(subscriptions, container_of(key, struct wanted_channel, name));
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
		.on_refused = on_link_refused,
		.on_batch_end = on_batch_end,
		.on_round_trip = on_round_trip,
		.on_closed = on_link_closed,
	};
	*subscriptions = (struct subscriptions){
		.owner = owner, .events = events, .turn = shared->turn, .ask.run = ask
	};
	list_init(&subscriptions->changed);
	list_init(&subscriptions->unanswered);
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
	channel->wanted = channel->refused = channel->confirmed = false;
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
	return subscriptions->wanted - subscriptions->listens;
}
