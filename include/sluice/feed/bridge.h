/* From Redis to the workers' hubs. Every channel has a home worker, hash(channel) % workers, and
 * only the home worker subscribes to it on Redis: one subscription per process and channel.
 *
 *	hub of worker A --want--> inbox of home --SUBSCRIBE--> Redis
 *	hub of worker A <--confirmed, publications-- inbox of A <-- home
 *
 * Each worker has one bridge, used in the worker's thread only, except where it says otherwise. */
#ifndef SLUICE_FEED_BRIDGE_H
#define SLUICE_FEED_BRIDGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/metrics.h"
#include "sluice/feed/batches.h"
#include "sluice/feed/beating.h"
#include "sluice/feed/link_state.h"
#include "sluice/hub/homes.h"
#include "sluice/hub/hub.h"
#include "sluice/net/inbox.h"
#include "sluice/redis/subscriptions.h"
#include "sluice/settings/settings.h"

struct bridge;

/* What clients are told of -EPERM, see bridge_subscribe. */
#define BRIDGE_REFUSED_PROBLEM "Redis denies the gateway a channel, see its ACL"

struct bridge_events {
	/* A channel of this subscriber is confirmed; subscriber->unconfirmed counts its unconfirmed
	 * channels. The name is borrowed. May unsubscribe this subscriber, and no other. */
	void (*on_confirmed)(struct subscriber *subscriber, struct slice channel);
	/* Redis denies us a channel of this subscriber; see hub.h. The same applies. */
	void (*on_refused)(struct subscriber *subscriber, struct slice channel);
	/* A run of publications for this subscriber. May unsubscribe this subscriber, and no
	 * other. */
	void (*on_publication)(struct subscriber *subscriber, struct publication *publication);
	/* Publications on channels of these homes (one bit for each) may have been missed; later
	 * ones will arrive. */
	void (*on_gap)(struct bridge *bridge, uint64_t homes);
	/* A publication for this subscriber has been dropped. May unsubscribe this subscriber, and
	 * no other. */
	void (*on_dropped)(struct subscriber *subscriber, struct slice channel);
	/* Changed keys, as the link to Redis reports them; see subscriptions.h. */
	void (*on_listening)(struct bridge *bridge, uint64_t client, struct slice problem);
	void (*on_invalidated)(struct bridge *bridge, struct slice key);
	/* The link is lost: from now on changed keys are not reported. */
	void (*on_down)(struct bridge *bridge);
	/* The bridge's handles are closed. */
	void (*on_closed)(struct bridge *bridge);
};

struct bridge_setup {
	struct bridge *const *all; /* of all workers, by number */
	unsigned n, self;
	struct inbox *inbox; /* of this worker */
	struct metrics *metrics;
	const struct redis_link_settings *redis;
	struct redis_link *commands;     /* of this worker */
	struct beats *beats;             /* of the process */
	struct servers *servers;         /* of the process */
	const struct settings *settings; /* must outlive a replacement by bridge_set_settings */
};

struct bridge {
	void *owner;
	/* private */
	struct bridge_setup setup;
	const struct bridge_events *events;
	/* as the home of some channels */
	struct subscriptions subscriptions; /* the link's subscriptions */
	struct homes homes;                 /* the workers that want these channels */
	struct batches batches;             /* the channels' publications */
	struct beating beating;             /* whether the link is alive */
	struct link_state link;
	bool was_up; /* the link has been up at least once */
	uint64_t
		refusal_logged; /* uv_hrtime of the last log line about a refused channel; 0: none */
	atomic_bool barred;     /* Redis denies SUBSCRIBE */
	atomic_bool lacks;      /* Redis denies an automatic channel */
	unsigned closing;       /* parts whose handles are still open */
	/* for the subscribers' side */
	struct hub hub;
	atomic_size_t backlog; /* bytes that wait in its inbox */
	struct deadlines *deadlines;
	struct deadline gap_deadline;
	uint64_t gap_homes;               /* homes for which on_gap is due */
	unsigned gap_waits;               /* how often on_gap was postponed */
	atomic_uint_least64_t gap_posted; /* homes with a gap note in this worker's inbox */
};

/* All bridges must be open before any worker's loop runs. Everything handed in must outlive the
 * bridge. 0 or a negative errno. */
MUST_CHECK int bridge_open(struct bridge *bridge, struct stream_loop *shared,
	struct deadlines *deadlines, const struct bridge_setup *setup,
	const struct bridge_events *events, void *owner);

/* Closes the link to Redis; on_closed follows. There must be no subscriber left. */
void bridge_close(struct bridge *bridge);

/* Frees the rest, once no worker posts any more. */
void bridge_finish(struct bridge *bridge);

/* May one more subscriber have this channel? Not if the channel is new to this worker and the
 * process has limits.process_channels already, which is then counted. */
bool bridge_has_room(const struct bridge *bridge, struct slice channel);

/* 0, also if already subscribed; -ENOTCONN: the home worker's link to Redis is down; -EPERM: Redis
 * denies us the channel, as far as is known here; -ENOSPC: there is no room; -ENOMEM. Unless
 * bridge_is_confirmed, on_confirmed or on_refused follows. */
MUST_CHECK int bridge_subscribe(
	struct bridge *bridge, struct subscriber *subscriber, struct slice channel);
/* The same for a browser that is connected already: if the link is down, or Redis denies us the
 * channel, on_confirmed follows when that has changed. 0, -ENOSPC or -ENOMEM. */
MUST_CHECK int bridge_join(
	struct bridge *bridge, struct subscriber *subscriber, struct slice channel);
bool bridge_is_confirmed(const struct bridge *bridge, struct slice channel);

/* Does Redis deny us the channel? Known only if this worker wants it. */
bool bridge_is_refused(const struct bridge *bridge, struct slice channel);

/* Is it subscribed to the channel, confirmed or not? */
bool bridge_has(
	const struct bridge *bridge, const struct subscriber *subscriber, struct slice channel);

/* Is it subscribed to a channel of one of these homes (one bit for each)? */
bool bridge_has_channel_of(
	const struct bridge *bridge, struct subscriber *subscriber, uint64_t homes);

/* 0, or -ENOENT: it is not subscribed. */
int bridge_unsubscribe(struct bridge *bridge, struct subscriber *subscriber, struct slice channel);
void bridge_unsubscribe_all(struct bridge *bridge, struct subscriber *subscriber);

/* Replaces the settings; the old ones must outlive the call. */
void bridge_set_settings(struct bridge *bridge, const struct settings *settings);

/* Gives up this worker's link to Redis for a new one; a gap follows. */
void bridge_reconnect(struct bridge *bridge, const char *reason);

/* From now on no publication is delayed (delivery.batch_milliseconds), so that a connection that is
 * closed in a drain has received everything that was published before. */
void bridge_stop_waiting(struct bridge *bridge);

/* The worker's link for commands has come up, or has gone down. */
void bridge_command_up(struct bridge *bridge);
void bridge_command_down(struct bridge *bridge);

/* Are the worker's two links to Redis up, and on different servers? */
bool bridge_is_divided(const struct bridge *bridge);

/* Time since the last beat that the link has heard, in ns; UINT64_MAX: none yet. May be called in any
 * thread. */
uint64_t bridge_silence(struct bridge *bridge);

/* Is this worker's link to Redis up, with every wanted channel confirmed or refused? May be called
 * in any thread. */
bool bridge_is_up(const struct bridge *bridge);

/* Why newcomers would not hear publications although the link is up: one line for the operator, a
 * literal; NULL: they would. May be called in any thread. */
const char *bridge_problem(struct bridge *bridge);

#endif
