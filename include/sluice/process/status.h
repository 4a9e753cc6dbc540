/* The readiness and the metrics of the process, for the admin port. */
#ifndef SLUICE_PROCESS_STATUS_H
#define SLUICE_PROCESS_STATUS_H

#include <stdbool.h>

#include "sluice/base/buffer.h"
#include "sluice/process/worker.h"

struct status {
	struct worker *workers;
	unsigned n;
	bool draining;
};

/* Appends the reasons why the process is not ready, one on each line; nothing if it is ready. 0 or
 * -ENOMEM. */
MUST_CHECK int status_print_reasons(const struct status *status, struct buffer *out);

/* Appends the metrics. 0 or -ENOMEM. */
MUST_CHECK int status_print_metrics(const struct status *status, struct buffer *out);

#endif
