/* The parts of a worker, opened and connected to each other. */
#ifndef SLUICE_PROCESS_WORKER_INTERNAL_H
#define SLUICE_PROCESS_WORKER_INTERNAL_H

#include "sluice/process/worker.h"

/* In this order, once the loop is open. 0 or a negative errno, after which the process ends. */
MUST_CHECK int worker_open_links(struct worker *worker);
MUST_CHECK int worker_open_conns(struct worker *worker);
MUST_CHECK int worker_open_listener(struct worker *worker, int fd); /* takes it, also on an error */

#endif
