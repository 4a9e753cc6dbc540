#include "sluice/feed/servers.h"
#include "unit.h"

static const uint64_t MS = 1000000;

enum { TICK_MS = 100, X = 1, Y = 2 };

struct world {
	struct servers servers;
	uint64_t now;
	unsigned workers;
	unsigned anew[SERVERS_LINKS]; /* times that links of each kind were made anew */
	unsigned divided, helpless, united;
	uint64_t (*where)(struct world *world, enum servers_link link); /* the address leads */
	unsigned asked;
};

static int open_world(void **state)
{
	static struct world world;
	world = (struct world){ .now = 1000 * MS, .workers = 2 };
	assert_int_equal(servers_init(&world.servers), 0);
	*state = &world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;
	servers_finish(&world->servers);
	return 0;
}

/* Are both links of the worker known, and on different servers? */
static bool servers_are_different(const struct servers *servers, unsigned worker)
{
	return servers_differ(servers->workers[worker].links[SERVERS_COMMAND].run_id,
		servers->workers[worker].links[SERVERS_SUBSCRIBE].run_id);
}

static void set(struct world *world, unsigned worker, enum servers_link link, uint64_t run_id)
{
	servers_set(&world->servers, worker, link, run_id, world->now);
}

static void tick_worker(struct world *world, unsigned worker)
{
	bool anew[SERVERS_LINKS];
	enum servers_news news = servers_check(&world->servers, worker, world->now, anew);
	world->divided += news == SERVERS_DIVIDED;
	world->helpless += news == SERVERS_HELPLESS;
	world->united += news == SERVERS_UNITED;
	for (unsigned link = 0; link < SERVERS_LINKS; link++) {
		if (!anew[link])
			continue;
		world->anew[link]++;
		set(world, worker, link, 0);
		world->now += MS;
		set(world, worker, link, world->where(world, link));
	}
}

static void pass(struct world *world, unsigned ms)
{
	for (unsigned i = 0; i < ms / TICK_MS; i++) {
		world->now += TICK_MS * MS;
		for (unsigned worker = 0; worker < world->workers; worker++)
			tick_worker(world, worker);
	}
}

static uint64_t to_y(struct world *world, enum servers_link link)
{
	(void)world, (void)link;
	return Y;
}

/* As a balancer does. */
static uint64_t in_turn(struct world *world, enum servers_link link)
{
	(void)link;
	return world->asked++ % 2 ? X : Y;
}

static uint64_t command_to_x(struct world *world, enum servers_link link)
{
	(void)world;
	return link == SERVERS_COMMAND ? X : Y;
}

static void leaves_links_on_one_server_alone(void **state)
{
	struct world *world = *state;
	for (unsigned worker = 0; worker < world->workers; worker++) {
		set(world, worker, SERVERS_COMMAND, X);
		set(world, worker, SERVERS_SUBSCRIBE, X);
	}
	pass(world, 60000);
	assert_int_equal(world->anew[0] + world->anew[1], 0);
	assert_false(servers_are_different(&world->servers, 0));
}

static void does_not_compare_what_is_not_known(void **state)
{
	struct world *world = *state;
	set(world, 0, SERVERS_COMMAND, X);
	set(world, 0, SERVERS_SUBSCRIBE, 0);
	set(world, 1, SERVERS_COMMAND, X);
	pass(world, 60000);
	assert_int_equal(world->anew[0] + world->anew[1], 0);
	assert_false(servers_are_different(&world->servers, 0));
}

/* One link of one worker has come back on the new master: all follow, with one line in the log. */
static void makes_all_links_anew_at_once_after_a_failover(void **state)
{
	struct world *world = *state;
	for (unsigned worker = 0; worker < world->workers; worker++) {
		set(world, worker, SERVERS_COMMAND, X);
		set(world, worker, SERVERS_SUBSCRIBE, X);
	}
	pass(world, 1000);
	world->where = to_y;
	set(world, 1, SERVERS_SUBSCRIBE, Y);
	assert_true(servers_are_different(&world->servers, 1));
	assert_false(servers_are_different(&world->servers, 0));
	pass(world, TICK_MS);
	assert_int_equal(world->anew[SERVERS_COMMAND], 2);
	assert_int_equal(world->anew[SERVERS_SUBSCRIBE], 2);
	assert_false(servers_are_different(&world->servers, 1));
	pass(world, 60000);
	assert_int_equal(world->anew[SERVERS_COMMAND], 2);
	assert_int_equal(world->anew[SERVERS_SUBSCRIBE], 2);
	assert_int_equal(world->divided, 1);
	assert_int_equal(world->united, 1);
	assert_int_equal(world->helpless, 0);
}

static void comes_together_behind_a_balancer_that_takes_turns(void **state)
{
	struct world *world = *state;
	world->where = in_turn;
	for (unsigned worker = 0; worker < world->workers; worker++) {
		set(world, worker, SERVERS_COMMAND, in_turn(world, SERVERS_COMMAND));
		set(world, worker, SERVERS_SUBSCRIBE, in_turn(world, SERVERS_SUBSCRIBE));
	}
	pass(world, 60000);
	assert_false(servers_are_different(&world->servers, 0));
	assert_false(servers_are_different(&world->servers, 1));
	assert_int_equal(world->united, 1);
	assert_in_range(world->anew[0] + world->anew[1], 1, 20);
}

/* Commands to one server, subscriptions to the other, always. */
static void does_not_loop_where_nothing_helps_and_says_so_once(void **state)
{
	struct world *world = *state;
	world->workers = 1;
	world->where = command_to_x;
	set(world, 0, SERVERS_COMMAND, X);
	set(world, 0, SERVERS_SUBSCRIBE, Y);
	pass(world, 60000);
	assert_true(servers_are_different(&world->servers, 0));
	assert_int_equal(world->divided, 1);
	assert_int_equal(world->helpless, 1);
	assert_in_range(world->anew[0] + world->anew[1], 10, 24);
	world->where = to_y; /* mended */
	pass(world, SERVERS_BACKOFF_MAX_MS + 2 * TICK_MS);
	pass(world, SERVERS_BACKOFF_MAX_MS + 2 * TICK_MS);
	assert_false(servers_are_different(&world->servers, 0));
	pass(world, SERVERS_CALM_MS + TICK_MS);
	assert_int_equal(world->united, 1);
}

static void counts_three_servers(void **state)
{
	struct world *world = *state;
	world->where = to_y;
	set(world, 0, SERVERS_COMMAND, 3);
	set(world, 0, SERVERS_SUBSCRIBE, X);
	set(world, 1, SERVERS_COMMAND, Y);
	set(world, 1, SERVERS_SUBSCRIBE, Y);
	pass(world, TICK_MS);
	assert_int_equal(world->divided, 1);
	assert_false(servers_are_different(&world->servers, 0));
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(leaves_links_on_one_server_alone),
		ROW(does_not_compare_what_is_not_known),
		ROW(makes_all_links_anew_at_once_after_a_failover),
		ROW(comes_together_behind_a_balancer_that_takes_turns),
		ROW(does_not_loop_where_nothing_helps_and_says_so_once),
		ROW(counts_three_servers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
