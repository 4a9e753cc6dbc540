#include "loop.h"
#include "sluice/net/listener.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct site {
	struct test_loop test;
	struct deadlines deadlines;
	struct listener listener;
	struct address address;
	int fds[256];
	size_t accepted;
	struct sockaddr_storage peer;
	bool close_on_accept;
	size_t room;    /* may_accept says no beyond it */
	unsigned asked; /* how often may_accept was called */
	unsigned pauses;
};

static void on_accept(struct listener *listener, int fd, const struct sockaddr_storage *peer)
{
	struct site *site = listener->owner;
	assert_true(site->accepted < COUNT_OF(site->fds));
	site->fds[site->accepted++] = fd;
	site->peer = *peer;
	if (site->close_on_accept)
		listener_close(listener);
}

static const struct listener_events events = { .on_accept = on_accept };

static bool may_accept(struct listener *listener)
{
	struct site *site = listener->owner;
	site->asked++;
	return site->accepted < site->room;
}

static void on_pause(struct listener *listener)
{
	struct site *site = listener->owner;
	site->pauses++;
}

static const struct listener_events cautious = {
	.on_accept = on_accept,
	.may_accept = may_accept,
	.on_pause = on_pause,
};

static void site_open(struct site *site, const char *address)
{
	memset(site, 0, sizeof(*site));
	test_loop_open(&site->test);
	assert_int_equal(deadlines_open(&site->deadlines, &site->test.loop), 0);
	assert_null(address_parse(&site->address, slice_of(address)));
	int fd = listener_bind(&site->address, false);
	assert_true(fd >= 0);
	assert_int_equal(listener_open(&site->listener, &site->test.loop, &site->deadlines, fd,
				 &events, site),
		0);
}

static void site_close(struct site *site)
{
	listener_close(&site->listener);
	listener_close(&site->listener);
	deadlines_close(&site->deadlines);
	test_loop_close(&site->test);
	for (size_t i = 0; i < site->accepted; i++)
		close(site->fds[i]);
}

static int client(const struct address *address)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &address->any, address->len), 0);
	return fd;
}

static void clients(const struct address *address, int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fds[i] = client(address);
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static void accepts_on_a_free_port(void **state)
{
	(void)state;
	static const char *addresses[] = { "127.0.0.1:0", "[::1]:0", ":0" };
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct site site;
		site_open(&site, addresses[i]);
		in_port_t port = site.address.any.sa_family == AF_INET6 ? site.address.v6.sin6_port
									: site.address.v4.sin_port;
		assert_int_not_equal(port, 0);
		int fd = client(&site.address);
		RUN_UNTIL(&site.test, site.accepted == 1);
		assert_true(fcntl(site.fds[0], F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(site.fds[0], F_GETFD) & FD_CLOEXEC);
		int without_delay = 0;
		socklen_t len = sizeof(without_delay);
		assert_int_equal(
			getsockopt(site.fds[0], IPPROTO_TCP, TCP_NODELAY, &without_delay, &len), 0);
		assert_int_not_equal(without_delay, 0);
		assert_int_equal(site.peer.ss_family, site.address.any.sa_family);
		close(fd);
		site_close(&site);
	}
}

static void the_ipv6_wildcard_accepts_ipv4(void **state)
{
	(void)state;
	struct site site;
	site_open(&site, "[::]:0");
	struct address v4;
	char text[INET6_ADDRSTRLEN];
	assert_null(address_parse(&v4, SLICE("127.0.0.1:0")));
	v4.v4.sin_port = site.address.v6.sin6_port;
	int fd = client(&v4);
	RUN_UNTIL(&site.test, site.accepted == 1);
	assert_string_equal(address_peer(&site.peer, text), "127.0.0.1");
	close(fd);
	site_close(&site);
}

static void shares_a_port_only_when_asked_to(void **state)
{
	(void)state;
	struct address address;
	assert_null(address_parse(&address, SLICE("127.0.0.1:0")));
	int first = listener_bind(&address, true), second = listener_bind(&address, true);
	assert_true(first >= 0 && second >= 0);
	assert_int_equal(listener_bind(&address, false), -EADDRINUSE);
	close(first);
	close(second);
	first = listener_bind(&address, false);
	assert_true(first >= 0);
	assert_int_equal(listener_bind(&address, true), -EADDRINUSE);
	close(first);
}

static void accepts_a_crowd_in_portions(void **state)
{
	(void)state;
	enum { CROWD = 200 };
	struct site site;
	int fds[CROWD];
	site_open(&site, "127.0.0.1:0");
	clients(&site.address, fds, CROWD);
	while (site.accepted < CROWD) {
		size_t before = site.accepted;
		uv_run(&site.test.loop, UV_RUN_NOWAIT);
		assert_true(site.accepted > before);
		assert_true(site.accepted - before <= 64);
	}
	close_all(fds, CROWD);
	site_close(&site);
}

static void accepts_waiting_connections_before_it_closes(void **state)
{
	(void)state;
	struct site site;
	int fds[100];
	site_open(&site, "127.0.0.1:0");
	clients(&site.address, fds, 100);
	listener_close(&site.listener);
	assert_int_equal(site.accepted, 100);
	close_all(fds, 100);
	site_close(&site);
}

static void may_be_closed_in_on_accept(void **state)
{
	(void)state;
	struct site site;
	int fds[10];
	site_open(&site, "127.0.0.1:0");
	site.close_on_accept = true;
	clients(&site.address, fds, 10);
	RUN_UNTIL(&site.test, site.accepted > 0);
	assert_int_equal(site.accepted, 10);
	close_all(fds, 10);
	site_close(&site);
}

/* Without descriptors accepting pauses, and resumes by itself when there are some again. */
static void waits_for_descriptors(void **state)
{
	(void)state;
	struct site site;
	struct rlimit limit, none;
	int fds[3];
	site_open(&site, "127.0.0.1:0");
	clients(&site.address, fds, 3);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)fds[2] + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	RUN_UNTIL(&site.test, site.listener.paused);
	assert_false(uv_is_active((uv_handle_t *)&site.listener.poll));
	/* ... with one warning in ten seconds, however often it happens */
	uint64_t next_warning = site.listener.next_warning;
	assert_true(next_warning > uv_now(&site.test.loop));
	RUN_UNTIL(&site.test, !site.listener.paused);
	RUN_UNTIL(&site.test, site.listener.paused);
	assert_true(site.listener.next_warning == next_warning);
	assert_int_equal(site.accepted, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	RUN_UNTIL(&site.test, site.accepted == 3);
	close_all(fds, 3);
	site_close(&site);
}

static void may_be_closed_while_paused(void **state)
{
	(void)state;
	struct site site;
	struct rlimit limit, none;
	site_open(&site, "127.0.0.1:0");
	int fd = client(&site.address);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	RUN_UNTIL(&site.test, site.listener.paused);
	listener_close(&site.listener);
	assert_false(deadline_is_set(&site.listener.resume));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	close(fd);
	site_close(&site);
}

/* No connection is accepted or refused until the owner has room, and a pause counts once, however
 * long. */
static void pauses_until_the_owner_has_room(void **state)
{
	(void)state;
	struct site site;
	int fds[10];
	char byte;
	site_open(&site, "127.0.0.1:0");
	site.listener.events = &cautious;
	site.room = 3;
	clients(&site.address, fds, 10);
	RUN_UNTIL(&site.test, site.listener.paused);
	assert_int_equal(site.accepted, 3);
	unsigned asked = site.asked;
	RUN_UNTIL(&site.test, site.asked == asked + 3);
	assert_false(uv_is_active((uv_handle_t *)&site.listener.poll));
	assert_int_equal(site.accepted, 3);
	assert_int_equal(site.pauses, 1);
	site.room = 5;
	RUN_UNTIL(&site.test, site.accepted == 5 && site.listener.paused);
	assert_int_equal(site.pauses, 2);
	assert_int_equal(recv(fds[9], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	site.room = 100;
	RUN_UNTIL(&site.test, site.accepted == 10);
	assert_int_equal(site.pauses, 2);
	close_all(fds, 10);
	site_close(&site);
}

/* ---- Unix sockets ---- */

static char folder[64], socket_address[96], *socket_path;

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/sluice-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(socket_address, sizeof(socket_address), "unix:%s/s", folder);
	socket_path = socket_address + strlen("unix:");
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(socket_path);
	return rmdir(folder);
}

static void takes_over_a_stale_unix_socket(void **state)
{
	(void)state;
	struct address address;
	assert_null(address_parse(&address, slice_of(socket_address)));
	int fd = listener_bind(&address, false);
	assert_true(fd >= 0);
	assert_int_equal(listener_bind(&address, false), -EADDRINUSE);
	assert_int_equal(listener_bind(&address, true), -EADDRINUSE);
	close(fd);
	assert_int_equal(access(socket_path, F_OK), 0);
	fd = listener_bind(&address, false);
	assert_true(fd >= 0);
	int peer = client(&address);
	close(peer);
	close(fd);
}

static void leaves_other_kinds_of_files_alone(void **state)
{
	(void)state;
	struct address address;
	struct stat status;
	FILE *file = fopen(socket_path, "w");
	assert_non_null(file);
	fclose(file);
	assert_null(address_parse(&address, slice_of(socket_address)));
	assert_int_equal(listener_bind(&address, false), -EADDRINUSE);
	assert_int_equal(stat(socket_path, &status), 0);
	assert_true(S_ISREG(status.st_mode));
}

/* Like two workers: each connection is accepted by one of them. */
static void listeners_share_a_unix_socket(void **state)
{
	(void)state;
	enum { CROWD = 150 };
	struct site site;
	struct listener other;
	int fds[CROWD];
	site_open(&site, socket_address);
	assert_int_equal(listener_open(&other, &site.test.loop, &site.deadlines,
				 fcntl(site.listener.fd, F_DUPFD_CLOEXEC, 0), &events, &site),
		0);
	clients(&site.address, fds, CROWD);
	RUN_UNTIL(&site.test, site.accepted == CROWD);
	assert_int_equal(site.peer.ss_family, AF_UNIX);
	listener_close(&site.listener);
	int late = client(&site.address);
	RUN_UNTIL(&site.test, site.accepted == CROWD + 1);
	close(late);
	listener_close(&other);
	close_all(fds, CROWD);
	site_close(&site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_on_a_free_port),
		cmocka_unit_test(the_ipv6_wildcard_accepts_ipv4),
		cmocka_unit_test(shares_a_port_only_when_asked_to),
		cmocka_unit_test(accepts_a_crowd_in_portions),
		cmocka_unit_test(accepts_waiting_connections_before_it_closes),
		cmocka_unit_test(may_be_closed_in_on_accept),
		cmocka_unit_test(waits_for_descriptors),
		cmocka_unit_test(may_be_closed_while_paused),
		cmocka_unit_test(pauses_until_the_owner_has_room),
		cmocka_unit_test_setup_teardown(
			takes_over_a_stale_unix_socket, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			leaves_other_kinds_of_files_alone, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			listeners_share_a_unix_socket, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
