/* Between a worker's hub and Redis. Every channel has a home worker, hash(channel) % workers, and only
 * the home worker subscribes to it on Redis: one subscription per process and channel.
 *
 *	hub of worker A --want--> inbox of home --SUBSCRIBE--> Redis
 *	hub of worker A <--confirmed, publications-- inbox of A <-- home
 *
 * One bridge per worker; each is used in its worker's thread only, but for bridge_is_up. */
#ifndef SLUICE_FEED_BRIDGE_H
#define SLUICE_FEED_BRIDGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/metrics.h"
#include "sluice/feed/batches.h"
#include "sluice/feed/link_state.h"
#include "sluice/hub/homes.h"
#include "sluice/hub/hub.h"
#include "sluice/net/inbox.h"
#include "sluice/redis/subscriptions.h"
#include "sluice/settings/settings.h"

struct bridge;

struct bridge_events {
	/* A channel of this subscriber is confirmed; subscriber->unconfirmed says how many more are not.
	 * The name is borrowed for the call. May unsubscribe it (and only it). */
	void (*on_confirmed)(struct subscriber *subscriber, struct slice channel);
	/* A run of publications for this subscriber. The same. */
	void (*on_publication)(struct subscriber *subscriber, struct publication *publication);
	/* Something on channels of these homes (a bit each) may have been missed; what comes next on them will
	 * arrive. */
	void (*on_gap)(struct bridge *bridge, uint64_t homes);
	/* A publication for this subscriber has been dropped. May unsubscribe it (and only it). */
	void (*on_dropped)(struct subscriber *subscriber, struct slice channel);
	/* Of the link to Redis, as subscriptions.h has them: what it hears of changed keys. */
	void (*on_listening)(struct bridge *bridge, uint64_t client, struct slice problem);
	void (*on_invalidated)(struct bridge *bridge, struct slice key);
	/* The link is lost: what changes now is not heard of. */
	void (*on_down)(struct bridge *bridge);
	/* The bridge's handles are closed. */
	void (*on_closed)(struct bridge *bridge);
};

struct bridge_setup {
	struct bridge *const *all; /* of all workers, by number */
	unsigned n, self;
	struct inbox *inbox; /* this worker's; its owner is whatever the worker says */
	struct metrics *metrics;
	const struct redis_link_settings *redis;
	const struct settings *settings; /* may be replaced, the old ones must live on */
};

struct bridge {
	void *owner;
	/* private */
	struct bridge_setup setup;
	const struct bridge_events *events;
	struct hub hub;
	struct subscriptions subscriptions; /* to the channels whose home is here */
	struct homes homes;                 /* who wants them */
	struct batches batches;             /* what they publish */
	struct link_state link;
	atomic_size_t backlog; /* memory of publications in its inbox */
	unsigned closing;      /* parts that have handles, until they are closed */
	bool was_up;           /* the link, once at least */
	struct deadlines *deadlines;
	struct deadline gap_deadline;
	uint64_t gap_homes;               /* on_gap is due about these */
	unsigned gap_waits;               /* times that it was put off */
	atomic_uint_least64_t gap_posted; /* homes of which a word about a gap is in its inbox */
	uint64_t refusal_told; /* uv_hrtime of the last line about a refused channel; 0: none */
};

/* All bridges must be open before any worker's loop runs. 0 or a negative errno. */
MUST_CHECK int bridge_open(struct bridge *bridge, struct stream_loop *shared,
	struct deadlines *deadlines, const struct bridge_setup *setup,
	const struct bridge_events *events, void *owner);

/* Closes the link to Redis; on_closed follows. There must be no subscriber left. */
void bridge_close(struct bridge *bridge);

/* Frees the rest, when no worker posts any more. */
void bridge_finish(struct bridge *bridge);

/* 0 (also when subscribed already); -ENOTCONN: the home worker has no live link to Redis; -ENOMEM.
 * Unless bridge_is_confirmed, on_confirmed follows. */
MUST_CHECK int bridge_subscribe(
	struct bridge *bridge, struct subscriber *subscriber, struct slice channel);
/* The same, but a link that is away is waited for: for who is connected already. */
MUST_CHECK int bridge_join(
	struct bridge *bridge, struct subscriber *subscriber, struct slice channel);
bool bridge_is_confirmed(const struct bridge *bridge, struct slice channel);

/* Is it subscribed to the channel, confirmed or not? */
bool bridge_has(
	const struct bridge *bridge, const struct subscriber *subscriber, struct slice channel);

/* Has it a channel of one of these homes (a bit each)? */
bool bridge_has_channel_of(
	const struct bridge *bridge, struct subscriber *subscriber, uint64_t homes);

/* 0, or -ENOENT: it is not subscribed. */
int bridge_unsubscribe(struct bridge *bridge, struct subscriber *subscriber, struct slice channel);
void bridge_unsubscribe_all(struct bridge *bridge, struct subscriber *subscriber);

/* After the configuration was read again. */
void bridge_set_settings(struct bridge *bridge, const struct settings *settings);

/* From now on no publication waits for others (delivery.batch_milliseconds): whoever is closed in a
 * drain has got all that came before. */
void bridge_stop_waiting(struct bridge *bridge);

/* Has this worker a live subscriber link, with everything wanted confirmed? Any thread. */
bool bridge_is_up(const struct bridge *bridge);

#endif
