/* Each subscription is in two lists: its channel's subscribers and its subscriber's channels.
 *
 *	table of channels -- channel --+-- subscription --+-- subscriber
 *	                               +-- subscription --+
 *
 * A channel exists from its first subscription to its last, so the table contains no unwanted
 * channel. A confirmation may be under way while a channel is unwanted and wanted again. So each
 * want has a ticket, and only the newest ticket confirms.
 *
 * When memory runs out, a want, its confirmation or an unwant may be lost on the way. So each new
 * subscriber of an unconfirmed channel requests it again; otherwise a channel whose subscribers
 * come and go could stay unconfirmed for ever. A channel whose unwant fails stays wanted until the
 * next occasion to try again. */
#include "sluice/hub/hub.h"

#include <errno.h>
#include <stdlib.h>

struct hub_channel {
	struct list subscriptions; /* struct subscription, by .in_channel */
	uint32_t ticket;
	bool confirmed, refused; /* at most one of them */
	bool walking;            /* its list is being iterated: do not destroy it now */
	struct table_key name;
};

struct subscription {
	struct list in_channel;
	struct subscription *next; /* of the same subscriber */
	struct hub_channel *channel;
	struct subscriber *subscriber;
};

static struct slice channel_name(const struct hub_channel *channel)
{
	return table_key_bytes(&channel->name);
}

static struct hub_channel *find(const struct hub *hub, struct slice name)
{
	struct table_key *key = table_find(&hub->channels, name);
	return key ? container_of(key, struct hub_channel, name) : NULL;
}

static void destroy_channel(struct hub *hub, struct hub_channel *channel)
{
	table_remove(&hub->channels, &channel->name);
	free(channel);
}

/* The channel is wanted before it is used; if that fails, it is not created. */
static int create_channel(struct hub *hub, struct slice name, struct hub_channel **ret_channel)
{
	struct hub_channel *channel = calloc(1, sizeof(*channel) + name.len);
	if (!channel)
		return -ENOMEM;
	list_init(&channel->subscriptions);
	int error = table_add(&hub->channels, &channel->name, name);
	if (error) {
		free(channel);
		return error;
	}
	channel->ticket = ++hub->tickets;
	error = hub->events->on_wanted(hub, channel_name(channel), channel->ticket);
	if (error)
		destroy_channel(hub, channel);
	else
		*ret_channel = channel;
	return error;
}

static int ask_again(struct hub *hub, struct hub_channel *channel)
{
	return channel->confirmed
		       ? 0
		       : hub->events->on_wanted(hub, channel_name(channel), channel->ticket);
}

static void drop_if_unwanted(struct hub *hub, struct hub_channel *channel)
{
	if (channel->walking || !list_is_empty(&channel->subscriptions))
		return;
	if (hub->events->on_unwanted(hub, channel_name(channel)) == 0)
		destroy_channel(hub, channel);
}

/* The pointer in the subscriber's chain to the subscription to this channel, or to its end. */
static struct subscription **find_place(
	struct subscriber *subscriber, const struct hub_channel *channel)
{
	struct subscription **place = &subscriber->subscriptions;
	while (*place && (*place)->channel != channel)
		place = &(*place)->next;
	return place;
}

static void end_subscription(struct hub *hub, struct subscription **place)
{
	struct subscription *subscription = *place;
	struct hub_channel *channel = subscription->channel;
	struct subscriber *subscriber = subscription->subscriber;
	*place = subscription->next;
	list_remove(&subscription->in_channel);
	subscriber->count--;
	subscriber->unconfirmed -= !channel->confirmed;
	hub->subscriptions--;
	pool_give(&hub->pool, subscription);
	drop_if_unwanted(hub, channel);
}

void hub_init(struct hub *hub, const struct hub_events *events, void *owner)
{
	*hub = (struct hub){ .events = events, .owner = owner };
	pool_init(&hub->pool, sizeof(struct subscription));
}

void hub_finish(struct hub *hub)
{
	MUST(hub->subscriptions == 0);
	TABLE_EACH (key, &hub->channels)
		destroy_channel(hub, container_of(key, struct hub_channel, name));
	pool_finish(&hub->pool);
}

void subscriber_init(struct subscriber *subscriber)
{
	*subscriber = (struct subscriber){ 0 };
}

int hub_subscribe(struct hub *hub, struct subscriber *subscriber, struct slice name)
{
	struct hub_channel *channel = find(hub, name);
	struct subscription **place = find_place(subscriber, channel);
	if (*place)
		return -EEXIST;
	struct subscription *subscription = pool_take(&hub->pool);
	if (!subscription)
		return -ENOMEM;
	int error = channel ? ask_again(hub, channel) : create_channel(hub, name, &channel);
	if (error) {
		pool_give(&hub->pool, subscription);
		return error;
	}
	subscription->channel = channel;
	subscription->subscriber = subscriber;
	list_append(&channel->subscriptions, &subscription->in_channel);
	*place = subscription;
	subscriber->count++;
	subscriber->unconfirmed += !channel->confirmed;
	hub->subscriptions++;
	return 0;
}

int hub_unsubscribe(struct hub *hub, struct subscriber *subscriber, struct slice name)
{
	struct hub_channel *channel = find(hub, name);
	struct subscription **place = find_place(subscriber, channel);
	if (!*place)
		return -ENOENT;
	end_subscription(hub, place);
	return 0;
}

void hub_unsubscribe_all(struct hub *hub, struct subscriber *subscriber)
{
	while (subscriber->subscriptions)
		end_subscription(hub, &subscriber->subscriptions);
}

void hub_each_channel(struct subscriber *subscriber,
	bool (*each)(void *context, struct slice channel), void *context)
{
	struct subscription *next;
	for (struct subscription *at = subscriber->subscriptions; at; at = next) {
		next = at->next;
		if (!each(context, channel_name(at->channel)))
			break;
	}
}

void hub_each_subscriber(struct hub *hub, struct slice name,
	void (*each)(void *context, struct subscriber *subscriber), void *context)
{
	struct hub_channel *channel = find(hub, name);
	if (!channel)
		return;
	channel->walking = true;
	LIST_EACH_SAFE (node, &channel->subscriptions)
		each(context, container_of(node, struct subscription, in_channel)->subscriber);
	channel->walking = false;
	drop_if_unwanted(hub, channel);
}

bool hub_has(const struct hub *hub, const struct subscriber *subscriber, struct slice name)
{
	const struct hub_channel *channel = find(hub, name);
	const struct subscription *at = subscriber->subscriptions;
	while (at && at->channel != channel)
		at = at->next;
	return at;
}

bool hub_has_channel(const struct hub *hub, struct slice name)
{
	return find(hub, name);
}

bool hub_is_confirmed(const struct hub *hub, struct slice name)
{
	const struct hub_channel *channel = find(hub, name);
	return channel && channel->confirmed;
}

bool hub_is_refused(const struct hub *hub, struct slice name)
{
	const struct hub_channel *channel = find(hub, name);
	return channel && channel->refused;
}

/* Counts all subscribers before the first event, whose handler may end subscriptions. */
static void set_confirmed(struct hub_channel *channel, bool confirmed)
{
	uint32_t more = (uint32_t)channel->confirmed - (uint32_t)confirmed;
	channel->confirmed = confirmed;
	channel->refused = !confirmed;
	LIST_EACH (node, &channel->subscriptions)
		container_of(node, struct subscription, in_channel)->subscriber->unconfirmed +=
			more;
}

static void tell_subscribers(struct hub *hub, struct hub_channel *channel,
	void (*tell)(struct hub *hub, struct subscriber *subscriber, struct slice channel))
{
	channel->walking = true;
	LIST_EACH_SAFE (node, &channel->subscriptions) {
		struct subscription *subscription =
			container_of(node, struct subscription, in_channel);
		tell(hub, subscription->subscriber, channel_name(channel));
	}
	channel->walking = false;
	drop_if_unwanted(hub, channel);
}

void hub_confirm(struct hub *hub, struct slice name, uint32_t ticket)
{
	struct hub_channel *channel = find(hub, name);
	if (!channel || channel->ticket != ticket || channel->confirmed)
		return;
	set_confirmed(channel, true);
	tell_subscribers(hub, channel, hub->events->on_confirmed);
}

void hub_refuse(struct hub *hub, struct slice name, uint32_t ticket)
{
	struct hub_channel *channel = find(hub, name);
	if (!channel || channel->ticket != ticket || channel->refused)
		return;
	set_confirmed(channel, false);
	tell_subscribers(hub, channel, hub->events->on_refused);
}

/* Subscriptions and subscribers are scattered in memory and were last used by the previous
 * publication. So while one is served, the next is prefetched. */
static void fetch_next(const struct list *next, const struct list *head)
{
	if (next == head)
		return;
	const struct subscription *subscription =
		container_of((uintptr_t)next, const struct subscription, in_channel);
	__builtin_prefetch(next->next);
	__builtin_prefetch(subscription->subscriber);
	__builtin_prefetch((const char *)subscription->subscriber + CACHE_LINE);
}

size_t hub_publish(struct hub *hub, struct publication *publication)
{
	struct hub_channel *channel = find(hub, publication_channel(publication));
	if (!channel)
		return 0;
	size_t receivers = 0;
	channel->walking = true;
	LIST_EACH_SAFE (node, &channel->subscriptions) {
		receivers++;
		fetch_next(node_next, &channel->subscriptions);
		hub->events->on_publication(hub,
			container_of(node, struct subscription, in_channel)->subscriber,
			publication);
	}
	channel->walking = false;
	drop_if_unwanted(hub, channel);
	return receivers;
}

size_t hub_subscription_count(const struct hub *hub)
{
	return hub->subscriptions;
}
