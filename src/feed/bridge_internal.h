/* For the sources of bridge only: bridge.c (wants, confirmations, publications), bridge_gaps.c (what was
 * missed). */
#ifndef SLUICE_FEED_BRIDGE_INTERNAL_H
#define SLUICE_FEED_BRIDGE_INTERNAL_H

#include "sluice/feed/bridge.h"

/* A worker that is behind by that much would only fall further behind. */
enum { BRIDGE_BACKLOG_MAX = 64 * 1024 * 1024 };

/* What goes through an inbox about a channel. */
struct note {
	struct bridge *to;
	unsigned worker; /* who wants, or wants no more; or the home that it is about */
	uint32_t ticket;
	uint32_t name_len;
	char name[];
};

static inline struct slice note_name(const struct note *note)
{
	return slice_make(note->name, note->name_len);
}

/* bridge.c */

/* The number of a channel's home worker. */
unsigned bridge_home(const struct bridge *bridge, struct slice channel);
/* Posts a note, which `deliver` is to free. 0 or a negative errno. */
MUST_CHECK int bridge_post_note(struct bridge *to, void (*deliver)(void *owner, void *subject),
	unsigned worker, uint32_t ticket, struct slice name);

/* bridge_gaps.c */

/* At the home: a publication on this channel has been dropped. */
void bridge_dropped(struct bridge *home, struct slice channel);
/* A run has been dropped on its way to this worker, which is behind: and so may any other have been. */
void bridge_dropped_on_the_way(struct bridge *home, struct bridge *to);
/* The link was lost and is back. */
void bridge_was_away(struct bridge *home);

#endif
