/* The values of the tickets with which a worker's connections logged in. Taking a ticket removes it
 * from Redis, but its value holds as long as the connection is open, so the value is kept here. One
 * per worker, in its thread. */
#ifndef SLUICE_AUTH_TICKETS_H
#define SLUICE_AUTH_TICKETS_H

#include "sluice/base/table.h"

/* Zero-initialised is empty. */
struct tickets {
	/* private */
	struct table kept; /* struct kept_ticket, by owner */
};

/* Keeps a copy of a ticket's value for an owner. 0; -EEXIST: it already has one; -ENOMEM. */
MUST_CHECK int tickets_keep(struct tickets *tickets, void *owner, struct slice json);

/* Borrowed until it is forgotten; absent: nothing is kept for this owner. */
struct slice tickets_kept(const struct tickets *tickets, const void *owner);

/* Does nothing if no ticket is kept for this owner. */
void tickets_forget(struct tickets *tickets, const void *owner);

#endif
