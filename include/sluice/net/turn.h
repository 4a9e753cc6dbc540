/* The end of a loop turn: tasks that run once, after everything that this turn's events brought,
 * and before the loop waits again. It is what turns many small sends into one gathered write.
 *
 * libuv runs timers, then prepare, then polls, then check. Both prepare and check run the tasks, so
 * that those of timers do not wait for the next event. A task that runs may schedule others (or
 * itself): they run in the same end, in a second round, and what that round schedules in the next
 * end, for which the loop does not wait. */
#ifndef SLUICE_NET_TURN_H
#define SLUICE_NET_TURN_H

#include <uv.h>

#include "sluice/base/defs.h"
#include "sluice/base/list.h"

struct turn_task {
	struct list link; /* linked: it is scheduled */
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

/* Runs the tasks that are scheduled, for the last time, and closes the handles; the memory must stay
 * until the loop has run their close callbacks. What is scheduled from then on never runs. */
void turn_close(struct turn *turn);

/* Runs the task at the end of this turn; nothing happens when it is scheduled already. */
void turn_schedule(struct turn *turn, struct turn_task *task);

/* Takes the task back; nothing happens when it is not scheduled. */
void turn_cancel(struct turn_task *task);

#endif
