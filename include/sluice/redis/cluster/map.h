/* Which node of Redis Cluster owns which slot, as CLUSTER SLOTS says it.
 *
 * Immutable, and counted: every thread may hold a reference. Only the masters are in it. A node is
 * known by its id, which it keeps when its address changes. */
#ifndef SLUICE_REDIS_CLUSTER_MAP_H
#define SLUICE_REDIS_CLUSTER_MAP_H

#include <stdatomic.h>

#include "sluice/base/defs.h"
#include "sluice/redis/cluster/endpoint.h"
#include "sluice/redis/cluster/slot.h"
#include "sluice/redis/reply.h"

enum {
	CLUSTER_NODES_MAX = 1000, /* masters: as many as Redis is made for */
	CLUSTER_ID_MAX = 64,      /* bytes of an id; Redis' have 40 */
};

struct cluster_node {
	char id[CLUSTER_ID_MAX + 1];
	char host[CLUSTER_HOST_MAX + 1]; /* an IPv6 address without brackets */
	uint16_t port;
};

struct cluster_map {
	unsigned n_nodes;
	unsigned n_unowned; /* slots that nobody owns, or a node without a known address */
	/* private */
	atomic_uint references;
	uint16_t owners[CLUSTER_SLOTS]; /* number of the node */
	struct cluster_node nodes[];
};

/* Reads the reply to CLUSTER SLOTS, from the server that was asked at `host`: it may leave out its
 * own. 0 and a map with one reference; -EPROTO: this is no such reply; -EMSGSIZE: more than
 * CLUSTER_NODES_MAX masters; -ENOMEM. */
MUST_CHECK int cluster_map_parse(
	const struct redisReply *reply, struct slice host, struct cluster_map **ret_map);

struct cluster_map *cluster_map_ref(struct cluster_map *map);
/* NULL is ignored. */
void cluster_map_unref(struct cluster_map *map);

/* The owner of a slot; NULL: nobody. Borrowed from the map, as are the other two. */
const struct cluster_node *cluster_map_owner(const struct cluster_map *map, unsigned slot);
/* NULL: there is no such node. */
const struct cluster_node *cluster_map_find(const struct cluster_map *map, struct slice id);
const struct cluster_node *cluster_map_find_address(
	const struct cluster_map *map, struct slice host, uint16_t port);

/* Do they say the same, addresses too? Either may be NULL. */
bool cluster_map_equal(const struct cluster_map *a, const struct cluster_map *b);

/* Has the slot another owner in `after`, or none? A slot that nobody owned has not moved. */
bool cluster_map_has_moved(
	const struct cluster_map *before, const struct cluster_map *after, unsigned slot);

/* How many slots have. */
unsigned cluster_map_moves(const struct cluster_map *before, const struct cluster_map *after);

#endif
