#include "redis.h"

#include "sluice/redis/subscriptions.h"

enum { REPLY_BYTES = 1 << 20 };

/* Refused ones count too. */
static const char CALLS_OF_SUBSCRIBE[] =
	"local s = redis.call('INFO', 'commandstats'):match('cmdstat_subscribe:([^\\r]*)') or ''"
	" return (s:match('calls=(%d+)') or 0) + (s:match('rejected_calls=(%d+)') or 0)";

/* Subscriptions and all that they have told. */
struct seen {
	struct subscriptions subscriptions;
	struct redis_link_settings settings;
	struct redis_url url;
	int ups, downs, confirmed, refused, messages, batches, round_trips, closed;
	bool up;
	bool in_batch; /* a message came, and its batch has not ended */
	char channel[64], payload[64], reason[300];
	bool close_when_confirmed, close_when_message, close_when_down, close_when_up,
		close_when_refused;
	bool rewant_when_message;
};

static void on_confirmed(struct subscriptions *subscriptions, struct slice channel)
{
	struct seen *seen = subscriptions->owner;
	seen->confirmed++;
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
	.on_message = on_message,
	.on_batch_end = on_batch_end,
	.on_up = on_up,
	.on_down = on_down,
	.on_round_trip = on_round_trip,
	.on_closed = on_closed };

static void open_at(struct seen *seen, struct world *world, const char *who, int port)
{
	char text[128];
	snprintf(text, sizeof(text), "redis://%s127.0.0.1:%d", who, port);
	*seen = (struct seen){ 0 };
	assert_null(redis_url_parse(&seen->url, slice_of(text)));
	seen->settings =
		(struct redis_link_settings){ .url = &seen->url, .reply_bytes = REPLY_BYTES };
	assert_int_equal(subscriptions_open(&seen->subscriptions, &world->shared, &world->deadlines,
				 &seen->settings, &events, seen),
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

static void test_a_publication_comes_through(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	world_open(&world);
	test_redis_open(&redis, "");
	open_at(&seen, &world, "", redis.port);
	want(&seen, "news");
	want(&seen, "news");
	assert_int_equal(table_count(&seen.subscriptions.wanted.channels), 1);
	assert_false(is_confirmed(&seen, "news"));
	RUN_UNTIL(&world.test, seen.ups);
	assert_int_equal(seen.confirmed, 1);
	assert_int_equal(publish(&redis, "other", "x"), 0);
	assert_int_equal(publish(&redis, "news", "hello"), 1);
	RUN_UNTIL(&world.test, seen.messages == 1 && !seen.in_batch);
	assert_string_equal(seen.channel, "news");
	assert_string_equal(seen.payload, "hello");
	unwant(&seen, "news");
	assert_int_equal(publish(&redis, "news", "too late"), 1);
	RUN_UNTIL(&world.test, TEST_REDIS_DO(&redis, "PUBSUB", "CHANNELS") == 0);
	assert_int_equal(seen.messages, 1);
	assert_false(is_confirmed(&seen, "news"));
	/* what is forgotten leaves no trace */
	RUN_UNTIL(&world.test, table_count(&seen.subscriptions.wanted.channels) == 0);
	close_all(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

static void test_up_at_once_when_nothing_is_wanted(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	world_open(&world);
	test_redis_open(&redis, "");
	open_at(&seen, &world, "", redis.port);
	RUN_UNTIL(&world.test, seen.ups);
	want(&seen, "later");
	RUN_UNTIL(&world.test, is_confirmed(&seen, "later"));
	assert_int_equal(seen.ups, 1);
	close_all(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

/* What is wanted in one turn leaves in as few commands as there can be. */
static void test_wants_leave_together(void **state)
{
	(void)state;
	struct world world;
	struct fake fake;
	struct seen seen;
	char name[32];
	world_open(&world);
	fake_open(&fake);
	fake.first = SLICE("+PONG\r\n");
	open_at(&seen, &world, "", fake.port);
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "channel-%d", i);
		want(&seen, name);
	}
	want(&seen, "left at once");
	unwant(&seen, "left at once");
	RUN_UNTIL(&world.test, fake_step(&fake) && fake.heard.len &&
				       memmem(fake.heard.bytes, fake.heard.len, "channel-599", 11));
	size_t commands = 0;
	for (size_t i = 0; i < fake.heard.len; i++)
		commands += fake.heard.bytes[i] == '*';
	assert_int_equal(commands, 3); /* PING is the first */
	assert_non_null(memmem(fake.heard.bytes, fake.heard.len, "*513\r\n$9\r\nSUBSCRIBE", 19));
	assert_non_null(memmem(fake.heard.bytes, fake.heard.len, "*89\r\n$9\r\nSUBSCRIBE", 18));
	assert_null(memmem(fake.heard.bytes, fake.heard.len, "left at once", 12));
	assert_int_equal(seen.ups, 0);
	close_all(&seen, &world);
	fake_close(&fake);
	world_close(&world);
}

/* More than fit in one command; each named once. */
static void test_many_channels(void **state)
{
	(void)state;
	enum { N = 2000 };
	struct world world;
	struct test_redis redis;
	struct seen seen;
	char name[32];
	world_open(&world);
	test_redis_open(&redis, "");
	open_at(&seen, &world, "", redis.port);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "channel-%d", i);
		want(&seen, name);
	}
	RUN_UNTIL(&world.test, seen.ups);
	int downs = seen.downs;
	assert_int_equal(seen.confirmed, N);
	assert_int_equal(TEST_REDIS_DO(&redis, "PUBSUB", "CHANNELS"), N);
	assert_int_equal(publish(&redis, "channel-1999", "x"), 1);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "channel-%d", i);
		if (i % 2)
			unwant(&seen, name);
	}
	RUN_UNTIL(&world.test, TEST_REDIS_DO(&redis, "PUBSUB", "CHANNELS") == N / 2);
	assert_int_equal(seen.downs, downs);
	close_all(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

/* In one turn: nothing is sent, and the new wanter is told. In several: the last word counts. */
static void test_wanted_again(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	world_open(&world);
	test_redis_open(&redis, "");
	open_at(&seen, &world, "", redis.port);
	want(&seen, "a");
	RUN_UNTIL(&world.test, seen.ups && seen.confirmed == 1);
	int downs = seen.downs;
	unwant(&seen, "a");
	assert_false(is_confirmed(&seen, "a"));
	want(&seen, "a");
	assert_false(is_confirmed(&seen, "a"));
	RUN_UNTIL(&world.test, seen.confirmed == 2);
	for (int i = 0; i < 5; i++) {
		unwant(&seen, "a");
		uv_run(&world.test.loop, UV_RUN_NOWAIT);
		want(&seen, "a");
		uv_run(&world.test.loop, UV_RUN_NOWAIT);
	}
	RUN_UNTIL(&world.test, is_confirmed(&seen, "a"));
	assert_int_equal(publish(&redis, "a", "x"), 1);
	RUN_UNTIL(&world.test, seen.messages == 1);
	want(&seen, "b");
	unwant(&seen, "b");
	RUN_UNTIL(&world.test, table_count(&seen.subscriptions.wanted.channels) == 1);
	assert_int_equal(seen.downs, downs);
	close_all(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

/* Random wants over few channels, some of them while Redis is away: in the end all is as wanted. */
static void test_any_order_of_wants_ends_right(void **state)
{
	(void)state;
	enum { N = 12 };
	struct world world;
	struct test_redis redis;
	struct seen seen;
	bool wanted[N] = { false };
	unsigned random = 1;
	world_open(&world);
	test_redis_open(&redis, "");
	open_at(&seen, &world, "", redis.port);
	for (int i = 0; i < 3000; i++) {
		char name[2] = { (char)('a' + (random >> 16) % N), '\0' };
		wanted[name[0] - 'a'] ^= true;
		if (wanted[name[0] - 'a'])
			want(&seen, name);
		else
			unwant(&seen, name);
		random = random * 1103515245 + 12345;
		if ((random >> 20) % 3 == 0)
			uv_run(&world.test.loop, UV_RUN_NOWAIT);
		if (i % 1000 == 500)
			redis_link_fail(&seen.subscriptions.link, "a test");
		if (i % 1000 == 999)
			RUN_UNTIL(&world.test, seen.up);
	}
	size_t n = 0;
	for (int i = 0; i < N; i++)
		n += wanted[i];
	RUN_UNTIL(&world.test, table_count(&seen.subscriptions.wanted.channels) == n);
	for (int i = 0; i < N; i++) {
		char name[2] = { (char)('a' + i), '\0' };
		RUN_UNTIL(&world.test, is_confirmed(&seen, name) == wanted[i]);
	}
	RUN_UNTIL(&world.test, TEST_REDIS_DO(&redis, "PUBSUB", "CHANNELS") == (long long)n);
	for (int i = 0; i < N; i++) {
		char name[2] = { (char)('a' + i), '\0' };
		assert_int_equal(publish(&redis, name, "x"), wanted[i]);
	}
	assert_string_equal(seen.reason, "a test"); /* nothing else went wrong */
	close_all(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

static void test_killed_and_restarted(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	world_open(&world);
	test_redis_open(&redis, "");
	open_at(&seen, &world, "", redis.port);
	want(&seen, "a");
	want(&seen, "b");
	RUN_UNTIL(&world.test, seen.ups);
	int downs = seen.downs;
	test_redis_kill(&redis);
	RUN_UNTIL(&world.test, seen.downs > downs);
	assert_false(is_confirmed(&seen, "a"));
	unwant(&seen, "b");
	want(&seen, "c");
	RUN_UNTIL(&world.test, seen.downs > downs + 3);
	test_redis_start(&redis, "");
	RUN_UNTIL(&world.test, seen.ups == 2 || test_redis_accepts(&redis));
	uint64_t back = uv_hrtime();
	RUN_UNTIL(&world.test, seen.ups == 2);
	assert_true(seconds_since(back) < 1.0);
	assert_int_equal(seen.confirmed, 4);
	assert_int_equal(publish(&redis, "a", "x"), 1);
	assert_int_equal(publish(&redis, "b", "x"), 0);
	assert_int_equal(publish(&redis, "c", "x"), 1);
	RUN_UNTIL(&world.test, seen.messages == 2);
	close_all(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

/* Before the first subscription, while subscribed, and after the last: the answers differ. */
static void test_ping_goes_on_while_subscribed(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	world_open(&world);
	test_redis_open(&redis, "");
	open_at(&seen, &world, "", redis.port);
	RUN_UNTIL(&world.test, seen.round_trips == 1);
	want(&seen, "a");
	RUN_UNTIL(&world.test, seen.round_trips == 3);
	unwant(&seen, "a");
	RUN_UNTIL(&world.test, seen.round_trips == 5);
	assert_int_equal(seen.ups, 1);
	close_all(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

static void test_hanging_redis_is_found(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	world_open(&world);
	test_redis_open(&redis, "");
	open_at(&seen, &world, "", redis.port);
	want(&seen, "a");
	RUN_UNTIL(&world.test, seen.ups && seen.round_trips == 1);
	int downs = seen.downs;
	assert_int_equal(kill(redis.pid, SIGSTOP), 0);
	uint64_t stopped = uv_hrtime();
	RUN_UNTIL(&world.test, seen.downs > downs);
	assert_true(seconds_since(stopped) < 3.3);
	assert_int_equal(kill(redis.pid, SIGCONT), 0);
	RUN_UNTIL(&world.test, seen.ups == 2);
	assert_true(is_confirmed(&seen, "a"));
	close_all(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

/* ---- channels that Redis denies us ---- */

/* With a user `sluice` who may hear `news` and `room:ok*`. */
static void open_narrow(struct seen *seen, struct world *world, struct test_redis *redis)
{
	world_open(world);
	test_redis_open(redis, "");
	RUN_UNTIL(&world->test, test_redis_accepts(redis));
	TEST_REDIS_DO(redis, "ACL", "SETUSER", "sluice", "on", ">pw", "+@all", "resetchannels",
		"&news", "&room:ok*");
	open_at(seen, world, "sluice:pw@", redis->port);
}

static void close_narrow(struct seen *seen, struct world *world, struct test_redis *redis)
{
	close_all(seen, world);
	test_redis_close(redis);
	world_close(world);
}

/* All leave in one command, which Redis refuses as a whole. */
static void test_refused_among_others(void **state)
{
	(void)state;
	static const char *const names[] = { "bad1", "news", "room:ok1", "bad2", "room:ok2" };
	struct world world;
	struct test_redis redis;
	struct seen seen;
	open_narrow(&seen, &world, &redis);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		want(&seen, names[i]);
	RUN_UNTIL(&world.test, seen.ups);
	assert_int_equal(seen.refused, 2);
	assert_int_equal(seen.confirmed, 3);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		bool allowed = names[i][0] != 'b';
		assert_int_equal(is_confirmed(&seen, names[i]), allowed);
		assert_int_equal(publish(&redis, names[i], "x"), allowed);
	}
	RUN_UNTIL(&world.test, seen.messages == 3);
	assert_int_equal(seen.downs, 0);
	assert_int_equal(table_count(&seen.subscriptions.wanted.channels), 5);
	close_narrow(&seen, &world, &redis);
}

/* A refused channel that comes and goes costs nobody else anything. */
static void test_refused_again_and_again(void **state)
{
	(void)state;
	enum { N = 200 };
	struct world world;
	struct test_redis redis;
	struct seen seen;
	open_narrow(&seen, &world, &redis);
	want(&seen, "news");
	RUN_UNTIL(&world.test, seen.ups);
	for (int i = 0; i < N; i++) {
		int refused = seen.refused;
		want(&seen, "bad");
		if (i % 2) { /* in one command with another that is left again */
			want(&seen, "room:ok");
			RUN_UNTIL(&world.test, is_confirmed(&seen, "room:ok"));
			unwant(&seen, "room:ok");
		}
		assert_int_equal(publish(&redis, "news", "x"), 1);
		if (i % 3)
			RUN_UNTIL(&world.test, seen.refused > refused);
		RUN_UNTIL(&world.test, seen.messages == i + 1);
		assert_true(is_confirmed(&seen, "news"));
		unwant(&seen, "bad");
		if (i % 3 == 0)
			uv_run(&world.test.loop, UV_RUN_NOWAIT);
	}
	RUN_UNTIL(&world.test, table_count(&seen.subscriptions.wanted.channels) == 1);
	assert_true(seen.refused > N / 4);
	assert_int_equal(seen.downs, 0);
	assert_int_equal(seen.ups, 1);
	close_narrow(&seen, &world, &redis);
}

/* What is refused stays so, even when Redis would allow it now, until somebody wants it anew. */
static void test_refused_until_wanted_anew(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	open_narrow(&seen, &world, &redis);
	want(&seen, "bad");
	RUN_UNTIL(&world.test, seen.ups);
	assert_int_equal(seen.refused, 1);
	TEST_REDIS_DO(&redis, "ACL", "SETUSER", "sluice", "&bad");
	want(&seen, "bad");
	want(&seen, "news");
	RUN_UNTIL(&world.test, seen.round_trips == 3 && is_confirmed(&seen, "news"));
	assert_false(is_confirmed(&seen, "bad"));
	assert_int_equal(publish(&redis, "bad", "x"), 0);
	unwant(&seen, "bad");
	want(&seen, "bad");
	RUN_UNTIL(&world.test, is_confirmed(&seen, "bad"));
	assert_int_equal(publish(&redis, "bad", "x"), 1);
	assert_int_equal(seen.refused, 1);
	assert_int_equal(seen.downs, 0);
	close_narrow(&seen, &world, &redis);
}

/* Redis ends the connection of a user who may hear less than before. */
static void test_refused_when_the_link_comes_back(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	open_narrow(&seen, &world, &redis);
	want(&seen, "news");
	want(&seen, "room:ok");
	want(&seen, "bad");
	RUN_UNTIL(&world.test, seen.ups);
	TEST_REDIS_DO(&redis, "CLIENT", "KILL", "TYPE", "pubsub");
	RUN_UNTIL(&world.test, seen.ups == 2);
	assert_int_equal(seen.refused, 2);
	assert_int_equal(seen.confirmed, 4);
	TEST_REDIS_DO(&redis, "ACL", "SETUSER", "sluice", "resetchannels", "&news");
	RUN_UNTIL(&world.test, seen.ups == 3);
	assert_int_equal(seen.refused, 4);
	assert_int_equal(seen.confirmed, 5);
	assert_true(is_confirmed(&seen, "news"));
	TEST_REDIS_DO(&redis, "ACL", "SETUSER", "sluice", "allchannels");
	TEST_REDIS_DO(&redis, "CLIENT", "KILL", "TYPE", "pubsub");
	RUN_UNTIL(&world.test, seen.ups == 4);
	assert_int_equal(seen.refused, 4);
	assert_int_equal(seen.confirmed, 8);
	assert_int_equal(seen.downs, 3);
	close_narrow(&seen, &world, &redis);
}

/* More of them than may be pending, each in a command of its own. */
static void test_more_refused_than_may_be_pending(void **state)
{
	(void)state;
	enum { N = 3 * REDIS_PENDING_MAX };
	struct world world;
	struct test_redis redis;
	struct seen seen;
	char name[32];
	open_narrow(&seen, &world, &redis);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "%s-%d", i % 2 ? "bad" : "room:ok", i);
		want(&seen, name);
	}
	RUN_UNTIL(&world.test, seen.ups);
	assert_int_equal(seen.refused, N / 2);
	assert_int_equal(seen.confirmed, N / 2);
	assert_int_equal(seen.downs, 0);
	/* from now on it is known which of them are the trouble */
	long long before = TEST_REDIS_DO(&redis, "EVAL", CALLS_OF_SUBSCRIBE, "0");
	TEST_REDIS_DO(&redis, "CLIENT", "KILL", "TYPE", "pubsub");
	RUN_UNTIL(&world.test, seen.ups == 2);
	assert_int_equal(seen.refused, N);
	assert_int_equal(seen.confirmed, N);
	long long after = TEST_REDIS_DO(&redis, "EVAL", CALLS_OF_SUBSCRIBE, "0");
	assert_int_equal(after - before, N / 2 + N / 2 / 512);
	close_narrow(&seen, &world, &redis);
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

static void open_scripted(struct seen *seen, struct world *world, struct fake *fake)
{
	world_open(world);
	fake_open(fake);
	fake->first = SLICE("+PONG\r\n");
	open_at(seen, world, "", fake->port);
	RUN_UNTIL(&world->test, fake_step(fake) && seen->ups);
}

static void close_scripted(struct seen *seen, struct world *world, struct fake *fake)
{
	close_all(seen, world);
	fake_close(fake);
	world_close(world);
}

#define SUBSCRIBE_ONE(name) "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\n" name "\r\n"
#define ANSWER(kind, name)  "*3\r\n" kind "\r\n$1\r\n" name "\r\n:1\r\n"
#define NOPERM              "-NOPERM no\r\n"

/* The error is about the oldest command, although others were sent since and some were left. */
static void test_refusal_belongs_to_the_oldest_command(void **state)
{
	(void)state;
	struct world world;
	struct fake fake;
	struct seen seen;
	open_scripted(&seen, &world, &fake);
	want(&seen, "a");
	want(&seen, "b");
	want(&seen, "c");
	RUN_UNTIL(&world.test, has_heard(&fake, "*4\r\n$9\r\nSUBSCRIBE"));
	want(&seen, "d");
	RUN_UNTIL(&world.test, has_heard(&fake, SUBSCRIBE_ONE("d")));
	unwant(&seen, "c");
	RUN_UNTIL(&world.test,
		has_heard(&fake, "PING\r\n*4") && has_heard(&fake, "d\r\n*1\r\n$4\r\nPING"));
	say(&fake, NOPERM ANSWER("$9\r\nsubscribe", "d") "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
	RUN_UNTIL(&world.test, has_heard(&fake, SUBSCRIBE_ONE("a") SUBSCRIBE_ONE("b")));
	assert_true(is_confirmed(&seen, "d"));
	assert_int_equal(seen.refused, 0);
	assert_false(has_heard(&fake, SUBSCRIBE_ONE("c")));
	say(&fake, NOPERM ANSWER("$9\r\nsubscribe", "b"));
	RUN_UNTIL(&world.test, fake_step(&fake) && is_confirmed(&seen, "b"));
	assert_int_equal(seen.refused, 1);
	assert_false(is_confirmed(&seen, "a"));
	assert_int_equal(table_count(&seen.subscriptions.wanted.channels), 3);
	assert_int_equal(seen.downs, 0);
	close_scripted(&seen, &world, &fake);
}

/* It is not told as refused to those who have left, and is asked for when they come back. */
static void test_refused_after_it_was_left(void **state)
{
	(void)state;
	struct world world;
	struct fake fake;
	struct seen seen;
	open_scripted(&seen, &world, &fake);
	want(&seen, "a");
	RUN_UNTIL(&world.test, has_heard(&fake, SUBSCRIBE_ONE("a")));
	unwant(&seen, "a");
	say(&fake, NOPERM);
	RUN_UNTIL(&world.test,
		fake_step(&fake) && table_count(&seen.subscriptions.wanted.channels) == 0);
	assert_int_equal(seen.refused, 0);
	want(&seen, "a");
	RUN_UNTIL(&world.test, has_heard(&fake, SUBSCRIBE_ONE("a") SUBSCRIBE_ONE("a")));
	say(&fake, ANSWER("$9\r\nsubscribe", "a"));
	RUN_UNTIL(&world.test, fake_step(&fake) && is_confirmed(&seen, "a"));
	assert_int_equal(seen.downs, 0);
	close_scripted(&seen, &world, &fake);
}

/* The answer is as good for who came while it was under way: the question is not put twice. */
static void test_refused_while_it_was_wanted_anew(void **state)
{
	(void)state;
	struct world world;
	struct fake fake;
	struct seen seen;
	open_scripted(&seen, &world, &fake);
	seen.rewant_when_message = true;
	want(&seen, "a");
	RUN_UNTIL(&world.test, has_heard(&fake, SUBSCRIBE_ONE("a")));
	say(&fake, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n" NOPERM);
	RUN_UNTIL(&world.test, fake_step(&fake) && seen.refused);
	RUN_UNTIL(&world.test, has_heard(&fake, SUBSCRIBE_ONE("a") "*1\r\n$4\r\nPING"));
	assert_int_equal(seen.messages, 1);
	assert_false(has_heard(&fake, SUBSCRIBE_ONE("a") SUBSCRIBE_ONE("a")));
	assert_int_equal(seen.refused, 1);
	assert_int_equal(seen.downs, 0);
	close_scripted(&seen, &world, &fake);
}

/* Anything that no honest Redis says about a command with two channels ends the link. */
static void test_hostile_refusals(void **state)
{
	(void)state;
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
		struct world world;
		struct fake fake;
		struct seen seen;
		open_scripted(&seen, &world, &fake);
		want(&seen, "a");
		want(&seen, "b");
		RUN_UNTIL(&world.test, has_heard(&fake, "*3\r\n$9\r\nSUBSCRIBE"));
		say(&fake, cases[i].bytes);
		RUN_UNTIL(&world.test, fake_step(&fake) && seen.downs);
		if (strcmp(seen.reason, cases[i].reason) != 0)
			fail_msg("case %zu: %s", i, seen.reason);
		assert_int_equal(seen.refused, 0);
		close_scripted(&seen, &world, &fake);
	}
}

static void test_refused_unsubscription_fails_the_link(void **state)
{
	(void)state;
	struct world world;
	struct fake fake;
	struct seen seen;
	open_scripted(&seen, &world, &fake);
	want(&seen, "a");
	RUN_UNTIL(&world.test, has_heard(&fake, SUBSCRIBE_ONE("a")));
	say(&fake, ANSWER("$9\r\nsubscribe", "a"));
	RUN_UNTIL(&world.test, fake_step(&fake) && is_confirmed(&seen, "a"));
	unwant(&seen, "a");
	RUN_UNTIL(&world.test, has_heard(&fake, "UNSUBSCRIBE\r\n$1\r\na"));
	say(&fake, NOPERM);
	RUN_UNTIL(&world.test, fake_step(&fake) && seen.downs);
	assert_string_equal(seen.reason, "UNSUBSCRIBE: NOPERM no");
	close_scripted(&seen, &world, &fake);
}

/* An error may be the answer to PING: it is the oldest that counts. */
static void test_error_to_ping_is_told_as_such(void **state)
{
	(void)state;
	struct world world;
	struct fake fake;
	struct seen seen;
	open_scripted(&seen, &world, &fake);
	want(&seen, "a");
	RUN_UNTIL(&world.test, has_heard(&fake, SUBSCRIBE_ONE("a") "*1\r\n$4\r\nPING"));
	say(&fake, NOPERM NOPERM);
	RUN_UNTIL(&world.test, fake_step(&fake) && seen.downs);
	assert_string_equal(seen.reason, "PING: NOPERM no");
	assert_int_equal(seen.refused, 1);
	close_scripted(&seen, &world, &fake);
}

static void test_close_when_refused(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	open_narrow(&seen, &world, &redis);
	seen.close_when_refused = true;
	want(&seen, "bad1");
	want(&seen, "bad2");
	want(&seen, "room:ok");
	RUN_UNTIL(&world.test, seen.closed);
	assert_int_equal(seen.refused, 1);
	assert_int_equal(seen.ups, 0);
	test_redis_close(&redis);
	world_close(&world);
}

#define SUBSCRIBED "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"

static void test_hostile_pushes(void **state)
{
	(void)state;
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
	struct world world;
	struct fake fake;
	world_open(&world);
	fake_open(&fake);
	fake.first = SLICE("+PONG\r\n");
	fake.word = "SUBSCRIBE";
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct seen seen;
		fake.then = cases[i].bytes;
		open_at(&seen, &world, "", fake.port);
		want(&seen, "a");
		RUN_UNTIL(&world.test, fake_step(&fake) && seen.downs);
		if (strcmp(seen.reason, cases[i].reason) != 0)
			fail_msg("case %zu: %s", i, seen.reason);
		close_all(&seen, &world);
		fake_hang_up(&fake);
	}
	fake_close(&fake);
	world_close(&world);
}

/* What is not wanted is dropped; a flood of both kinds is worked off, and PING with it. */
static void test_flood(void **state)
{
	(void)state;
	enum { N = 200000 };
	static const struct slice known = SLICE("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n");
	static const struct slice unknown = SLICE("*3\r\n$7\r\nmessage\r\n$1\r\nb\r\n$1\r\nx\r\n");
	struct world world;
	struct fake fake;
	struct seen seen;
	struct buffer bytes = { 0 };
	world_open(&world);
	fake_open(&fake);
	assert_int_equal(buffer_append_slice(&bytes, SLICE(SUBSCRIBED)), 0);
	for (int i = 0; i < N; i++)
		assert_int_equal(buffer_append_slice(&bytes, i % 2 ? known : unknown), 0);
	fake.first = SLICE("+PONG\r\n");
	fake.word = "SUBSCRIBE";
	fake.then = buffer_slice(&bytes);
	open_at(&seen, &world, "", fake.port);
	want(&seen, "a");
	RUN_UNTIL(&world.test, fake_step(&fake) && seen.messages == N / 2);
	assert_int_equal(seen.downs, 0);
	assert_true(seen.batches < N / 100);
	close_all(&seen, &world);
	fake_close(&fake);
	buffer_finish(&bytes);
	world_close(&world);
}

/* Each byte of it is where the connection may end. */
static void test_half_pushes(void **state)
{
	(void)state;
	static const struct slice bytes =
		SLICE(SUBSCRIBED "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$3\r\n\r\n\0\r\n");
	struct world world;
	struct fake fake;
	world_open(&world);
	fake_open(&fake);
	fake.first = SLICE("+PONG\r\n");
	fake.word = "SUBSCRIBE";
	fake.hangs_up = true;
	for (size_t len = 0; len <= bytes.len; len++) {
		struct seen seen;
		fake.then = slice_make(bytes.at, len);
		open_at(&seen, &world, "", fake.port);
		want(&seen, "a");
		RUN_UNTIL(&world.test, fake_step(&fake) && seen.downs);
		assert_int_equal(seen.confirmed, len >= sizeof(SUBSCRIBED) - 1);
		assert_int_equal(seen.messages, len == bytes.len);
		close_all(&seen, &world);
		fake_hang_up(&fake);
	}
	fake_close(&fake);
	world_close(&world);
}

static void test_close_from_any_callback(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	world_open(&world);
	test_redis_open(&redis, "");
	RUN_UNTIL(&world.test, test_redis_accepts(&redis));
	for (int i = 0; i < 5; i++) {
		struct seen seen;
		open_at(&seen, &world, "", redis.port);
		want(&seen, "a");
		want(&seen, "b");
		seen.close_when_confirmed = i == 0;
		seen.close_when_up = i == 1;
		seen.close_when_message = i == 2;
		seen.close_when_down = i == 3;
		if (i == 4)
			subscriptions_close(&seen.subscriptions); /* before anything began */
		if (i == 2 || i == 3)
			RUN_UNTIL(&world.test, seen.ups);
		if (i == 2)
			assert_int_equal(publish(&redis, "a", "x"), 1);
		if (i == 3)
			redis_link_fail(&seen.subscriptions.link, "a test");
		RUN_UNTIL(&world.test, seen.closed);
		assert_int_equal(seen.confirmed, i == 0 ? 1 : i == 4 ? 0 : 2);
		assert_int_equal(seen.downs, i == 3);
		assert_int_equal(seen.messages, i == 2);
	}
	test_redis_close(&redis);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_publication_comes_through),
		cmocka_unit_test(test_up_at_once_when_nothing_is_wanted),
		cmocka_unit_test(test_wants_leave_together),
		cmocka_unit_test(test_many_channels),
		cmocka_unit_test(test_wanted_again),
		cmocka_unit_test(test_any_order_of_wants_ends_right),
		cmocka_unit_test(test_killed_and_restarted),
		cmocka_unit_test(test_ping_goes_on_while_subscribed),
		cmocka_unit_test(test_hanging_redis_is_found),
		cmocka_unit_test(test_refused_among_others),
		cmocka_unit_test(test_refused_again_and_again),
		cmocka_unit_test(test_refused_until_wanted_anew),
		cmocka_unit_test(test_refused_when_the_link_comes_back),
		cmocka_unit_test(test_more_refused_than_may_be_pending),
		cmocka_unit_test(test_refusal_belongs_to_the_oldest_command),
		cmocka_unit_test(test_refused_after_it_was_left),
		cmocka_unit_test(test_refused_while_it_was_wanted_anew),
		cmocka_unit_test(test_hostile_refusals),
		cmocka_unit_test(test_refused_unsubscription_fails_the_link),
		cmocka_unit_test(test_error_to_ping_is_told_as_such),
		cmocka_unit_test(test_close_when_refused),
		cmocka_unit_test(test_hostile_pushes),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_half_pushes),
		cmocka_unit_test(test_close_from_any_callback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
