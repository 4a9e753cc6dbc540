/* The end of a loop turn: tasks that run once, after all events of the turn and before the loop
 * waits again. This is what turns many small sends into one gathered write.
 *
 * libuv runs timers, then prepare, then polls, then check. Both prepare and check run the tasks, so
 * that tasks scheduled by timers do not wait for the next event. A running task may schedule
 * others, or itself: they run in a second round of the same end. What the second round schedules
 * runs at the next end, for which the loop does not wait. */
#ifndef SLUICE_NET_TURN_H
#define SLUICE_NET_TURN_H

#include <uv.h>

#include "sluice/base/defs.h"
#include "sluice/base/list.h"

struct turn_task {
	struct list link; /* linked while scheduled */
	void (*run)(struct turn_task *task);
};

struct turn {
	/* private */
	uv_prepare_t before_poll;
	uv_check_t after_poll;
	uv_idle_t busy;    /* active while there are tasks */
	struct list tasks; /* struct turn_task, by .link */
};

/* Keeps the loop alive only while a task is scheduled. 0 or a negative errno. */
MUST_CHECK int turn_open(struct turn *turn, uv_loop_t *loop);

/* Runs the scheduled tasks for the last time, and closes the handles. The memory must stay until
 * the loop has run their close callbacks. Tasks scheduled later never run. */
void turn_close(struct turn *turn);

/* Runs the task at the end of this turn. May be called again while the task is scheduled. */
void turn_schedule(struct turn *turn, struct turn_task *task);

/* Does not run the task after all. It need not be scheduled. */
void turn_cancel(struct turn_task *task);

#endif
