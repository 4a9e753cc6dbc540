/* The subscribers' side of a bridge: events of the hub go to the channel's home or to the owner,
 * calls of connections to the hub. */
#include "bridge_internal.h"

#include <errno.h>

/* ---- events of the hub ---- */

static int on_wanted(struct hub *hub, struct slice channel, uint32_t ticket)
{
	return bridge_want(hub->owner, channel, ticket);
}

static int on_unwanted(struct hub *hub, struct slice channel)
{
	return bridge_unwant(hub->owner, channel);
}

static void on_confirmed(struct hub *hub, struct subscriber *subscriber, struct slice channel)
{
	struct bridge *bridge = hub->owner;
	bridge->events->on_confirmed(subscriber, channel);
}

static void on_refused(struct hub *hub, struct subscriber *subscriber, struct slice channel)
{
	struct bridge *bridge = hub->owner;
	bridge->events->on_refused(subscriber, channel);
}

static void on_publication(
	struct hub *hub, struct subscriber *subscriber, struct publication *publication)
{
	struct bridge *bridge = hub->owner;
	bridge->events->on_publication(subscriber, publication);
}

static const struct hub_events hub_events = {
	.on_wanted = on_wanted,
	.on_unwanted = on_unwanted,
	.on_confirmed = on_confirmed,
	.on_refused = on_refused,
	.on_publication = on_publication,
};

/* ---- for the worker ---- */

int bridge_open(struct bridge *bridge, struct stream_loop *shared, struct deadlines *deadlines,
	const struct bridge_setup *setup, const struct bridge_events *events, void *owner)
{
	*bridge = (struct bridge){
		.owner = owner, .setup = *setup, .events = events, .deadlines = deadlines
	};
	hub_init(&bridge->hub, &hub_events, bridge);
	return bridge_home_open(bridge, shared, deadlines);
}

void bridge_close(struct bridge *bridge)
{
	deadline_clear(bridge->deadlines, &bridge->gap_deadline);
	bridge_home_close(bridge);
}

void bridge_finish(struct bridge *bridge)
{
	bridge_forget_wants(bridge);
	homes_finish(&bridge->homes);
	hub_finish(&bridge->hub);
}

void bridge_set_settings(struct bridge *bridge, const struct settings *settings)
{
	bridge->setup.settings = settings;
	batches_set_settings(&bridge->batches, settings);
	beating_set_settings(&bridge->beating, settings);
}

void bridge_reconnect(struct bridge *bridge, const char *reason)
{
	subscriptions_fail(&bridge->subscriptions, reason);
}

void bridge_stop_waiting(struct bridge *bridge)
{
	batches_stop_waiting(&bridge->batches);
}

bool bridge_is_up(const struct bridge *bridge)
{
	return link_state_is_up(&bridge->link);
}

const char *bridge_problem(struct bridge *bridge)
{
	if (atomic_load(&bridge->barred))
		return "Redis' ACL denies SUBSCRIBE";
	if (atomic_load(&bridge->lacks))
		return "Redis' ACL denies a channel that clients get by a rule with \"auto\"";
	return beating_problem(&bridge->beating);
}

void bridge_command_up(struct bridge *bridge)
{
	beating_command_up(&bridge->beating);
}

void bridge_command_down(struct bridge *bridge)
{
	beating_command_down(&bridge->beating);
}

bool bridge_is_divided(const struct bridge *bridge)
{
	return beating_is_divided(&bridge->beating);
}

uint64_t bridge_silence(struct bridge *bridge)
{
	return beating_silence(&bridge->beating);
}

/* ---- for connections ---- */

static void count_subscriptions(struct bridge *bridge)
{
	metrics_set(bridge->setup.metrics, METRIC_SUBSCRIPTIONS,
		(int64_t)hub_subscription_count(&bridge->hub));
}

int bridge_subscribe(struct bridge *bridge, struct subscriber *subscriber, struct slice channel)
{
	if (!bridge_is_up(bridge->setup.all[bridge_home_number(bridge, channel)]))
		return -ENOTCONN;
	if (bridge_is_refused(bridge, channel))
		return -EPERM;
	return bridge_join(bridge, subscriber, channel);
}

int bridge_join(struct bridge *bridge, struct subscriber *subscriber, struct slice channel)
{
	if (!bridge_has_room(bridge, channel))
		return -ENOSPC;
	int error = hub_subscribe(&bridge->hub, subscriber, channel);
	count_subscriptions(bridge);
	return error == -EEXIST ? 0 : error;
}

bool bridge_is_confirmed(const struct bridge *bridge, struct slice channel)
{
	return hub_is_confirmed(&bridge->hub, channel);
}

bool bridge_is_refused(const struct bridge *bridge, struct slice channel)
{
	return hub_is_refused(&bridge->hub, channel);
}

bool bridge_has(
	const struct bridge *bridge, const struct subscriber *subscriber, struct slice channel)
{
	return hub_has(&bridge->hub, subscriber, channel);
}

int bridge_unsubscribe(struct bridge *bridge, struct subscriber *subscriber, struct slice channel)
{
	int error = hub_unsubscribe(&bridge->hub, subscriber, channel);
	count_subscriptions(bridge);
	return error;
}

void bridge_unsubscribe_all(struct bridge *bridge, struct subscriber *subscriber)
{
	hub_unsubscribe_all(&bridge->hub, subscriber);
	count_subscriptions(bridge);
}

struct search {
	const struct bridge *bridge;
	uint64_t homes;
	bool found;
};

static bool look_at(void *context, struct slice channel)
{
	struct search *search = context;
	search->found = search->homes >> bridge_home_number(search->bridge, channel) & 1;
	return !search->found;
}

bool bridge_has_channel_of(
	const struct bridge *bridge, struct subscriber *subscriber, uint64_t homes)
{
	struct search search = { .bridge = bridge, .homes = homes };
	hub_each_channel(subscriber, look_at, &search);
	return search.found;
}
