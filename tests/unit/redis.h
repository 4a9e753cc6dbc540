/* For tests of modules that use Redis: a redis-server on a free port, a scripted server, and a loop
 * with everything that a link needs. WITH_LOOP, WITH_REDIS and WITH_FAKE are rows of a table of
 * tests; their state is a struct world, which is closed after each test. */
#ifndef SLUICE_TESTS_REDIS_H
#define SLUICE_TESTS_REDIS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"
#include "sluice/base/buffer.h"
#include "sluice/net/deadlines.h"
#include "sluice/net/stream.h"
#include "sluice/redis/link.h"

/* ---- a socket on loopback ---- */

static inline int loopback_socket(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	*address = (struct sockaddr_in){ .sin_family = AF_INET };
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd;
}

static inline int free_port(void)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	int fd = loopback_socket(&address);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

/* ---- redis-server ---- */

struct test_redis {
	pid_t pid;
	int port;
	char folder[64], socket[80];
	const char *certificates; /* folder; NULL: no TLS */
};

/* The plain port is off with TLS, and the TLS port without. */
static inline void test_redis_execute(const struct test_redis *redis, const char *password)
{
	char port[8], certificate[96] = "", key[96] = "", ca[96] = "";
	snprintf(port, sizeof(port), "%d", redis->port);
	if (redis->certificates) {
		snprintf(certificate, sizeof(certificate), "%s/ip.pem", redis->certificates);
		snprintf(key, sizeof(key), "%s/ip.key", redis->certificates);
		snprintf(ca, sizeof(ca), "%s/ca.pem", redis->certificates);
	}
	execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port",
		redis->certificates ? "0" : port, "--tls-port", redis->certificates ? port : "0",
		"--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", ca,
		"--tls-auth-clients", "no", "--unixsocket", redis->socket, "--dir", redis->folder,
		"--logfile", "log", "--save", "", "--appendonly", "no", "--requirepass", password,
		NULL);
}

/* On the same port each time. It dies with the test. */
static inline void test_redis_start(struct test_redis *redis, const char *password)
{
	redis->pid = fork();
	assert_true(redis->pid >= 0);
	if (redis->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		test_redis_execute(redis, password);
		_exit(127);
	}
}

static inline bool test_redis_accepts(struct test_redis *redis)
{
	int status;
	if (waitpid(redis->pid, &status, WNOHANG) != 0)
		fail_msg("redis-server cannot be started, or has exited");
	redisContext *client = redisConnect("127.0.0.1", redis->port);
	bool good = client && !client->err;
	redisFree(client);
	return good;
}

static inline void test_redis_open_any(struct test_redis *redis, const char *password)
{
	redis->port = free_port();
	snprintf(redis->folder, sizeof(redis->folder), "/tmp/sluice-redis-XXXXXX");
	assert_non_null(mkdtemp(redis->folder));
	snprintf(redis->socket, sizeof(redis->socket), "%.63s/socket", redis->folder);
	test_redis_start(redis, password);
}

static inline void test_redis_open(struct test_redis *redis, const char *password)
{
	*redis = (struct test_redis){ 0 };
	test_redis_open_any(redis, password);
}

/* With the certificate for 127.0.0.1 that certificates.h makes. */
static inline void test_redis_open_tls(struct test_redis *redis, const char *certificates)
{
	*redis = (struct test_redis){ .certificates = certificates };
	test_redis_open_any(redis, "");
}

static inline void test_redis_kill(struct test_redis *redis)
{
	int status;
	assert_int_equal(kill(redis->pid, SIGKILL), 0);
	assert_int_equal(waitpid(redis->pid, &status, 0), redis->pid);
}

static inline void test_redis_close(struct test_redis *redis)
{
	char log[80];
	test_redis_kill(redis);
	snprintf(log, sizeof(log), "%.63s/log", redis->folder);
	unlink(log);
	unlink(redis->socket);
	assert_int_equal(rmdir(redis->folder), 0);
}

/* Sends one command as another client, and waits for the reply. Returns an integer, or an array's
 * length. */
static inline long long test_redis_do(struct test_redis *redis, int n, const char **words)
{
	redisContext *client = redisConnect("127.0.0.1", redis->port);
	assert_true(client && !client->err);
	redisReply *reply = redisCommandArgv(client, n, words, NULL);
	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", words[0], reply->str);
	long long integer =
		reply->type == REDIS_REPLY_ARRAY ? (long long)reply->elements : reply->integer;
	freeReplyObject(reply);
	redisFree(client);
	return integer;
}

#define TEST_REDIS_DO(redis, ...) \
	test_redis_do(redis, (int)COUNT_OF(((const char *[]){ __VA_ARGS__ })), \
		(const char *[]){ __VA_ARGS__ })

/* ---- a scripted server: one connection at a time ---- */

struct fake {
	int listener, peer;
	int port;
	int accepted;        /* connections so far */
	struct slice first;  /* said at once */
	const char *word;    /* when this has been received … */
	struct slice then;   /* … this is said */
	bool hangs_up;       /* after the last of these */
	struct buffer heard; /* on this connection */
	size_t said;         /* bytes of first and then */
};

static inline void fake_open(struct fake *fake)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	*fake = (struct fake){ .listener = loopback_socket(&address), .peer = -1 };
	assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fake->listener, 16), 0);
	assert_int_equal(getsockname(fake->listener, (struct sockaddr *)&address, &len), 0);
	fake->port = ntohs(address.sin_port);
}

static inline void fake_hang_up(struct fake *fake)
{
	if (fake->peer >= 0)
		close(fake->peer);
	fake->peer = -1;
	fake->said = 0;
	buffer_finish(&fake->heard);
}

static inline void fake_close(struct fake *fake)
{
	fake_hang_up(fake);
	close(fake->listener);
}

static inline void fake_accept(struct fake *fake)
{
	int peer = accept4(fake->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer < 0)
		return;
	fake_hang_up(fake);
	fake->peer = peer;
	fake->accepted++;
}

/* Sends the rest of `text`, which begins at byte `from` of all that is to be said. True: all of it
 * is sent. */
static inline bool fake_say(struct fake *fake, struct slice text, size_t from)
{
	struct slice left = slice_skip(text, MIN(fake->said - from, text.len));
	ssize_t n = left.len ? send(fake->peer, left.at, left.len, MSG_NOSIGNAL) : 0;
	if (n > 0)
		fake->said += (size_t)n;
	return fake->said >= from + text.len;
}

/* A step of the script, to be called between the loop's turns. True, so that it can be part of a
 * condition. */
static inline bool fake_step(struct fake *fake)
{
	char bytes[4096];
	ssize_t n;
	fake_accept(fake);
	if (fake->peer < 0)
		return true;
	while ((n = recv(fake->peer, bytes, sizeof(bytes), 0)) > 0)
		assert_int_equal(buffer_append(&fake->heard, bytes, (size_t)n), 0);
	bool done = fake_say(fake, fake->first, 0);
	if (done && fake->word)
		done = fake->heard.len &&
		       memmem(fake->heard.bytes, fake->heard.len, fake->word, strlen(fake->word)) &&
		       fake_say(fake, fake->then, fake->first.len);
	if (n == 0 || (done && fake->hangs_up))
		fake_hang_up(fake);
	return true;
}

/* ---- what a test begins with ---- */

struct world {
	struct test_loop test;
	struct deadlines deadlines;
	struct stream_loop shared;
	char read_buffer[65536];
	struct test_redis redis; /* open, if it has a process */
	struct fake fake;        /* open, if it has a port */
};

static inline int world_open(void **state)
{
	static struct world world;
	world = (struct world){ 0 };
	test_loop_open(&world.test);
	assert_int_equal(deadlines_open(&world.deadlines, &world.test.loop), 0);
	world.shared = (struct stream_loop){
		.loop = &world.test.loop,
		.turn = &world.test.turn,
		.read_buffer = world.read_buffer,
		.read_buffer_size = sizeof(world.read_buffer),
	};
	assert_int_equal(stream_loop_open(&world.shared), 0);
	*state = &world;
	return 0;
}

static inline int world_open_with_redis(void **state)
{
	world_open(state);
	test_redis_open(&((struct world *)*state)->redis, "");
	return 0;
}

static inline int world_open_with_fake(void **state)
{
	world_open(state);
	fake_open(&((struct world *)*state)->fake);
	return 0;
}

static inline int world_close(void **state)
{
	struct world *world = *state;
	if (world->redis.pid)
		test_redis_close(&world->redis);
	if (world->fake.port)
		fake_close(&world->fake);
	deadlines_close(&world->deadlines);
	stream_loop_close(&world->shared);
	test_loop_close(&world->test);
	return 0;
}

#define WITH_LOOP(test)  cmocka_unit_test_setup_teardown(test, world_open, world_close)
#define WITH_REDIS(test) cmocka_unit_test_setup_teardown(test, world_open_with_redis, world_close)
#define WITH_FAKE(test)  cmocka_unit_test_setup_teardown(test, world_open_with_fake, world_close)

/* Where a link goes. */
struct test_target {
	struct redis_url url;
	struct redis_fixed_place place;
	struct redis_login login;
	struct redis_account account; /* its mutex needs no end */
	struct redis_link_settings settings;
};

enum { TEST_REPLY_BYTES = 1 << 20 };

static inline void test_target_set(struct test_target *target, const char *url)
{
	assert_null(redis_url_parse(&target->url, slice_of(url)));
	redis_fixed_place_init(&target->place, &target->url);
	target->login = (struct redis_login){ target->url.user, target->url.password,
		target->url.has_password, "" };
	assert_int_equal(redis_account_init(&target->account, &target->login, NULL), 0);
	target->settings = (struct redis_link_settings){
		.place = &target->place.place,
		.account = &target->account,
		.database = target->url.database,
		.reply_bytes = TEST_REPLY_BYTES,
	};
}

static inline void test_target_set_tls(struct test_target *target, struct tls_settings *tls)
{
	redis_account_change(&target->account, &target->login, tls);
}

static inline double seconds_since(uint64_t then)
{
	return (double)(uv_hrtime() - then) / 1e9;
}

/* The condition must hold within a second after Redis accepts connections. */
#define ASSERT_BACK_WITHIN_A_SECOND(world, is_up) \
	do { \
		RUN_UNTIL(&(world)->test, (is_up) || test_redis_accepts(&(world)->redis)); \
		uint64_t back = uv_hrtime(); \
		RUN_UNTIL(&(world)->test, is_up); \
		assert_true(seconds_since(back) < 1.0); \
	} while (0)

#endif
