/* The values of the tickets with which a worker's connections logged in. Taking a ticket removes it
 * from Redis, but its value holds as long as the connection is open, so the value is kept here. One
 * per worker, in its thread. */
#ifndef SLUICE_AUTH_TICKETS_H
#define SLUICE_AUTH_TICKETS_H

#include <stdint.h>

#include "sluice/base/table.h"
#include "sluice/net/deadlines.h"

/* The first two are the owner's; the rest, zero-initialised, is empty. */
struct tickets {
	struct deadlines *deadlines;
	/* The end that the ticket itself names has come. It may be forgotten within the call. */
	void (*on_ended)(void *owner);
	/* private */
	struct table kept; /* struct kept_ticket, by owner */
};

/* Keeps a copy of a ticket's value for an owner. `ends_ms`: when it ends, since 1970; INT64_MAX:
 * never. 0; -EEXIST: it already has one; -ENOMEM. */
MUST_CHECK int tickets_keep(
	struct tickets *tickets, void *owner, struct slice json, int64_t ends_ms);

/* Borrowed until it is forgotten; absent: nothing is kept for this owner. */
struct slice tickets_kept(const struct tickets *tickets, const void *owner);

/* Does nothing if no ticket is kept for this owner. */
void tickets_forget(struct tickets *tickets, const void *owner);

#endif
