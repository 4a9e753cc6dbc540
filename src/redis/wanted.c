/* Each channel has these properties, and what to do follows from comparing them:
 *
 *	wanted       somebody here wants it
 *	asked        the last command about it on this link was SUBSCRIBE, and was not refused
 *	unanswered   that command's answer is still to come
 *	refused      wanted, but Redis denied it to us when we asked last
 *	resting      refused, and not to be asked for now (wanted_refused.c)
 *	confirmed    wanted, and on_confirmed has been raised: Redis delivers it
 *
 *	not unanswered, wanted != asked, !resting    -> at the turn's end, ask
 *	not unanswered, wanted, asked, !confirmed    -> confirmed
 *	not unanswered, !wanted, !asked              -> forgotten
 *
 * No channel is in two commands at a time: however quickly it is wanted, unwanted and wanted again,
 * its next command waits for the answer to the last. So there are never more unanswered commands
 * than channels. Redis answers in order, so one list of the unanswered channels says which channel
 * each answer is for. An answer for another channel fails the link.
 *
 * Redis refuses a SUBSCRIBE as a whole if its ACL denies us one of the channels, and does not say
 * which. A browser that asks for such a channel must not affect the channels of others. So the link
 * stays up, and each channel of the refused command gets a SUBSCRIBE of its own, whose answer is
 * clear. Channels from a refused command are marked `alone`, so that they do not affect others when
 * the link comes back. If the command itself is denied, all its channels are refused at once.
 *
 * Commands are sent at the end of the turn: a browser that leaves as another arrives costs nothing,
 * and a thousand new channels cost two commands. Channels for which the link has no room stay in
 * `changed`; each answer, also to a PING, makes room. When the link is lost, Redis drops our
 * subscriptions, so no channel counts as asked any more. When it is back, all wanted channels are
 * subscribed again. `awaited` counts only the channels that were wanted at that moment; otherwise a
 * steady stream of new channels could keep it above zero for ever.
 *
 * Names are freed only at the end of a turn or when an answer has arrived, so a caller may use a
 * name until then. */
#include "wanted_internal.h"

#include <errno.h>
#include <stdlib.h>

enum { CHANNELS_PER_COMMAND = 512 };

static struct wanted_channel *find(const struct wanted *wanted, struct slice name)
{
	struct table_key *key = table_find(&wanted->channels, name);
	return key ? container_of(key, struct wanted_channel, name) : NULL;
}

static struct wanted_channel *create(struct wanted *wanted, struct slice name)
{
	struct wanted_channel *channel = calloc(1, sizeof(*channel) + name.len);
	if (!channel)
		return NULL;
	if (table_add(&wanted->channels, &channel->name, name) != 0) {
		free(channel);
		return NULL;
	}
	return channel;
}

static void destroy(struct wanted *wanted, struct wanted_channel *channel)
{
	list_remove(&channel->link);
	table_remove(&wanted->channels, &channel->name);
	free(channel);
}

/* ---- what follows from the facts ---- */

/* May destroy the channel. */
static void settle(struct wanted *wanted, struct wanted_channel *channel)
{
	if (wanted->stopped || channel->unanswered || channel->wanted != channel->asked)
		return;
	if (!channel->wanted) {
		destroy(wanted, channel);
	} else if (!channel->confirmed) {
		bool was_refused = wanted_forget_refusal(wanted, channel);
		channel->confirmed = true;
		wanted_await_no_more(wanted, channel);
		wanted->events->on_confirmed(wanted, wanted_name(channel), was_refused);
	}
}

/* ---- asking ---- */

struct batch {
	struct slice command;
	bool subscribes;
	size_t max, n; /* channels in it */
	struct wanted_channel *channels[CHANNELS_PER_COMMAND];
};

static int send_batch(struct wanted *wanted, const struct batch *batch)
{
	struct slice words[1 + CHANNELS_PER_COMMAND];
	words[0] = batch->command;
	for (size_t i = 0; i < batch->n; i++)
		words[1 + i] = wanted_name(batch->channels[i]);
	return wanted->events->on_command(wanted, words, 1 + batch->n);
}

static void await_answer(struct wanted *wanted, struct wanted_channel *channel, bool subscribes)
{
	channel->asked = subscribes;
	channel->unanswered = true;
	list_remove(&channel->link);
	list_append(&wanted->unanswered, &channel->link);
}

/* Without room the channels stay in `changed`, and wanted_has_more is true after the next answer.
 * An event may have ended the link since the channels were added to the batch; then they are
 * subscribed when it is back. */
static void flush(struct wanted *wanted, struct batch *batch)
{
	int error = 0;
	if (batch->n)
		error = wanted->link_is_up ? send_batch(wanted, batch) : -ENOTCONN;
	for (size_t i = 0; i < batch->n; i++) {
		if (!error)
			await_answer(wanted, batch->channels[i], batch->subscribes);
		else if (error == -ENOBUFS)
			wanted_note(wanted, batch->channels[i]);
	}
	batch->n = 0;
}

static bool is_to_be_asked(const struct wanted *wanted, const struct wanted_channel *channel)
{
	return channel->wanted != channel->asked && !channel->resting && !channel->unanswered &&
	       wanted->link_is_up;
}

/* Settling and flushing raise events, in which any channel may change and the link may fail. So the
 * list is emptied first, and a channel's properties change only when its command is sent. No
 * channel in a batch is destroyed meanwhile: only `settle` destroys channels, and the list contains
 * each channel once. */
void wanted_ask(struct wanted *wanted)
{
	struct batch leave = { .command = SLICE("UNSUBSCRIBE"), .max = CHANNELS_PER_COMMAND };
	struct batch together = {
		.command = SLICE("SUBSCRIBE"), .subscribes = true, .max = CHANNELS_PER_COMMAND
	};
	struct batch alone = { .command = SLICE("SUBSCRIBE"), .subscribes = true, .max = 1 };
	struct list changed;
	list_take(&changed, &wanted->changed);
	for (struct list *node; (node = list_pop(&changed));) {
		struct wanted_channel *channel = container_of(node, struct wanted_channel, link);
		if (!is_to_be_asked(wanted, channel)) {
			settle(wanted, channel);
			continue;
		}
		struct batch *batch = !channel->wanted ? &leave
				      : channel->alone ? &alone
						       : &together;
		batch->channels[batch->n++] = channel;
		if (batch->n == batch->max)
			flush(wanted, batch);
	}
	flush(wanted, &together);
	flush(wanted, &leave);
}

bool wanted_has_more(const struct wanted *wanted)
{
	return !list_is_empty(&wanted->changed);
}

/* ---- the link ---- */

void wanted_link_up(struct wanted *wanted)
{
	wanted->link_is_up = true;
	TABLE_EACH (key, &wanted->channels) {
		struct wanted_channel *channel = container_of(key, struct wanted_channel, name);
		if (!channel->wanted)
			continue;
		channel->awaited = true;
		wanted->awaited++;
		wanted_mark_changed(wanted, channel);
	}
}

void wanted_link_down(struct wanted *wanted)
{
	wanted->link_is_up = false;
	wanted->awaited = 0;
	wanted->barred = false;
	TABLE_EACH (key, &wanted->channels) {
		struct wanted_channel *channel = container_of(key, struct wanted_channel, name);
		wanted_await_no_answer(channel);
		wanted_forget_refusal(wanted, channel);
		channel->asked = channel->confirmed = channel->awaited = false;
		if (!channel->wanted)
			wanted_mark_changed(wanted, channel);
	}
}

bool wanted_is_complete(const struct wanted *wanted)
{
	return wanted->link_is_up && !wanted->awaited;
}

/* ---- answers ---- */

static struct wanted_channel *oldest_unanswered(const struct wanted *wanted)
{
	return list_is_empty(&wanted->unanswered)
		       ? NULL
		       : container_of(wanted->unanswered.next, struct wanted_channel, link);
}

int wanted_take_answer(struct wanted *wanted, struct slice name, bool subscribed)
{
	struct wanted_channel *channel = oldest_unanswered(wanted);
	if (!channel || channel->asked != subscribed || !slice_equal(wanted_name(channel), name))
		return -EPROTO;
	wanted_await_no_answer(channel);
	channel->alone = false;
	wanted->barred = wanted->barred && !subscribed;
	if (channel->wanted != channel->asked)
		wanted_mark_changed(wanted, channel);
	else
		settle(wanted, channel);
	return 0;
}

bool wanted_oldest_is_subscribe(const struct wanted *wanted)
{
	const struct wanted_channel *channel = oldest_unanswered(wanted);
	MUST(channel);
	return channel->asked;
}

void wanted_take_refusal(struct wanted *wanted, size_t channels, struct slice reason)
{
	wanted->barred = wanted_denies_command(reason);
	bool clear = channels == 1 || wanted->barred;
	for (size_t i = 0; i < channels; i++)
		wanted_refuse(wanted, oldest_unanswered(wanted), clear, reason);
}

/* ---- for the owner ---- */

void wanted_init(struct wanted *wanted, const struct wanted_events *events)
{
	*wanted = (struct wanted){ .events = events };
	list_init(&wanted->changed);
	list_init(&wanted->unanswered);
	for (size_t i = 0; i < WANTED_CLASSES; i++)
		list_init(&wanted->resting[i]);
}

void wanted_stop(struct wanted *wanted)
{
	wanted->stopped = true;
	wanted->link_is_up = false;
}

void wanted_finish(struct wanted *wanted)
{
	TABLE_EACH (key, &wanted->channels)
		destroy(wanted, container_of(key, struct wanted_channel, name));
}

int wanted_add(struct wanted *wanted, struct slice name)
{
	struct wanted_channel *channel = find(wanted, name);
	if (!channel)
		channel = create(wanted, name);
	if (!channel)
		return -ENOMEM;
	if (channel->wanted)
		return 0;
	channel->wanted = true;
	wanted_mark_changed(wanted, channel);
	return 0;
}

void wanted_remove(struct wanted *wanted, struct slice name)
{
	struct wanted_channel *channel = find(wanted, name);
	if (!channel || !channel->wanted)
		return;
	wanted_forget_refusal(wanted, channel);
	channel->wanted = channel->confirmed = false;
	wanted_await_no_more(wanted, channel);
	wanted_mark_changed(wanted, channel);
}

bool wanted_has(const struct wanted *wanted, struct slice name)
{
	const struct wanted_channel *channel = find(wanted, name);
	return channel && channel->wanted;
}

bool wanted_is_confirmed(const struct wanted *wanted, struct slice name)
{
	const struct wanted_channel *channel = find(wanted, name);
	return channel && channel->confirmed;
}

bool wanted_is_refused(const struct wanted *wanted, struct slice name)
{
	const struct wanted_channel *channel = find(wanted, name);
	return channel && channel->refused;
}

void wanted_probe(struct wanted *wanted, struct slice name)
{
	struct wanted_channel *channel = find(wanted, name);
	struct batch batch = { .command = SLICE("SUBSCRIBE"), .subscribes = true, .n = 1 };
	if (!channel || !channel->confirmed || channel->unanswered ||
		list_is_linked(&channel->link))
		return;
	batch.channels[0] = channel;
	if (send_batch(wanted, &batch) == 0) {
		channel->probing = true;
		await_answer(wanted, channel, true);
	}
}
