/* A want goes from a worker's hub to the channel's home: directly if that is the same worker, else
 * as a note through its inbox. Confirmations always go through the inbox, also within one worker,
 * so that a hub never receives one within its own call. An inbox keeps the order of each sender, so
 * "want", "unwant", "want" of one worker arrive in this order. The ticket shows which want a
 * confirmation belongs to.
 *
 * The home's table (hub/homes.h) records which worker wants which channel. */
#include <stdlib.h>

#include "bridge_internal.h"
#include "sluice/base/log.h"

/* ---- at the hub ---- */

static void deliver_confirmed(void *owner, void *subject)
{
	(void)owner;
	struct note *note = subject;
	hub_confirm(&note->to->hub, note_name(note), note->ticket);
	free(note);
}

/* ---- at the home ---- */

static void count_channels(struct bridge *home)
{
	metrics_set(home->setup.metrics, METRIC_CHANNELS, (int64_t)homes_count(&home->homes));
}

/* If memory runs out, the waiting browsers are refused at their time limit, unless another want
 * arrives in time. */
static void confirm(struct bridge *home, struct slice channel, unsigned worker)
{
	(void)!bridge_post_note(home->setup.all[worker], deliver_confirmed, worker,
		homes_ticket(&home->homes, channel, worker), channel);
}

void bridge_confirm(struct bridge *home, struct slice channel)
{
	uint64_t workers = homes_workers(&home->homes, channel);
	for (unsigned worker = 0; workers; worker++, workers >>= 1)
		if (workers & 1)
			confirm(home, channel, worker);
}

static void unwant(struct bridge *home, unsigned worker, struct slice channel)
{
	if (homes_unwant(&home->homes, channel, worker))
		subscriptions_unwant(&home->subscriptions, channel);
	count_channels(home);
}

static int want(struct bridge *home, unsigned worker, uint32_t ticket, struct slice channel)
{
	int result = homes_want(&home->homes, channel, worker, ticket);
	int error = result > 0 ? subscriptions_want(&home->subscriptions, channel) : MIN(result, 0);
	if (error && result > 0)
		homes_unwant(&home->homes, channel, worker);
	if (!error && subscriptions_is_confirmed(&home->subscriptions, channel))
		confirm(home, channel, worker);
	count_channels(home);
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

int bridge_want(struct bridge *bridge, struct slice channel, uint32_t ticket)
{
	struct bridge *home = home_of(bridge, channel);
	if (home == bridge)
		return want(home, bridge->setup.self, ticket, channel);
	return bridge_post_note(home, deliver_want, bridge->setup.self, ticket, channel);
}

int bridge_unwant(struct bridge *bridge, struct slice channel)
{
	struct bridge *home = home_of(bridge, channel);
	if (home != bridge)
		return bridge_post_note(home, deliver_unwant, bridge->setup.self, 0, channel);
	unwant(home, bridge->setup.self, channel);
	return 0;
}
