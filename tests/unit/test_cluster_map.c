#include "unit.h"

#include <errno.h>

#include "sluice/base/buffer.h"
#include "sluice/redis/cluster/map.h"
#include "sluice/redis/resp.h"

static struct redisReply *reply_of(struct slice wire)
{
	struct resp_reader reader = { 0 };
	struct redisReply *reply;
	assert_int_equal(resp_reader_init(&reader, 4 << 20), 0);
	assert_int_equal(resp_reader_feed(&reader, wire.at, wire.len), 0);
	assert_int_equal(resp_reader_next(&reader, &reply), 1);
	resp_reader_finish(&reader);
	return reply;
}

static int parse(struct slice wire, struct cluster_map **ret_map)
{
	struct redisReply *reply = reply_of(wire);
	int error = cluster_map_parse(reply, SLICE("asked"), ret_map);
	freeReplyObject(reply);
	return error;
}

static struct cluster_map *map_of(struct slice wire)
{
	struct cluster_map *map;
	assert_int_equal(parse(wire, &map), 0);
	return map;
}

static void assert_owner(const struct cluster_map *map, unsigned slot, const char *id)
{
	const struct cluster_node *node = cluster_map_owner(map, slot);
	assert_int_equal(!node, !id);
	if (id)
		assert_string_equal(node->id, id);
}

static void assert_node(
	const struct cluster_map *map, const char *id, const char *host, uint16_t port)
{
	const struct cluster_node *node = cluster_map_find(map, slice_of(id));
	assert_non_null(node);
	assert_string_equal(node->host, host);
	assert_int_equal(node->port, port);
	assert_ptr_equal(cluster_map_find_address(map, slice_of(host), port), node);
}

/* As Redis 7 writes it: two ranges of one master, a replica, metadata, an IPv6 address. */
#define A(range, host, port, id) \
	"*3\r\n" range "*4\r\n" host ":" port "\r\n$1\r\n" id \
	"\r\n*2\r\n$8\r\nhostname\r\n$1\r\nx\r\n"
#define RANGE(first, last) ":" #first "\r\n:" #last "\r\n"
#define HOST(len, host)    "$" #len "\r\n" host "\r\n"

static void reads_who_owns_what(void **state)
{
	(void)state;
	struct cluster_map *map = map_of(SLICE("*3\r\n" A(RANGE(0, 99), HOST(1, "h"), "1", "a") //
		"*4\r\n" RANGE(101, 16382) "*3\r\n" HOST(
			3, "::1") ":65535\r\n$1\r\nb\r\n"
				  "*3\r\n" HOST(1, "r") ":9\r\n$1\r\nr\r\n" //
		A(RANGE(16383, 16383), HOST(1, "h"), "1", "a")));
	assert_int_equal(map->n_nodes, 2);
	assert_int_equal(map->n_unowned, 1);
	assert_owner(map, 0, "a");
	assert_owner(map, 99, "a");
	assert_owner(map, 100, NULL);
	assert_owner(map, 101, "b");
	assert_owner(map, 16382, "b");
	assert_owner(map, 16383, "a");
	assert_node(map, "a", "h", 1);
	assert_node(map, "b", "::1", 65535);
	assert_null(cluster_map_find(map, SLICE("r"))); /* a replica */
	assert_null(cluster_map_find_address(map, SLICE("h"), 2));
	cluster_map_unref(map);
}

/* nil, "", "?", and a node that speaks only TLS to one that was asked without. */
static void knows_where_a_node_is_that_does_not_say_it(void **state)
{
	(void)state;
	struct cluster_map *map = map_of(SLICE("*4\r\n" //
		A(RANGE(0, 0), "$-1\r\n", "1", "a") A(RANGE(1, 1), HOST(0, ""), "2", "b")
			A(RANGE(2, 2), HOST(1, "?"), "3", "c")
				A(RANGE(3, 3), HOST(1, "h"), "0", "d")));
	assert_node(map, "a", "asked", 1);
	assert_node(map, "b", "asked", 2);
	assert_int_equal(map->n_nodes, 2);
	assert_owner(map, 2, NULL);
	assert_owner(map, 3, NULL);
	assert_int_equal(map->n_unowned, CLUSTER_SLOTS - 2);
	cluster_map_unref(map);
}

static void reads_a_cluster_without_slots(void **state)
{
	(void)state;
	struct cluster_map *map = map_of(SLICE("*0\r\n"));
	assert_int_equal(map->n_nodes, 0);
	assert_int_equal(map->n_unowned, CLUSTER_SLOTS);
	assert_owner(map, 1, NULL);
	cluster_map_unref(map);
}

#define ROW(content)               "*1\r\n" content
#define BAD(range, host, port, id) ROW("*3\r\n" range "*3\r\n" host port id)
#define SLOT                       RANGE(0, 0)
#define H                          HOST(1, "h")
#define P                          ":1\r\n"
#define ID                         "$1\r\na\r\n"

static const char *const refused[] = {
	"+OK\r\n",
	"-ERR This instance has cluster support disabled\r\n",
	"$-1\r\n",
	ROW("$1\r\na\r\n"),
	ROW("*2\r\n" SLOT),
	ROW("*3\r\n" SLOT "*0\r\n"),
	ROW("*3\r\n" SLOT "*2\r\n" H P),
	ROW("*3\r\n" SLOT ":1\r\n"),
	BAD(RANGE(1, 0), H, P, ID),
	BAD(RANGE(-1, 0), H, P, ID),
	BAD(RANGE(0, 16384), H, P, ID),
	BAD(RANGE(16384, 16384), H, P, ID),
	BAD(RANGE(0, 9223372036854775807), H, P, ID),
	BAD("$1\r\n0\r\n$1\r\n0\r\n", H, P, ID),
	BAD(SLOT, ":1\r\n", P, ID),
	BAD(SLOT, HOST(3, "a b"), P, ID),
	BAD(SLOT, HOST(2, "a\n"), P, ID),
	BAD(SLOT, HOST(2, "\xc3\xa4"), P, ID),
	BAD(SLOT, H, ":65536\r\n", ID),
	BAD(SLOT, H, ":-1\r\n", ID),
	BAD(SLOT, H, "$1\r\n1\r\n", ID),
	BAD(SLOT, H, P, "$-1\r\n"),
	BAD(SLOT, H, P, "$0\r\n\r\n"),
	BAD(SLOT, H, P, ":1\r\n"),
	/* a slot with two owners */
	"*2\r\n" A(RANGE(0, 5), H, "1", "a") A(RANGE(5, 9), H, "2", "b"),
};

static void refuses_every_other_reply(void **state)
{
	(void)state;
	struct cluster_map *map;
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		assert_int_equal(parse(slice_of(refused[i]), &map), -EPROTO);
}

static void print_rows(struct buffer *wire, unsigned n, unsigned id_len, unsigned host_len)
{
	assert_int_equal(buffer_printf(wire, "*%u\r\n", n), 0);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(
			buffer_printf(wire,
				"*3\r\n:%u\r\n:%u\r\n*3\r\n$%u\r\n%0*u\r\n:1\r\n$%u\r\n%0*u\r\n", i,
				i, host_len, (int)host_len, i, id_len, (int)id_len, i),
			0);
}

static int parse_rows(unsigned n, unsigned id_len, unsigned host_len)
{
	struct buffer wire = { 0 };
	struct cluster_map *map;
	print_rows(&wire, n, id_len, host_len);
	int error = parse(buffer_slice(&wire), &map);
	if (!error)
		cluster_map_unref(map);
	buffer_finish(&wire);
	return error;
}

static void has_bounds(void **state)
{
	(void)state;
	assert_int_equal(parse_rows(CLUSTER_NODES_MAX, 40, 9), 0);
	assert_int_equal(parse_rows(CLUSTER_NODES_MAX + 1, 40, 9), -EMSGSIZE);
	assert_int_equal(parse_rows(1, CLUSTER_ID_MAX, CLUSTER_HOST_MAX), 0);
	assert_int_equal(parse_rows(1, CLUSTER_ID_MAX + 1, CLUSTER_HOST_MAX), -EPROTO);
	assert_int_equal(parse_rows(1, CLUSTER_ID_MAX, CLUSTER_HOST_MAX + 1), -EPROTO);
	assert_int_equal(parse_rows(CLUSTER_SLOTS + 1, 40, 9), -EPROTO);
}

#define BEFORE "*2\r\n" A(RANGE(0, 9), H, "1", "a") A(RANGE(10, 19), H, "2", "b")

static const struct {
	const char *after;
	unsigned moves;
	bool equal;
} differences[] = {
	{ BEFORE, 0, true },
	{ "*2\r\n" A(RANGE(10, 19), H, "2", "b") A(RANGE(0, 9), H, "1", "a"), 0, true },
	{ "*3\r\n" A(RANGE(0, 3), H, "1", "a") A(RANGE(10, 19), H, "2", "b")
			A(RANGE(4, 9), H, "1", "a"),
		0, true },
	{ "*2\r\n" A(RANGE(0, 9), H, "3", "a") A(RANGE(10, 19), H, "2", "b"), 0, false },
	{ "*2\r\n" A(RANGE(0, 9), HOST(1, "i"), "1", "a") A(RANGE(10, 19), H, "2", "b"), 0, false },
	{ "*2\r\n" A(RANGE(0, 9), H, "1", "a") A(RANGE(10, 20), H, "2", "b"), 0, false },
	{ "*2\r\n" A(RANGE(0, 6), H, "1", "a") A(RANGE(7, 19), H, "2", "b"), 3, false },
	{ "*2\r\n" A(RANGE(0, 9), H, "1", "a") A(RANGE(10, 15), H, "2", "b"), 4, false },
	{ "*1\r\n" A(RANGE(0, 19), H, "1", "c"), 20, false },
	{ "*0\r\n", 20, false },
};

static void says_which_slots_have_moved(void **state)
{
	(void)state;
	struct cluster_map *before = map_of(SLICE(BEFORE));
	for (size_t i = 0; i < COUNT_OF(differences); i++) {
		struct cluster_map *after = map_of(slice_of(differences[i].after));
		unsigned n = 0;
		for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++)
			n += cluster_map_has_moved(before, after, slot);
		assert_int_equal(n, differences[i].moves);
		assert_int_equal(cluster_map_moves(before, after), n);
		assert_int_equal(cluster_map_equal(before, after), differences[i].equal);
		assert_int_equal(cluster_map_equal(after, before), differences[i].equal);
		cluster_map_unref(after);
	}
	assert_false(cluster_map_equal(before, NULL));
	assert_false(cluster_map_equal(NULL, before));
	assert_true(cluster_map_equal(NULL, NULL));
	cluster_map_unref(before);
}

static void lives_as_long_as_a_reference(void **state)
{
	(void)state;
	struct cluster_map *map = map_of(SLICE(BEFORE));
	assert_ptr_equal(cluster_map_ref(map), map);
	cluster_map_unref(map);
	assert_owner(map, 0, "a");
	cluster_map_unref(map);
	cluster_map_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_who_owns_what),
		cmocka_unit_test(knows_where_a_node_is_that_does_not_say_it),
		cmocka_unit_test(reads_a_cluster_without_slots),
		cmocka_unit_test(refuses_every_other_reply),
		cmocka_unit_test(has_bounds),
		cmocka_unit_test(says_which_slots_have_moved),
		cmocka_unit_test(lives_as_long_as_a_reference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
