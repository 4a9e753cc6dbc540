#include "sluice/net/address.h"
#include "unit.h"

#include <arpa/inet.h>

#include "sluice/base/defs.h"

static void reads_and_prints(void **state)
{
	(void)state;
	static const struct {
		const char *text, *again;
		int family;
	} rows[] = {
		{ "127.0.0.1:8080", "127.0.0.1:8080", AF_INET },
		{ ":0", "0.0.0.0:0", AF_INET },
		{ "localhost:65535", "127.0.0.1:65535", AF_INET },
		{ "LocalHost:1", "127.0.0.1:1", AF_INET },
		{ "0.0.0.0:00080", "0.0.0.0:80", AF_INET },
		{ "[::1]:8080", "[::1]:8080", AF_INET6 },
		{ "[::]:0", "[::]:0", AF_INET6 },
		{ "[2001:DB8::0:1]:443", "[2001:db8::1]:443", AF_INET6 },
		{ "unix:/run/sluice.sock", "unix:/run/sluice.sock", AF_UNIX },
		{ "unix:s", "unix:s", AF_UNIX },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address address;
		char text[ADDRESS_TEXT_MAX];
		assert_null(address_parse(&address, slice_of(rows[i].text)));
		assert_int_equal(address.any.sa_family, rows[i].family);
		assert_string_equal(address_format(&address, text), rows[i].again);
	}
}

static void rejects_bad_addresses(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "port is missing" },
		{ "8080", "port is missing" },
		{ "127.0.0.1", "port is missing" },
		{ "127.0.0.1:", "number" },
		{ "127.0.0.1:65536", "number" },
		{ "127.0.0.1:100000", "number" },
		{ "127.0.0.1:-1", "number" },
		{ "127.0.0.1: 80", "number" },
		{ "127.0.0.1:80a", "number" },
		{ "example.org:80", "host" },
		{ "127.0.0:80", "host" },
		{ "::1:80", "host" },
		{ " 127.0.0.1:80", "host" },
		{ "[::1]", "number" },
		{ "[::g]:80", "brackets" },
		{ "[127.0.0.1]:80", "brackets" },
		{ "[]:80", "brackets" },
		{ "[:80", "host" },
		{ "[1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]:80", "brackets" },
		{ "unix:", "missing" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address address;
		const char *why = address_parse(&address, slice_of(rows[i].text));
		assert_non_null(why);
		assert_non_null(strstr(why, rows[i].why));
	}
	struct address address;
	assert_non_null(address_parse(&address, SLICE("127.0.0.1\0:80")));
	assert_non_null(address_parse(&address, SLICE("unix:/run\0/x")));
}

static void limits_the_length_of_a_path(void **state)
{
	(void)state;
	struct address address;
	char text[256] = "unix:", again[ADDRESS_TEXT_MAX];
	size_t max = sizeof(address.local.sun_path) - 1;
	memset(text + 5, 'p', max);
	assert_null(address_parse(&address, slice_of(text)));
	assert_string_equal(address_format(&address, again), text);
	text[5 + max] = 'p';
	assert_non_null(strstr(address_parse(&address, slice_of(text)), "too long"));
}

static void names_peers_by_network(void **state)
{
	(void)state;
	static const struct {
		const char *peer, *counted;
	} rows[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::" },
		{ "2001:db8:1:2::ffff", "2001:db8:1:2::" },
		{ "2001:db8:1:3::1", "2001:db8:1:3::" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "10.100.209.99", "10.100.209.99" },
		{ "::1", "::" },
		{ "::ffff:192.0.2.7", "192.0.2.7" },
	};
	char text[INET6_ADDRSTRLEN];
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sockaddr_storage peer = { 0 };
		struct sockaddr_in *v4 = (struct sockaddr_in *)&peer;
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&peer;
		bool is_v6 = strchr(rows[i].peer, ':') != NULL;
		peer.ss_family = is_v6 ? AF_INET6 : AF_INET;
		void *at = is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr;
		assert_int_equal(inet_pton(peer.ss_family, rows[i].peer, at), 1);
		assert_string_equal(address_peer(&peer, text), rows[i].counted);
	}
	struct sockaddr_storage local = { .ss_family = AF_UNIX };
	assert_string_equal(address_peer(&local, text), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_prints),
		cmocka_unit_test(rejects_bad_addresses),
		cmocka_unit_test(limits_the_length_of_a_path),
		cmocka_unit_test(names_peers_by_network),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
