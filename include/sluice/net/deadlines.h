/* Many deadlines on one timer: a wheel of lists, one per tick. Setting, moving and clearing a
 * deadline changes a few pointers, whatever the number of deadlines. A deadline fires at most one
 * tick late, never early, and never before the sockets have been polled after it was due. */
#ifndef SLUICE_NET_DEADLINES_H
#define SLUICE_NET_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "sluice/base/defs.h"
#include "sluice/base/list.h"

enum { DEADLINE_TICK_MS = 50, DEADLINE_SLOTS = 1024 };

/* Zero-initialised is "not set". */
struct deadline {
	struct list link;
	uint32_t due; /* in ticks */
	void (*on_due)(struct deadline *deadline);
};

struct deadlines {
	/* private */
	uv_timer_t timer;
	uv_check_t check;
	uint32_t now;    /* the last tick that was handled */
	uint32_t count;  /* of deadlines; the timer runs only while there are any */
	uint64_t start;  /* loop time of tick 0, in ms */
	uint64_t polled; /* loop time at which the last poll returned, in ms */
	struct list
		slots[DEADLINE_SLOTS]; /* struct deadline, by .link; slot = due % DEADLINE_SLOTS */
};

/* Does not keep the loop alive. 0 or a negative errno. */
MUST_CHECK int deadlines_open(struct deadlines *deadlines, uv_loop_t *loop);
void deadlines_close(struct deadlines *deadlines);

/* Sets or moves a deadline: `on_due` is called once, `ms` from now (by uv_now), unless the deadline
 * is cleared before. `ms` is at most a day. on_due may set or clear any deadline, including its
 * own, and may free its owner. */
void deadline_set(struct deadlines *deadlines, struct deadline *deadline, uint64_t ms,
	void (*on_due)(struct deadline *deadline));
void deadline_clear(struct deadlines *deadlines, struct deadline *deadline);

static inline bool deadline_is_set(const struct deadline *deadline)
{
	return list_is_linked(&deadline->link);
}

#endif
