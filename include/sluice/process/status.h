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

/* Both take a struct status as the context of admin_source. 0 or -ENOMEM. */
MUST_CHECK int status_print_reasons(void *status, struct buffer *out);
MUST_CHECK int status_print_metrics(void *status, struct buffer *out);

#endif
