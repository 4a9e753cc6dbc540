/* The test defines getaddrinfo itself, which libuv then calls, so that a host has the addresses
 * that a test needs. */
#include "loop.h"
#include "sluice/net/connector.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sluice/base/defs.h"

static struct {
	uv_sem_t may_answer;
	bool waits; /* for may_answer */
	int error;
	struct sockaddr_in addresses[4];
	size_t n;
	atomic_int port_asked;
} lookup;

static struct addrinfo *one_address(const struct sockaddr_in *address, struct addrinfo *next)
{
	struct addrinfo *info = calloc(1, sizeof(*info) + sizeof(*address));
	MUST(info);
	memcpy(info + 1, address, sizeof(*address));
	info->ai_family = AF_INET;
	info->ai_addr = (struct sockaddr *)(info + 1);
	info->ai_addrlen = sizeof(*address);
	info->ai_next = next;
	return info;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **ret_addresses)
{
	(void)hints;
	MUST(strcmp(host, "redis.test") == 0);
	lookup.port_asked = atoi(service);
	if (lookup.waits)
		uv_sem_wait(&lookup.may_answer);
	*ret_addresses = NULL;
	for (size_t i = lookup.n; i > 0; i--)
		*ret_addresses = one_address(&lookup.addresses[i - 1], *ret_addresses);
	return lookup.error;
}

void freeaddrinfo(struct addrinfo *addresses)
{
	while (addresses) {
		struct addrinfo *next = addresses->ai_next;
		free(addresses);
		addresses = next;
	}
}

static struct {
	int calls, fd;
} done;

static void on_done(void *owner, int fd)
{
	assert_ptr_equal(owner, &done);
	done.calls++;
	done.fd = fd;
}

static struct sockaddr_in listening_at(int fd)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	return address;
}

static int listen_at_a_free_port(int backlog)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

/* Bound but not listening: connecting is refused, and nobody else can get the port. */
static int refuse_at_a_free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int setup(void **state)
{
	static struct test_loop test;
	test_loop_open(&test);
	memset(&lookup, 0, sizeof(lookup));
	uv_sem_init(&lookup.may_answer, 0);
	done.calls = 0;
	*state = &test;
	return 0;
}

static int teardown(void **state)
{
	test_loop_close(*state);
	uv_sem_destroy(&lookup.may_answer);
	return 0;
}

static struct connector *start(struct test_loop *test)
{
	struct connector *connector;
	assert_int_equal(
		connector_open(&connector, &test->loop, "redis.test", 6379, on_done, &done), 0);
	assert_int_equal(done.calls, 0);
	return connector;
}

static void tries_addresses_in_turn(void **state)
{
	struct test_loop *test = *state;
	int refusing = refuse_at_a_free_port(), listening = listen_at_a_free_port(8);
	/* refused later; refused at once, as nobody may connect to it; good; not tried */
	lookup.addresses[0] = listening_at(refusing);
	lookup.addresses[1] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(9) };
	lookup.addresses[1].sin_addr.s_addr = htonl(INADDR_BROADCAST);
	lookup.addresses[2] = listening_at(listening);
	lookup.addresses[3] = listening_at(refusing);
	lookup.n = 4;
	start(test);
	RUN_UNTIL(test, done.calls == 1);
	assert_int_equal(lookup.port_asked, 6379);
	assert_true(done.fd >= 0);
	assert_true(fcntl(done.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(done.fd, F_GETFD) & FD_CLOEXEC);
	int accepted = accept(listening, NULL, NULL);
	assert_int_equal(write(done.fd, "x", 1), 1);
	char x;
	assert_int_equal(read(accepted, &x, 1), 1);
	close(accepted);
	close(done.fd);
	close(refusing);
	close(listening);
}

static void reports_why_the_last_address_failed(void **state)
{
	struct test_loop *test = *state;
	int refusing = refuse_at_a_free_port();
	lookup.addresses[0] = lookup.addresses[1] = listening_at(refusing);
	lookup.n = 2;
	start(test);
	RUN_UNTIL(test, done.calls == 1);
	assert_int_equal(done.fd, -ECONNREFUSED);
	close(refusing);
}

static void reports_why_the_look_up_failed(void **state)
{
	lookup.error = EAI_NONAME;
	start(*state);
	RUN_UNTIL((struct test_loop *)*state, done.calls == 1);
	assert_int_equal(done.fd, UV_EAI_NONAME);
}

static void can_be_cancelled_while_looking_up(void **state)
{
	struct test_loop *test = *state;
	int listening = listen_at_a_free_port(8);
	lookup.waits = true;
	lookup.addresses[0] = listening_at(listening);
	lookup.n = 1;
	struct connector *connector = start(test);
	RUN_UNTIL(test, lookup.port_asked == 6379);
	connector_cancel(connector);
	connector_cancel(connector);
	assert_int_equal(done.calls, 0);
	/* the thread still writes to the connector's memory */
	for (int i = 0; i < 5; i++)
		uv_run(&test->loop, UV_RUN_NOWAIT);
	assert_int_equal(done.calls, 0);
	uv_sem_post(&lookup.may_answer);
	RUN_UNTIL(test, done.calls == 1);
	assert_int_equal(done.fd, -ECANCELED);
	close(listening);
}

/* A listener whose queue is full leaves others in SYN-SENT. */
static void can_be_cancelled_while_connecting(void **state)
{
	struct test_loop *test = *state;
	int listening = listen_at_a_free_port(0), fillers[8];
	struct sockaddr_in address = listening_at(listening);
	for (size_t i = 0; i < COUNT_OF(fillers); i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
	}
	lookup.addresses[0] = lookup.addresses[1] = address;
	lookup.n = 2;
	struct connector *connector = start(test);
	/* ten ticks: it has been connecting for a while */
	uint64_t until = uv_now(&test->loop) + 200;
	RUN_UNTIL(test, uv_now(&test->loop) >= until);
	assert_int_equal(done.calls, 0);
	connector_cancel(connector);
	assert_int_equal(done.calls, 0);
	RUN_UNTIL(test, done.calls == 1);
	assert_int_equal(done.fd, -ECANCELED);
	for (size_t i = 0; i < COUNT_OF(fillers); i++)
		close(fillers[i]);
	close(listening);
}

static void rejects_an_impossible_host(void **state)
{
	struct test_loop *test = *state;
	struct connector *connector;
	char host[2000];
	memset(host, 'a', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	assert_true(connector_open(&connector, &test->loop, host, 1, on_done, &done) < 0);
	uv_run(&test->loop, UV_RUN_NOWAIT);
	assert_int_equal(done.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tries_addresses_in_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(
			reports_why_the_last_address_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(reports_why_the_look_up_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(can_be_cancelled_while_looking_up, setup, teardown),
		cmocka_unit_test_setup_teardown(can_be_cancelled_while_connecting, setup, teardown),
		cmocka_unit_test_setup_teardown(rejects_an_impossible_host, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
