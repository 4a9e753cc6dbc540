/* Whether the process is ready, with patience: a link that comes back in a moment should not take a
 * gateway out of a load balancer, and one that comes and goes should not put it back. Pure: the
 * caller has the clock. */
#ifndef SLUICE_PROCESS_READINESS_H
#define SLUICE_PROCESS_READINESS_H

#include <stdbool.h>
#include <stdint.h>

enum { READINESS_TROUBLE_MS = 2000, READINESS_CLEAR_MS = 1000 };

struct readiness {
	/* private; all zero: never ready until now */
	bool ready, begun;
	bool turning;   /* what was seen last contradicts `ready` */
	uint64_t since; /* then: since when, in ms */
};

/* What is seen at this time. The process is ready from the first time without trouble on; after
 * READINESS_TROUBLE_MS of nothing but trouble it is not, and after READINESS_CLEAR_MS without any it
 * is again. Returns whether it is ready. */
bool readiness_note(struct readiness *readiness, bool trouble, uint64_t now_ms);

#endif
