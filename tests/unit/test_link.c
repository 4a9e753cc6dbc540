#include "certificates.h"
#include "redis.h"

#include "sluice/redis/link.h"

enum { REPLY_BYTES = 1 << 20, ANSWERS_MAX = 64 };

/* A link and all that it has told. */
struct seen {
	struct redis_link link;
	struct redis_link_settings settings;
	struct redis_url url;
	int ups, downs, closed, round_trips;
	int answers, lost; /* replies, and NULLs in their place */
	char text[256];    /* of the last reply */
	char reason[300];
	uint64_t down_at[16];
	bool close_when_up, close_when_down, close_when_answered, close_when_lost;
};

static void on_up(struct redis_link *link)
{
	struct seen *seen = link->owner;
	seen->ups++;
	assert_true(redis_link_is_up(link));
	if (seen->close_when_up)
		redis_link_close(link);
}

static void on_down(struct redis_link *link, const char *reason)
{
	struct seen *seen = link->owner;
	assert_false(redis_link_is_up(link));
	snprintf(seen->reason, sizeof(seen->reason), "%s", reason);
	seen->down_at[seen->downs++ % (int)COUNT_OF(seen->down_at)] = uv_hrtime();
	if (seen->close_when_down)
		redis_link_close(link);
}

static void on_round_trip(struct redis_link *link, uint64_t ns)
{
	struct seen *seen = link->owner;
	seen->round_trips++;
	assert_true(ns > 0 && ns < 10000000000ULL);
}

static void on_closed(struct redis_link *link)
{
	struct seen *seen = link->owner;
	seen->closed++;
}

static const struct redis_link_events events = { .on_up = on_up,
	.on_down = on_down,
	.on_round_trip = on_round_trip,
	.on_closed = on_closed };

static void open_link(struct seen *seen, struct world *world, const char *format, ...)
	PRINTF_LIKE(3, 4);

static void open_link(struct seen *seen, struct world *world, const char *format, ...)
{
	char text[256];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	*seen = (struct seen){ 0 };
	assert_null(redis_url_parse(&seen->url, slice_of(text)));
	seen->settings =
		(struct redis_link_settings){ .url = &seen->url, .reply_bytes = REPLY_BYTES };
	assert_int_equal(redis_link_open(&seen->link, &world->shared, &world->deadlines,
				 &seen->settings, &events, seen),
		0);
}

static void close_link(struct seen *seen, struct world *world)
{
	redis_link_close(&seen->link);
	redis_link_close(&seen->link);
	assert_int_equal(seen->closed, 0);
	RUN_UNTIL(&world->test, seen->closed);
	assert_int_equal(seen->closed, 1);
}

static void on_reply(void *context, const struct redisReply *reply)
{
	struct seen *seen = context;
	if (!reply) {
		seen->lost++;
		if (seen->close_when_lost)
			redis_link_close(&seen->link);
		return;
	}
	seen->answers++;
	snprintf(seen->text, sizeof(seen->text), "%.*s", SLICE_ARGS(reply_text(reply)));
	if (seen->close_when_answered)
		redis_link_close(&seen->link);
}

static int command(struct seen *seen, const char *a, const char *b, const char *c)
{
	struct slice words[] = { slice_of(a), slice_of(b), slice_of(c) };
	size_t n = c ? 3 : b ? 2 : 1;
	return redis_link_command(&seen->link, words, n, on_reply, seen);
}

static void test_commands_are_answered_in_order(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	world_open(&world);
	test_redis_open(&redis, "");
	open_link(&seen, &world, "redis://127.0.0.1:%d", redis.port);
	assert_int_equal(seen.ups + seen.downs, 0);
	assert_int_equal(command(&seen, "GET", "k", NULL), -ENOTCONN);
	RUN_UNTIL(&world.test, seen.ups);
	assert_int_equal(command(&seen, "SET", "k", "a value"), 0);
	assert_int_equal(command(&seen, "HGET", "k", "wrong type"), 0);
	assert_int_equal(command(&seen, "GET", "k", NULL), 0);
	assert_int_equal(seen.answers, 0);
	RUN_UNTIL(&world.test, seen.answers == 3);
	assert_string_equal(seen.text, "a value");
	assert_int_equal(command(&seen, "HGET", "k", "f"), 0);
	RUN_UNTIL(&world.test, seen.answers == 4);
	assert_non_null(strstr(seen.text, "WRONGTYPE"));
	RUN_UNTIL(&world.test, seen.round_trips == 1);
	close_link(&seen, &world);
	assert_int_equal(seen.lost, 0);
	test_redis_close(&redis);
	world_close(&world);
}

static void test_unix_socket(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	world_open(&world);
	test_redis_open(&redis, "");
	open_link(&seen, &world, "unix://%s?db=2", redis.socket);
	RUN_UNTIL(&world.test, seen.ups);
	assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
	RUN_UNTIL(&world.test, seen.answers);
	close_link(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

static void test_tls(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	char error[TLS_ERROR_MAX];
	struct tls_settings *right = tls_client_create(certificate("ca.pem"), error);
	struct tls_settings *wrong = tls_client_create(certificate("other-ca.pem"), error);
	assert_true(right && wrong);
	world_open(&world);
	test_redis_open_tls(&redis, certificates_folder);
	open_link(&seen, &world, "rediss://127.0.0.1:%d", redis.port);
	seen.settings.tls = right;
	RUN_UNTIL(&world.test, seen.ups);
	assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
	RUN_UNTIL(&world.test, seen.answers);
	close_link(&seen, &world);
	open_link(&seen, &world, "rediss://127.0.0.1:%d", redis.port);
	seen.settings.tls = wrong;
	RUN_UNTIL(&world.test, seen.downs);
	assert_non_null(strstr(seen.reason, "certificate"));
	close_link(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
	tls_settings_destroy(right);
	tls_settings_destroy(wrong);
}

static void test_unix_socket_that_is_not_there(void **state)
{
	(void)state;
	struct world world;
	struct seen seen;
	world_open(&world);
	open_link(&seen, &world, "unix:///nowhere/socket");
	assert_int_equal(seen.downs, 0);
	RUN_UNTIL(&world.test, seen.downs == 2);
	assert_string_equal(seen.reason, strerror(ENOENT));
	close_link(&seen, &world);
	world_close(&world);
}

static void test_database_is_selected(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen, other;
	world_open(&world);
	test_redis_open(&redis, "");
	open_link(&seen, &world, "redis://127.0.0.1:%d/3", redis.port);
	open_link(&other, &world, "redis://127.0.0.1:%d/4", redis.port);
	RUN_UNTIL(&world.test, seen.ups && other.ups);
	assert_int_equal(command(&seen, "SET", "k", "three"), 0);
	RUN_UNTIL(&world.test, seen.answers);
	assert_int_equal(command(&seen, "GET", "k", NULL), 0);
	assert_int_equal(command(&other, "GET", "k", NULL), 0);
	RUN_UNTIL(&world.test, seen.answers == 2 && other.answers == 1);
	assert_string_equal(seen.text, "three");
	assert_string_equal(other.text, "");
	close_link(&seen, &world);
	close_link(&other, &world);
	open_link(&seen, &world, "redis://127.0.0.1:%d/99", redis.port);
	RUN_UNTIL(&world.test, seen.downs);
	assert_non_null(strstr(seen.reason, "SELECT: ERR"));
	assert_int_equal(seen.ups, 0);
	close_link(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

static void test_authentication(void **state)
{
	(void)state;
	static const struct {
		const char *who, *reason; /* NULL: let in */
	} cases[] = {
		{ ":s3cret@", NULL },
		{ "default:s3cret@", NULL },
		{ "", "SELECT: NOAUTH" },
		{ ":wr0ng@", "AUTH: WRONGPASS" },
		{ ":@", "AUTH: WRONGPASS" },
		{ "nobody:s3cret@", "AUTH: WRONGPASS" },
	};
	struct world world;
	struct test_redis redis;
	world_open(&world);
	test_redis_open(&redis, "s3cret");
	RUN_UNTIL(&world.test, test_redis_accepts(&redis));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct seen seen;
		open_link(&seen, &world, "redis://%s127.0.0.1:%d/1", cases[i].who, redis.port);
		RUN_UNTIL(&world.test, seen.ups + seen.downs);
		assert_int_equal(seen.ups, cases[i].reason == NULL);
		if (cases[i].reason && !strstr(seen.reason, cases[i].reason))
			fail_msg("%s: %s", cases[i].who, seen.reason);
		assert_null(strstr(seen.reason, "s3cret"));
		assert_null(strstr(seen.reason, "wr0ng"));
		close_link(&seen, &world);
	}
	test_redis_close(&redis);
	world_close(&world);
}

static void test_password_is_never_told(void **state)
{
	(void)state;
	struct world world;
	struct fake fake;
	struct seen seen;
	world_open(&world);
	fake_open(&fake);
	fake.first = SLICE("-ERR unknown command `AUTH`, with args beginning with: `s3cret`\r\n");
	open_link(&seen, &world, "redis://:s3cret@127.0.0.1:%d", fake.port);
	RUN_UNTIL(&world.test, fake_step(&fake) && seen.downs);
	assert_string_equal(seen.reason, "AUTH: ERR unknown command ");
	close_link(&seen, &world);
	fake_close(&fake);
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
	open_link(&seen, &world, "redis://127.0.0.1:%d", redis.port);
	RUN_UNTIL(&world.test, seen.ups);
	int downs = seen.downs;
	assert_int_equal(command(&seen, "BLPOP", "nothing", "0"), 0);
	assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
	uv_run(&world.test.loop, UV_RUN_NOWAIT);
	test_redis_kill(&redis);
	RUN_UNTIL(&world.test, seen.downs > downs);
	assert_int_equal(seen.lost, 2);
	assert_int_equal(seen.answers, 0);
	assert_int_equal(command(&seen, "PING", NULL, NULL), -ENOTCONN);
	RUN_UNTIL(&world.test, seen.downs > downs + 3);
	test_redis_start(&redis, "");
	RUN_UNTIL(&world.test, seen.ups == 2 || test_redis_accepts(&redis));
	uint64_t back = uv_hrtime();
	RUN_UNTIL(&world.test, seen.ups == 2);
	assert_true(seconds_since(back) < 1.0);
	assert_int_equal(seen.lost, 2);
	close_link(&seen, &world);
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
	open_link(&seen, &world, "redis://127.0.0.1:%d", redis.port);
	RUN_UNTIL(&world.test, seen.round_trips == 1); /* now the next PING is farthest away */
	int downs = seen.downs;
	assert_int_equal(kill(redis.pid, SIGSTOP), 0);
	uint64_t stopped = uv_hrtime();
	assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
	RUN_UNTIL(&world.test, seen.downs > downs);
	double took = seconds_since(stopped);
	assert_true(took > 1.8 && took < 3.3);
	assert_string_equal(seen.reason, "no answer to PING");
	assert_int_equal(seen.lost, 1);
	/* the kernel goes on accepting, so the next attempts end by their own time */
	RUN_UNTIL(&world.test, seen.downs > downs + 1);
	assert_string_equal(seen.reason, "no answer to AUTH, SELECT or PING");
	assert_int_equal(kill(redis.pid, SIGCONT), 0);
	RUN_UNTIL(&world.test, seen.ups == 2);
	close_link(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

/* Who asks faster than Redis answers is told so; the link is none the worse for it. */
static void test_pending_commands_have_a_limit(void **state)
{
	(void)state;
	struct world world;
	struct test_redis redis;
	struct seen seen;
	world_open(&world);
	test_redis_open(&redis, "");
	open_link(&seen, &world, "redis://127.0.0.1:%d", redis.port);
	RUN_UNTIL(&world.test, seen.ups);
	int downs = seen.downs;
	for (int round = 1; round <= 2; round++) {
		for (int i = 0; i < REDIS_PENDING_MAX; i++)
			assert_int_equal(command(&seen, "ECHO", "x", NULL), 0);
		assert_int_equal(command(&seen, "ECHO", "x", NULL), -ENOBUFS);
		assert_int_equal(redis_link_subscription_command(&seen.link,
					 (struct slice[]){ SLICE("SUBSCRIBE"), SLICE("a") }, 2),
			-ENOBUFS);
		RUN_UNTIL(&world.test, seen.answers == round * REDIS_PENDING_MAX);
	}
	/* a PING of its own finds room */
	for (int i = 0; i < REDIS_PENDING_MAX; i++)
		assert_int_equal(command(&seen, "ECHO", "x", NULL), 0);
	int round_trips = seen.round_trips;
	seen.link.ping.on_due(&seen.link.ping);
	RUN_UNTIL(&world.test, seen.round_trips > round_trips);
	assert_int_equal(seen.downs, downs);
	for (int i = 0; i < REDIS_PENDING_MAX; i++)
		assert_int_equal(command(&seen, "ECHO", "x", NULL), 0);
	redis_link_fail(&seen.link, "a test");
	assert_int_equal(seen.lost, REDIS_PENDING_MAX);
	RUN_UNTIL(&world.test, seen.ups == 2);
	assert_int_equal(command(&seen, "ECHO", "x", NULL), 0); /* none of the lost is counted */
	close_link(&seen, &world);
	test_redis_close(&redis);
	world_close(&world);
}

/* Each wait lies in the upper half of its bound, and the bound grows by half. */
static void test_back_off(void **state)
{
	(void)state;
	struct world world;
	struct seen seen;
	double bound = (double)REDIS_BACKOFF_FIRST_MS / 1000.0;
	world_open(&world);
	open_link(&seen, &world, "redis://127.0.0.1:%d", free_port());
	RUN_UNTIL(&world.test, seen.downs == 8);
	for (int i = 0; i < 7; i++) {
		double wait = (double)(seen.down_at[i + 1] - seen.down_at[i]) / 1e9;
		if (wait < bound / 2 - 0.003 || wait > bound + 0.3)
			fail_msg("wait %d was %.3f s, its bound %.3f s", i, wait, bound);
		bound = MIN(bound * 1.5, (double)REDIS_BACKOFF_MAX_MS / 1000.0);
	}
	assert_int_equal(seen.ups, 0);
	close_link(&seen, &world);
	world_close(&world);
}

static void test_back_off_has_a_limit(void **state)
{
	(void)state;
	struct world world;
	struct seen seen;
	world_open(&world);
	open_link(&seen, &world, "unix:///nowhere/socket");
	struct deadline *attempt = &seen.link.transport.deadline;
	for (int i = 0; i < 40; i++) {
		int downs = seen.downs;
		RUN_UNTIL(&world.test, seen.downs > downs);
		/* as if the wait were over: what is drawn is looked at, not waited for */
		assert_true(seen.link.transport.backoff_ms <= REDIS_BACKOFF_MAX_MS);
		deadline_set(&world.deadlines, attempt, 0, attempt->on_due);
	}
	assert_int_equal(seen.link.transport.backoff_ms, REDIS_BACKOFF_MAX_MS);
	close_link(&seen, &world);
	world_close(&world);
}

static void test_silent_server_times_out(void **state)
{
	(void)state;
	struct world world;
	struct fake fake;
	struct seen seen;
	world_open(&world);
	fake_open(&fake);
	uint64_t begin = uv_hrtime();
	open_link(&seen, &world, "redis://127.0.0.1:%d", fake.port);
	RUN_UNTIL(&world.test, fake_step(&fake) && seen.downs);
	assert_true(seconds_since(begin) > 1.9 && seconds_since(begin) < 2.5);
	close_link(&seen, &world);
	fake_close(&fake);
	world_close(&world);
}

/* A huge reply holds the PONG up, but its bytes prove life. */
static void test_busy_link_is_left_alone(void **state)
{
	(void)state;
	struct world world;
	struct fake fake;
	struct seen seen;
	world_open(&world);
	fake_open(&fake);
	fake.first = SLICE("+PONG\r\n");
	open_link(&seen, &world, "redis://127.0.0.1:%d", fake.port);
	RUN_UNTIL(&world.test, fake_step(&fake) && seen.ups);
	assert_int_equal(command(&seen, "GET", "huge", NULL), 0);
	uint64_t begin = uv_hrtime(), last = begin;
	assert_int_equal(send(fake.peer, "$1000000\r\n", 10, MSG_NOSIGNAL), 10);
	while (seconds_since(begin) < 3.5) {
		if (seconds_since(last) > 0.3) {
			assert_int_equal(send(fake.peer, "x", 1, MSG_NOSIGNAL), 1);
			last = uv_hrtime();
		}
		uv_run(&world.test.loop, UV_RUN_ONCE);
	}
	assert_int_equal(seen.downs, 0);
	begin = uv_hrtime();
	RUN_UNTIL(&world.test, seen.downs);
	assert_true(seconds_since(begin) < 3.3);
	assert_int_equal(seen.lost, 1);
	close_link(&seen, &world);
	fake_close(&fake);
	world_close(&world);
}

static void test_hostile_answers(void **state)
{
	(void)state;
	static const struct {
		struct slice bytes;
		const char *reason;
	} cases[] = {
		{ SLICE("HTTP/1.1 400 Bad Request\r\n\r\n"), "the reply is not RESP" },
		{ SLICE("\x15\x03\x03\0\2\2\50"), "the reply is not RESP" },
		{ SLICE("\r\n"), "the reply is not RESP" },
		{ SLICE("$3\r\nPONG\r\n"), "unexpected reply to PING" },
		{ SLICE("+pong\r\n"), "unexpected reply to PING" },
		{ SLICE("$-1\r\n"), "unexpected reply to PING" },
		{ SLICE("*-1\r\n"), "unexpected reply to PING" },
		{ SLICE("*0\r\n"), "unexpected reply to PING" },
		{ SLICE(":1\r\n"), "unexpected reply to PING" },
		{ SLICE("*2\r\n$4\r\npong\r\n$0\r\n\r\n"), "unexpected reply to PING" },
		{ SLICE("-LOADING Redis is loading\r\n"), "PING: LOADING Redis is loading" },
		{ SLICE("-\r\n"), "PING: " },
		{ SLICE("-a\x01\x1b[2Jb\r\n"), "PING: a??[2Jb" },
		{ SLICE("*2147483647\r\n"), "the reply is not RESP" },
		{ SLICE("$2147483647\r\n"), NULL }, /* waits for bytes that do not come */
		{ SLICE("+PONG\r\n+PONG\r\n"), "unexpected reply" },
		{ SLICE("+PONG\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n"),
			"unexpected reply" },
		{ SLICE("+PONG\r\n-ERR x\r\n"), "unexpected reply" },
		{ SLICE("+PONG\r\n\0\0\0\0"), "the reply is not RESP" },
		{ SLICE("+PONG\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"),
			"the reply is not RESP" },
	};
	struct world world;
	struct fake fake;
	world_open(&world);
	fake_open(&fake);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct seen seen;
		fake.first = cases[i].bytes;
		fake.hangs_up = !cases[i].reason;
		open_link(&seen, &world, "redis://127.0.0.1:%d", fake.port);
		RUN_UNTIL(&world.test, fake_step(&fake) && seen.downs);
		assert_string_equal(seen.reason,
			cases[i].reason ? cases[i].reason : "Redis closed the connection");
		close_link(&seen, &world);
		fake_hang_up(&fake);
	}
	fake_close(&fake);
	world_close(&world);
}

/* A greeting and an answer, cut off after each of their bytes. */
static void test_half_replies(void **state)
{
	(void)state;
	static const struct slice bytes = SLICE("+OK\r\n+OK\r\n+PONG\r\n*2\r\n$1\r\na\r\n:1\r\n");
	struct world world;
	struct fake fake;
	world_open(&world);
	fake_open(&fake);
	fake.hangs_up = true;
	for (size_t len = 0; len <= bytes.len; len++) {
		struct seen seen;
		fake.first = slice_make(bytes.at, len);
		open_link(&seen, &world, "redis://u:p@127.0.0.1:%d/1", fake.port);
		RUN_UNTIL(&world.test, fake_step(&fake) && seen.downs);
		assert_int_equal(seen.ups, len >= 17);
		close_link(&seen, &world);
		fake_hang_up(&fake);
	}
	fake_close(&fake);
	world_close(&world);
}

static void test_long_reply_fails_the_link(void **state)
{
	(void)state;
	struct world world;
	struct fake fake;
	struct seen seen;
	struct buffer bytes = { 0 };
	world_open(&world);
	fake_open(&fake);
	assert_int_equal(buffer_printf(&bytes, "+PONG\r\n$%d\r\n", 2 * REPLY_BYTES), 0);
	assert_int_equal(buffer_reserve(&bytes, 2 * REPLY_BYTES), 0);
	memset(bytes.bytes + bytes.len, 'x', 2 * REPLY_BYTES);
	bytes.len += 2 * REPLY_BYTES;
	fake.first = buffer_slice(&bytes);
	open_link(&seen, &world, "redis://127.0.0.1:%d", fake.port);
	RUN_UNTIL(&world.test, fake_step(&fake) && seen.downs);
	assert_string_equal(seen.reason, "reply longer than the limit");
	close_link(&seen, &world);
	fake_close(&fake);
	buffer_finish(&bytes);
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
	for (int i = 0; i < 7; i++) {
		struct seen seen;
		if (i == 0) /* nothing is there: the attempt fails without a stream */
			open_link(&seen, &world, "unix:///nowhere/socket");
		else
			open_link(&seen, &world, "redis://127.0.0.1:%d", redis.port);
		seen.close_when_down = i == 0 || i == 6;
		seen.close_when_up = i == 1;
		if (i == 2)
			redis_link_close(&seen.link); /* before anything began */
		if (i > 2) {
			RUN_UNTIL(&world.test, seen.ups);
			assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
			assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
			seen.close_when_answered = i == 3;
			seen.close_when_lost = i == 4 || i == 5;
		}
		if (i == 4)
			redis_link_close(&seen.link);
		if (i >= 5)
			redis_link_fail(&seen.link, "a test");
		RUN_UNTIL(&world.test, seen.closed);
		assert_int_equal(seen.answers + seen.lost, i > 2 ? 2 : 0);
		assert_int_equal(seen.answers, i == 3);
		assert_int_equal(seen.downs, i == 0 || i == 6);
	}
	test_redis_close(&redis);
	world_close(&world);
}

static void test_close_while_waiting(void **state)
{
	(void)state;
	struct world world;
	struct seen seen;
	world_open(&world);
	open_link(&seen, &world, "redis://127.0.0.1:%d", free_port());
	RUN_UNTIL(&world.test, seen.downs == 2 && !seen.link.transport.stream_open);
	close_link(&seen, &world);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_are_answered_in_order),
		cmocka_unit_test(test_unix_socket),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_unix_socket_that_is_not_there),
		cmocka_unit_test(test_database_is_selected),
		cmocka_unit_test(test_authentication),
		cmocka_unit_test(test_password_is_never_told),
		cmocka_unit_test(test_killed_and_restarted),
		cmocka_unit_test(test_hanging_redis_is_found),
		cmocka_unit_test(test_pending_commands_have_a_limit),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_back_off_has_a_limit),
		cmocka_unit_test(test_silent_server_times_out),
		cmocka_unit_test(test_busy_link_is_left_alone),
		cmocka_unit_test(test_hostile_answers),
		cmocka_unit_test(test_half_replies),
		cmocka_unit_test(test_long_reply_fails_the_link),
		cmocka_unit_test(test_close_from_any_callback),
		cmocka_unit_test(test_close_while_waiting),
	};
	return cmocka_run_group_tests(tests, certificates_make, certificates_remove);
}
