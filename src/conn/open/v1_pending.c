#include "sluice/conn/open/v1_pending.h"

#include <stdlib.h>
#include <string.h>

/* NULL: no memory. */
static struct v1 *under_way_of(struct conn *conn)
{
	struct v1 *v1 = conn->v1;
	if (v1)
		return v1;
	v1 = calloc(1, sizeof(*v1));
	if (!v1)
		return NULL;
	v1->conn = conn;
	list_init(&v1->all);
	conn->v1 = v1;
	return v1;
}

struct pending *pending_add(struct conn *conn, struct slice channel, struct slice id)
{
	struct pending *pending = calloc(1, sizeof(*pending) + channel.len + id.len);
	struct v1 *v1 = pending ? under_way_of(conn) : NULL;
	if (!v1) {
		free(pending);
		return NULL;
	}
	char *text = (char *)(pending + 1);
	memcpy(text, channel.at, channel.len);
	if (id.len)
		memcpy(text + channel.len, id.at, id.len);
	pending->channel = slice_make(text, channel.len);
	pending->id = id.at ? slice_make(text + channel.len, id.len) : id;
	pending->conn = conn;
	pending->state = PENDING_CONFIRMING;
	list_append(&v1->all, &pending->link);
	v1->n++;
	return pending;
}

void pending_set_state(struct pending *pending, enum pending_state state)
{
	struct v1 *v1 = pending->conn->v1;
	v1->asking -= pending->state == PENDING_ASKING;
	v1->asking += state == PENDING_ASKING;
	pending->state = state;
	if (!v1->asking)
		session_waiter_cancel(&v1->waiter);
}

void pending_remove(struct pending *pending)
{
	struct conn *conn = pending->conn;
	struct v1 *v1 = conn->v1;
	pending_set_state(pending, PENDING_CONFIRMING);
	list_remove(&pending->link);
	deadline_clear(conn->shared->deadlines, &pending->deadline);
	if (--v1->n)
		return;
	conn->v1 = NULL;
	free(v1);
}

void pending_destroy(struct pending *pending)
{
	pending_remove(pending);
	free(pending);
}

struct pending *pending_find(struct conn *conn, enum pending_state state, struct slice channel)
{
	if (!conn->v1)
		return NULL;
	LIST_EACH (node, &conn->v1->all) {
		struct pending *pending = container_of(node, struct pending, link);
		if (pending->state == state &&
			(!channel.at || slice_equal(pending->channel, channel)))
			return pending;
	}
	return NULL;
}

bool pending_is_given(const struct conn *conn, struct slice channel)
{
	if (!conn->v1)
		return false;
	LIST_EACH (node, &conn->v1->all) {
		const struct pending *pending = container_of(node, struct pending, link);
		if (pending->given && slice_equal(pending->channel, channel))
			return true;
	}
	return false;
}

struct pending *pending_find_asked(struct conn *conn, struct slice channel)
{
	if (!conn->v1)
		return NULL;
	LIST_EACH (node, &conn->v1->all) {
		struct pending *pending = container_of(node, struct pending, link);
		if (pending->state == PENDING_CONFIRMING && !pending->given &&
			slice_equal(pending->channel, channel))
			return pending;
	}
	return NULL;
}
