/* The admin port, served by the main thread: /livez, /readyz, /metrics. */
#ifndef SLUICE_PROCESS_ADMIN_H
#define SLUICE_PROCESS_ADMIN_H

#include "sluice/base/list.h"
#include "sluice/net/deadlines.h"
#include "sluice/net/listener.h"
#include "sluice/net/stream.h"
#include "sluice/process/status.h"

/* One more closes the oldest. Part of the reserve of descriptors (descriptors.c). */
enum { ADMIN_CONNS_MAX = 16 };

struct admin {
	/* private */
	struct stream_loop *shared;
	struct deadlines *deadlines;
	struct status *status;
	struct listener listener;
	struct list conns; /* struct admin_conn, by .link, oldest first */
	unsigned n;        /* of them */
};

/* Takes the listening descriptor, also on an error. `status` must outlive it. 0 or a negative
 * errno. */
MUST_CHECK int admin_open(struct admin *admin, struct stream_loop *shared,
	struct deadlines *deadlines, int listening_fd, struct status *status);

/* Closes the listener and all connections. The memory must stay until the loop has no handle
 * left. */
void admin_close(struct admin *admin);

#endif
