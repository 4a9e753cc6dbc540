/* A deadline by the wall clock: the end of a session or a ticket, as its record says it.
 *
 * Deadlines run by a clock that is never set, so the wall clock is read again when one is due, and
 * once a minute at least. If the wall clock is set back, `on_over` comes later; if it is set
 * forward past the end, `on_over` comes within a minute. */
#ifndef SLUICE_AUTH_EXPIRY_H
#define SLUICE_AUTH_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/net/deadlines.h"

#define EXPIRY_NEVER INT64_MAX

/* Zero-initialised is "not set". */
struct expiry {
	/* private */
	struct deadline deadline;
	struct deadlines *deadlines;
	int64_t at_ms; /* since 1970 */
	void (*on_over)(struct expiry *expiry);
};

/* Sets or moves it: `on_over` is called once, as for a deadline, never within this call. */
void expiry_set(struct expiry *expiry, struct deadlines *deadlines, int64_t at_ms,
	void (*on_over)(struct expiry *expiry));
void expiry_clear(struct expiry *expiry);

/* Has the time come by the wall clock? It must have been set. */
bool expiry_is_over(const struct expiry *expiry);

#endif
