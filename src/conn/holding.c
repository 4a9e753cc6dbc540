/* Clients cause memory use by beginning something and not ending it: a request, or a message. One
 * number of the process counts it all, and limits.incoming_bytes limits it.
 *
 *	below 7/8 of the limit   nobody is closed
 *	from 7/8 on              those that hold most for longest, if they hold about as much as the
 *	                         average of the process, or more
 *	from the limit on        the same, however little they hold
 *
 * A worker can only close its own connections. The average keeps a worker whose clients hold little
 * from closing them for those of another worker; that one closes its own, at the latest in its next
 * tick. Nobody is closed who holds nothing. A client that has just begun is the last to go, so
 * newcomers get their chance while others hold on to what they have (base/holders).
 *
 * What is held is counted when a read has been handled. Connections are closed at the end of the
 * turn, outside of all events. The work of that is bounded by what clients have sent: as many are
 * closed as have grown in this turn, and RELIEVED_MIN. So the limit may be exceeded by what
 * arrives in one turn.
 *
 * A connection that holds something has a block here. All others cost a pointer, and no time. The
 * time of messages needs no deadline for each either: they are in one list, in the order of their
 * beginning. */
#include "sluice/conn/holding.h"

#include <errno.h>

#include "sluice/base/limit.h"

enum { TICK_MS = 100, RELIEVED_MIN = 64, LATE_A_TICK = 256 };

static uint32_t now_of(const struct holdings *holdings)
{
	return (uint32_t)uv_now(holdings->loop);
}

static size_t limit_of(const struct holdings *holdings)
{
	return (*holdings->settings)->limits.incoming_bytes;
}

/* ---- closing ---- */

static void close_for(struct holdings *holdings, struct holding *holding, enum metric metric,
	enum holding_limit limit)
{
	struct holding **at = holding->at;
	limit_hit(holdings->metrics, metric);
	holdings->on_limit(holding->conn, limit);
	holding_drop(holdings, at);
}

static bool is_near_limit(const struct holdings *holdings)
{
	size_t limit = limit_of(holdings);
	return holders_total_bytes(holdings->total) >= limit - limit / 8;
}

/* False: nobody is to be closed. */
static bool relieve_once(struct holdings *holdings)
{
	if (!is_near_limit(holdings))
		return false;
	bool reached = holders_total_bytes(holdings->total) >= limit_of(holdings);
	struct holder *worst = holders_worst(&holdings->incoming,
		reached ? 0 : holders_total_average(holdings->total) / 2, now_of(holdings));
	if (!worst)
		return false;
	close_for(holdings, container_of(worst, struct holding, incoming),
		METRIC_LIMIT_INCOMING_BYTES, HOLDING_INCOMING_BYTES);
	return true;
}

static void relieve(struct turn_task *task)
{
	struct holdings *holdings = container_of(task, struct holdings, relief);
	unsigned left = holdings->grown + RELIEVED_MIN;
	holdings->grown = 0;
	while (left && relieve_once(holdings))
		left--;
	if (!left)
		turn_schedule(holdings->turn, task);
}

static void relieve_soon(struct holdings *holdings)
{
	if (is_near_limit(holdings))
		turn_schedule(holdings->turn, &holdings->relief);
}

static void end_late_messages(struct holdings *holdings)
{
	struct list *unfinished = &holdings->unfinished;
	for (int i = 0; i < LATE_A_TICK && !list_is_empty(unfinished); i++) {
		struct holding *oldest = container_of(unfinished->next, struct holding, unfinished);
		if (now_of(holdings) - oldest->began < (*holdings->settings)->limits.message_ms)
			return;
		close_for(holdings, oldest, METRIC_LIMIT_MESSAGE_SECONDS, HOLDING_MESSAGE_SECONDS);
	}
}

static void on_tick(struct deadline *tick)
{
	struct holdings *holdings = container_of(tick, struct holdings, tick);
	end_late_messages(holdings);
	relieve_soon(holdings);
	if (holdings->count)
		deadline_set(holdings->deadlines, tick, TICK_MS, on_tick);
}

/* ---- counting ---- */

static int begin(struct holdings *holdings, struct holding **at, struct conn *conn)
{
	struct holding *holding = pool_take(&holdings->pool);
	if (!holding)
		return -ENOMEM;
	holding->conn = conn;
	holding->at = at;
	*at = holding;
	if (holdings->count++ == 0)
		deadline_set(holdings->deadlines, &holdings->tick, TICK_MS, on_tick);
	return 0;
}

int holding_request(struct holdings *holdings, struct holding **at, struct conn *conn, size_t bytes)
{
	if (!bytes) {
		holding_drop(holdings, at);
		return 0;
	}
	if (!*at && begin(holdings, at, conn) != 0)
		return -ENOMEM;
	struct holder *holder = &(*at)->incoming;
	size_t before = holder_bytes(holder);
	holders_set(&holdings->incoming, holder, sizeof(struct holding) + bytes, now_of(holdings));
	if (holder_bytes(holder) > before) {
		holdings->grown++;
		relieve_soon(holdings);
	}
	return 0;
}

int holding_message(
	struct holdings *holdings, struct holding **at, struct conn *conn, size_t bytes, bool anew)
{
	int error = holding_request(holdings, at, conn, bytes);
	struct holding *holding = *at;
	if (error || !holding || (list_is_linked(&holding->unfinished) && !anew))
		return error;
	list_remove(&holding->unfinished);
	list_append(&holdings->unfinished, &holding->unfinished);
	holding->began = now_of(holdings);
	return 0;
}

void holding_drop(struct holdings *holdings, struct holding **at)
{
	struct holding *holding = *at;
	if (!holding)
		return;
	*at = NULL;
	holders_set(&holdings->incoming, &holding->incoming, 0, 0);
	list_remove(&holding->unfinished);
	pool_give(&holdings->pool, holding);
	holdings->count--;
}

void holdings_init(struct holdings *holdings)
{
	pool_init(&holdings->pool, sizeof(struct holding));
	holders_init(&holdings->incoming, holdings->total);
	list_init(&holdings->unfinished);
	holdings->relief.run = relieve;
}

void holdings_finish(struct holdings *holdings)
{
	MUST(holdings->count == 0);
	pool_finish(&holdings->pool);
}
