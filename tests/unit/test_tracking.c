#include "redis.h"

#include "sluice/redis/subscriptions.h"
#include "sluice/redis/tracking.h"

/* Both links, and what they have reported. */
struct seen {
	struct redis_link reader;
	struct subscriptions listener;
	struct tracking tracking;
	struct test_target target;
	int ups, listener_ups, listening, deaf, tracked, refused, unselective, invalidated, flushed,
		answers, messages, closed;
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

static void ignore_channel(
	struct subscriptions *subscriptions, struct slice channel, bool was_refused)
{
	(void)subscriptions, (void)channel, (void)was_refused;
	fail_msg("nothing was wanted");
}

static void ignore_refusal(
	struct subscriptions *subscriptions, struct slice channel, struct slice reason)
{
	(void)reason;
	ignore_channel(subscriptions, channel, false);
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
	seen->client = 0;
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
	tracking_set_listener(&seen->tracking, seen->client);
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

static void on_unselective(struct tracking *tracking, struct slice problem)
{
	struct seen *seen = tracking->owner;
	seen->unselective++;
	keep(seen->problem, sizeof(seen->problem), problem);
}

static const struct tracking_events tracking_events = {
	.on_tracked = on_tracked,
	.on_refused = on_refused,
	.on_unselective = on_unselective,
};

/* ---- set-up ---- */

static void open_both(struct seen *seen, struct world *world, const char *user)
{
	char text[128];
	snprintf(text, sizeof(text), "redis://%s127.0.0.1:%d", user, world->redis.port);
	*seen = (struct seen){ 0 };
	test_target_set(&seen->target, text);
	tracking_init(&seen->tracking, &seen->reader, &tracking_events, seen);
	tracking_set_selective(&seen->tracking, true);
	assert_int_equal(redis_link_open(&seen->reader, &world->shared, &world->deadlines,
				 &seen->target.settings, &reader_events, seen),
		0);
	assert_int_equal(subscriptions_open(&seen->listener, &world->shared, &world->deadlines,
				 &seen->target.settings, &listener_events, seen),
		0);
	assert_int_equal(subscriptions_listen(&seen->listener), 0);
}

static void close_both(struct seen *seen, struct world *world)
{
	redis_link_close(&seen->reader);
	subscriptions_close(&seen->listener);
	RUN_UNTIL(&world->test, seen->closed == 2);
}

static void open_tracked(struct seen *seen, struct world *world)
{
	open_both(seen, world, "");
	RUN_UNTIL(&world->test, seen->tracked);
}

static void on_answer(void *context, const struct redisReply *reply)
{
	struct seen *seen = context;
	assert_non_null(reply);
	seen->answers++;
}

static void read_as(struct seen *seen, struct world *world, const char *key, bool tracked)
{
	int before = seen->answers;
	const struct slice words[] = { SLICE("GET"), slice_of(key) };
	assert_int_equal(tracking_read(&seen->tracking, tracked, words, 2, on_answer, seen), 0);
	RUN_UNTIL(&world->test, seen->answers > before);
}

static void read_key(struct seen *seen, struct world *world, const char *key)
{
	read_as(seen, world, key, true);
}

/* ---- tests ---- */

static void reports_a_changed_key_once(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_tracked(&seen, world);
	/* its own channel is the only one */
	assert_int_equal(table_count(&seen.listener.wanted.channels), 1);
	read_key(&seen, world, "a");
	TEST_REDIS_DO(&world->redis, "SET", "other", "1");
	TEST_REDIS_DO(&world->redis, "SET", "a", "1");
	RUN_UNTIL(&world->test, seen.invalidated);
	assert_string_equal(seen.key, "a");
	/* not read since then, so not reported: the next report is about another key */
	read_key(&seen, world, "b");
	TEST_REDIS_DO(&world->redis, "SET", "a", "2");
	TEST_REDIS_DO(&world->redis, "SET", "b", "1");
	RUN_UNTIL(&world->test, seen.invalidated == 2);
	assert_string_equal(seen.key, "b");
	read_key(&seen, world, "a");
	TEST_REDIS_DO(&world->redis, "EXPIRE", "a", "100");
	RUN_UNTIL(&world->test, seen.invalidated == 3);
	read_key(&seen, world, "a");
	TEST_REDIS_DO(&world->redis, "DEL", "a");
	RUN_UNTIL(&world->test, seen.invalidated == 4);
	assert_int_equal(seen.flushed, 0);
	close_both(&seen, world);
}

/* Not even what is read in one write with a tracked key, before or behind it. */
static void reports_only_what_was_to_be_tracked(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_tracked(&seen, world);
	assert_true(tracking_is_selective(&seen.tracking));
	static const struct {
		const char *key;
		bool tracked;
	} reads[] = { { "a", false }, { "b", true }, { "c", false }, { "d", true } };
	for (size_t i = 0; i < COUNT_OF(reads); i++) {
		const struct slice words[] = { SLICE("GET"), slice_of(reads[i].key) };
		assert_int_equal(
			tracking_read(&seen.tracking, reads[i].tracked, words, 2, on_answer, &seen),
			0);
	}
	RUN_UNTIL(&world->test, seen.answers == COUNT_OF(reads));
	TEST_REDIS_DO(&world->redis, "MSET", "a", "1", "b", "1", "c", "1");
	TEST_REDIS_DO(&world->redis, "SET", "d", "1");
	RUN_UNTIL(&world->test, seen.invalidated == 2);
	assert_string_equal(seen.key, "d");
	assert_int_equal(seen.unselective + seen.refused, 0);
	close_both(&seen, world);
}

/* Without a new link: Redis lets a client change between both. */
static void changes_between_all_and_some(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_tracked(&seen, world);
	tracking_set_selective(&seen.tracking, false);
	assert_false(tracking_is_selective(&seen.tracking));
	assert_int_equal(seen.tracked, 2);
	read_as(&seen, world, "a", false);
	TEST_REDIS_DO(&world->redis, "SET", "a", "1");
	RUN_UNTIL(&world->test, seen.invalidated == 1);

	tracking_set_selective(&seen.tracking, true);
	assert_int_equal(seen.tracked, 3);
	read_as(&seen, world, "a", false);
	read_as(&seen, world, "b", true);
	TEST_REDIS_DO(&world->redis, "SET", "a", "2");
	TEST_REDIS_DO(&world->redis, "SET", "b", "1");
	RUN_UNTIL(&world->test, seen.invalidated == 2);
	assert_string_equal(seen.key, "b");

	tracking_set_selective(&seen.tracking, true);
	assert_int_equal(seen.tracked, 3);
	assert_int_equal(seen.refused + seen.unselective, 0);
	close_both(&seen, world);
}

/* A Redis user of before, who may not use CLIENT CACHING. */
static void tracks_all_where_it_may_not_choose(void **state)
{
	struct world *world = *state;
	struct seen seen;
	RUN_UNTIL(&world->test, test_redis_accepts(&world->redis));
	TEST_REDIS_DO(&world->redis, "ACL", "SETUSER", "u", "reset", "on", ">p", "~*", "&*",
		"+@all", "-client|caching");
	open_both(&seen, world, "u:p@");
	RUN_UNTIL(&world->test, seen.tracked);
	read_key(&seen, world, "a");
	RUN_UNTIL(&world->test, seen.tracked == 2);
	assert_true(slice_starts_with(slice_of(seen.problem), SLICE("NOPERM")));
	assert_false(tracking_is_selective(&seen.tracking));
	read_as(&seen, world, "a", false);
	TEST_REDIS_DO(&world->redis, "SET", "a", "1");
	RUN_UNTIL(&world->test, seen.invalidated);
	assert_int_equal(seen.unselective, 1);
	assert_int_equal(seen.refused, 0);
	close_both(&seen, world);
}

static void reports_flushall_as_any_key(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_tracked(&seen, world);
	read_key(&seen, world, "a");
	TEST_REDIS_DO(&world->redis, "FLUSHALL");
	RUN_UNTIL(&world->test, seen.flushed == 1);
	close_both(&seen, world);
}

/* Any client that may publish can publish on that channel. */
static void ignores_publications_on_its_channel(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_tracked(&seen, world);
	assert_int_equal(TEST_REDIS_DO(&world->redis, "PUBLISH", "__redis__:invalidate", "a"), 1);
	read_key(&seen, world, "b");
	TEST_REDIS_DO(&world->redis, "SET", "b", "1");
	RUN_UNTIL(&world->test, seen.invalidated == 1);
	assert_string_equal(seen.key, "b");
	assert_int_equal(seen.messages, 0);
	assert_int_equal(seen.flushed, 0);
	close_both(&seen, world);
}

static void tracks_again_when_either_link_is_back(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_tracked(&seen, world);
	uint64_t client = seen.client;
	/* by this reply Redis has turned tracking on, for a listener that exists */
	read_key(&seen, world, "a");
	redis_link_fail(&seen.listener.link, "a test");
	RUN_UNTIL(&world->test, seen.tracked == 2);
	assert_true(seen.client != client);
	read_key(&seen, world, "a");
	redis_link_fail(&seen.reader, "a test");
	RUN_UNTIL(&world->test, seen.tracked == 3);
	read_key(&seen, world, "a");
	TEST_REDIS_DO(&world->redis, "SET", "a", "1");
	RUN_UNTIL(&world->test, seen.invalidated == 1);
	assert_int_equal(seen.refused + seen.deaf, 0);
	close_both(&seen, world);
}

static void reports_missing_rights_and_keeps_the_links(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *rights[3];
		bool deaf; /* the listener is refused, not the reader */
	} rows[] = {
		{ { "-client|id", "&*", "+ping" }, true },
		{ { "-client|tracking", "&*", "+ping" }, false },
		{ { "resetchannels", "&news", "+ping" }, true },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct seen seen;
		RUN_UNTIL(&world->test, test_redis_accepts(&world->redis));
		const char *const *rights = rows[i].rights;
		TEST_REDIS_DO(&world->redis, "ACL", "SETUSER", "u", "reset", "on", ">p", "~*", "&*",
			"+@all", rights[0], rights[1], rights[2]);
		open_both(&seen, world, "u:p@");
		RUN_UNTIL(&world->test, seen.ups && (rows[i].deaf ? seen.deaf : seen.refused));
		assert_true(slice_starts_with(slice_of(seen.problem), SLICE("NOPERM")));
		read_key(&seen, world, "a");
		RUN_UNTIL(&world->test, seen.listener_ups);
		assert_int_equal(seen.ups, 1);
		assert_int_equal(seen.deaf + seen.refused, 1);
		close_both(&seen, world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_REDIS(reports_a_changed_key_once),
		WITH_REDIS(reports_only_what_was_to_be_tracked),
		WITH_REDIS(changes_between_all_and_some),
		WITH_REDIS(tracks_all_where_it_may_not_choose),
		WITH_REDIS(reports_flushall_as_any_key),
		WITH_REDIS(ignores_publications_on_its_channel),
		WITH_REDIS(tracks_again_when_either_link_is_back),
		WITH_REDIS(reports_missing_rights_and_keeps_the_links),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
