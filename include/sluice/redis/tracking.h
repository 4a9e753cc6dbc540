/* Client-side caching as Redis helps with it: of every key that one link has read, another link is told
 * when it changes, once; then it has to be read again.
 *
 *	reader ---- GET sess:1 ----> Redis ---- "sess:1 has changed" ----> listener
 *
 * The listener (subscriptions.h) only has to be told apart by its number; here the reader is made to be
 * tracked for it (CLIENT TRACKING ON REDIRECT), whenever one of the two has come back. */
#ifndef SLUICE_REDIS_TRACKING_H
#define SLUICE_REDIS_TRACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/redis/link.h"

struct tracking;

struct tracking_events {
	/* What is read from now on is tracked; what was read before may not be. */
	void (*on_tracked)(struct tracking *tracking);
	/* Redis will not do it, or not for us. Raised once for each attempt; borrowed. */
	void (*on_refused)(struct tracking *tracking, struct slice problem);
};

struct tracking {
	void *owner;
	/* private */
	const struct tracking_events *events;
	struct redis_link *reader;
	uint64_t listener; /* its number; 0: there is none */
};

void tracking_init(struct tracking *tracking, struct redis_link *reader,
	const struct tracking_events *events, void *owner);

/* The listener has this number now; 0: it has gone. */
void tracking_set_listener(struct tracking *tracking, uint64_t listener);

/* The reader has come up. */
void tracking_reader_is_up(struct tracking *tracking);

#endif
