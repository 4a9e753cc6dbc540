/* A row of CLUSTER SLOTS, of which what follows the master's id is ignored:
 *
 *	first slot, last slot, [host, port, id, [metadata]], [replica], …
 *
 * The host is nil or "" for the one that was asked, and "?" if the node does not know it. A master
 * without a known address, as one without a port (it speaks only TLS, and was asked without), is
 * left out, and its slots count as not owned: nothing can be asked there.
 *
 * The number of slots bounds the number of rows that are looked at, and each row names one master
 * at most. Rows of one master tend to follow each other, so the last one is compared first. */
#include "sluice/redis/cluster/map.h"

#include <errno.h>
#include <stdlib.h>

enum { NO_NODE = UINT16_MAX };

struct row {
	unsigned first, last;
	bool has_address;
	struct slice id, host;
	uint16_t port;
};

/* ---- a row ---- */

static bool read_integer(const struct redisReply *reply, long long max, long long *ret_number)
{
	*ret_number = reply->integer;
	return reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0 && reply->integer <= max;
}

static bool read_slots(const struct redisReply *reply, struct row *row)
{
	long long first, last;
	if (!read_integer(reply->element[0], CLUSTER_SLOTS - 1, &first) ||
		!read_integer(reply->element[1], CLUSTER_SLOTS - 1, &last) || first > last)
		return false;
	row->first = (unsigned)first;
	row->last = (unsigned)last;
	return true;
}

static bool id_is_good(struct slice id)
{
	return id.len <= CLUSTER_ID_MAX && cluster_host_is_good(id);
}

static bool read_master(const struct redisReply *master, struct slice asked, struct row *row)
{
	long long port;
	if (master->type != REDIS_REPLY_ARRAY || master->elements < 3 ||
		!read_integer(master->element[1], UINT16_MAX, &port))
		return false;
	const struct redisReply *host = master->element[0];
	if (host->type != REDIS_REPLY_NIL && host->type != REDIS_REPLY_STRING)
		return false;
	row->id = reply_text(master->element[2]);
	row->host = reply_text(host).len ? reply_text(host) : asked;
	row->port = (uint16_t)port;
	row->has_address = port && !slice_equal(row->host, SLICE("?"));
	return id_is_good(row->id) && cluster_host_is_good(row->host);
}

static bool read_row(const struct redisReply *reply, struct slice asked, struct row *row)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements >= 3 && read_slots(reply, row) &&
	       read_master(reply->element[2], asked, row);
}

/* ---- the map ---- */

static struct slice id_of(const struct cluster_node *node)
{
	return slice_of(node->id);
}

static void copy(char *to, struct slice text)
{
	memcpy(to, text.at, text.len);
	to[text.len] = '\0';
}

/* The number of the row's master, which is added if it is new; NO_NODE: there are too many. */
static uint16_t number_of(struct cluster_map *map, const struct row *row, uint16_t last)
{
	if (last != NO_NODE && slice_equal(id_of(&map->nodes[last]), row->id))
		return last;
	const struct cluster_node *found = cluster_map_find(map, row->id);
	if (found)
		return (uint16_t)(found - map->nodes);
	if (map->n_nodes == CLUSTER_NODES_MAX)
		return NO_NODE;
	struct cluster_node *node = &map->nodes[map->n_nodes];
	copy(node->id, row->id);
	copy(node->host, row->host);
	node->port = row->port;
	return (uint16_t)map->n_nodes++;
}

static int fill(struct cluster_map *map, const struct redisReply *reply, struct slice asked)
{
	uint16_t number = NO_NODE;
	for (size_t i = 0; i < reply->elements; i++) {
		struct row row;
		if (!read_row(reply->element[i], asked, &row))
			return -EPROTO;
		if (!row.has_address)
			continue;
		number = number_of(map, &row, number);
		if (number == NO_NODE)
			return -EMSGSIZE;
		for (unsigned slot = row.first; slot <= row.last; slot++) {
			if (map->owners[slot] != NO_NODE) /* no slot is in two rows */
				return -EPROTO;
			map->owners[slot] = number;
			map->n_unowned--;
		}
	}
	return 0;
}

static struct cluster_map *create(size_t n_nodes)
{
	struct cluster_map *map = malloc(sizeof(*map) + n_nodes * sizeof(map->nodes[0]));
	if (!map)
		return NULL;
	map->n_nodes = 0;
	map->n_unowned = CLUSTER_SLOTS;
	atomic_init(&map->references, 1);
	for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++)
		map->owners[slot] = NO_NODE;
	return map;
}

int cluster_map_parse(
	const struct redisReply *reply, struct slice host, struct cluster_map **ret_map)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements > CLUSTER_SLOTS)
		return -EPROTO;
	struct cluster_map *map = create(MIN(reply->elements, (size_t)CLUSTER_NODES_MAX));
	if (!map)
		return -ENOMEM;
	int error = fill(map, reply, host);
	if (error)
		cluster_map_unref(map);
	else
		*ret_map = map;
	return error;
}

struct cluster_map *cluster_map_ref(struct cluster_map *map)
{
	atomic_fetch_add_explicit(&map->references, 1, memory_order_relaxed);
	return map;
}

void cluster_map_unref(struct cluster_map *map)
{
	if (map && atomic_fetch_sub_explicit(&map->references, 1, memory_order_acq_rel) == 1)
		free(map);
}

/* ---- questions ---- */

const struct cluster_node *cluster_map_owner(const struct cluster_map *map, unsigned slot)
{
	uint16_t number = map->owners[slot];
	return number == NO_NODE ? NULL : &map->nodes[number];
}

const struct cluster_node *cluster_map_find(const struct cluster_map *map, struct slice id)
{
	for (unsigned i = 0; i < map->n_nodes; i++)
		if (slice_equal(id_of(&map->nodes[i]), id))
			return &map->nodes[i];
	return NULL;
}

const struct cluster_node *cluster_map_find_address(
	const struct cluster_map *map, struct slice host, uint16_t port)
{
	for (unsigned i = 0; i < map->n_nodes; i++)
		if (map->nodes[i].port == port && slice_equal(slice_of(map->nodes[i].host), host))
			return &map->nodes[i];
	return NULL;
}

static bool is_same_node(const struct cluster_node *a, const struct cluster_node *b)
{
	return a == b || (a && b && slice_equal(id_of(a), id_of(b)));
}

/* Neighbouring slots tend to have the same two owners, whose ids are compared once. */
static unsigned count_differences(const struct cluster_map *a, const struct cluster_map *b)
{
	unsigned n = 0, last_a = CLUSTER_SLOTS, last_b = CLUSTER_SLOTS;
	bool differs = false;
	for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
		if (a->owners[slot] != last_a || b->owners[slot] != last_b) {
			last_a = a->owners[slot];
			last_b = b->owners[slot];
			differs = !is_same_node(
				cluster_map_owner(a, slot), cluster_map_owner(b, slot));
		}
		n += differs && last_a != NO_NODE;
	}
	return n;
}

bool cluster_map_has_moved(
	const struct cluster_map *before, const struct cluster_map *after, unsigned slot)
{
	const struct cluster_node *owner = cluster_map_owner(before, slot);
	return owner && !is_same_node(owner, cluster_map_owner(after, slot));
}

unsigned cluster_map_moves(const struct cluster_map *before, const struct cluster_map *after)
{
	return count_differences(before, after);
}

/* A node that owns no slot any more is in no map. */
bool cluster_map_equal(const struct cluster_map *a, const struct cluster_map *b)
{
	if (!a || !b || a == b)
		return a == b;
	if (a->n_nodes != b->n_nodes || a->n_unowned != b->n_unowned || count_differences(a, b))
		return false;
	for (unsigned i = 0; i < a->n_nodes; i++) {
		const struct cluster_node *node = cluster_map_find(b, id_of(&a->nodes[i]));
		if (!node || node->port != a->nodes[i].port ||
			strcmp(node->host, a->nodes[i].host) != 0)
			return false;
	}
	return true;
}
