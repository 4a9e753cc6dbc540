/* The pending subscriptions of a connection with sluice.v1: requested by the page or assigned
 * automatically, and not confirmed yet. The list is on the heap, and only while it is not empty: a
 * page subscribes when it loads and then listens for hours. limits.channels bounds its length. */
#ifndef SLUICE_CONN_OPEN_V1_PENDING_H
#define SLUICE_CONN_OPEN_V1_PENDING_H

#include "sluice/conn/conn.h"

enum pending_state { PENDING_ASKING, PENDING_CONFIRMING };

struct pending {
	struct list link; /* in v1.all */
	struct deadline deadline;
	struct conn *conn;
	enum pending_state state;
	bool given;               /* automatic: no answer is expected */
	struct slice channel, id; /* behind it */
};

/* Exists only while at least one subscription is pending. */
struct v1 {
	struct conn *conn;
	struct list all; /* struct pending, by .link, oldest first */
	size_t n, asking;
	struct session_waiter waiter; /* while a subscription is in the state "asking" */
};

/* Adds a subscription in the state "confirming" at the end of the list. NULL: no memory. */
struct pending *pending_add(struct conn *conn, struct slice channel, struct slice id);

/* When no subscription is "asking" any more, the look-up is cancelled. */
void pending_set_state(struct pending *pending, enum pending_state state);

/* Removes it from the list; the caller frees it. */
void pending_remove(struct pending *pending);
/* Removes it from the list and frees it. */
void pending_destroy(struct pending *pending);

/* The oldest in this state, and of this channel unless `channel` is absent. NULL: none. */
struct pending *pending_find(struct conn *conn, enum pending_state state, struct slice channel);

/* The oldest command that waits for Redis to confirm this channel. NULL: none. */
struct pending *pending_find_asked(struct conn *conn, struct slice channel);

/* Is this an automatic channel that is not confirmed yet? */
bool pending_is_given(const struct conn *conn, struct slice channel);

#endif
