/* The book of a home worker: which workers want which of the channels that have their home here. Pure:
 * no I/O, no clock, one thread. */
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

/* A worker wants a channel; its newest ticket is remembered. 1: nobody wanted it before; 0: somebody
 * did; -ENOMEM. */
MUST_CHECK int homes_want(
	struct homes *homes, struct slice channel, unsigned worker, uint32_t ticket);

/* A worker wants it no more. True: nobody does now. */
bool homes_unwant(struct homes *homes, struct slice channel, unsigned worker);

/* Who wants the channel, a bit for each worker. */
uint64_t homes_workers(const struct homes *homes, struct slice channel);

/* The newest ticket of a worker that wants the channel. */
uint32_t homes_ticket(const struct homes *homes, struct slice channel, unsigned worker);

/* How many channels are wanted. */
size_t homes_count(const struct homes *homes);

#endif
