/* Clients cause memory use by beginning something and not ending it (a TLS handshake, a request, a
 * message), and by not reading what they are sent. One number of the process counts the former, and
 * limits.incoming_bytes limits it.
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
 * What waits to be sent is counted by its memory (base/buffered), as queues share it. When there is
 * more than limits.buffered_bytes, connections are closed whose queues have been stuck for
 * QUEUE_STUCK_MS. A browser that reads may be stuck too, but not for that long. The longest queues of
 * the process go first; a worker closes shorter ones only if the limit has been exceeded for
 * PATIENCE_MS, because then the others read, or hold little memory of their own.
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

#include "sluice/base/buffered.h"
#include "sluice/base/limit.h"

enum {
	TICK_MS = 100,
	RELIEVED_MIN = 64,
	LATE_A_TICK = 256,
	QUEUE_STUCK_MS = 200,
	PATIENCE_MS = 500
};

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
	return holders_total_bytes(holdings->incoming_total) >= limit - limit / 8;
}

static bool is_over_buffered(const struct holdings *holdings)
{
	return buffered_bytes() > (*holdings->settings)->limits.buffered_bytes;
}

/* False: nobody is to be closed. */
static bool relieve_incoming(struct holdings *holdings)
{
	const struct holders_total *total = holdings->incoming_total;
	if (!is_near_limit(holdings))
		return false;
	bool reached = holders_total_bytes(total) >= limit_of(holdings);
	struct holder *worst = holders_worst(&holdings->incoming,
		reached ? 0 : holders_total_average(total) / 2, 0, now_of(holdings));
	if (!worst)
		return false;
	close_for(holdings, container_of(worst, struct holding, incoming),
		METRIC_LIMIT_INCOMING_BYTES, HOLDING_INCOMING_BYTES);
	return true;
}

/* The same. A queue that has become shorter since it was counted is counted again first. */
static bool relieve_outgoing(struct holdings *holdings)
{
	if (!is_over_buffered(holdings)) {
		holdings->over_since = 0;
		return false;
	}
	uint32_t now = now_of(holdings);
	if (!holdings->over_since)
		holdings->over_since = MAX(now, 1U);
	bool patient = now - holdings->over_since < PATIENCE_MS;
	struct holder *worst = holders_worst(&holdings->outgoing,
		patient ? holders_total_largest(holdings->outgoing_total) : 0, QUEUE_STUCK_MS, now);
	if (!worst)
		return false;
	struct holding *holding = container_of(worst, struct holding, outgoing);
	size_t queued = holdings->queued(holding->conn);
	if (queued && queued < holder_bytes(worst))
		holders_set(&holdings->outgoing, worst, queued, now);
	else
		close_for(holdings, holding, METRIC_LIMIT_BUFFERED_BYTES, HOLDING_BUFFERED_BYTES);
	return true;
}

static void relieve(struct turn_task *task)
{
	struct holdings *holdings = container_of(task, struct holdings, relief);
	unsigned left = holdings->grown + RELIEVED_MIN;
	holdings->grown = 0;
	while (left && (relieve_incoming(holdings) || relieve_outgoing(holdings)))
		left--;
	if (!left)
		turn_schedule(holdings->turn, task);
}

static void relieve_soon(struct holdings *holdings)
{
	if (is_near_limit(holdings) || is_over_buffered(holdings))
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
	if (!is_over_buffered(holdings))
		holdings->over_since = 0;
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

/* The connection holds `bytes` of this kind. */
static int hold(struct holdings *holdings, struct holding **at, struct conn *conn, bool incoming,
	size_t bytes, uint32_t since)
{
	if (!*at && begin(holdings, at, conn) != 0)
		return -ENOMEM;
	struct holder *holder = incoming ? &(*at)->incoming : &(*at)->outgoing;
	size_t before = holder_bytes(holder);
	holders_set(incoming ? &holdings->incoming : &holdings->outgoing, holder, bytes, since);
	if (holder_bytes(holder) > before) {
		holdings->grown++;
		relieve_soon(holdings);
	}
	return 0;
}

static void end_if_empty(struct holdings *holdings, struct holding **at)
{
	struct holding *holding = *at;
	if (holder_bytes(&holding->incoming) || holder_bytes(&holding->outgoing))
		return;
	*at = NULL;
	pool_give(&holdings->pool, holding);
	holdings->count--;
}

int holding_request(struct holdings *holdings, struct holding **at, struct conn *conn, size_t bytes)
{
	if (bytes)
		return hold(
			holdings, at, conn, true, sizeof(struct holding) + bytes, now_of(holdings));
	holding_drop_incoming(holdings, at);
	return 0;
}

int holding_message(
	struct holdings *holdings, struct holding **at, struct conn *conn, size_t bytes, bool anew)
{
	if (anew && *at) /* its time begins with it */
		holders_set(&holdings->incoming, &(*at)->incoming, 0, 0);
	int error = holding_request(holdings, at, conn, bytes);
	struct holding *holding = *at;
	if (error || !bytes || (list_is_linked(&holding->unfinished) && !anew))
		return error;
	list_remove(&holding->unfinished);
	list_append(&holdings->unfinished, &holding->unfinished);
	holding->began = now_of(holdings);
	return 0;
}

int holding_queue(struct holdings *holdings, struct holding **at, struct conn *conn, size_t bytes,
	uint32_t since)
{
	if (bytes)
		return hold(holdings, at, conn, false, bytes, since);
	if (*at) {
		holders_set(&holdings->outgoing, &(*at)->outgoing, 0, 0);
		end_if_empty(holdings, at);
	}
	return 0;
}

void holding_drop_incoming(struct holdings *holdings, struct holding **at)
{
	if (!*at)
		return;
	holders_set(&holdings->incoming, &(*at)->incoming, 0, 0);
	list_remove(&(*at)->unfinished);
	end_if_empty(holdings, at);
}

void holding_drop(struct holdings *holdings, struct holding **at)
{
	if (*at)
		holders_set(&holdings->outgoing, &(*at)->outgoing, 0, 0);
	holding_drop_incoming(holdings, at);
}

void holdings_init(struct holdings *holdings)
{
	pool_init(&holdings->pool, sizeof(struct holding));
	holders_init(&holdings->incoming, holdings->incoming_total);
	holders_init(&holdings->outgoing, holdings->outgoing_total);
	list_init(&holdings->unfinished);
	holdings->relief.run = relieve;
}

void holdings_finish(struct holdings *holdings)
{
	MUST(holdings->count == 0);
	pool_finish(&holdings->pool);
}
