/* Whether a link to Redis is up, for other threads and for the log. It logs one line when the link
 * comes up, one when it goes down, and one when the reason for an outage changes; but no more than
 * LINK_STATE_BURST lines about outages in ten seconds. An end is logged if its outage was. */
#ifndef SLUICE_FEED_LINK_STATE_H
#define SLUICE_FEED_LINK_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LINK_STATE_BURST = 5 };

struct link_state {
	/* private */
	const char *link; /* "command" or "subscribe" */
	unsigned worker;
	atomic_bool up;
	bool told;        /* the log says that the link is down, or nothing yet */
	char reason[128]; /* the last one logged; "": the link is up, or was never tried */
	_Atomic uint64_t quiet_until[LINK_STATE_BURST]; /* for log_may */
};

void link_state_init(struct link_state *state, const char *link, unsigned worker);

/* To be called in the link's own thread. */
void link_state_up(struct link_state *state);
/* True: the link was up until now. A failed attempt is logged only if its reason is new. */
bool link_state_down(struct link_state *state, const char *reason);

/* May be called in any thread. */
bool link_state_is_up(const struct link_state *state);

#endif
