/* The end of a loop turn.
 *
 *	timers -> prepare: run tasks -> poll: sockets -> check: run tasks -> closing
 *	          what timers scheduled                  what sockets scheduled
 *
 * A task is a list node in its owner, so that scheduling neither allocates nor fails, and
 * scheduling twice is seen by the node being linked already.
 *
 * An end has two rounds, so that a task which hands on what it gathered (a hub's batch) and the
 * task that this schedules (a stream's write) both run before the loop waits. Not more rounds: a
 * task that schedules itself, because its work is large, must let the sockets have their turn.
 *
 * The idle handle is active exactly while tasks wait. Its callback does nothing, what counts is
 * that libuv never sleeps and never leaves its loop while an idle handle is active: a task that was
 * scheduled is run, even when nothing else happens and no other handle is left. */
#include "sluice/net/turn.h"

enum { TURN_ROUNDS = 2 };

static void stay_awake(uv_idle_t *busy)
{
	(void)busy;
}

/* What a task schedules goes to turn->tasks, what it cancels may still be in `round`. */
/* Between two ends of a turn the kernel has filled the cache with its own, and the owners lie anywhere: so
 * while one task runs, what the next will touch is fetched. */
static void fetch_next(const struct list *round)
{
	const struct list *next = round->next;
	__builtin_prefetch((const char *)next + CACHE_LINE);
	__builtin_prefetch(next->next);
}

static void run_round(struct turn *turn)
{
	struct list round, *node; /* struct turn_task, by .link */
	list_take(&round, &turn->tasks);
	while ((node = list_pop(&round))) {
		struct turn_task *task = container_of(node, struct turn_task, link);
		fetch_next(&round);
		task->run(task);
	}
}

static void run_tasks(struct turn *turn)
{
	for (int i = 0; i < TURN_ROUNDS && !list_is_empty(&turn->tasks); i++)
		run_round(turn);
	if (list_is_empty(&turn->tasks))
		uv_idle_stop(&turn->busy);
}

static void on_before_poll(uv_prepare_t *handle)
{
	run_tasks(container_of(handle, struct turn, before_poll));
}

static void on_after_poll(uv_check_t *handle)
{
	run_tasks(container_of(handle, struct turn, after_poll));
}

/* None of these three can fail: libuv has nothing to ask the system for. */
int turn_open(struct turn *turn, uv_loop_t *loop)
{
	list_init(&turn->tasks);
	MUST(uv_idle_init(loop, &turn->busy) == 0);
	MUST(uv_prepare_init(loop, &turn->before_poll) == 0);
	MUST(uv_check_init(loop, &turn->after_poll) == 0);
	MUST(uv_prepare_start(&turn->before_poll, on_before_poll) == 0);
	MUST(uv_check_start(&turn->after_poll, on_after_poll) == 0);
	uv_unref((uv_handle_t *)&turn->before_poll);
	uv_unref((uv_handle_t *)&turn->after_poll);
	return 0;
}

void turn_close(struct turn *turn)
{
	if (uv_is_closing((uv_handle_t *)&turn->busy))
		return;
	/* It may be the last thing that somebody's end waits for. */
	run_tasks(turn);
	uv_close((uv_handle_t *)&turn->busy, NULL);
	uv_close((uv_handle_t *)&turn->before_poll, NULL);
	uv_close((uv_handle_t *)&turn->after_poll, NULL);
}

void turn_schedule(struct turn *turn, struct turn_task *task)
{
	if (list_is_linked(&task->link))
		return;
	list_append(&turn->tasks, &task->link);
	if (!uv_is_closing((uv_handle_t *)&turn->busy))
		uv_idle_start(&turn->busy, stay_awake);
}

void turn_cancel(struct turn_task *task)
{
	list_remove(&task->link);
}
