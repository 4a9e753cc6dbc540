/* Wanted state against real state: which channels we want from Redis, and which it has confirmed.
 *
 * Wants of one loop turn leave in one SUBSCRIBE and one UNSUBSCRIBE (512 channels a command). When
 * the link comes back, everything wanted is subscribed again. A channel that Redis refuses is nobody
 * else's trouble: it is refused until it is wanted anew, or until the link comes back.
 *
 * The same link can hear of keys that have changed, which Redis tracks for another link (tracking.h). */
#ifndef SLUICE_REDIS_SUBSCRIPTIONS_H
#define SLUICE_REDIS_SUBSCRIPTIONS_H

#include <stdbool.h>

#include "sluice/base/table.h"
#include "sluice/redis/link.h"

struct subscriptions;

struct subscriptions_events {
	/* Redis has confirmed a channel that is wanted: from here on nothing published is missed.
	 * Raised again after the link was lost and is back, and when the channel was left and is
	 * wanted again. Never within a call of the owner's. */
	void (*on_confirmed)(struct subscriptions *subscriptions, struct slice channel);
	/* Redis denies us a channel that is wanted (NOPERM). It will not be confirmed, nor asked for
	 * again before it is unwanted and wanted, or the link was lost and is back. `reason` is what
	 * Redis says. All is borrowed. Never within a call of the owner's. */
	void (*on_refused)(
		struct subscriptions *subscriptions, struct slice channel, struct slice reason);
	/* A publication on a channel that is wanted. Both are borrowed. */
	void (*on_message)(
		struct subscriptions *subscriptions, struct slice channel, struct slice payload);
	/* All that one read brought has been handed on. */
	void (*on_batch_end)(struct subscriptions *subscriptions);
	/* Up: the link is there and all that was wanted is confirmed again, or refused. Down: it was
	 * up and is lost, or an attempt failed; no channel is confirmed any more. */
	void (*on_up)(struct subscriptions *subscriptions);
	void (*on_down)(struct subscriptions *subscriptions, const char *reason);
	void (*on_round_trip)(struct subscriptions *subscriptions, uint64_t ns);
	/* After subscriptions_listen, each time the link has come up: what Redis sends to this client
	 * about changed keys is heard; or, with 0, cannot be, and `problem` is what Redis says. */
	void (*on_listening)(
		struct subscriptions *subscriptions, uint64_t client, struct slice problem);
	/* A tracked key has changed or is gone, or Redis has forgotten it; absent: any of them. */
	void (*on_invalidated)(struct subscriptions *subscriptions, struct slice key);
	void (*on_closed)(struct subscriptions *subscriptions);
};

struct subscriptions {
	void *owner;
	/* private */
	struct redis_link link;
	const struct subscriptions_events *events;
	struct turn *turn;
	struct turn_task ask;
	struct table channels;  /* struct wanted_channel, by name */
	struct list changed;    /* struct wanted_channel, by .link: looked at at the turn's end */
	struct list unanswered; /* struct wanted_channel, by .link: asked for, oldest first */
	size_t wanted;
	size_t awaited;  /* wanted when the link came back, and not yet confirmed or refused */
	uint64_t client; /* Redis' number for the link; 0: not known */
	bool listens, up, closing;
};

MUST_CHECK int subscriptions_open(struct subscriptions *subscriptions, struct stream_loop *shared,
	struct deadlines *deadlines, const struct redis_link_settings *settings,
	const struct subscriptions_events *events, void *owner);
void subscriptions_close(struct subscriptions *subscriptions);

/* Listens for changed keys, from the next time the link comes up: on_listening follows. 0 or -ENOMEM. */
MUST_CHECK int subscriptions_listen(struct subscriptions *subscriptions);

/* Wants a channel (copied). Twice is once. 0 or -ENOMEM. */
MUST_CHECK int subscriptions_want(struct subscriptions *subscriptions, struct slice channel);
void subscriptions_unwant(struct subscriptions *subscriptions, struct slice channel);

bool subscriptions_is_confirmed(const struct subscriptions *subscriptions, struct slice channel);
bool subscriptions_is_up(const struct subscriptions *subscriptions);

/* How many channels are wanted by the owner. */
size_t subscriptions_count(const struct subscriptions *subscriptions);

#endif
