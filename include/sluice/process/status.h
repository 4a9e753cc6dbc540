/* The readiness and the metrics of the process, for the admin port. */
#ifndef SLUICE_PROCESS_STATUS_H
#define SLUICE_PROCESS_STATUS_H

#include <stdbool.h>

#include "sluice/base/buffer.h"
#include "sluice/process/readiness.h"
#include "sluice/process/worker.h"

enum { STATUS_WATCH_MS = 250 };

struct status {
	struct worker *workers;
	unsigned n;
	bool draining;
	const struct settings *settings; /* in force */
	/* private */
	struct readiness readiness, tracking;
};

/* Looks at the workers; logs when the process is not ready any more, or again, and when the way in
 * which changed sessions are found changes. To be called every STATUS_WATCH_MS; `now_ms`: any clock
 * that only grows. */
void status_watch(struct status *status, uint64_t now_ms);

/* Call status_watch first. Appends the reasons why the process is not ready, one on each line; nothing if it is ready. 0 or
 * -ENOMEM. */
MUST_CHECK int status_print_reasons(const struct status *status, struct buffer *out);

/* Appends the metrics. 0 or -ENOMEM. */
MUST_CHECK int status_print_metrics(const struct status *status, struct buffer *out);

#endif
