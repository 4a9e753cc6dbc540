#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"
#include "sluice/net/sockets.h"
#include "unit.h"

enum { PAIRS = 8 };

struct pair {
	int fd, peer;
	unsigned calls, events;
	struct pair *removes; /* on its event */
	struct sockets *sockets;
	bool in;
};

static void pair_remove(struct pair *pair)
{
	if (pair->in)
		sockets_remove(pair->sockets, pair->fd, pair);
	pair->in = false;
}

static void on_ready(void *owner, unsigned events)
{
	struct pair *pair = owner;
	assert_true(pair->in);
	pair->calls++;
	pair->events = events;
	if (pair->removes)
		pair_remove(pair->removes);
}

static void pair_open(struct pair *pair, struct sockets *sockets, unsigned events)
{
	int fds[2];
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	*pair = (struct pair){ .fd = fds[0], .peer = fds[1], .sockets = sockets, .in = true };
	assert_int_equal(sockets_add(sockets, pair->fd, pair, events), 0);
}

static void pair_close(struct pair *pair)
{
	pair_remove(pair);
	close(pair->fd);
	if (pair->peer >= 0)
		close(pair->peer);
}

static void reports_wanted_events(void **state)
{
	(void)state;
	struct test_loop test;
	struct sockets sockets;
	struct pair pair;
	test_loop_open(&test);
	assert_int_equal(sockets_open(&sockets, &test.loop, on_ready), 0);
	pair_open(&pair, &sockets, EPOLLIN);
	uv_run(&test.loop, UV_RUN_NOWAIT);
	assert_int_equal(pair.calls, 0);
	assert_int_equal(write(pair.peer, "x", 1), 1);
	RUN_UNTIL(&test, pair.calls == 1);
	assert_int_equal(pair.events, EPOLLIN);
	/* level-triggered */
	RUN_UNTIL(&test, pair.calls == 2);
	sockets_change(&sockets, pair.fd, &pair, EPOLLOUT);
	RUN_UNTIL(&test, pair.calls == 3);
	assert_int_equal(pair.events, EPOLLOUT);
	close(pair.peer);
	pair.peer = -1;
	sockets_change(&sockets, pair.fd, &pair, 0);
	RUN_UNTIL(&test, pair.calls == 4);
	assert_int_equal(pair.events, EPOLLHUP);
	pair_close(&pair);
	sockets_close(&sockets);
	test_loop_close(&test);
}

/* Handling the first event removes another socket, whose owner may then be freed. */
static void reports_no_event_of_a_removed_socket(void **state)
{
	(void)state;
	struct test_loop test;
	struct sockets sockets;
	struct pair pairs[PAIRS];
	test_loop_open(&test);
	assert_int_equal(sockets_open(&sockets, &test.loop, on_ready), 0);
	for (size_t i = 0; i < PAIRS; i++) {
		pair_open(&pairs[i], &sockets, EPOLLIN);
		pairs[i].removes = &pairs[i ^ 1];
		assert_int_equal(write(pairs[i].peer, "x", 1), 1);
	}
	uv_run(&test.loop, UV_RUN_NOWAIT);
	for (size_t i = 0; i < PAIRS; i += 2)
		assert_int_equal(pairs[i].calls + pairs[i + 1].calls, 1);
	for (size_t i = 0; i < PAIRS; i++)
		pair_close(&pairs[i]);
	sockets_close(&sockets);
	test_loop_close(&test);
}

static void keeps_the_loop_alive_while_it_has_sockets(void **state)
{
	(void)state;
	uv_loop_t loop;
	struct sockets sockets;
	struct pair pair;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(sockets_open(&sockets, &loop, on_ready), 0);
	assert_false(uv_loop_alive(&loop));
	pair_open(&pair, &sockets, EPOLLIN);
	assert_true(uv_loop_alive(&loop));
	pair_close(&pair);
	assert_false(uv_loop_alive(&loop));
	sockets_close(&sockets);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void rejects_a_file_that_cannot_be_watched(void **state)
{
	(void)state;
	struct test_loop test;
	struct sockets sockets;
	test_loop_open(&test);
	assert_int_equal(sockets_open(&sockets, &test.loop, on_ready), 0);
	assert_int_equal(sockets_add(&sockets, -1, &test, EPOLLIN), -EBADF);
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(sockets_add(&sockets, file, &test, EPOLLIN), -EPERM);
	close(file);
	sockets_close(&sockets);
	test_loop_close(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_wanted_events),
		cmocka_unit_test(reports_no_event_of_a_removed_socket),
		cmocka_unit_test(keeps_the_loop_alive_while_it_has_sockets),
		cmocka_unit_test(rejects_a_file_that_cannot_be_watched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
