/* The table of a home worker: which workers want which of its channels. Pure: no I/O, no clock, one
 * thread. */
#ifndef SLUICE_HUB_HOMES_H
#define SLUICE_HUB_HOMES_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"
#include "sluice/base/table.h"

enum { HOMES_WORKERS_MAX = 64 };

struct homes {
	/* private */
	struct table channels; /* struct home_channel, by name */
	unsigned n_workers;
};

void homes_init(struct homes *homes, unsigned n_workers);
void homes_finish(struct homes *homes);

/* A worker wants a channel, with this ticket, which replaces its earlier ticket. 1: no worker
 * wanted the channel before; 0: at least one did; -ENOMEM. */
MUST_CHECK int homes_want(
	struct homes *homes, struct slice channel, unsigned worker, uint32_t ticket);

/* The worker no longer wants the channel. True: now no worker wants it. */
bool homes_unwant(struct homes *homes, struct slice channel, unsigned worker);

/* The workers that want the channel, one bit for each. */
uint64_t homes_workers(const struct homes *homes, struct slice channel);

/* The newest ticket of this worker for the channel; 0: the worker does not want the channel. */
uint32_t homes_ticket(const struct homes *homes, struct slice channel, unsigned worker);

/* How many channels are wanted. */
size_t homes_count(const struct homes *homes);

#endif
