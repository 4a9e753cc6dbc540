#include "redis.h"

#include "sluice/redis/subscriptions.h"

/* Refused commands count, too. */
static const char CALLS_OF_SUBSCRIBE[] =
	"local s = redis.call('INFO', 'commandstats'):match('cmdstat_subscribe:([^\\r]*)') or ''"
	" return (s:match('calls=(%d+)') or 0) + (s:match('rejected_calls=(%d+)') or 0)";

/* Subscriptions, and what they have reported. */
struct seen {
	struct subscriptions subscriptions;
	struct test_target target;
	int ups, downs, confirmed, refused, healed, messages, batches, round_trips, closed;
	bool up;
	bool in_batch; /* a message has arrived, and its read has not ended */
	char channel[64], payload[64], reason[300];
	bool close_when_confirmed, close_when_message, close_when_down, close_when_up,
		close_when_refused;
	bool rewant_when_message;
};

static void on_confirmed(
	struct subscriptions *subscriptions, struct slice channel, bool was_refused)
{
	struct seen *seen = subscriptions->owner;
	seen->confirmed++;
	seen->healed += was_refused;
	assert_true(subscriptions_is_confirmed(subscriptions, channel));
	snprintf(seen->channel, sizeof(seen->channel), "%.*s", SLICE_ARGS(channel));
	if (seen->close_when_confirmed)
		subscriptions_close(subscriptions);
}

static void on_refused(
	struct subscriptions *subscriptions, struct slice channel, struct slice reason)
{
	struct seen *seen = subscriptions->owner;
	seen->refused++;
	assert_false(subscriptions_is_confirmed(subscriptions, channel));
	assert_true(slice_starts_with(reason, SLICE("NOPERM ")));
	snprintf(seen->channel, sizeof(seen->channel), "%.*s", SLICE_ARGS(channel));
	if (seen->close_when_refused)
		subscriptions_close(subscriptions);
}

static enum wanted_class class_of(struct subscriptions *subscriptions, struct slice channel)
{
	(void)subscriptions;
	return slice_equal(channel, SLICE("auto")) ? WANTED_AUTOMATIC : WANTED_ASKED;
}

static void on_message(
	struct subscriptions *subscriptions, struct slice channel, struct slice payload)
{
	struct seen *seen = subscriptions->owner;
	seen->messages++;
	seen->in_batch = true;
	snprintf(seen->channel, sizeof(seen->channel), "%.*s", SLICE_ARGS(channel));
	memset(seen->payload, 0, sizeof(seen->payload));
	memcpy(seen->payload, payload.at, MIN(payload.len, sizeof(seen->payload)));
	if (seen->close_when_message)
		subscriptions_close(subscriptions);
	if (seen->rewant_when_message) {
		subscriptions_unwant(subscriptions, channel);
		assert_int_equal(subscriptions_want(subscriptions, channel), 0);
	}
}

static void on_batch_end(struct subscriptions *subscriptions)
{
	struct seen *seen = subscriptions->owner;
	seen->batches++;
	seen->in_batch = false;
}

static void on_up(struct subscriptions *subscriptions)
{
	struct seen *seen = subscriptions->owner;
	assert_true(redis_link_is_up(&subscriptions->link));
	assert_false(seen->up);
	seen->up = true;
	seen->ups++;
	if (seen->close_when_up)
		subscriptions_close(subscriptions);
}

static void on_down(struct subscriptions *subscriptions, const char *reason)
{
	struct seen *seen = subscriptions->owner;
	assert_false(redis_link_is_up(&subscriptions->link));
	seen->up = false;
	assert_false(seen->in_batch);
	seen->downs++;
	snprintf(seen->reason, sizeof(seen->reason), "%s", reason);
	if (seen->close_when_down)
		subscriptions_close(subscriptions);
}

static void on_round_trip(struct subscriptions *subscriptions, uint64_t ns)
{
	struct seen *seen = subscriptions->owner;
	seen->round_trips++;
	assert_true(ns > 0);
}

static void on_closed(struct subscriptions *subscriptions)
{
	struct seen *seen = subscriptions->owner;
	seen->closed++;
}

static const struct subscriptions_events events = { .on_confirmed = on_confirmed,
	.on_refused = on_refused,
	.class_of = class_of,
	.on_message = on_message,
	.on_batch_end = on_batch_end,
	.on_up = on_up,
	.on_down = on_down,
	.on_round_trip = on_round_trip,
	.on_closed = on_closed };

static void open_at(struct seen *seen, struct world *world, const char *user, int port)
{
	char text[128];
	snprintf(text, sizeof(text), "redis://%s127.0.0.1:%d", user, port);
	*seen = (struct seen){ 0 };
	test_target_set(&seen->target, text);
	assert_int_equal(subscriptions_open(&seen->subscriptions, &world->shared, &world->deadlines,
				 &seen->target.settings, &events, seen),
		0);
}

static void close_all(struct seen *seen, struct world *world)
{
	subscriptions_close(&seen->subscriptions);
	subscriptions_close(&seen->subscriptions);
	assert_int_equal(seen->closed, 0);
	RUN_UNTIL(&world->test, seen->closed);
	assert_int_equal(seen->closed, 1);
}

static void want(struct seen *seen, const char *name)
{
	assert_int_equal(subscriptions_want(&seen->subscriptions, slice_of(name)), 0);
}

static void unwant(struct seen *seen, const char *name)
{
	subscriptions_unwant(&seen->subscriptions, slice_of(name));
}

static bool is_confirmed(struct seen *seen, const char *name)
{
	return subscriptions_is_confirmed(&seen->subscriptions, slice_of(name));
}

static long long publish(struct test_redis *redis, const char *channel, const char *payload)
{
	return TEST_REDIS_DO(redis, "PUBLISH", channel, payload);
}

static void delivers_publications_on_wanted_channels(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_at(&seen, world, "", world->redis.port);
	want(&seen, "news");
	want(&seen, "news");
	assert_int_equal(table_count(&seen.subscriptions.wanted.channels), 1);
	assert_false(is_confirmed(&seen, "news"));
	RUN_UNTIL(&world->test, seen.ups);
	assert_int_equal(seen.confirmed, 1);
	assert_int_equal(publish(&world->redis, "other", "x"), 0);
	assert_int_equal(publish(&world->redis, "news", "hello"), 1);
	RUN_UNTIL(&world->test, seen.messages == 1 && !seen.in_batch);
	assert_string_equal(seen.channel, "news");
	assert_string_equal(seen.payload, "hello");
	unwant(&seen, "news");
	assert_int_equal(publish(&world->redis, "news", "too late"), 1);
	RUN_UNTIL(&world->test, TEST_REDIS_DO(&world->redis, "PUBSUB", "CHANNELS") == 0);
	assert_int_equal(seen.messages, 1);
	assert_false(is_confirmed(&seen, "news"));
	/* nothing of the channel is left */
	RUN_UNTIL(&world->test, table_count(&seen.subscriptions.wanted.channels) == 0);
	close_all(&seen, world);
}

static void comes_up_when_nothing_is_wanted(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_at(&seen, world, "", world->redis.port);
	RUN_UNTIL(&world->test, seen.ups);
	want(&seen, "later");
	RUN_UNTIL(&world->test, is_confirmed(&seen, "later"));
	assert_int_equal(seen.ups, 1);
	close_all(&seen, world);
}

static void asks_for_the_channels_of_a_turn_together(void **state)
{
	struct world *world = *state;
	struct seen seen;
	char name[32];
	world->fake.first = SLICE("+PONG\r\n");
	open_at(&seen, world, "", world->fake.port);
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "channel-%d", i);
		want(&seen, name);
	}
	want(&seen, "left at once");
	unwant(&seen, "left at once");
	RUN_UNTIL(&world->test,
		fake_step(&world->fake) && world->fake.heard.len &&
			memmem(world->fake.heard.bytes, world->fake.heard.len, "channel-599", 11));
	size_t commands = 0;
	for (size_t i = 0; i < world->fake.heard.len; i++)
		commands += world->fake.heard.bytes[i] == '*';
	assert_int_equal(commands, 3); /* with the first PING */
	assert_non_null(memmem(
		world->fake.heard.bytes, world->fake.heard.len, "*513\r\n$9\r\nSUBSCRIBE", 19));
	assert_non_null(memmem(
		world->fake.heard.bytes, world->fake.heard.len, "*89\r\n$9\r\nSUBSCRIBE", 18));
	assert_null(memmem(world->fake.heard.bytes, world->fake.heard.len, "left at once", 12));
	assert_int_equal(seen.ups, 0);
	close_all(&seen, world);
}

static void subscribes_to_more_channels_than_one_command_holds(void **state)
{
	struct world *world = *state;
	enum { N = 2000 };
	struct seen seen;
	char name[32];
	open_at(&seen, world, "", world->redis.port);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "channel-%d", i);
		want(&seen, name);
	}
	RUN_UNTIL(&world->test, seen.ups);
	int downs = seen.downs;
	assert_int_equal(seen.confirmed, N);
	assert_int_equal(TEST_REDIS_DO(&world->redis, "PUBSUB", "CHANNELS"), N);
	assert_int_equal(publish(&world->redis, "channel-1999", "x"), 1);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "channel-%d", i);
		if (i % 2)
			unwant(&seen, name);
	}
	RUN_UNTIL(&world->test, TEST_REDIS_DO(&world->redis, "PUBSUB", "CHANNELS") == N / 2);
	assert_int_equal(seen.downs, downs);
	close_all(&seen, world);
}

/* Within one turn nothing is sent, but the channel is confirmed again. Over several turns the last
 * call counts. */
static void confirms_a_channel_that_is_wanted_again(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_at(&seen, world, "", world->redis.port);
	want(&seen, "a");
	RUN_UNTIL(&world->test, seen.ups && seen.confirmed == 1);
	int downs = seen.downs;
	unwant(&seen, "a");
	assert_false(is_confirmed(&seen, "a"));
	want(&seen, "a");
	assert_false(is_confirmed(&seen, "a"));
	RUN_UNTIL(&world->test, seen.confirmed == 2);
	for (int i = 0; i < 5; i++) {
		unwant(&seen, "a");
		uv_run(&world->test.loop, UV_RUN_NOWAIT);
		want(&seen, "a");
		uv_run(&world->test.loop, UV_RUN_NOWAIT);
	}
	RUN_UNTIL(&world->test, is_confirmed(&seen, "a"));
	assert_int_equal(publish(&world->redis, "a", "x"), 1);
	RUN_UNTIL(&world->test, seen.messages == 1);
	want(&seen, "b");
	unwant(&seen, "b");
	RUN_UNTIL(&world->test, table_count(&seen.subscriptions.wanted.channels) == 1);
	assert_int_equal(seen.downs, downs);
	close_all(&seen, world);
}

/* Random wants over few channels, some of them while Redis is down. */
static void follows_wants_in_any_order(void **state)
{
	struct world *world = *state;
	enum { N = 12 };
	struct seen seen;
	bool wanted[N] = { false };
	unsigned random = 1;
	open_at(&seen, world, "", world->redis.port);
	for (int i = 0; i < 3000; i++) {
		char name[2] = { (char)('a' + (random >> 16) % N), '\0' };
		wanted[name[0] - 'a'] ^= true;
		if (wanted[name[0] - 'a'])
			want(&seen, name);
		else
			unwant(&seen, name);
		random = random * 1103515245 + 12345;
		if ((random >> 20) % 3 == 0)
			uv_run(&world->test.loop, UV_RUN_NOWAIT);
		if (i % 1000 == 500)
			redis_link_fail(&seen.subscriptions.link, "a test");
		if (i % 1000 == 999)
			RUN_UNTIL(&world->test, seen.up);
	}
	size_t n = 0;
	for (int i = 0; i < N; i++)
		n += wanted[i];
	RUN_UNTIL(&world->test, table_count(&seen.subscriptions.wanted.channels) == n);
	for (int i = 0; i < N; i++) {
		char name[2] = { (char)('a' + i), '\0' };
		RUN_UNTIL(&world->test, is_confirmed(&seen, name) == wanted[i]);
	}
	RUN_UNTIL(&world->test, TEST_REDIS_DO(&world->redis, "PUBSUB", "CHANNELS") == (long long)n);
	for (int i = 0; i < N; i++) {
		char name[2] = { (char)('a' + i), '\0' };
		assert_int_equal(publish(&world->redis, name, "x"), wanted[i]);
	}
	assert_string_equal(seen.reason, "a test"); /* there was no other failure */
	close_all(&seen, world);
}

static void subscribes_again_after_redis_was_killed(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_at(&seen, world, "", world->redis.port);
	want(&seen, "a");
	want(&seen, "b");
	RUN_UNTIL(&world->test, seen.ups);
	int downs = seen.downs;
	test_redis_kill(&world->redis);
	RUN_UNTIL(&world->test, seen.downs > downs);
	assert_false(is_confirmed(&seen, "a"));
	unwant(&seen, "b");
	want(&seen, "c");
	RUN_UNTIL(&world->test, seen.downs > downs + 3);
	test_redis_start(&world->redis, "");
	ASSERT_BACK_WITHIN_A_SECOND(world, seen.ups == 2);
	assert_int_equal(seen.confirmed, 4);
	assert_int_equal(publish(&world->redis, "a", "x"), 1);
	assert_int_equal(publish(&world->redis, "b", "x"), 0);
	assert_int_equal(publish(&world->redis, "c", "x"), 1);
	RUN_UNTIL(&world->test, seen.messages == 2);
	close_all(&seen, world);
}

/* The replies to PING differ. */
static void pings_before_while_and_after_being_subscribed(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_at(&seen, world, "", world->redis.port);
	RUN_UNTIL(&world->test, seen.round_trips == 1);
	want(&seen, "a");
	RUN_UNTIL(&world->test, seen.round_trips == 3);
	unwant(&seen, "a");
	RUN_UNTIL(&world->test, seen.round_trips == 5);
	assert_int_equal(seen.ups, 1);
	close_all(&seen, world);
}

static void detects_a_redis_that_hangs(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_at(&seen, world, "", world->redis.port);
	want(&seen, "a");
	RUN_UNTIL(&world->test, seen.ups && seen.round_trips == 1);
	int downs = seen.downs;
	assert_int_equal(kill(world->redis.pid, SIGSTOP), 0);
	uint64_t stopped = uv_hrtime();
	RUN_UNTIL(&world->test, seen.downs > downs);
	assert_true(seconds_since(stopped) < 3.3);
	assert_int_equal(kill(world->redis.pid, SIGCONT), 0);
	RUN_UNTIL(&world->test, seen.ups == 2);
	assert_true(is_confirmed(&seen, "a"));
	close_all(&seen, world);
}

/* ---- channels that Redis denies us ---- */

/* As a user `sluice` with the rights to `news` and `room:ok*`. */
static void open_narrow(struct seen *seen, struct world *world)
{
	RUN_UNTIL(&world->test, test_redis_accepts(&world->redis));
	TEST_REDIS_DO(&world->redis, "ACL", "SETUSER", "sluice", "on", ">pw", "+@all",
		"resetchannels", "&news", "&room:ok*");
	open_at(seen, world, "sluice:pw@", world->redis.port);
}

/* They are sent in one command, which Redis refuses as a whole. */
static void confirms_the_channels_beside_refused_ones(void **state)
{
	struct world *world = *state;
	static const char *const names[] = { "bad1", "news", "room:ok1", "bad2", "room:ok2" };
	struct seen seen;
	open_narrow(&seen, world);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		want(&seen, names[i]);
	RUN_UNTIL(&world->test, seen.ups);
	assert_int_equal(seen.refused, 2);
	assert_int_equal(seen.confirmed, 3);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		bool allowed = names[i][0] != 'b';
		assert_int_equal(is_confirmed(&seen, names[i]), allowed);
		assert_int_equal(publish(&world->redis, names[i], "x"), allowed);
	}
	RUN_UNTIL(&world->test, seen.messages == 3);
	assert_int_equal(seen.downs, 0);
	assert_int_equal(table_count(&seen.subscriptions.wanted.channels), 5);
	close_all(&seen, world);
}

static void keeps_other_channels_when_one_is_refused_repeatedly(void **state)
{
	struct world *world = *state;
	enum { N = 200 };
	struct seen seen;
	open_narrow(&seen, world);
	want(&seen, "news");
	RUN_UNTIL(&world->test, seen.ups);
	for (int i = 0; i < N; i++) {
		int refused = seen.refused;
		want(&seen, "bad");
		if (i % 2) { /* in one command with another, which is left again */
			want(&seen, "room:ok");
			RUN_UNTIL(&world->test, is_confirmed(&seen, "room:ok"));
			unwant(&seen, "room:ok");
		}
		assert_int_equal(publish(&world->redis, "news", "x"), 1);
		if (i % 3)
			RUN_UNTIL(&world->test, seen.refused > refused);
		RUN_UNTIL(&world->test, seen.messages == i + 1);
		assert_true(is_confirmed(&seen, "news"));
		unwant(&seen, "bad");
		if (i % 3 == 0)
			uv_run(&world->test.loop, UV_RUN_NOWAIT);
	}
	RUN_UNTIL(&world->test, table_count(&seen.subscriptions.wanted.channels) == 1);
	assert_true(seen.refused > N / 4);
	assert_int_equal(seen.downs, 0);
	assert_int_equal(seen.ups, 1);
	close_all(&seen, world);
}

static void requests_a_refused_channel_when_it_is_wanted_again(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_narrow(&seen, world);
	want(&seen, "bad");
	RUN_UNTIL(&world->test, seen.ups);
	assert_int_equal(seen.refused, 1);
	TEST_REDIS_DO(&world->redis, "ACL", "SETUSER", "sluice", "&bad");
	unwant(&seen, "bad");
	want(&seen, "bad");
	RUN_UNTIL(&world->test, is_confirmed(&seen, "bad"));
	assert_int_equal(publish(&world->redis, "bad", "x"), 1);
	assert_int_equal(seen.refused, 1);
	assert_int_equal(seen.healed, 0);
	assert_int_equal(seen.downs, 0);
	close_all(&seen, world);
}

static void asks_again_for_a_refused_channel(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_narrow(&seen, world);
	want(&seen, "bad");
	want(&seen, "auto");
	RUN_UNTIL(&world->test, seen.ups);
	assert_true(subscriptions_is_refused(&seen.subscriptions, SLICE("bad")));
	assert_int_equal(subscriptions_refused_count(&seen.subscriptions, WANTED_AUTOMATIC), 1);
	assert_int_equal(subscriptions_refused_count(&seen.subscriptions, WANTED_ASKED), 1);
	RUN_UNTIL(&world->test, seen.round_trips == 2);
	assert_int_equal(seen.refused, 2); /* reported once, however often it is asked for */
	TEST_REDIS_DO(&world->redis, "ACL", "SETUSER", "sluice", "&bad", "&auto");
	RUN_UNTIL(&world->test, is_confirmed(&seen, "bad") && is_confirmed(&seen, "auto"));
	assert_int_equal(publish(&world->redis, "bad", "x"), 1);
	assert_int_equal(seen.healed, 2);
	assert_false(subscriptions_is_refused(&seen.subscriptions, SLICE("bad")));
	assert_int_equal(subscriptions_refused_count(&seen.subscriptions, WANTED_ASKED), 0);
	assert_int_equal(seen.downs, 0);
	close_all(&seen, world);
}

static long long calls_of_subscribe(struct world *world)
{
	return TEST_REDIS_DO(&world->redis, "EVAL", CALLS_OF_SUBSCRIBE, "0");
}

/* A round has 128 of them, and no two rounds are in the same half of a second but the first. */
static void asks_again_for_few_of_many_refused_channels(void **state)
{
	struct world *world = *state;
	enum { N = 10000, ROUND = 128, ROUNDS = 6, BATCHES = N / 512 + 1 };
	struct seen seen;
	char name[32];
	open_narrow(&seen, world);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "bad-%d", i);
		want(&seen, name);
	}
	RUN_UNTIL(&world->test, seen.ups);
	int from = seen.round_trips;
	RUN_UNTIL(&world->test, seen.round_trips == from + 2);
	long long again = calls_of_subscribe(world) - N - BATCHES;
	assert_in_range(again, 1, ROUNDS * ROUND);
	TEST_REDIS_DO(&world->redis, "ACL", "SETUSER", "sluice", "allchannels");
	RUN_UNTIL(&world->test, seen.confirmed == N);
	assert_int_equal(seen.healed, N);
	assert_int_equal(seen.downs, 0);
	close_all(&seen, world);
}

/* Then no channel is asked for by itself, and one is as good as all to find out. */
static void finds_that_subscribe_is_denied_as_a_whole(void **state)
{
	struct world *world = *state;
	enum { N = 1000 };
	struct seen seen;
	char name[32];
	open_narrow(&seen, world);
	TEST_REDIS_DO(&world->redis, "ACL", "SETUSER", "sluice", "allchannels", "-subscribe");
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "c-%d", i);
		want(&seen, name);
	}
	RUN_UNTIL(&world->test, seen.ups);
	assert_true(subscriptions_are_barred(&seen.subscriptions));
	assert_int_equal(seen.refused, N);
	int from = seen.round_trips;
	RUN_UNTIL(&world->test, seen.round_trips == from + 2);
	assert_in_range(calls_of_subscribe(world), N / 512 + 1, 12);
	TEST_REDIS_DO(&world->redis, "ACL", "SETUSER", "sluice", "+subscribe");
	RUN_UNTIL(&world->test, seen.confirmed == N);
	assert_false(subscriptions_are_barred(&seen.subscriptions));
	assert_in_range(calls_of_subscribe(world), N / 512 + 1, 20);
	assert_int_equal(seen.downs, 0);
	close_all(&seen, world);
}

/* Redis disconnects a user that loses rights to channels. */
static void asks_for_refused_channels_when_the_link_is_back(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_narrow(&seen, world);
	want(&seen, "news");
	want(&seen, "room:ok");
	want(&seen, "bad");
	RUN_UNTIL(&world->test, seen.ups);
	TEST_REDIS_DO(&world->redis, "CLIENT", "KILL", "TYPE", "pubsub");
	RUN_UNTIL(&world->test, seen.ups == 2);
	assert_int_equal(seen.refused, 2);
	assert_int_equal(seen.confirmed, 4);
	TEST_REDIS_DO(&world->redis, "ACL", "SETUSER", "sluice", "resetchannels", "&news");
	RUN_UNTIL(&world->test, seen.ups == 3);
	assert_int_equal(seen.refused, 4);
	assert_int_equal(seen.confirmed, 5);
	assert_true(is_confirmed(&seen, "news"));
	TEST_REDIS_DO(&world->redis, "ACL", "SETUSER", "sluice", "allchannels");
	TEST_REDIS_DO(&world->redis, "CLIENT", "KILL", "TYPE", "pubsub");
	RUN_UNTIL(&world->test, seen.ups == 4);
	assert_int_equal(seen.refused, 4);
	assert_int_equal(seen.confirmed, 8);
	assert_int_equal(seen.downs, 3);
	close_all(&seen, world);
}

/* Each is requested by a command of its own. */
static void handles_more_refused_channels_than_pending_commands(void **state)
{
	struct world *world = *state;
	enum { N = 3 * REDIS_PENDING_MAX };
	struct seen seen;
	char name[32];
	open_narrow(&seen, world);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "%s-%d", i % 2 ? "bad" : "room:ok", i);
		want(&seen, name);
	}
	RUN_UNTIL(&world->test, seen.ups);
	assert_int_equal(seen.refused, N / 2);
	assert_int_equal(seen.confirmed, N / 2);
	assert_int_equal(seen.downs, 0);
	/* now we know which of them are refused */
	long long before = TEST_REDIS_DO(&world->redis, "EVAL", CALLS_OF_SUBSCRIBE, "0");
	TEST_REDIS_DO(&world->redis, "CLIENT", "KILL", "TYPE", "pubsub");
	RUN_UNTIL(&world->test, seen.ups == 2);
	assert_int_equal(seen.refused, N);
	assert_int_equal(seen.confirmed, N);
	long long after = TEST_REDIS_DO(&world->redis, "EVAL", CALLS_OF_SUBSCRIBE, "0");
	/* some may have been asked for again already */
	assert_in_range(after - before, N / 2 + N / 2 / 512, N / 2 + N / 2 / 512 + 1024);
	close_all(&seen, world);
}

static void say(struct fake *fake, const char *text)
{
	size_t len = strlen(text);
	assert_int_equal(send(fake->peer, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

static bool has_heard(struct fake *fake, const char *text)
{
	fake_step(fake);
	return fake->heard.len &&
	       memmem(fake->heard.bytes, fake->heard.len, text, strlen(text)) != NULL;
}

static void open_scripted(struct seen *seen, struct world *world)
{
	fake_hang_up(&world->fake);
	world->fake.first = SLICE("+PONG\r\n");
	open_at(seen, world, "", world->fake.port);
	RUN_UNTIL(&world->test, fake_step(&world->fake) && seen->ups);
}

#define SUBSCRIBE_ONE(name) "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\n" name "\r\n"
#define ANSWER(kind, name)  "*3\r\n" kind "\r\n$1\r\n" name "\r\n:1\r\n"
#define NOPERM              "-NOPERM no\r\n"

/* Although other commands were sent since, and one of its channels was left. */
static void takes_an_error_as_the_answer_to_the_oldest_command(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_scripted(&seen, world);
	want(&seen, "a");
	want(&seen, "b");
	want(&seen, "c");
	RUN_UNTIL(&world->test, has_heard(&world->fake, "*4\r\n$9\r\nSUBSCRIBE"));
	want(&seen, "d");
	RUN_UNTIL(&world->test, has_heard(&world->fake, SUBSCRIBE_ONE("d")));
	unwant(&seen, "c");
	RUN_UNTIL(&world->test, has_heard(&world->fake, "PING\r\n*4") &&
					has_heard(&world->fake, "d\r\n*1\r\n$4\r\nPING"));
	say(&world->fake, NOPERM ANSWER("$9\r\nsubscribe", "d") "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
	RUN_UNTIL(&world->test, has_heard(&world->fake, SUBSCRIBE_ONE("a") SUBSCRIBE_ONE("b")));
	assert_true(is_confirmed(&seen, "d"));
	assert_int_equal(seen.refused, 0);
	assert_false(has_heard(&world->fake, SUBSCRIBE_ONE("c")));
	say(&world->fake, NOPERM ANSWER("$9\r\nsubscribe", "b"));
	RUN_UNTIL(&world->test, fake_step(&world->fake) && is_confirmed(&seen, "b"));
	assert_int_equal(seen.refused, 1);
	assert_false(is_confirmed(&seen, "a"));
	assert_int_equal(table_count(&seen.subscriptions.wanted.channels), 3);
	assert_int_equal(seen.downs, 0);
	close_all(&seen, world);
}

/* It is requested again when it is wanted again. */
static void does_not_report_a_refused_channel_that_was_left(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_scripted(&seen, world);
	want(&seen, "a");
	RUN_UNTIL(&world->test, has_heard(&world->fake, SUBSCRIBE_ONE("a")));
	unwant(&seen, "a");
	say(&world->fake, NOPERM);
	RUN_UNTIL(&world->test,
		fake_step(&world->fake) && table_count(&seen.subscriptions.wanted.channels) == 0);
	assert_int_equal(seen.refused, 0);
	want(&seen, "a");
	RUN_UNTIL(&world->test, has_heard(&world->fake, SUBSCRIBE_ONE("a") SUBSCRIBE_ONE("a")));
	say(&world->fake, ANSWER("$9\r\nsubscribe", "a"));
	RUN_UNTIL(&world->test, fake_step(&world->fake) && is_confirmed(&seen, "a"));
	assert_int_equal(seen.downs, 0);
	close_all(&seen, world);
}

/* The refusal is about the channel as it is wanted now. */
static void asks_once_for_a_channel_that_is_left_and_wanted_before_the_refusal(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_scripted(&seen, world);
	seen.rewant_when_message = true;
	want(&seen, "a");
	RUN_UNTIL(&world->test, has_heard(&world->fake, SUBSCRIBE_ONE("a")));
	say(&world->fake, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n" NOPERM);
	RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.refused);
	assert_int_equal(seen.messages, 1);
	assert_false(has_heard(&world->fake, SUBSCRIBE_ONE("a") SUBSCRIBE_ONE("a")));
	assert_int_equal(seen.refused, 1);
	assert_int_equal(seen.downs, 0);
	close_all(&seen, world);
}

/* To a command with two channels. */
static void fails_on_unexpected_answers_to_a_subscribe(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *bytes, *reason;
	} cases[] = {
		{ ANSWER("$9\r\nsubscribe", "a") NOPERM, "unexpected reply" },
		{ NOPERM NOPERM, "unexpected reply" },
		{ NOPERM ANSWER("$9\r\nsubscribe", "a"),
			"unexpected answer to SUBSCRIBE or UNSUBSCRIBE" },
		{ ANSWER("$9\r\nsubscribe", "b"), "unexpected answer to SUBSCRIBE or UNSUBSCRIBE" },
		{ ANSWER("$9\r\nsubscribe", "a") ANSWER("$9\r\nsubscribe", "a"),
			"unexpected answer to SUBSCRIBE or UNSUBSCRIBE" },
		{ "-NOPERM\r\n", "SUBSCRIBE: NOPERM" },
		{ "-NOPERMISSION x\r\n", "SUBSCRIBE: NOPERMISSION x" },
		{ "-NOAUTH x\r\n", "SUBSCRIBE: NOAUTH x" },
		{ "+NOPERM x\r\n", "unexpected reply" },
		{ "*2\r\n$4\r\npong\r\n$0\r\n\r\n", "unexpected reply" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct seen seen;
		open_scripted(&seen, world);
		want(&seen, "a");
		want(&seen, "b");
		RUN_UNTIL(&world->test, has_heard(&world->fake, "*3\r\n$9\r\nSUBSCRIBE"));
		say(&world->fake, cases[i].bytes);
		RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.downs);
		if (strcmp(seen.reason, cases[i].reason) != 0)
			fail_msg("case %zu: %s", i, seen.reason);
		assert_int_equal(seen.refused, 0);
		close_all(&seen, world);
	}
}

static void fails_on_a_refused_unsubscribe(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_scripted(&seen, world);
	want(&seen, "a");
	RUN_UNTIL(&world->test, has_heard(&world->fake, SUBSCRIBE_ONE("a")));
	say(&world->fake, ANSWER("$9\r\nsubscribe", "a"));
	RUN_UNTIL(&world->test, fake_step(&world->fake) && is_confirmed(&seen, "a"));
	unwant(&seen, "a");
	RUN_UNTIL(&world->test, has_heard(&world->fake, "UNSUBSCRIBE\r\n$1\r\na"));
	say(&world->fake, NOPERM);
	RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.downs);
	assert_string_equal(seen.reason, "UNSUBSCRIBE: NOPERM no");
	close_all(&seen, world);
}

/* The second error answers the PING, which is the oldest command by then. */
static void reports_an_error_to_ping_as_such(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_scripted(&seen, world);
	want(&seen, "a");
	RUN_UNTIL(&world->test, has_heard(&world->fake, SUBSCRIBE_ONE("a") "*1\r\n$4\r\nPING"));
	say(&world->fake, NOPERM NOPERM);
	RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.downs);
	assert_string_equal(seen.reason, "PING: NOPERM no");
	assert_int_equal(seen.refused, 1);
	close_all(&seen, world);
}

static void may_be_closed_when_a_channel_is_refused(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_narrow(&seen, world);
	seen.close_when_refused = true;
	want(&seen, "bad1");
	want(&seen, "bad2");
	want(&seen, "room:ok");
	RUN_UNTIL(&world->test, seen.closed);
	assert_int_equal(seen.refused, 1);
	assert_int_equal(seen.ups, 0);
}

#define SUBSCRIBED "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"

static void fails_on_unexpected_pushes(void **state)
{
	struct world *world = *state;
	static const struct {
		struct slice bytes;
		const char *reason;
	} cases[] = {
		{ SLICE(SUBSCRIBED SUBSCRIBED), "unexpected answer to SUBSCRIBE or UNSUBSCRIBE" },
		{ SLICE("*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:1\r\n"),
			"unexpected answer to SUBSCRIBE or UNSUBSCRIBE" },
		{ SLICE("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n"),
			"unexpected answer to SUBSCRIBE or UNSUBSCRIBE" },
		{ SLICE("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"), "push without a channel" },
		{ SLICE("*3\r\n$9\r\nsubscribe\r\n:7\r\n:1\r\n"), "push without a channel" },
		{ SLICE("*3\r\n$9\r\nsubscribe\r\n*0\r\n:1\r\n"), "push without a channel" },
		{ SLICE("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n$1\r\n1\r\n"), "malformed push" },
		{ SLICE("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n:1\r\n"), "malformed push" },
		{ SLICE("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$-1\r\n"), "malformed push" },
		{ SLICE("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n*1\r\n:1\r\n"), "malformed push" },
		{ SLICE("*3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$1\r\nx\r\n"), "malformed push" },
		{ SLICE("*3\r\n:1\r\n$1\r\na\r\n$1\r\nx\r\n"), "malformed push" },
		{ SLICE("*3\r\n*0\r\n$1\r\na\r\n$1\r\nx\r\n"), "malformed push" },
		{ SLICE("*3\r\n$-1\r\n$-1\r\n$-1\r\n"), "push without a channel" },
		{ SLICE("*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$1\r\nx\r\n"),
			"unexpected reply" },
		{ SLICE("*2\r\n$7\r\nmessage\r\n$1\r\na\r\n"), "unexpected reply" },
		{ SLICE("*0\r\n"), "unexpected reply" },
		{ SLICE("$1\r\na\r\n"), "unexpected reply" },
		{ SLICE(SUBSCRIBED "*2\r\n$4\r\npong\r\n$0\r\n\r\n"), "unexpected reply" },
		{ SLICE("-ERR no\r\n"), "SUBSCRIBE: ERR no" },
		{ SLICE(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n"), "the reply is not RESP" },
		{ SLICE(SUBSCRIBED "garbage"), "the reply is not RESP" },
	};
	world->fake.first = SLICE("+PONG\r\n");
	world->fake.word = "SUBSCRIBE";
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct seen seen;
		world->fake.then = cases[i].bytes;
		open_at(&seen, world, "", world->fake.port);
		want(&seen, "a");
		RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.downs);
		if (strcmp(seen.reason, cases[i].reason) != 0)
			fail_msg("case %zu: %s", i, seen.reason);
		close_all(&seen, world);
		fake_hang_up(&world->fake);
	}
}

/* Unwanted messages are dropped, and the PING is answered. */
static void handles_a_flood_of_wanted_and_unwanted_messages(void **state)
{
	struct world *world = *state;
	enum { N = 200000 };
	static const struct slice known = SLICE("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n");
	static const struct slice unknown = SLICE("*3\r\n$7\r\nmessage\r\n$1\r\nb\r\n$1\r\nx\r\n");
	struct seen seen;
	struct buffer bytes = { 0 };
	assert_int_equal(buffer_append_slice(&bytes, SLICE(SUBSCRIBED)), 0);
	for (int i = 0; i < N; i++)
		assert_int_equal(buffer_append_slice(&bytes, i % 2 ? known : unknown), 0);
	world->fake.first = SLICE("+PONG\r\n");
	world->fake.word = "SUBSCRIBE";
	world->fake.then = buffer_slice(&bytes);
	open_at(&seen, world, "", world->fake.port);
	want(&seen, "a");
	RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.messages == N / 2);
	assert_int_equal(seen.downs, 0);
	assert_true(seen.batches < N / 100);
	close_all(&seen, world);
	buffer_finish(&bytes);
}

static void survives_a_disconnect_at_any_byte(void **state)
{
	struct world *world = *state;
	static const struct slice bytes =
		SLICE(SUBSCRIBED "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$3\r\n\r\n\0\r\n");
	world->fake.first = SLICE("+PONG\r\n");
	world->fake.word = "SUBSCRIBE";
	world->fake.hangs_up = true;
	for (size_t len = 0; len <= bytes.len; len++) {
		struct seen seen;
		world->fake.then = slice_make(bytes.at, len);
		open_at(&seen, world, "", world->fake.port);
		want(&seen, "a");
		RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.downs);
		assert_int_equal(seen.confirmed, len >= sizeof(SUBSCRIBED) - 1);
		assert_int_equal(seen.messages, len == bytes.len);
		close_all(&seen, world);
		fake_hang_up(&world->fake);
	}
}

static void may_be_closed_in_any_callback(void **state)
{
	struct world *world = *state;
	RUN_UNTIL(&world->test, test_redis_accepts(&world->redis));
	for (int i = 0; i < 5; i++) {
		struct seen seen;
		open_at(&seen, world, "", world->redis.port);
		want(&seen, "a");
		want(&seen, "b");
		seen.close_when_confirmed = i == 0;
		seen.close_when_up = i == 1;
		seen.close_when_message = i == 2;
		seen.close_when_down = i == 3;
		if (i == 4)
			subscriptions_close(&seen.subscriptions); /* before the first attempt */
		if (i == 2 || i == 3)
			RUN_UNTIL(&world->test, seen.ups);
		if (i == 2)
			assert_int_equal(publish(&world->redis, "a", "x"), 1);
		if (i == 3)
			redis_link_fail(&seen.subscriptions.link, "a test");
		RUN_UNTIL(&world->test, seen.closed);
		assert_int_equal(seen.confirmed, i == 0 ? 1 : i == 4 ? 0 : 2);
		assert_int_equal(seen.downs, i == 3);
		assert_int_equal(seen.messages, i == 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_REDIS(delivers_publications_on_wanted_channels),
		WITH_REDIS(comes_up_when_nothing_is_wanted),
		WITH_FAKE(asks_for_the_channels_of_a_turn_together),
		WITH_REDIS(subscribes_to_more_channels_than_one_command_holds),
		WITH_REDIS(confirms_a_channel_that_is_wanted_again),
		WITH_REDIS(follows_wants_in_any_order),
		WITH_REDIS(subscribes_again_after_redis_was_killed),
		WITH_REDIS(pings_before_while_and_after_being_subscribed),
		WITH_REDIS(detects_a_redis_that_hangs),
		WITH_REDIS(confirms_the_channels_beside_refused_ones),
		WITH_REDIS(keeps_other_channels_when_one_is_refused_repeatedly),
		WITH_REDIS(requests_a_refused_channel_when_it_is_wanted_again),
		WITH_REDIS(asks_again_for_a_refused_channel),
		WITH_REDIS(asks_again_for_few_of_many_refused_channels),
		WITH_REDIS(finds_that_subscribe_is_denied_as_a_whole),
		WITH_REDIS(asks_for_refused_channels_when_the_link_is_back),
		WITH_REDIS(handles_more_refused_channels_than_pending_commands),
		WITH_FAKE(takes_an_error_as_the_answer_to_the_oldest_command),
		WITH_FAKE(does_not_report_a_refused_channel_that_was_left),
		WITH_FAKE(asks_once_for_a_channel_that_is_left_and_wanted_before_the_refusal),
		WITH_FAKE(fails_on_unexpected_answers_to_a_subscribe),
		WITH_FAKE(fails_on_a_refused_unsubscribe),
		WITH_FAKE(reports_an_error_to_ping_as_such),
		WITH_REDIS(may_be_closed_when_a_channel_is_refused),
		WITH_FAKE(fails_on_unexpected_pushes),
		WITH_FAKE(handles_a_flood_of_wanted_and_unwanted_messages),
		WITH_FAKE(survives_a_disconnect_at_any_byte),
		WITH_REDIS(may_be_closed_in_any_callback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
