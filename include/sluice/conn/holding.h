/* Counts what connections hold, so that those that hold most can be closed when memory is short:
 *
 *	incoming   what has not arrived completely, of TLS handshakes, requests and messages:
 *	           limits.incoming_bytes, and limits.message_seconds for a message
 *	outgoing   send queues that are stuck: limits.buffered_bytes
 *
 * See holding.c for who is closed. */
#ifndef SLUICE_CONN_HOLDING_H
#define SLUICE_CONN_HOLDING_H

#include <stdbool.h>

#include "sluice/base/defs.h"
#include "sluice/base/holders.h"
#include "sluice/base/metrics.h"
#include "sluice/base/pool.h"
#include "sluice/net/deadlines.h"
#include "sluice/net/turn.h"
#include "sluice/settings/settings.h"

struct conn;

/* The limits for which a connection is closed although it does nothing at that moment. */
enum holding_limit {
	HOLDING_INCOMING_BYTES,  /* it holds most of what has not arrived completely */
	HOLDING_MESSAGE_SECONDS, /* its message does not end */
	HOLDING_BUFFERED_BYTES,  /* its queue is stuck, and one of the longest */
};

/* Exists only while the connection holds something. */
struct holding {
	/* private */
	struct holding **at; /* the connection's pointer to it */
	struct conn *conn;
	struct holder incoming, outgoing;
	struct list unfinished; /* linked while it holds a part of a message */
	uint32_t began;         /* loop time of that message */
};

/* Of a worker. The owner fills the first part before holdings_init. */
struct holdings {
	/* of all workers */
	struct holders_total *incoming_total, *outgoing_total;
	const struct settings *const *settings; /* what it points to may be replaced */
	struct metrics *metrics;
	struct deadlines *deadlines;
	struct turn *turn;
	uv_loop_t *loop;
	/* Bytes in the connection's send queue. */
	size_t (*queued)(const struct conn *conn);
	/* The connection must give back what it holds. */
	void (*on_limit)(struct conn *conn, enum holding_limit limit);
	/* private */
	struct pool pool; /* struct holding */
	size_t count;
	struct holders incoming, outgoing;
	struct list unfinished;  /* struct holding, by .unfinished, the oldest message first */
	uint32_t over_since;     /* loop time since when too much is buffered, at least 1; or 0 */
	unsigned grown;          /* holdings that have grown since the last relief */
	struct turn_task relief; /* scheduled near the limit */
	struct deadline tick;    /* set while there is a holding */
};

void holdings_init(struct holdings *holdings);
void holdings_finish(struct holdings *holdings);

/* `*at` is the connection's own, NULL when it holds nothing. */

/* The connection holds `bytes` of a request; 0: nothing any more. 0 or -ENOMEM. */
MUST_CHECK int holding_request(
	struct holdings *holdings, struct holding **at, struct conn *conn, size_t bytes);

/* The same for a message. `anew`: a message has ended since the last call, so that this is
 * another. */
MUST_CHECK int holding_message(
	struct holdings *holdings, struct holding **at, struct conn *conn, size_t bytes, bool anew);

/* The connection's queue is stuck since `since` (loop time), or has changed its length; 0 bytes: it
 * is not stuck any more. 0 or -ENOMEM. */
MUST_CHECK int holding_queue(struct holdings *holdings, struct holding **at, struct conn *conn,
	size_t bytes, uint32_t since);

/* Nothing is incoming any more. May be called twice. */
void holding_drop_incoming(struct holdings *holdings, struct holding **at);

/* The connection holds nothing any more. May be called twice. */
void holding_drop(struct holdings *holdings, struct holding **at);

#endif
