/* Who is subscribed to what, in one worker. Pure: no I/O, no clock, one thread.
 *
 * A channel is *wanted* from its first subscriber to its last, and *confirmed* once Redis delivers
 * it. Every subscription knows whether its channel is confirmed, so a subscriber can be told when
 * all that it asked for is. */
#ifndef SLUICE_HUB_HUB_H
#define SLUICE_HUB_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/list.h"
#include "sluice/base/table.h"
#include "sluice/hub/publication.h"

struct hub;

/* Embedded in whoever receives, best as its first member: what lies behind it is fetched ahead of
 * on_publication. Zero-initialised, then subscriber_init. */
struct subscriber {
	struct list subscriptions; /* struct subscription, by .in_subscriber */
	uint32_t count;            /* of them */
	uint32_t unconfirmed;      /* of them, on channels that are not confirmed yet */
};

struct hub_events {
	/* The channel has its first subscriber here, or one more and is still not confirmed: want
	 * it. `ticket` comes back in hub_confirm. 0, or a negative errno, which hub_subscribe gives. */
	int (*on_wanted)(struct hub *hub, struct slice channel, uint32_t ticket);
	/* The channel has lost its last subscriber here. 0, or a negative errno: it stays wanted,
	 * and this is raised again after the next publication on it, or when it loses its last
	 * subscriber anew. */
	int (*on_unwanted)(struct hub *hub, struct slice channel);
	/* Every channel of this subscriber is confirmed now. Never raised within hub_subscribe. May
	 * unsubscribe it (and only it). */
	void (*on_ready)(struct hub *hub, struct subscriber *subscriber);
	/* A run for this subscriber. May unsubscribe it (and only it). */
	void (*on_publication)(
		struct hub *hub, struct subscriber *subscriber, struct publication *publication);
};

struct hub {
	const struct hub_events *events;
	void *owner;
	/* private */
	struct table channels; /* struct hub_channel, by name */
	uint32_t tickets;
	size_t subscriptions;
};

void hub_init(struct hub *hub, const struct hub_events *events, void *owner);

/* There must be no subscriber left. */
void hub_finish(struct hub *hub);

void subscriber_init(struct subscriber *subscriber);

/* 0; -EEXIST: subscribed already; -ENOMEM; or what on_wanted gave (then nothing is changed). */
MUST_CHECK int hub_subscribe(struct hub *hub, struct subscriber *subscriber, struct slice channel);

/* 0, or -ENOENT. */
int hub_unsubscribe(struct hub *hub, struct subscriber *subscriber, struct slice channel);
void hub_unsubscribe_all(struct hub *hub, struct subscriber *subscriber);

/* Redis delivers the channel. An old ticket (the channel was left and wanted again) is ignored. */
void hub_confirm(struct hub *hub, struct slice channel, uint32_t ticket);

/* Hands the run to every subscriber of its channel. Gives how many there were. */
size_t hub_publish(struct hub *hub, struct publication *publication);

size_t hub_channel_count(const struct hub *hub);
size_t hub_subscription_count(const struct hub *hub);

#endif
