/* The end of a loop turn.
 *
 *	timers -> prepare: run tasks -> poll: sockets -> check: run tasks -> closing
 *	          what timers scheduled                  what sockets scheduled
 *
 * A task is a list node in its owner, so scheduling neither allocates nor fails, and a linked node
 * is scheduled already.
 *
 * An end has two rounds, so that a task that passes on what it gathered (the batch of a hub) and
 * the task scheduled by it (the write of a stream) both run before the loop waits. There is no
 * third round: a task that schedules itself, because it has much to do, must let the sockets have
 * their turn.
 *
 * The idle handle is active exactly while tasks wait. Its callback does nothing, but while an idle
 * handle is active, libuv neither sleeps nor leaves its loop. So a scheduled task runs even if
 * nothing else happens and no other handle is left. */
#include "sluice/net/turn.h"

enum { TURN_ROUNDS = 2 };

static void stay_awake(uv_idle_t *busy)
{
	(void)busy;
}

/* Since the end of the last turn the kernel has filled the cache with its own data, and the owners
 * are scattered in memory. So while one task runs, the data of the next is prefetched. */
static void fetch_next(const struct list *round)
{
	const struct list *next = round->next;
	__builtin_prefetch((const char *)next + CACHE_LINE);
	__builtin_prefetch(next->next);
}

/* A task schedules into turn->tasks; a task that it cancels may still be in `round`. */
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

/* None of these calls can fail: libuv needs nothing from the system for them. */
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
	/* an owner's end may wait for such a task */
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
