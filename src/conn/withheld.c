/* A connection's publications are taken out before they are delivered: what a delivery does to the
 * connection then meets nothing of it here. */
#include "sluice/conn/withheld.h"

#include <errno.h>
#include <stdlib.h>

struct withheld_conn {
	struct list link; /* in withheld->waiting */
	struct conn *conn;
	uint64_t since; /* loop time */
	size_t bytes;
	struct publication **all;
	size_t n, capacity;
	struct table_key key; /* the address of conn */
};

static struct slice key_of(const struct conn *const *conn)
{
	return slice_make((const char *)conn, sizeof(*conn));
}

static struct withheld_conn *find(const struct withheld *withheld, const struct conn *conn)
{
	struct table_key *key = table_find(&withheld->conns, key_of(&conn));
	return key ? container_of(key, struct withheld_conn, key) : NULL;
}

static uint64_t now(const struct withheld *withheld)
{
	return uv_now(withheld->loop);
}

static void take_out(struct withheld *withheld, struct withheld_conn *waiting)
{
	list_remove(&waiting->link);
	table_remove(&withheld->conns, &waiting->key);
}

static void destroy(struct withheld_conn *waiting)
{
	for (size_t i = 0; i < waiting->n; i++)
		publication_unref(waiting->all[i]);
	free(waiting->all);
	free(waiting);
}

/* ---- the time ---- */

static struct withheld_conn *first(const struct withheld *withheld)
{
	return list_is_empty(&withheld->waiting)
		       ? NULL
		       : container_of(withheld->waiting.next, struct withheld_conn, link);
}

static void on_due(struct deadline *deadline)
{
	struct withheld *withheld = container_of(deadline, struct withheld, due);
	struct withheld_conn *waiting;
	while ((waiting = first(withheld)) && now(withheld) - waiting->since >= WITHHELD_MS)
		withheld->on_due(waiting->conn);
	if (waiting)
		deadline_set(withheld->deadlines, deadline,
			(unsigned)(waiting->since + WITHHELD_MS - now(withheld)), on_due);
}

/* ---- what waits ---- */

static struct withheld_conn *create(struct withheld *withheld, struct conn *conn)
{
	struct withheld_conn *waiting = calloc(1, sizeof(*waiting) + sizeof(struct conn *));
	if (!waiting)
		return NULL;
	if (table_add(&withheld->conns, &waiting->key, key_of(&(const struct conn *){ conn })) !=
		0) {
		free(waiting);
		return NULL;
	}
	waiting->conn = conn;
	waiting->since = now(withheld);
	list_append(&withheld->waiting, &waiting->link);
	if (!deadline_is_set(&withheld->due))
		deadline_set(withheld->deadlines, &withheld->due, WITHHELD_MS, on_due);
	return waiting;
}

static int keep(struct withheld_conn *waiting, struct publication *publication)
{
	if (waiting->n == waiting->capacity) {
		size_t capacity = MAX(2 * waiting->capacity, (size_t)4);
		void *all = realloc(waiting->all, capacity * sizeof(*waiting->all));
		if (!all)
			return -ENOMEM;
		waiting->all = all;
		waiting->capacity = capacity;
	}
	waiting->all[waiting->n++] = publication_ref(publication);
	waiting->bytes += publication->chunk.len;
	return 0;
}

int withheld_add(
	struct withheld *withheld, struct conn *conn, struct publication *publication, size_t max)
{
	struct withheld_conn *waiting = find(withheld, conn);
	if ((waiting ? waiting->bytes : 0) + publication->chunk.len > max)
		return -EDQUOT;
	if (!waiting)
		waiting = create(withheld, conn);
	return waiting ? keep(waiting, publication) : -ENOMEM;
}

void withheld_release(struct withheld *withheld, struct conn *conn)
{
	struct withheld_conn *waiting = find(withheld, conn);
	if (!waiting)
		return;
	take_out(withheld, waiting);
	for (size_t i = 0; i < waiting->n; i++)
		withheld->deliver(conn, waiting->all[i]);
	destroy(waiting);
}

void withheld_drop(struct withheld *withheld, const struct conn *conn)
{
	struct withheld_conn *waiting = find(withheld, conn);
	if (!waiting)
		return;
	take_out(withheld, waiting);
	destroy(waiting);
}

void withheld_init(struct withheld *withheld)
{
	list_init(&withheld->waiting);
}

void withheld_finish(struct withheld *withheld)
{
	MUST(list_is_empty(&withheld->waiting));
	deadline_clear(withheld->deadlines, &withheld->due);
}
