/* A timing wheel.
 *
 *	slots   0      1      2     ...   1023
 *	        |      |      |             |
 *	        due 0  due 1  due 1026      due 1023       a tick is 50 ms, a round is 51.2 s
 *	               due 1025
 *
 * A deadline is in slot due % 1024. When the hand passes a slot, the deadlines that are due fire,
 * and those of a later round stay. Setting and clearing are list operations, whatever the number of
 * deadlines; libuv's own timers are a heap, log n for each, with 152 bytes of handle.
 *
 * A deadline is rounded up to a whole tick, and so is never early and at most one tick late. The
 * timer is one-shot and restarted for the beginning of the next tick, so that lateness does not add
 * up.
 *
 * After a stall the hand jumps. A gap of many ticks passes each slot once at most, as the test is
 * "is it due by now", not "is it due in this tick": catching up costs at most one round. The hand
 * moves first, so that a deadline set meanwhile, even for "at once", is ahead of it: no on_due can
 * prolong the walk.
 *
 * The hand follows the time of the last poll, not the clock. If the loop was delayed, by a stopped
 * process or a long turn, bytes that peers sent in time still wait in the kernel, although by the
 * clock the peers are late. So the sockets are polled first, and a deadline that fires was really
 * missed.
 *
 * Ticks are compared by their signed difference, so that they may wrap around (after 6.8 years). */
#include "sluice/net/deadlines.h"

static uint64_t elapsed_ms(struct deadlines *deadlines)
{
	return uv_now(deadlines->timer.loop) - deadlines->start;
}

static uint64_t polled_ms(const struct deadlines *deadlines)
{
	return deadlines->polled - deadlines->start;
}

/* libuv's clock does not move between the return of the poll and the next turn. */
static void on_polled(uv_check_t *check)
{
	struct deadlines *deadlines = container_of(check, struct deadlines, check);
	deadlines->polled = uv_now(check->loop);
}

static bool is_due(const struct deadline *deadline, uint32_t now)
{
	return (int32_t)(deadline->due - now) <= 0;
}

static struct list *slot_of(struct deadlines *deadlines, uint32_t tick)
{
	return &deadlines->slots[tick % DEADLINE_SLOTS];
}

/* on_due may clear deadlines that are still in `passed`, and set new ones in this slot. */
static void pass_slot(struct deadlines *deadlines, struct list *slot)
{
	struct list passed, *node; /* struct deadline, by .link */
	list_take(&passed, slot);
	while ((node = list_pop(&passed))) {
		struct deadline *deadline = container_of(node, struct deadline, link);
		bool closing = uv_is_closing((uv_handle_t *)&deadlines->timer);
		if (closing || !is_due(deadline, deadlines->now)) {
			list_append(slot, node);
			continue;
		}
		deadlines->count--;
		deadline->on_due(deadline);
	}
}

static void start_timer(struct deadlines *deadlines);

static void on_tick(uv_timer_t *timer)
{
	struct deadlines *deadlines = container_of(timer, struct deadlines, timer);
	uint32_t before = deadlines->now;
	deadlines->now = (uint32_t)(polled_ms(deadlines) / DEADLINE_TICK_MS);
	uint32_t ticks = MIN(deadlines->now - before, (uint32_t)DEADLINE_SLOTS);
	for (uint32_t i = 1; i <= ticks; i++)
		pass_slot(deadlines, slot_of(deadlines, before + i));
	if (deadlines->count > 0)
		start_timer(deadlines);
}

static void start_timer(struct deadlines *deadlines)
{
	uint64_t ms = DEADLINE_TICK_MS - elapsed_ms(deadlines) % DEADLINE_TICK_MS;
	uv_timer_start(&deadlines->timer, on_tick, ms, 0); /* fails only when it is closing */
}

int deadlines_open(struct deadlines *deadlines, uv_loop_t *loop)
{
	int result = uv_timer_init(loop, &deadlines->timer);
	if (result < 0)
		return result;
	MUST(uv_check_init(loop, &deadlines->check) == 0);
	MUST(uv_check_start(&deadlines->check, on_polled) == 0);
	uv_unref((uv_handle_t *)&deadlines->timer);
	uv_unref((uv_handle_t *)&deadlines->check);
	deadlines->start = deadlines->polled = uv_now(loop);
	deadlines->now = deadlines->count = 0;
	for (size_t i = 0; i < DEADLINE_SLOTS; i++)
		list_init(&deadlines->slots[i]);
	return 0;
}

void deadlines_close(struct deadlines *deadlines)
{
	if (uv_is_closing((uv_handle_t *)&deadlines->timer))
		return;
	uv_close((uv_handle_t *)&deadlines->timer, NULL);
	uv_close((uv_handle_t *)&deadlines->check, NULL);
}

void deadline_set(struct deadlines *deadlines, struct deadline *deadline, uint64_t ms,
	void (*on_due)(struct deadline *deadline))
{
	deadline_clear(deadlines, deadline);
	uint64_t elapsed = elapsed_ms(deadlines);
	if (deadlines->count == 0) /* the hand has not moved meanwhile */
		deadlines->now = (uint32_t)(polled_ms(deadlines) / DEADLINE_TICK_MS);
	deadline->due = (uint32_t)((elapsed + ms + DEADLINE_TICK_MS - 1) / DEADLINE_TICK_MS);
	if (is_due(deadline, deadlines->now))
		deadline->due = deadlines->now + 1;
	deadline->on_due = on_due;
	deadlines->count++;
	list_append(slot_of(deadlines, deadline->due), &deadline->link);
	if (!uv_is_active((uv_handle_t *)&deadlines->timer))
		start_timer(deadlines);
}

void deadline_clear(struct deadlines *deadlines, struct deadline *deadline)
{
	if (!deadline_is_set(deadline))
		return;
	list_remove(&deadline->link);
	deadlines->count--;
}
