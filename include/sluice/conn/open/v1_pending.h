/* The subscriptions of a connection with sluice.v1 that are under way: asked for, or given to it, and not
 * there yet. The list is on the heap, and only while something is in it: a page subscribes when it begins,
 * and then listens for hours. limits.channels bounds how long it can get. */
#ifndef SLUICE_CONN_OPEN_V1_PENDING_H
#define SLUICE_CONN_OPEN_V1_PENDING_H

#include "sluice/conn/conn.h"

enum pending_state { PENDING_ASKING, PENDING_CONFIRMING };

struct pending {
	struct list link; /* in v1.all */
	struct deadline deadline;
	struct conn *conn;
	enum pending_state state;
	bool given;               /* nobody waits for an answer */
	struct slice channel, id; /* behind it */
};

/* There is none without at least one pending. */
struct v1 {
	struct conn *conn;
	struct list all; /* struct pending, by .link, oldest first */
	size_t n, asking;
	struct session_waiter waiter; /* while one is asking */
};

/* A new one at the end of the list, which confirms. NULL: no memory. */
struct pending *pending_add(struct conn *conn, struct slice channel, struct slice id);

/* When the last one that asked does not any more, the question is cancelled. */
void pending_set_state(struct pending *pending, enum pending_state state);

/* It is under way no more; the caller frees it. */
void pending_take_out(struct pending *pending);
/* Takes it out and frees it. */
void pending_destroy(struct pending *pending);

/* The oldest in that state; of that channel, unless it is absent. NULL: none. */
struct pending *pending_find(struct conn *conn, enum pending_state state, struct slice channel);

/* Has the connection been given this channel, and is it not there yet? */
bool pending_is_given(const struct conn *conn, struct slice channel);

#endif
