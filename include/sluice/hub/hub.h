/* The subscriptions of one worker: which subscriber has which channels. Pure: no I/O, no clock, one
 * thread.
 *
 * A channel is *wanted* as long as it has a subscriber, and *confirmed* once Redis delivers it. A
 * subscriber counts its unconfirmed channels, so its owner knows when all of them are confirmed. A
 * channel is *refused* from when Redis denies it to us until it is confirmed. */
#ifndef SLUICE_HUB_HUB_H
#define SLUICE_HUB_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/pool.h"
#include "sluice/base/table.h"
#include "sluice/hub/publication.h"

struct hub;
struct subscription;

/* A member of the receiver, preferably the first: the memory behind it is prefetched before
 * on_publication. Zero-initialised, then subscriber_init. */
struct subscriber {
	struct subscription *subscriptions; /* the first of a chain, oldest first */
	uint32_t count;                     /* of subscriptions */
	uint32_t unconfirmed;               /* of subscriptions to unconfirmed channels */
};

struct hub_events {
	/* The channel has got its first subscriber here, or one more while it is not confirmed:
	 * request it. `ticket` is passed back to hub_confirm. 0, or a negative errno, which
	 * hub_subscribe returns. */
	int (*on_wanted)(struct hub *hub, struct slice channel, uint32_t ticket);
	/* The channel has lost its last subscriber here. 0, or a negative errno: the channel stays
	 * wanted, and this is raised again after the next publication on it, or when it loses its
	 * last subscriber again. */
	int (*on_unwanted)(struct hub *hub, struct slice channel);
	/* A channel that was not confirmed when this subscriber subscribed is confirmed now;
	 * subscriber->unconfirmed counts the remaining ones. Never raised within hub_subscribe. The
	 * name is borrowed. May unsubscribe this subscriber, and no other, from any of its
	 * channels. */
	void (*on_confirmed)(struct hub *hub, struct subscriber *subscriber, struct slice channel);
	/* Redis denies us a channel of this subscriber, confirmed before or not; on_confirmed
	 * follows if it does so no longer. The name is borrowed. May unsubscribe this subscriber,
	 * and no other. */
	void (*on_refused)(struct hub *hub, struct subscriber *subscriber, struct slice channel);
	/* A run for this subscriber. May unsubscribe this subscriber, and no other. */
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

/* No subscriber may be left. */
void hub_finish(struct hub *hub);

void subscriber_init(struct subscriber *subscriber);

/* 0; -EEXIST: already subscribed; -ENOMEM; or the error of on_wanted. After an error nothing has
 * changed. After 0, on_confirmed follows if subscriber->unconfirmed has grown; else the channel is
 * confirmed. */
MUST_CHECK int hub_subscribe(struct hub *hub, struct subscriber *subscriber, struct slice channel);

/* 0, or -ENOENT. */
int hub_unsubscribe(struct hub *hub, struct subscriber *subscriber, struct slice channel);
void hub_unsubscribe_all(struct hub *hub, struct subscriber *subscriber);

/* Calls `each` with every channel of the subscriber, in the order in which it subscribed, until
 * `each` returns false. The name is borrowed until the subscriber leaves the channel. `each` may
 * unsubscribe the subscriber from this channel; from others only if it then returns false. */
void hub_each_channel(struct subscriber *subscriber,
	bool (*each)(void *context, struct slice channel), void *context);

/* Calls `each` with every subscriber of the channel. It may unsubscribe this subscriber, and no
 * other. */
void hub_each_subscriber(struct hub *hub, struct slice channel,
	void (*each)(void *context, struct subscriber *subscriber), void *context);

/* Is it subscribed to the channel, confirmed or not? */
bool hub_has(const struct hub *hub, const struct subscriber *subscriber, struct slice channel);

/* Is the channel wanted here, confirmed or not? */
bool hub_has_channel(const struct hub *hub, struct slice channel);

/* Is the channel wanted here and confirmed? */
bool hub_is_confirmed(const struct hub *hub, struct slice channel);

/* Redis delivers the channel. An old ticket is ignored: meanwhile the channel was unwanted and
 * wanted again. */
void hub_confirm(struct hub *hub, struct slice channel, uint32_t ticket);

/* Redis denies us the channel, with a ticket as above. Raises on_refused if that is new. */
void hub_refuse(struct hub *hub, struct slice channel, uint32_t ticket);

/* Is the channel wanted here and refused? */
bool hub_is_refused(const struct hub *hub, struct slice channel);

/* Hands the run to every subscriber of its channel. Returns their number. */
size_t hub_publish(struct hub *hub, struct publication *publication);

size_t hub_subscription_count(const struct hub *hub);

#endif
