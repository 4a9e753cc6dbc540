/* Publications that wait until it is known whether their connection may still have them.
 *
 * When Redis says that a session has changed, it may have ended. It is read again, and what arrives
 * for its connections meanwhile waits here. Then it is delivered in its order, or dropped with the
 * connection. A read that takes longer than WITHHELD_MS no longer holds anything back, as it may be
 * that Redis cannot answer at all; session.unverified_seconds limits that time.
 *
 * Only a connection for which something waits has memory here. One per worker, in its thread. */
#ifndef SLUICE_CONN_WITHHELD_H
#define SLUICE_CONN_WITHHELD_H

#include "sluice/base/list.h"
#include "sluice/base/table.h"
#include "sluice/hub/publication.h"
#include "sluice/net/deadlines.h"

enum { WITHHELD_MS = 1000 };

struct conn;

struct withheld {
	/* filled in by the owner before withheld_init */
	uv_loop_t *loop;
	struct deadlines *deadlines;
	/* A publication that waited; it is borrowed. May end the connection, and no other. */
	void (*deliver)(struct conn *conn, struct publication *publication);
	/* WITHHELD_MS have passed: call withheld_release. */
	void (*on_due)(struct conn *conn);
	/* private */
	struct table conns;  /* struct withheld_conn, by the connection's address */
	struct list waiting; /* struct withheld_conn, by .link, longest first */
	struct deadline due; /* of the first, at the latest */
};

void withheld_init(struct withheld *withheld);
/* Nothing may wait any more. */
void withheld_finish(struct withheld *withheld);

/* Keeps a publication for the connection, with a reference. 0; -EDQUOT: then more than `max` bytes
 * would wait for it; -ENOMEM. */
MUST_CHECK int withheld_add(
	struct withheld *withheld, struct conn *conn, struct publication *publication, size_t max);

/* Delivers all that waits for the connection. */
void withheld_release(struct withheld *withheld, struct conn *conn);

/* Drops it. */
void withheld_drop(struct withheld *withheld, const struct conn *conn);

#endif
