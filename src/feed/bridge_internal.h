/* For the sources of bridge, each of which may call those below it:
 *
 *	bridge.c           the subscribers' side: the hub, and the calls of connections
 *	bridge_home.c      the home's side: the events of its link to Redis
 *	bridge_wants.c     between the two: which worker wants which channel, and which are confirmed
 *	bridge_delivery.c  from the home to the hubs: publications
 *	bridge_gaps.c      from the home to the hubs: that publications were missed
 *	bridge_notes.c     what goes through an inbox about a channel */
#ifndef SLUICE_FEED_BRIDGE_INTERNAL_H
#define SLUICE_FEED_BRIDGE_INTERNAL_H

#include "sluice/feed/bridge.h"

/* The bytes that may wait in a worker's inbox. A worker that is this far behind would only fall
 * further behind. */
enum { BRIDGE_BACKLOG_MAX = 64 * 1024 * 1024 };

/* ---- bridge_notes.c ---- */

struct note {
	struct bridge *to;
	unsigned worker; /* the worker that wants or unwants; or the home that has a gap */
	uint32_t ticket;
	uint32_t name_len;
	char name[];
};

static inline struct slice note_name(const struct note *note)
{
	return slice_make(note->name, note->name_len);
}

/* The number of a channel's home worker. */
unsigned bridge_home_number(const struct bridge *bridge, struct slice channel);

/* Posts a note to this bridge's worker. There `deliver` gets it as its subject, and frees it. 0 or
 * a negative errno. */
MUST_CHECK int bridge_post_note(struct bridge *to, void (*deliver)(void *owner, void *subject),
	unsigned worker, uint32_t ticket, struct slice name);

/* ---- bridge_gaps.c: call them at the home ---- */

/* A publication on this channel has been dropped. */
void bridge_dropped(struct bridge *home, struct slice channel);

/* A run for this worker has been dropped because the worker is behind; so any of its channels may
 * have a gap. */
void bridge_dropped_on_the_way(struct bridge *home, struct bridge *to);

/* The link was lost and is back. */
void bridge_was_away(struct bridge *home);

/* ---- bridge_delivery.c ---- */

/* At the home: hands the run, which is borrowed, to every worker that wants its channel. */
void bridge_deliver(struct bridge *home, struct publication *publication);

/* ---- bridge_wants.c ---- */

/* At the hub: tells the channel's home. 0 or a negative errno. */
MUST_CHECK int bridge_want(struct bridge *bridge, struct slice channel, uint32_t ticket);
MUST_CHECK int bridge_unwant(struct bridge *bridge, struct slice channel);

/* At the end: the channels of this home are not wanted any more. */
void bridge_forget_wants(struct bridge *home);

/* At the home: Redis delivers the channel, or denies it. Tells every worker that wants it. */
void bridge_answer(struct bridge *home, struct slice channel, bool confirmed);

/* At the home: updates the metrics of its channels. */
void bridge_count_channels(struct bridge *home);

/* ---- bridge_home.c ---- */

/* Opens and closes the home's link to Redis and its batches. */
MUST_CHECK int bridge_home_open(
	struct bridge *home, struct stream_loop *shared, struct deadlines *deadlines);
void bridge_home_close(struct bridge *home);

#endif
