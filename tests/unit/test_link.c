#include "certificates.h"
#include "redis.h"

#include "sluice/redis/link.h"

/* A link, and what it has reported. */
struct seen {
	struct redis_link link;
	struct test_target target;
	int ups, downs, closed, round_trips;
	int answers, lost; /* replies, and NULLs instead of replies */
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
	test_target_set(&seen->target, text);
	assert_int_equal(redis_link_open(&seen->link, &world->shared, &world->deadlines,
				 &seen->target.settings, &events, seen),
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

static void answers_commands_in_order(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_link(&seen, world, "redis://127.0.0.1:%d", world->redis.port);
	assert_int_equal(seen.ups + seen.downs, 0);
	assert_int_equal(command(&seen, "GET", "k", NULL), -ENOTCONN);
	RUN_UNTIL(&world->test, seen.ups);
	assert_int_equal(command(&seen, "SET", "k", "a value"), 0);
	assert_int_equal(command(&seen, "HGET", "k", "wrong type"), 0);
	assert_int_equal(command(&seen, "GET", "k", NULL), 0);
	assert_int_equal(seen.answers, 0);
	RUN_UNTIL(&world->test, seen.answers == 3);
	assert_string_equal(seen.text, "a value");
	assert_int_equal(command(&seen, "HGET", "k", "f"), 0);
	RUN_UNTIL(&world->test, seen.answers == 4);
	assert_non_null(strstr(seen.text, "WRONGTYPE"));
	RUN_UNTIL(&world->test, seen.round_trips == 1);
	close_link(&seen, world);
	assert_int_equal(seen.lost, 0);
}

/* ---- a long array ---- */

struct hash {
	size_t elements, bytes, answers;
	size_t n; /* of the array */
	int lost;
	bool has_elements;
};

static void on_element(void *context, struct slice text)
{
	struct hash *hash = context;
	hash->elements++;
	hash->bytes += text.len;
}

static void on_hash(void *context, const struct redisReply *reply)
{
	struct hash *hash = context;
	hash->answers++;
	if (!reply) {
		hash->lost++;
		return;
	}
	hash->n = reply->elements;
	hash->has_elements = reply->element != NULL;
}

static void ask_for_a_hash(struct seen *seen, struct hash *hash, const char *key)
{
	const struct slice words[] = { SLICE("HGETALL"), slice_of(key) };
	*hash = (struct hash){ 0 };
	assert_int_equal(redis_link_command(&seen->link, words, 2, on_hash, hash), 0);
	redis_link_take_elements(&seen->link, on_element);
}

/* What one turn takes is counted, as time means nothing on a busy machine. */
static size_t most_of_a_turn(struct world *world, struct hash *hash)
{
	size_t most = 0;
	uint64_t begun = uv_hrtime();
	while (!hash->answers) {
		size_t before = hash->elements;
		assert_true(seconds_since(begun) < 10);
		uv_run(&world->test.loop, UV_RUN_ONCE);
		most = MAX(most, hash->elements - before);
	}
	return most;
}

static void takes_a_hash_of_many_fields_over_many_turns(void **state)
{
	enum { FIELDS = 100000, MOST = 4096 + 65536 / 7 }; /* and those of one read */
	static const char fill[] = "for i=1,100000 do redis.call('HSET','h',i+100000,'x') end";
	struct world *world = *state;
	struct seen seen;
	struct hash hash;
	open_link(&seen, world, "redis://127.0.0.1:%d", world->redis.port);
	seen.target.settings.reply_bytes = 4 << 20;
	RUN_UNTIL(&world->test, seen.ups);
	TEST_REDIS_DO(&world->redis, "EVAL", fill, "0");
	ask_for_a_hash(&seen, &hash, "h");
	assert_int_equal(command(&seen, "HGETALL", "h", NULL), 0);
	uv_run(&world->test.loop, UV_RUN_NOWAIT);
	/* meanwhile Redis writes it, 64 KiB for each time that it looks at other clients */
	for (int i = 0; i < 16; i++)
		TEST_REDIS_DO(&world->redis, "PING");
	assert_in_range(most_of_a_turn(world, &hash), 1, MOST);
	assert_int_equal(hash.elements, 2 * FIELDS);
	assert_int_equal(hash.bytes, FIELDS * 7);
	assert_int_equal(hash.n, 2 * FIELDS);
	assert_false(hash.has_elements);
	/* the command behind it has not asked for elements */
	RUN_UNTIL(&world->test, seen.answers == 1);
	assert_int_equal(hash.elements, 2 * FIELDS);
	/* other replies are as always */
	assert_int_equal(command(&seen, "SET", "k", "a"), 0);
	ask_for_a_hash(&seen, &hash, "k");
	RUN_UNTIL(&world->test, hash.answers);
	assert_int_equal(hash.elements + hash.n, 0);
	assert_int_equal(seen.ups, 1);
	close_link(&seen, world);
}

static void loses_a_hash_with_its_link(void **state)
{
	struct world *world = *state;
	struct seen seen;
	struct hash hash;
	open_link(&seen, world, "redis://127.0.0.1:%d", world->redis.port);
	seen.target.settings.reply_bytes = 4 << 20;
	RUN_UNTIL(&world->test, seen.ups);
	TEST_REDIS_DO(
		&world->redis, "EVAL", "for i=1,100000 do redis.call('HSET','h',i,'x') end", "0");
	ask_for_a_hash(&seen, &hash, "h");
	RUN_UNTIL(&world->test, hash.elements);
	redis_link_fail(&seen.link, "by this test");
	assert_int_equal(hash.lost, 1);
	RUN_UNTIL(&world->test, seen.ups == 2);
	ask_for_a_hash(&seen, &hash, "h");
	RUN_UNTIL(&world->test, hash.elements);
	close_link(&seen, world);
	assert_int_equal(hash.lost, 1);
}

static void knows_its_server_and_the_servers_clock(void **state)
{
	struct world *world = *state;
	struct seen one, two;
	open_link(&one, world, "redis://127.0.0.1:%d", world->redis.port);
	open_link(&two, world, "unix://%s", world->redis.socket);
	one.target.settings.asks_server = two.target.settings.asks_server = true;
	assert_true(redis_link_run_id(&one.link) == 0);
	RUN_UNTIL(&world->test, one.ups && two.ups);
	assert_true(redis_link_run_id(&one.link) != 0);
	assert_true(redis_link_run_id(&one.link) == redis_link_run_id(&two.link));
	uint64_t now = (uint64_t)time(NULL) * 1000;
	uint64_t server = redis_link_server_ms(&one.link, uv_hrtime());
	assert_in_range(server, now - 10000, now + 10000);
	assert_true(redis_link_server_ms(&one.link, uv_hrtime() + 5000000000) >= server + 5000);
	redis_link_fail(&one.link, "test");
	assert_true(redis_link_run_id(&one.link) == 0);
	assert_true(redis_link_server_ms(&one.link, uv_hrtime()) == 0);
	close_link(&one, world);
	close_link(&two, world);
}

/* An ACL, or a proxy that does not know the command. */
static void comes_up_when_redis_does_not_tell_which_server_it_is(void **state)
{
	struct world *world = *state;
	struct seen seen;
	world->fake.first = SLICE("-NOPERM no permissions to run the 'info' command\r\n+PONG\r\n");
	open_link(&seen, world, "redis://127.0.0.1:%d", world->fake.port);
	seen.target.settings.asks_server = true;
	RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.ups);
	assert_true(redis_link_run_id(&seen.link) == 0);
	close_link(&seen, world);
}

static void connects_over_a_unix_socket(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_link(&seen, world, "unix://%s?db=2", world->redis.socket);
	RUN_UNTIL(&world->test, seen.ups);
	assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
	RUN_UNTIL(&world->test, seen.answers);
	close_link(&seen, world);
}

static void connects_over_tls_and_checks_the_certificate(void **state)
{
	struct world *world = *state;
	struct seen seen;
	char error[TLS_ERROR_MAX];
	struct tls_settings *right = tls_client_create(
		&(struct tls_client){ certificate("ca.pem"), "", "", TLS_VERIFY_FULL }, error);
	struct tls_settings *wrong = tls_client_create(
		&(struct tls_client){ certificate("other-ca.pem"), "", "", TLS_VERIFY_FULL },
		error);
	assert_true(right && wrong);
	test_redis_open_tls(&world->redis, certificates_folder);
	open_link(&seen, world, "rediss://127.0.0.1:%d", world->redis.port);
	test_target_set_tls(&seen.target, right);
	RUN_UNTIL(&world->test, seen.ups);
	assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
	RUN_UNTIL(&world->test, seen.answers);
	close_link(&seen, world);
	open_link(&seen, world, "rediss://127.0.0.1:%d", world->redis.port);
	test_target_set_tls(&seen.target, wrong);
	RUN_UNTIL(&world->test, seen.downs);
	assert_non_null(strstr(seen.reason, "certificate"));
	close_link(&seen, world);
	tls_settings_destroy(right);
	tls_settings_destroy(wrong);
}

static void reports_a_missing_unix_socket(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_link(&seen, world, "unix:///nowhere/socket");
	assert_int_equal(seen.downs, 0);
	RUN_UNTIL(&world->test, seen.downs == 2);
	assert_string_equal(seen.reason, strerror(ENOENT));
	close_link(&seen, world);
}

static void selects_the_database(void **state)
{
	struct world *world = *state;
	struct seen seen, other;
	open_link(&seen, world, "redis://127.0.0.1:%d/3", world->redis.port);
	open_link(&other, world, "redis://127.0.0.1:%d/4", world->redis.port);
	RUN_UNTIL(&world->test, seen.ups && other.ups);
	assert_int_equal(command(&seen, "SET", "k", "three"), 0);
	RUN_UNTIL(&world->test, seen.answers);
	assert_int_equal(command(&seen, "GET", "k", NULL), 0);
	assert_int_equal(command(&other, "GET", "k", NULL), 0);
	RUN_UNTIL(&world->test, seen.answers == 2 && other.answers == 1);
	assert_string_equal(seen.text, "three");
	assert_string_equal(other.text, "");
	close_link(&seen, world);
	close_link(&other, world);
	open_link(&seen, world, "redis://127.0.0.1:%d/99", world->redis.port);
	RUN_UNTIL(&world->test, seen.downs);
	assert_non_null(strstr(seen.reason, "SELECT: ERR"));
	assert_int_equal(seen.ups, 0);
	close_link(&seen, world);
}

static void authenticates(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *user, *reason; /* NULL: let in */
	} cases[] = {
		{ ":s3cret@", NULL },
		{ "default:s3cret@", NULL },
		{ "", "SELECT: NOAUTH" },
		{ ":wr0ng@", "AUTH: WRONGPASS" },
		{ ":@", "AUTH: WRONGPASS" },
		{ "nobody:s3cret@", "AUTH: WRONGPASS" },
	};
	test_redis_open(&world->redis, "s3cret");
	RUN_UNTIL(&world->test, test_redis_accepts(&world->redis));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct seen seen;
		open_link(
			&seen, world, "redis://%s127.0.0.1:%d/1", cases[i].user, world->redis.port);
		RUN_UNTIL(&world->test, seen.ups + seen.downs);
		assert_int_equal(seen.ups, cases[i].reason == NULL);
		if (cases[i].reason && !strstr(seen.reason, cases[i].reason))
			fail_msg("%s: %s", cases[i].user, seen.reason);
		assert_null(strstr(seen.reason, "s3cret"));
		assert_null(strstr(seen.reason, "wr0ng"));
		close_link(&seen, world);
	}
}

static void never_reports_the_password(void **state)
{
	struct world *world = *state;
	struct seen seen;
	world->fake.first =
		SLICE("-ERR unknown command `AUTH`, with args beginning with: `s3cret`\r\n");
	open_link(&seen, world, "redis://:s3cret@127.0.0.1:%d", world->fake.port);
	RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.downs);
	assert_string_equal(seen.reason, "AUTH: ERR unknown command ");
	close_link(&seen, world);
}

static void reconnects_after_redis_was_killed(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_link(&seen, world, "redis://127.0.0.1:%d", world->redis.port);
	RUN_UNTIL(&world->test, seen.ups);
	int downs = seen.downs;
	assert_int_equal(command(&seen, "BLPOP", "nothing", "0"), 0);
	assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
	uv_run(&world->test.loop, UV_RUN_NOWAIT);
	test_redis_kill(&world->redis);
	RUN_UNTIL(&world->test, seen.downs > downs);
	assert_int_equal(seen.lost, 2);
	assert_int_equal(seen.answers, 0);
	assert_int_equal(command(&seen, "PING", NULL, NULL), -ENOTCONN);
	RUN_UNTIL(&world->test, seen.downs > downs + 3);
	test_redis_start(&world->redis, "");
	ASSERT_BACK_WITHIN_A_SECOND(world, seen.ups == 2);
	assert_int_equal(seen.lost, 2);
	close_link(&seen, world);
}

static void detects_a_redis_that_hangs(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_link(&seen, world, "redis://127.0.0.1:%d", world->redis.port);
	RUN_UNTIL(&world->test, seen.round_trips == 1); /* now the next PING is farthest away */
	int downs = seen.downs;
	assert_int_equal(kill(world->redis.pid, SIGSTOP), 0);
	uint64_t stopped = uv_hrtime();
	assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
	RUN_UNTIL(&world->test, seen.downs > downs);
	double took = seconds_since(stopped);
	assert_true(took > 1.8 && took < 3.3);
	assert_string_equal(seen.reason, "no answer to PING");
	assert_int_equal(seen.lost, 1);
	/* the kernel still accepts, so the next attempts end by their time limit */
	RUN_UNTIL(&world->test, seen.downs > downs + 1);
	assert_string_equal(seen.reason, "no answer to AUTH, SELECT or PING");
	assert_int_equal(kill(world->redis.pid, SIGCONT), 0);
	RUN_UNTIL(&world->test, seen.ups == 2);
	close_link(&seen, world);
}

/* Commands beyond the limit are refused; the link stays up. */
static void limits_pending_commands(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_link(&seen, world, "redis://127.0.0.1:%d", world->redis.port);
	RUN_UNTIL(&world->test, seen.ups);
	int downs = seen.downs;
	for (int round = 1; round <= 2; round++) {
		for (int i = 0; i < REDIS_PENDING_MAX; i++)
			assert_int_equal(command(&seen, "ECHO", "x", NULL), 0);
		assert_int_equal(command(&seen, "ECHO", "x", NULL), -ENOBUFS);
		assert_int_equal(redis_link_subscription_command(&seen.link,
					 (struct slice[]){ SLICE("SUBSCRIBE"), SLICE("a") }, 2),
			-ENOBUFS);
		RUN_UNTIL(&world->test, seen.answers == round * REDIS_PENDING_MAX);
	}
	/* the link's own PING is exempt */
	for (int i = 0; i < REDIS_PENDING_MAX; i++)
		assert_int_equal(command(&seen, "ECHO", "x", NULL), 0);
	int round_trips = seen.round_trips;
	seen.link.ping.on_due(&seen.link.ping);
	RUN_UNTIL(&world->test, seen.round_trips > round_trips);
	assert_int_equal(seen.downs, downs);
	for (int i = 0; i < REDIS_PENDING_MAX; i++)
		assert_int_equal(command(&seen, "ECHO", "x", NULL), 0);
	redis_link_fail(&seen.link, "a test");
	assert_int_equal(seen.lost, REDIS_PENDING_MAX);
	RUN_UNTIL(&world->test, seen.ups == 2);
	assert_int_equal(command(&seen, "ECHO", "x", NULL), 0); /* lost commands do not count */
	close_link(&seen, world);
}

/* Each wait lies in the upper half of its bound, and the bound grows by half. */
static void waits_longer_before_each_attempt(void **state)
{
	struct world *world = *state;
	struct seen seen;
	double bound = (double)REDIS_BACKOFF_FIRST_MS / 1000.0;
	open_link(&seen, world, "redis://127.0.0.1:%d", free_port());
	RUN_UNTIL(&world->test, seen.downs == 8);
	for (int i = 0; i < 7; i++) {
		double wait = (double)(seen.down_at[i + 1] - seen.down_at[i]) / 1e9;
		if (wait < bound / 2 - 0.003 || wait > bound + 0.3)
			fail_msg("wait %d was %.3f s, its bound %.3f s", i, wait, bound);
		bound = MIN(bound * 1.5, (double)REDIS_BACKOFF_MAX_MS / 1000.0);
	}
	assert_int_equal(seen.ups, 0);
	close_link(&seen, world);
}

static void limits_the_wait(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_link(&seen, world, "unix:///nowhere/socket");
	struct deadline *attempt = &seen.link.transport.deadline;
	for (int i = 0; i < 40; i++) {
		int downs = seen.downs;
		RUN_UNTIL(&world->test, seen.downs > downs);
		/* check the bound, then continue as if the wait were over */
		assert_true(seen.link.transport.backoff_ms <= REDIS_BACKOFF_MAX_MS);
		deadline_set(&world->deadlines, attempt, 0, attempt->on_due);
	}
	assert_int_equal(seen.link.transport.backoff_ms, REDIS_BACKOFF_MAX_MS);
	close_link(&seen, world);
}

static void times_out_on_a_silent_server(void **state)
{
	struct world *world = *state;
	struct seen seen;
	uint64_t begin = uv_hrtime();
	open_link(&seen, world, "redis://127.0.0.1:%d", world->fake.port);
	RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.downs);
	assert_true(seconds_since(begin) > 1.9 && seconds_since(begin) < 2.5);
	close_link(&seen, world);
}

/* A huge reply delays the PONG, but its bytes prove that Redis is alive. */
static void keeps_a_link_that_is_busy_with_a_huge_reply(void **state)
{
	struct world *world = *state;
	struct seen seen;
	world->fake.first = SLICE("+PONG\r\n");
	open_link(&seen, world, "redis://127.0.0.1:%d", world->fake.port);
	RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.ups);
	assert_int_equal(command(&seen, "GET", "huge", NULL), 0);
	uint64_t begin = uv_hrtime(), last = begin;
	assert_int_equal(send(world->fake.peer, "$1000000\r\n", 10, MSG_NOSIGNAL), 10);
	while (seconds_since(begin) < 3.5) {
		if (seconds_since(last) > 0.3) {
			assert_int_equal(send(world->fake.peer, "x", 1, MSG_NOSIGNAL), 1);
			last = uv_hrtime();
		}
		uv_run(&world->test.loop, UV_RUN_ONCE);
	}
	assert_int_equal(seen.downs, 0);
	begin = uv_hrtime();
	RUN_UNTIL(&world->test, seen.downs);
	assert_true(seconds_since(begin) < 3.3);
	assert_int_equal(seen.lost, 1);
	close_link(&seen, world);
}

static void fails_on_unexpected_replies(void **state)
{
	struct world *world = *state;
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
		{ SLICE("$2147483647\r\n"), NULL }, /* waits for bytes that never arrive */
		{ SLICE("+PONG\r\n+PONG\r\n"), "unexpected reply" },
		{ SLICE("+PONG\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n"),
			"unexpected reply" },
		{ SLICE("+PONG\r\n-ERR x\r\n"), "unexpected reply" },
		{ SLICE("+PONG\r\n\0\0\0\0"), "the reply is not RESP" },
		{ SLICE("+PONG\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"),
			"the reply is not RESP" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct seen seen;
		world->fake.first = cases[i].bytes;
		world->fake.hangs_up = !cases[i].reason;
		open_link(&seen, world, "redis://127.0.0.1:%d", world->fake.port);
		RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.downs);
		assert_string_equal(seen.reason,
			cases[i].reason ? cases[i].reason : "Redis closed the connection");
		close_link(&seen, world);
		fake_hang_up(&world->fake);
	}
}

/* A greeting and a reply, cut after each of their bytes. */
static void survives_a_disconnect_at_any_byte(void **state)
{
	struct world *world = *state;
	static const struct slice bytes = SLICE("+OK\r\n+OK\r\n+PONG\r\n*2\r\n$1\r\na\r\n:1\r\n");
	world->fake.hangs_up = true;
	for (size_t len = 0; len <= bytes.len; len++) {
		struct seen seen;
		world->fake.first = slice_make(bytes.at, len);
		open_link(&seen, world, "redis://u:p@127.0.0.1:%d/1", world->fake.port);
		RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.downs);
		assert_int_equal(seen.ups, len >= 17);
		close_link(&seen, world);
		fake_hang_up(&world->fake);
	}
}

static void fails_on_a_reply_beyond_the_limit(void **state)
{
	struct world *world = *state;
	struct seen seen;
	struct buffer bytes = { 0 };
	assert_int_equal(buffer_printf(&bytes, "+PONG\r\n$%d\r\n", 2 * TEST_REPLY_BYTES), 0);
	assert_int_equal(buffer_reserve(&bytes, 2 * TEST_REPLY_BYTES), 0);
	memset(bytes.bytes + bytes.len, 'x', 2 * TEST_REPLY_BYTES);
	bytes.len += 2 * TEST_REPLY_BYTES;
	world->fake.first = buffer_slice(&bytes);
	open_link(&seen, world, "redis://127.0.0.1:%d", world->fake.port);
	RUN_UNTIL(&world->test, fake_step(&world->fake) && seen.downs);
	assert_string_equal(seen.reason, "reply longer than the limit");
	close_link(&seen, world);
	buffer_finish(&bytes);
}

static void may_be_closed_in_any_callback(void **state)
{
	struct world *world = *state;
	RUN_UNTIL(&world->test, test_redis_accepts(&world->redis));
	for (int i = 0; i < 7; i++) {
		struct seen seen;
		if (i == 0) /* the attempt fails without a stream */
			open_link(&seen, world, "unix:///nowhere/socket");
		else
			open_link(&seen, world, "redis://127.0.0.1:%d", world->redis.port);
		seen.close_when_down = i == 0 || i == 6;
		seen.close_when_up = i == 1;
		if (i == 2)
			redis_link_close(&seen.link); /* before the first attempt */
		if (i > 2) {
			RUN_UNTIL(&world->test, seen.ups);
			assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
			assert_int_equal(command(&seen, "PING", NULL, NULL), 0);
			seen.close_when_answered = i == 3;
			seen.close_when_lost = i == 4 || i == 5;
		}
		if (i == 4)
			redis_link_close(&seen.link);
		if (i >= 5)
			redis_link_fail(&seen.link, "a test");
		RUN_UNTIL(&world->test, seen.closed);
		assert_int_equal(seen.answers + seen.lost, i > 2 ? 2 : 0);
		assert_int_equal(seen.answers, i == 3);
		assert_int_equal(seen.downs, i == 0 || i == 6);
	}
}

static void may_be_closed_while_waiting(void **state)
{
	struct world *world = *state;
	struct seen seen;
	open_link(&seen, world, "redis://127.0.0.1:%d", free_port());
	RUN_UNTIL(&world->test, seen.downs == 2 && !seen.link.transport.stream_open);
	close_link(&seen, world);
}

/* A place that knows no address at first. */
struct moving_place {
	struct redis_place place;
	int asked, knows_after, port;
};

static bool find_moving(struct redis_place *place, struct redis_address *ret_address,
	char problem[REDIS_PROBLEM_MAX])
{
	struct moving_place *moving = container_of(place, struct moving_place, place);
	if (++moving->asked <= moving->knows_after) {
		snprintf(problem, REDIS_PROBLEM_MAX, "nobody knows, attempt %d", moving->asked);
		return false;
	}
	*ret_address = (struct redis_address){
		.host = "127.0.0.1", .port = (uint16_t)moving->port, .generation = 7
	};
	return true;
}

static void asks_its_place_at_each_attempt(void **state)
{
	static const struct redis_place_kind kind = { .find = find_moving };
	struct world *world = *state;
	struct moving_place moving = {
		.place.kind = &kind, .knows_after = 3, .port = world->redis.port
	};
	struct seen seen = { 0 };
	test_target_set(&seen.target, "redis://192.0.2.1:1");
	seen.target.settings.place = &moving.place;
	assert_int_equal(redis_link_open(&seen.link, &world->shared, &world->deadlines,
				 &seen.target.settings, &events, &seen),
		0);
	RUN_UNTIL(&world->test, seen.downs == 1);
	assert_string_equal(seen.reason, "nobody knows, attempt 1");
	RUN_UNTIL(&world->test, seen.ups == 1);
	assert_int_equal(seen.downs, 3);
	assert_int_equal(moving.asked, 4);
	redis_link_fail(&seen.link, "because");
	RUN_UNTIL(&world->test, seen.ups == 2);
	assert_int_equal(moving.asked, 5);
	close_link(&seen, world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_REDIS(answers_commands_in_order),
		WITH_REDIS(asks_its_place_at_each_attempt),
		WITH_REDIS(takes_a_hash_of_many_fields_over_many_turns),
		WITH_REDIS(loses_a_hash_with_its_link),
		WITH_REDIS(knows_its_server_and_the_servers_clock),
		WITH_FAKE(comes_up_when_redis_does_not_tell_which_server_it_is),
		WITH_REDIS(connects_over_a_unix_socket),
		WITH_LOOP(connects_over_tls_and_checks_the_certificate),
		WITH_LOOP(reports_a_missing_unix_socket),
		WITH_REDIS(selects_the_database),
		WITH_LOOP(authenticates),
		WITH_FAKE(never_reports_the_password),
		WITH_REDIS(reconnects_after_redis_was_killed),
		WITH_REDIS(detects_a_redis_that_hangs),
		WITH_REDIS(limits_pending_commands),
		WITH_LOOP(waits_longer_before_each_attempt),
		WITH_LOOP(limits_the_wait),
		WITH_FAKE(times_out_on_a_silent_server),
		WITH_FAKE(keeps_a_link_that_is_busy_with_a_huge_reply),
		WITH_FAKE(fails_on_unexpected_replies),
		WITH_FAKE(survives_a_disconnect_at_any_byte),
		WITH_FAKE(fails_on_a_reply_beyond_the_limit),
		WITH_REDIS(may_be_closed_in_any_callback),
		WITH_LOOP(may_be_closed_while_waiting),
	};
	return cmocka_run_group_tests(tests, certificates_make, certificates_remove);
}
