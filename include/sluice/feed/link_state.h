/* Is a link to Redis up? For whoever asks from another thread, and for the operator's log: one line when
 * it comes, one when it goes, and one when the reason for which it stays away changes. */
#ifndef SLUICE_FEED_LINK_STATE_H
#define SLUICE_FEED_LINK_STATE_H

#include <stdatomic.h>
#include <stdbool.h>

struct link_state {
	/* private */
	const char *link; /* "command" or "subscribe" */
	unsigned worker;
	atomic_bool up;
	char reason[128]; /* the last that is in the log; "": it is up, or was never tried */
};

void link_state_init(struct link_state *state, const char *link, unsigned worker);

/* In the link's own thread. */
void link_state_up(struct link_state *state);
/* True: it was up until now. Attempts go on every second; the log is not told of each. */
bool link_state_down(struct link_state *state, const char *reason);

/* Any thread. */
bool link_state_is_up(const struct link_state *state);

#endif
