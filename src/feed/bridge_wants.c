/* A want goes from a worker's hub to the channel's home: directly if that is the same worker, else
 * as a note through its inbox. Confirmations and refusals always go through the inbox, also within
 * one worker, so that a hub never receives one within its own call. An inbox keeps the order of each
 * sender, so "want", "unwant", "want" of one worker arrive in this order. The ticket shows which want
 * a confirmation belongs to.
 *
 * The home's table (hub/homes.h) records which worker wants which channel.
 *
 * The channels of the process are counted where all workers see them at once: each want counts as a
 * channel when it is sent, and is taken back where its home finds that the channel is not new. So
 * limits.process_channels is never exceeded, and for the time of a want on its way the count is too
 * high at most. A channel that this worker has already is never refused. */
#include <stdatomic.h>
#include <stdlib.h>

#include "bridge_internal.h"
#include "sluice/base/limit.h"
#include "sluice/base/log.h"

static atomic_size_t channels;

static void uncount(size_t n)
{
	atomic_fetch_sub_explicit(&channels, n, memory_order_relaxed);
}

/* ---- at the hub ---- */

static void deliver_confirmed(void *owner, void *subject)
{
	(void)owner;
	struct note *note = subject;
	hub_confirm(&note->to->hub, note_name(note), note->ticket);
	free(note);
}

static void deliver_refused(void *owner, void *subject)
{
	(void)owner;
	struct note *note = subject;
	hub_refuse(&note->to->hub, note_name(note), note->ticket);
	free(note);
}

/* ---- at the home ---- */

void bridge_count_channels(struct bridge *home)
{
	const struct subscriptions *subscriptions = &home->subscriptions;
	size_t automatic = subscriptions_refused_count(subscriptions, WANTED_AUTOMATIC);
	size_t refused = automatic + subscriptions_refused_count(subscriptions, WANTED_ASKED);
	metrics_set(home->setup.metrics, METRIC_CHANNELS, (int64_t)homes_count(&home->homes));
	metrics_set(home->setup.metrics, METRIC_CHANNELS_REFUSED, (int64_t)refused);
	atomic_store(&home->barred, subscriptions_are_barred(subscriptions));
	atomic_store(&home->lacks, automatic > 0);
}

/* If memory runs out, the waiting browsers are refused at their time limit, unless another want
 * arrives in time. */
static void answer(struct bridge *home, struct slice channel, unsigned worker, bool confirmed)
{
	(void)!bridge_post_note(home->setup.all[worker],
		confirmed ? deliver_confirmed : deliver_refused, worker,
		homes_ticket(&home->homes, channel, worker), channel);
}

void bridge_answer(struct bridge *home, struct slice channel, bool confirmed)
{
	uint64_t workers = homes_workers(&home->homes, channel);
	for (unsigned worker = 0; workers; worker++, workers >>= 1)
		if (workers & 1)
			answer(home, channel, worker, confirmed);
}

static void answer_if_known(struct bridge *home, struct slice channel, unsigned worker)
{
	if (subscriptions_is_confirmed(&home->subscriptions, channel))
		answer(home, channel, worker, true);
	else if (subscriptions_is_refused(&home->subscriptions, channel))
		answer(home, channel, worker, false);
}

static void unwant(struct bridge *home, unsigned worker, struct slice channel)
{
	if (homes_unwant(&home->homes, channel, worker)) {
		uncount(1);
		subscriptions_unwant(&home->subscriptions, channel);
	}
	bridge_count_channels(home);
}

static int want(struct bridge *home, unsigned worker, uint32_t ticket, struct slice channel)
{
	int result = homes_want(&home->homes, channel, worker, ticket);
	int error = result > 0 ? subscriptions_want(&home->subscriptions, channel) : MIN(result, 0);
	if (error && result > 0)
		homes_unwant(&home->homes, channel, worker);
	if (error || result == 0)
		uncount(1);
	if (!error)
		answer_if_known(home, channel, worker);
	bridge_count_channels(home);
	return error;
}

static void deliver_want(void *owner, void *subject)
{
	(void)owner;
	struct note *note = subject;
	static _Atomic uint64_t quiet_until;
	if (want(note->to, note->worker, note->ticket, note_name(note)) != 0 &&
		log_may(&quiet_until))
		log_error("out of memory", log_text("for", "a subscription"));
	free(note);
}

static void deliver_unwant(void *owner, void *subject)
{
	(void)owner;
	struct note *note = subject;
	unwant(note->to, note->worker, note_name(note));
	free(note);
}

/* ---- from the hub to the home ---- */

static struct bridge *home_of(struct bridge *bridge, struct slice channel)
{
	return bridge->setup.all[bridge_home_number(bridge, channel)];
}

bool bridge_has_room(const struct bridge *bridge, struct slice channel)
{
	size_t n = atomic_load_explicit(&channels, memory_order_relaxed);
	if (n < bridge->setup.settings->limits.process_channels ||
		hub_has_channel(&bridge->hub, channel))
		return true;
	limit_hit(bridge->setup.metrics, METRIC_LIMIT_PROCESS_CHANNELS);
	return false;
}

void bridge_forget_wants(struct bridge *home)
{
	uncount(homes_count(&home->homes));
}

int bridge_want(struct bridge *bridge, struct slice channel, uint32_t ticket)
{
	struct bridge *home = home_of(bridge, channel);
	atomic_fetch_add_explicit(&channels, 1, memory_order_relaxed);
	if (home == bridge)
		return want(home, bridge->setup.self, ticket, channel);
	int error = bridge_post_note(home, deliver_want, bridge->setup.self, ticket, channel);
	if (error)
		uncount(1);
	return error;
}

int bridge_unwant(struct bridge *bridge, struct slice channel)
{
	struct bridge *home = home_of(bridge, channel);
	if (home != bridge)
		return bridge_post_note(home, deliver_unwant, bridge->setup.self, 0, channel);
	unwant(home, bridge->setup.self, channel);
	return 0;
}
