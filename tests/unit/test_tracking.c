#include "redis.h"

#include "sluice/redis/subscriptions.h"
#include "sluice/redis/tracking.h"

enum { REPLY_BYTES = 1 << 20 };

/* Both links, and all that they have told. */
struct seen {
	struct redis_link reader;
	struct subscriptions listener;
	struct tracking tracking;
	struct redis_link_settings settings;
	struct redis_url url;
	int ups, listener_ups, listening, deaf, tracked, refused, invalidated, flushed, answers,
		messages, closed;
	uint64_t client;
	char key[64], problem[300];
};

/* ---- events ---- */

static void keep(char *text, size_t size, struct slice from)
{
	snprintf(text, size, "%.*s", SLICE_ARGS(from));
}

static void on_listening(struct subscriptions *subscriptions, uint64_t client, struct slice problem)
{
	struct seen *seen = subscriptions->owner;
	seen->listening += client != 0;
	seen->deaf += client == 0;
	seen->client = client;
	keep(seen->problem, sizeof(seen->problem), problem);
	tracking_set_listener(&seen->tracking, client);
}

static void on_invalidated(struct subscriptions *subscriptions, struct slice key)
{
	struct seen *seen = subscriptions->owner;
	seen->invalidated += key.at != NULL;
	seen->flushed += key.at == NULL;
	keep(seen->key, sizeof(seen->key), key);
}

static void ignore_channel(struct subscriptions *subscriptions, struct slice channel)
{
	(void)subscriptions, (void)channel;
	fail_msg("nothing was wanted");
}

static void ignore_refusal(
	struct subscriptions *subscriptions, struct slice channel, struct slice reason)
{
	(void)reason;
	ignore_channel(subscriptions, channel);
}

static void on_message(
	struct subscriptions *subscriptions, struct slice channel, struct slice payload)
{
	(void)channel, (void)payload;
	((struct seen *)subscriptions->owner)->messages++;
}

static void on_subscriptions(struct subscriptions *subscriptions)
{
	(void)subscriptions;
}

static void on_listener_up(struct subscriptions *subscriptions)
{
	((struct seen *)subscriptions->owner)->listener_ups++;
}

static void on_subscriptions_down(struct subscriptions *subscriptions, const char *reason)
{
	(void)reason;
	struct seen *seen = subscriptions->owner;
	tracking_set_listener(&seen->tracking, 0);
}

static void on_round_trip(struct subscriptions *subscriptions, uint64_t ns)
{
	(void)subscriptions, (void)ns;
}

static void on_closed(struct subscriptions *subscriptions)
{
	((struct seen *)subscriptions->owner)->closed++;
}

static const struct subscriptions_events listener_events = {
	.on_confirmed = ignore_channel,
	.on_refused = ignore_refusal,
	.on_message = on_message,
	.on_batch_end = on_subscriptions,
	.on_up = on_listener_up,
	.on_down = on_subscriptions_down,
	.on_round_trip = on_round_trip,
	.on_listening = on_listening,
	.on_invalidated = on_invalidated,
	.on_closed = on_closed,
};

static void on_reader_up(struct redis_link *link)
{
	struct seen *seen = link->owner;
	seen->ups++;
	tracking_reader_is_up(&seen->tracking);
}

static void on_reader_down(struct redis_link *link, const char *reason)
{
	(void)link, (void)reason;
}

static void on_reader_closed(struct redis_link *link)
{
	((struct seen *)link->owner)->closed++;
}

static const struct redis_link_events reader_events = {
	.on_up = on_reader_up,
	.on_down = on_reader_down,
	.on_closed = on_reader_closed,
};

static void on_tracked(struct tracking *tracking)
{
	((struct seen *)tracking->owner)->tracked++;
}

static void on_refused(struct tracking *tracking, struct slice problem)
{
	struct seen *seen = tracking->owner;
	seen->refused++;
	keep(seen->problem, sizeof(seen->problem), problem);
}

static const struct tracking_events tracking_events = {
	.on_tracked = on_tracked,
	.on_refused = on_refused,
};

/* ---- set-up ---- */

static void open_both(
	struct seen *seen, struct world *world, const struct test_redis *redis, const char *who)
{
	char text[128];
	snprintf(text, sizeof(text), "redis://%s127.0.0.1:%d", who, redis->port);
	*seen = (struct seen){ 0 };
	assert_null(redis_url_parse(&seen->url, slice_of(text)));
	seen->settings =
		(struct redis_link_settings){ .url = &seen->url, .reply_bytes = REPLY_BYTES };
	tracking_init(&seen->tracking, &seen->reader, &tracking_events, seen);
	assert_int_equal(redis_link_open(&seen->reader, &world->shared, &world->deadlines,
				 &seen->settings, &reader_events, seen),
		0);
	assert_int_equal(subscriptions_open(&seen->listener, &world->shared, &world->deadlines,
				 &seen->settings, &listener_events, seen),
		0);
	assert_int_equal(subscriptions_listen(&seen->listener), 0);
}

static void close_both(struct seen *seen, struct world *world)
{
	redis_link_close(&seen->reader);
	subscriptions_close(&seen->listener);
	RUN_UNTIL(&world->test, seen->closed == 2);
}

static void begin_tracked(struct seen *seen, struct world *world, struct test_redis *redis)
{
	world_open(world);
	test_redis_open(redis, "");
	open_both(seen, world, redis, "");
	RUN_UNTIL(&world->test, seen->tracked);
}

static void end(struct seen *seen, struct world *world, struct test_redis *redis)
{
	close_both(seen, world);
	test_redis_close(redis);
	world_close(world);
}

static void on_answer(void *context, const struct redisReply *reply)
{
	struct seen *seen = context;
	assert_non_null(reply);
	seen->answers++;
}

static void read_key(struct seen *seen, struct world *world, const char *key)
{
	int before = seen->answers;
	const struct slice words[] = { SLICE("GET"), slice_of(key) };
	assert_int_equal(redis_link_command(&seen->reader, words, 2, on_answer, seen), 0);
	RUN_UNTIL(&world->test, seen->answers > before);
}

/* ---- tests ---- */

static void test_a_change_is_told_once(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	begin_tracked(&seen, &world, &redis);
	/* its own channel is the only one */
	assert_int_equal(table_count(&seen.listener.wanted.channels), 1);
	read_key(&seen, &world, "a");
	TEST_REDIS_DO(&redis, "SET", "other", "1");
	TEST_REDIS_DO(&redis, "SET", "a", "1");
	RUN_UNTIL(&world.test, seen.invalidated);
	assert_string_equal(seen.key, "a");
	/* not read since then: not told of; what comes behind it proves it */
	read_key(&seen, &world, "b");
	TEST_REDIS_DO(&redis, "SET", "a", "2");
	TEST_REDIS_DO(&redis, "SET", "b", "1");
	RUN_UNTIL(&world.test, seen.invalidated == 2);
	assert_string_equal(seen.key, "b");
	read_key(&seen, &world, "a");
	TEST_REDIS_DO(&redis, "EXPIRE", "a", "100");
	RUN_UNTIL(&world.test, seen.invalidated == 3);
	read_key(&seen, &world, "a");
	TEST_REDIS_DO(&redis, "DEL", "a");
	RUN_UNTIL(&world.test, seen.invalidated == 4);
	assert_int_equal(seen.flushed, 0);
	end(&seen, &world, &redis);
}

static void test_all_keys_may_be_meant(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	begin_tracked(&seen, &world, &redis);
	read_key(&seen, &world, "a");
	TEST_REDIS_DO(&redis, "FLUSHALL");
	RUN_UNTIL(&world.test, seen.flushed == 1);
	end(&seen, &world, &redis);
}

/* Anybody who may publish can say something on that channel. */
static void test_what_is_published_there_is_nothing(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	begin_tracked(&seen, &world, &redis);
	assert_int_equal(TEST_REDIS_DO(&redis, "PUBLISH", "__redis__:invalidate", "a"), 1);
	read_key(&seen, &world, "b");
	TEST_REDIS_DO(&redis, "SET", "b", "1");
	RUN_UNTIL(&world.test, seen.invalidated == 1);
	assert_string_equal(seen.key, "b");
	assert_int_equal(seen.messages, 0);
	assert_int_equal(seen.flushed, 0);
	end(&seen, &world, &redis);
}

static void test_either_link_may_come_back(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	begin_tracked(&seen, &world, &redis);
	uint64_t client = seen.client;
	/* behind this answer Redis has seen to the tracking, for a listener that is there */
	read_key(&seen, &world, "a");
	redis_link_fail(&seen.listener.link, "a test");
	RUN_UNTIL(&world.test, seen.tracked == 2);
	assert_true(seen.client != client);
	read_key(&seen, &world, "a");
	redis_link_fail(&seen.reader, "a test");
	RUN_UNTIL(&world.test, seen.tracked == 3);
	read_key(&seen, &world, "a");
	TEST_REDIS_DO(&redis, "SET", "a", "1");
	RUN_UNTIL(&world.test, seen.invalidated == 1);
	assert_int_equal(seen.refused + seen.deaf, 0);
	end(&seen, &world, &redis);
}

/* What Redis denies is told, and the links stay. */
static void test_without_the_right(void **state)
{
	(void)state;
	static const struct {
		const char *rights[3];
		bool deaf; /* else it is the reader who is refused */
	} rows[] = {
		{ { "-client|id", "&*", "+ping" }, true },
		{ { "-client|tracking", "&*", "+ping" }, false },
		{ { "resetchannels", "&news", "+ping" }, true },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct world world;
		struct test_redis redis;
		struct seen seen;
		world_open(&world);
		test_redis_open(&redis, "");
		RUN_UNTIL(&world.test, test_redis_accepts(&redis));
		const char *const *rights = rows[i].rights;
		TEST_REDIS_DO(&redis, "ACL", "SETUSER", "u", "on", ">p", "~*", "&*", "+@all",
			rights[0], rights[1], rights[2]);
		open_both(&seen, &world, &redis, "u:p@");
		RUN_UNTIL(&world.test, seen.ups && (rows[i].deaf ? seen.deaf : seen.refused));
		assert_true(slice_starts_with(slice_of(seen.problem), SLICE("NOPERM")));
		read_key(&seen, &world, "a");
		RUN_UNTIL(&world.test, seen.listener_ups);
		assert_int_equal(seen.ups, 1);
		assert_int_equal(seen.deaf + seen.refused, 1);
		end(&seen, &world, &redis);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_change_is_told_once),
		cmocka_unit_test(test_all_keys_may_be_meant),
		cmocka_unit_test(test_what_is_published_there_is_nothing),
		cmocka_unit_test(test_either_link_may_come_back),
		cmocka_unit_test(test_without_the_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
