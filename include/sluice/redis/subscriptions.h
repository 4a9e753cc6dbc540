/* One link to Redis that is subscribed to channels.
 *
 * The changes of one loop turn are sent together (wanted.h). When the link comes back, everything
 * wanted is subscribed again. A channel that Redis refuses does not affect the others, and is asked
 * for again, after a quarter of a second at first and every few seconds later, until it is confirmed
 * or unwanted.
 *
 * The same link can receive the names of changed keys, which Redis tracks for another link
 * (tracking.h). */
#ifndef SLUICE_REDIS_SUBSCRIPTIONS_H
#define SLUICE_REDIS_SUBSCRIPTIONS_H

#include <stdbool.h>

#include "sluice/net/turn.h"
#include "sluice/redis/link.h"
#include "sluice/redis/wanted.h"

struct subscriptions;

struct subscriptions_events {
	/* Redis has confirmed a wanted channel: from here on no publication on it is missed. Raised
	 * again after the link has come back, and after the channel was unwanted and wanted again.
	 * `was_refused`: until now, on this link; so publications may have been missed. Never raised
	 * within one of the owner's calls. */
	void (*on_confirmed)(
		struct subscriptions *subscriptions, struct slice channel, bool was_refused);
	/* Redis denies us a wanted channel (NOPERM); on_confirmed follows if it does so no longer.
	 * `reason` is Redis' error text. Both are borrowed. Never raised within one of the owner's
	 * calls. */
	void (*on_refused)(
		struct subscriptions *subscriptions, struct slice channel, struct slice reason);
	/* The class of a refused channel. */
	enum wanted_class (*class_of)(struct subscriptions *subscriptions, struct slice channel);
	/* A publication on a wanted channel. Both are borrowed. */
	void (*on_message)(
		struct subscriptions *subscriptions, struct slice channel, struct slice payload);
	/* All messages of one read have been raised. */
	void (*on_batch_end)(struct subscriptions *subscriptions);
	/* Up: the link is up, and every channel that was wanted at that time is confirmed or
	 * refused. Down: the link was up and is lost, or an attempt to connect has failed; no
	 * channel is confirmed any more. */
	void (*on_up)(struct subscriptions *subscriptions);
	void (*on_down)(struct subscriptions *subscriptions, const char *reason);
	void (*on_round_trip)(struct subscriptions *subscriptions, uint64_t ns);
	/* After subscriptions_listen, raised each time the link has come up: Redis can send the
	 * changed keys to this client ID. If `client` is 0, it cannot, and `problem` is Redis'
	 * error text. */
	void (*on_listening)(
		struct subscriptions *subscriptions, uint64_t client, struct slice problem);
	/* A tracked key has changed or is gone, or Redis has stopped tracking it. With an absent
	 * key, this may hold for any key. */
	void (*on_invalidated)(struct subscriptions *subscriptions, struct slice key);
	void (*on_closed)(struct subscriptions *subscriptions);
};

struct subscriptions {
	void *owner;
	/* private */
	struct redis_link link;
	const struct subscriptions_events *events;
	struct wanted wanted;
	struct turn *turn;
	struct turn_task ask;
	struct deadline retry; /* refused channels are asked for again */
	uint32_t retry_ms;     /* bound of the wait for it */
	bool hurries;          /* a refused channel has just been confirmed */
	uint64_t client;       /* the link's client ID in Redis; 0: not known */
	bool listens, up, closing;
};

/* Everything handed in must outlive the subscriptions. 0 or a negative errno. */
MUST_CHECK int subscriptions_open(struct subscriptions *subscriptions, struct stream_loop *shared,
	struct deadlines *deadlines, const struct redis_link_settings *settings,
	const struct subscriptions_events *events, void *owner);

/* on_closed follows. May be called twice. */
void subscriptions_close(struct subscriptions *subscriptions);

/* Listens for changed keys, from the next time the link comes up: on_listening follows. 0 or
 * -ENOMEM. */
MUST_CHECK int subscriptions_listen(struct subscriptions *subscriptions);

/* Wants a channel, whose name is copied; one that is wanted already stays so. 0 or -ENOMEM. */
MUST_CHECK int subscriptions_want(struct subscriptions *subscriptions, struct slice channel);
void subscriptions_unwant(struct subscriptions *subscriptions, struct slice channel);

/* The link, to look at. */
const struct redis_link *subscriptions_link(const struct subscriptions *subscriptions);

/* Makes the link anew; `reason` is one line for the operator. on_down is raised within the call if
 * the link was not down. */
void subscriptions_fail(struct subscriptions *subscriptions, const char *reason);

bool subscriptions_is_confirmed(const struct subscriptions *subscriptions, struct slice channel);
bool subscriptions_is_refused(const struct subscriptions *subscriptions, struct slice channel);

/* How many wanted channels of a class Redis denies us. */
size_t subscriptions_refused_count(
	const struct subscriptions *subscriptions, enum wanted_class class);

/* Does Redis deny us the command SUBSCRIBE, whatever the channel? */
bool subscriptions_are_barred(const struct subscriptions *subscriptions);

#endif
