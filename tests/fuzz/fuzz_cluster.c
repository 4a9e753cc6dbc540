/* CLUSTER SLOTS and the errors of a cluster: whatever a node says, a map is whole and bounded, and a
 * redirection names a slot and an address. The slot of any name is that of its CRC, bit by bit. */
#include "fuzz.h"

#include <errno.h>

#include "sluice/redis/cluster/map.h"
#include "sluice/redis/cluster/redirection.h"
#include "sluice/redis/resp.h"

enum { REPLY_BYTES = 65536 };

static void check_node(const struct cluster_map *map, const struct cluster_node *node)
{
	MUST(node->port && cluster_host_is_good(slice_of(node->host)));
	MUST(strcmp(node->host, "?") != 0 && *node->id);
	MUST(cluster_map_find(map, slice_of(node->id)) == node);
	MUST(cluster_map_find_address(map, slice_of(node->host), node->port));
}

static void check_map(struct cluster_map *map)
{
	unsigned unowned = 0;
	MUST(map->n_nodes <= CLUSTER_NODES_MAX);
	for (unsigned i = 0; i < map->n_nodes; i++)
		check_node(map, &map->nodes[i]);
	for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
		const struct cluster_node *owner = cluster_map_owner(map, slot);
		MUST(!owner || (owner >= map->nodes && owner < map->nodes + map->n_nodes));
		unowned += !owner;
	}
	MUST(unowned == map->n_unowned && cluster_map_equal(map, map));
	MUST(cluster_map_moves(map, map) == 0);
}

static void check_reply(const struct redisReply *reply)
{
	struct cluster_map *map;
	int error = cluster_map_parse(reply, SLICE("asked"), &map);
	MUST(error == 0 || error == -EPROTO || error == -EMSGSIZE);
	if (error)
		return;
	check_map(map);
	cluster_map_unref(map);
}

static void check_replies(struct slice bytes)
{
	struct resp_reader reader = { 0 };
	struct redisReply *reply;
	MUST(resp_reader_init(&reader, REPLY_BYTES) == 0);
	MUST(resp_reader_feed(&reader, bytes.at, bytes.len) == 0);
	while (resp_reader_next(&reader, &reply) == 1) {
		check_reply(reply);
		freeReplyObject(reply);
	}
	resp_reader_finish(&reader);
}

static void check_error(struct slice text)
{
	struct redisReply reply = {
		.type = REDIS_REPLY_ERROR, .str = (char *)(uintptr_t)text.at, .len = text.len
	};
	struct cluster_redirection to = cluster_redirection_of(&reply);
	bool names = to.kind == CLUSTER_MOVED || to.kind == CLUSTER_ASK;
	MUST(to.slot < CLUSTER_SLOTS && names == (to.port > 0));
	MUST(!to.host.len || (names && cluster_host_is_good(to.host)));
	MUST(!to.host.len ||
		(to.host.at >= text.at && to.host.at + to.host.len <= text.at + text.len));
}

static unsigned crc16(struct slice bytes)
{
	unsigned crc = 0;
	for (size_t i = 0; i < bytes.len * 8; i++) {
		unsigned bit = (unsigned char)bytes.at[i / 8] >> (7 - i % 8) & 1;
		crc = (crc << 1 & 0xffff) ^ ((crc >> 15 ^ bit) ? 0x1021 : 0);
	}
	return crc;
}

static void check_slot(struct slice name)
{
	const char *open = memchr(name.at, '{', name.len);
	const char *close = open ? memchr(open, '}', (size_t)(name.at + name.len - open)) : NULL;
	struct slice hashed =
		close && close > open + 1 ? slice_make(open + 1, (size_t)(close - open - 1)) : name;
	MUST(cluster_slot(name) == crc16(hashed) % CLUSTER_SLOTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = fuzz_copy(slice_make((const char *)data, size));
	check_replies(bytes);
	check_error(bytes);
	check_slot(bytes);
	fuzz_free(bytes);
	return 0;
}
