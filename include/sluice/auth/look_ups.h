/* Whether sessions can be looked up: by the answers to real look-ups, and where there is none for a
 * second, by a probe, which reads a session that cannot exist. One per worker, in its thread, except
 * for look_ups_problem. */
#ifndef SLUICE_AUTH_LOOK_UPS_H
#define SLUICE_AUTH_LOOK_UPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/metrics.h"
#include "sluice/net/deadlines.h"
#include "sluice/redis/link.h"
#include "sluice/settings/settings.h"

enum { LOOK_UPS_PROBE_MS = 1000, LOOK_UPS_HOLD_MS = 1500 };

struct look_ups {
	/* the owner's, set before look_ups_link_up */
	struct redis_link *link;
	const struct settings *const *settings; /* the current ones */
	struct metrics *metrics;
	struct deadlines *deadlines;
	uv_loop_t *loop;
	/* private; all zero is valid */
	atomic_int fault;                /* an index into the texts of look_ups.c */
	uint64_t answered_at, failed_at; /* ms, by the caller's clock */
	struct deadline due;             /* of the next probe */
	unsigned probes;                 /* sent */
	uint32_t random;                 /* a part of their keys */
};

/* Redis has answered a look-up at this time, in ms. `problem`: its error; absent: it was none. A
 * failure counts for LOOK_UPS_HOLD_MS, even if others succeed; a redirection to another server for
 * as long as the link. */
void look_ups_note(struct look_ups *look_ups, struct slice problem, uint64_t now_ms);

/* The link is up: probes begin. Or it is down, or will be closed: they end. */
void look_ups_link_up(struct look_ups *look_ups);
void look_ups_link_down(struct look_ups *look_ups);

/* Why nobody can log in: one line for the operator, a literal; NULL: look-ups work, or the settings
 * need none. May be called in any thread. */
const char *look_ups_problem(const struct look_ups *look_ups);

#endif
