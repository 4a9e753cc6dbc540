/* A TLS handshake costs milliseconds, and costs its sender nothing. So strangers must not decide
 * how a loop spends its time.
 *
 *	socket ready -> open connection: at once
 *	             -> newcomer: at once, if nobody waits and the turn's slice is not spent
 *	                          else -> its address' lane
 *	end of the turn: lanes in a circle, one step for each, until the slice is spent
 *
 * Without contention nothing waits, and nothing is looked up: a newcomer costs two readings of the
 * clock. Under contention an open connection waits for one slice and one step of a handshake, and
 * then everything that is ready for open connections is done before the next slice. Newcomers get
 * at least one step a turn, so they do not starve either.
 *
 * A socket that waits for longer than a turn is not watched: watched by level, it would be reported
 * in each turn, and thousands of them would crowd the open ones out of what one epoll_wait reports.
 *
 * Fairness. A lane is a hash of the address (stochastic fair queueing), so that an attacker with
 * many addresses makes us allocate nothing. The hash is keyed, and nobody can aim at a lane.
 * Behind a proxy all have one address and share one lane; that costs them nothing, as a lane may
 * use the whole slice while the others are empty.
 *
 * Order within a lane. Those whom a step has been spent on go first, in their order: otherwise
 * that step is lost. Of the others the newest goes first. In an overload some are never served,
 * whatever the order; the oldest first would serve each one just before it gives up. So among
 * newcomers of an attacker's address a share still gets in at once.
 *
 * The queue is bounded: if too many wait, the lane with the most loses its oldest. Those who wait
 * for long are closed by their owner's deadline.
 *
 * The pace of the process is a virtual schedule (GCRA, ITU-T I.371): each handshake moves the time
 * of the next one by 1 / per_second. Handshakes may be ahead of it by BURST_NS, which is also what a
 * timer may be late. */
#include "sluice/net/newcomers.h"

#include "sluice/base/hash.h"
#include "sluice/base/limit.h"

enum { NS_PER_US = 1000, NS_PER_MS = 1000000, NS_PER_SECOND = 1000000000, BURST_NS = 100000000 };

/* ---- the pace ---- */

/* How long until a handshake may begin; 0: now. */
static uint64_t pace_wait_ns(const struct newcomers *newcomers, uint64_t now)
{
	struct newcomers_pace *pace = newcomers->pace;
	if (!pace || !atomic_load_explicit(&pace->per_second, memory_order_relaxed))
		return 0;
	uint64_t next = atomic_load_explicit(&pace->next_ns, memory_order_relaxed);
	return next > now + BURST_NS ? next - now - BURST_NS : 0;
}

static void pace_take(const struct newcomers *newcomers, uint64_t now)
{
	struct newcomers_pace *pace = newcomers->pace;
	uint32_t per_second =
		pace ? atomic_load_explicit(&pace->per_second, memory_order_relaxed) : 0;
	if (!per_second)
		return;
	uint64_t next = atomic_load_explicit(&pace->next_ns, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&pace->next_ns, &next,
		MAX(next, now) + NS_PER_SECOND / per_second, memory_order_relaxed,
		memory_order_relaxed))
		;
}

static bool may_begin(const struct newcomers *newcomers, const struct newcomer *newcomer)
{
	return newcomer->begun || !newcomer->tls || pace_wait_ns(newcomers, uv_hrtime()) == 0;
}

/* ---- lanes ---- */

static void stay_awake(uv_idle_t *busy)
{
	(void)busy;
}

static void on_pause_over(uv_timer_t *timer)
{
	struct newcomers *newcomers = container_of(timer, struct newcomers, paused);
	uv_idle_start(&newcomers->busy, stay_awake);
}

static struct newcomers_lane *lane_of(struct newcomers *newcomers, const struct newcomer *newcomer)
{
	uint64_t hash = hash_bytes(slice_of(newcomer->address));
	return &newcomers->lanes[hash % NEWCOMERS_LANES];
}

static void add(struct newcomers *newcomers, struct newcomer *newcomer)
{
	struct newcomers_lane *lane = newcomer->lane = lane_of(newcomers, newcomer);
	if (newcomer->begun)
		list_append(&lane->begun, &newcomer->link);
	else
		list_prepend(&lane->fresh, &newcomer->link);
	if (lane->waiting++ == 0)
		list_append(&newcomers->ring, &lane->link);
	newcomers->begun += newcomer->begun;
	newcomers->waiting++;
	/* those who have begun do not wait for the pace */
	if (newcomer->begun || !uv_is_active((uv_handle_t *)&newcomers->paused))
		uv_idle_start(&newcomers->busy, stay_awake);
}

void newcomers_remove(struct newcomers *newcomers, struct newcomer *newcomer)
{
	if (!newcomer_waits(newcomer))
		return;
	list_remove(&newcomer->link);
	if (--newcomer->lane->waiting == 0)
		list_remove(&newcomer->lane->link);
	newcomers->begun -= newcomer->begun;
	newcomers->waiting--;
}

void newcomers_shed(struct newcomers *newcomers, size_t n)
{
	for (; n > 0 && newcomers->waiting > 0; n--) {
		struct newcomers_lane *longest = NULL;
		LIST_EACH (node, &newcomers->ring) {
			struct newcomers_lane *lane =
				container_of(node, struct newcomers_lane, link);
			if (!longest || lane->waiting > longest->waiting)
				longest = lane;
		}
		struct list *oldest = list_is_empty(&longest->fresh) ? longest->begun.next
								     : longest->fresh.previous;
		struct newcomer *newcomer = container_of(oldest, struct newcomer, link);
		newcomers_remove(newcomers, newcomer);
		if (newcomers->metrics)
			limit_hit(newcomers->metrics, METRIC_LIMIT_TLS_HANDSHAKES_PER_SECOND);
		newcomers->drop(newcomer);
	}
}

/* ---- serving ---- */

/* `serve` may free the newcomer. */
static void serve(struct newcomers *newcomers, struct newcomer *newcomer)
{
	uint64_t before = uv_hrtime();
	newcomers->serve(newcomer);
	newcomers->spent_ns += uv_hrtime() - before;
}

static bool has_time(const struct newcomers *newcomers)
{
	return newcomers->spent_ns < (uint64_t)NEWCOMERS_SLICE_US * NS_PER_US;
}

bool newcomers_ready(struct newcomers *newcomers, struct newcomer *newcomer)
{
	if (!newcomers->waiting && has_time(newcomers) && may_begin(newcomers, newcomer)) {
		serve(newcomers, newcomer);
		return false;
	}
	add(newcomers, newcomer);
	if (newcomers->waiting > NEWCOMERS_WAITING_MAX)
		newcomers_shed(newcomers, 1);
	return true;
}

void newcomers_begin(struct newcomers *newcomers, struct newcomer *newcomer)
{
	MUST(!newcomer_waits(newcomer));
	newcomer->begun = true;
	pace_take(newcomers, uv_hrtime());
}

/* The next one in the lane; NULL: all wait for the pace. */
static struct newcomer *first_of(struct newcomers *newcomers, struct newcomers_lane *lane)
{
	struct list *first = list_is_empty(&lane->begun) ? lane->fresh.next : lane->begun.next;
	struct newcomer *newcomer = container_of(first, struct newcomer, link);
	return may_begin(newcomers, newcomer) ? newcomer : NULL;
}

/* The lanes' turns go round. NULL: all wait for the pace. */
static struct newcomer *next_of_all(struct newcomers *newcomers)
{
	struct newcomer *newcomer = NULL;
	struct list *first = newcomers->ring.next, *node;
	do {
		node = list_pop(&newcomers->ring);
		list_append(&newcomers->ring, node);
		newcomer = first_of(newcomers, container_of(node, struct newcomers_lane, link));
	} while (!newcomer && newcomers->begun && newcomers->ring.next != first);
	return newcomer;
}

static void await_pace(struct newcomers *newcomers)
{
	uint64_t ms = pace_wait_ns(newcomers, uv_hrtime()) / NS_PER_MS + 1;
	uv_idle_stop(&newcomers->busy);
	if (uv_is_active((uv_handle_t *)&newcomers->paused))
		return;
	uv_timer_start(&newcomers->paused, on_pause_over, ms, 0);
	if (newcomers->metrics)
		limit_hit(newcomers->metrics, METRIC_LIMIT_TLS_HANDSHAKES_PER_SECOND);
}

static void serve_slice(struct newcomers *newcomers)
{
	do {
		struct newcomer *newcomer = next_of_all(newcomers);
		if (!newcomer) {
			await_pace(newcomers);
			return;
		}
		newcomers_remove(newcomers, newcomer);
		serve(newcomers, newcomer);
	} while (newcomers->waiting && has_time(newcomers));
}

/* The open connections have written what they had; next, the loop looks at the sockets. */
static void on_turn_end(uv_prepare_t *handle)
{
	struct newcomers *newcomers = container_of(handle, struct newcomers, turn_end);
	if (newcomers->waiting && uv_is_active((uv_handle_t *)&newcomers->busy))
		serve_slice(newcomers);
	if (!newcomers->waiting)
		uv_idle_stop(&newcomers->busy);
	newcomers->spent_ns = 0;
}

void newcomers_open(struct newcomers *newcomers, uv_loop_t *loop,
	void (*serve_one)(struct newcomer *newcomer), void (*drop)(struct newcomer *newcomer))
{
	*newcomers = (struct newcomers){ .serve = serve_one, .drop = drop };
	list_init(&newcomers->ring);
	for (size_t i = 0; i < NEWCOMERS_LANES; i++) {
		list_init(&newcomers->lanes[i].begun);
		list_init(&newcomers->lanes[i].fresh);
	}
	MUST(uv_prepare_init(loop, &newcomers->turn_end) == 0);
	MUST(uv_idle_init(loop, &newcomers->busy) == 0);
	MUST(uv_timer_init(loop, &newcomers->paused) == 0);
	MUST(uv_prepare_start(&newcomers->turn_end, on_turn_end) == 0);
	uv_unref((uv_handle_t *)&newcomers->turn_end);
}

void newcomers_close(struct newcomers *newcomers)
{
	MUST(newcomers->waiting == 0);
	uv_close((uv_handle_t *)&newcomers->turn_end, NULL);
	uv_close((uv_handle_t *)&newcomers->busy, NULL);
	uv_close((uv_handle_t *)&newcomers->paused, NULL);
}
