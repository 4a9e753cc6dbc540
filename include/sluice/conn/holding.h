/* Counts the memory of what has not arrived completely: requests, and messages of open connections.
 * limits.incoming_bytes limits its sum over all workers, and limits.message_seconds the time of a
 * message. See holding.c for who is closed. */
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
};

/* Exists only while the connection holds something. */
struct holding {
	/* private */
	struct holding **at; /* the connection's pointer to it */
	struct conn *conn;
	struct holder incoming;
	struct list unfinished; /* linked while it holds a part of a message */
	uint32_t began;         /* loop time of that message */
};

/* Of a worker. The owner fills the first part before holdings_init. */
struct holdings {
	struct holders_total *total;            /* of all workers */
	const struct settings *const *settings; /* what it points to may be replaced */
	struct metrics *metrics;
	struct deadlines *deadlines;
	struct turn *turn;
	uv_loop_t *loop;
	/* The connection must give back what it holds. */
	void (*on_limit)(struct conn *conn, enum holding_limit limit);
	/* private */
	struct pool pool; /* struct holding */
	size_t count;
	struct holders incoming;
	struct list unfinished;  /* struct holding, by .unfinished, the oldest message first */
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

/* The connection holds nothing any more. May be called twice. */
void holding_drop(struct holdings *holdings, struct holding **at);

#endif
