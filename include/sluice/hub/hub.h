/* Who is subscribed to what, in one worker. Pure: no I/O, no clock, one thread.
 *
 * A channel is *wanted* from its first subscriber to its last, and *confirmed* once Redis delivers
 * it. Every subscription knows whether its channel is confirmed, so a subscriber can be told when
 * all that it asked for is. */
#ifndef SLUICE_HUB_HUB_H
#define SLUICE_HUB_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/pool.h"
#include "sluice/base/table.h"
#include "sluice/hub/publication.h"

struct hub;
struct subscription;

/* Embedded in whoever receives, best as its first member: what lies behind it is fetched ahead of
 * on_publication. Zero-initialised, then subscriber_init. */
struct subscriber {
	struct subscription *subscriptions; /* the first of a chain, in the order of coming */
	uint32_t count;                     /* of them */
	uint32_t unconfirmed;               /* of them, on channels that are not confirmed yet */
};

struct hub_events {
	/* The channel has its first subscriber here, or one more and is still not confirmed: want
	 * it. `ticket` comes back in hub_confirm. 0, or a negative errno, which hub_subscribe gives. */
	int (*on_wanted)(struct hub *hub, struct slice channel, uint32_t ticket);
	/* The channel has lost its last subscriber here. 0, or a negative errno: it stays wanted,
	 * and this is raised again after the next publication on it, or when it loses its last
	 * subscriber anew. */
	int (*on_unwanted)(struct hub *hub, struct slice channel);
	/* A channel that this subscriber has, and that was not confirmed when it subscribed, is now;
	 * subscriber->unconfirmed says how many more are not. Never raised within hub_subscribe. The
	 * name is borrowed for the call. May unsubscribe it (and only it), from any of its channels. */
	void (*on_confirmed)(struct hub *hub, struct subscriber *subscriber, struct slice channel);
	/* A run for this subscriber. May unsubscribe it (and only it). */
	void (*on_publication)(
		struct hub *hub, struct subscriber *subscriber, struct publication *publication);
};

struct hub {
	const struct hub_events *events;
	void *owner;
	/* private */
	struct table channels; /* struct hub_channel, by name */
	struct pool pool;      /* struct subscription */
	uint32_t tickets;
	size_t subscriptions;
};

void hub_init(struct hub *hub, const struct hub_events *events, void *owner);

/* There must be no subscriber left. */
void hub_finish(struct hub *hub);

void subscriber_init(struct subscriber *subscriber);

/* 0; -EEXIST: subscribed already; -ENOMEM; or what on_wanted gave (then nothing is changed). After a 0,
 * on_confirmed follows if subscriber->unconfirmed has grown; else the channel is confirmed. */
MUST_CHECK int hub_subscribe(struct hub *hub, struct subscriber *subscriber, struct slice channel);

/* 0, or -ENOENT. */
int hub_unsubscribe(struct hub *hub, struct subscriber *subscriber, struct slice channel);
void hub_unsubscribe_all(struct hub *hub, struct subscriber *subscriber);

/* Calls `each` with every channel of the subscriber, in the order in which it subscribed, as long as it
 * gives true. The name is borrowed until the channel is left. `each` may unsubscribe the subscriber from the
 * channel that it is at; from others only when it then gives false. */
void hub_each_channel(struct subscriber *subscriber,
	bool (*each)(void *context, struct slice channel), void *context);

/* Calls `each` with every subscriber of the channel, which it may unsubscribe (and only it). */
void hub_each_subscriber(struct hub *hub, struct slice channel,
	void (*each)(void *context, struct subscriber *subscriber), void *context);

/* Is it subscribed to the channel, confirmed or not? */
bool hub_has(const struct hub *hub, const struct subscriber *subscriber, struct slice channel);

/* Has Redis said that it delivers the channel, since somebody here wants it? */
bool hub_is_confirmed(const struct hub *hub, struct slice channel);

/* Redis delivers the channel. An old ticket (the channel was left and wanted again) is ignored. */
void hub_confirm(struct hub *hub, struct slice channel, uint32_t ticket);

/* Hands the run to every subscriber of its channel. Gives how many there were. */
size_t hub_publish(struct hub *hub, struct publication *publication);

size_t hub_subscription_count(const struct hub *hub);

#endif
