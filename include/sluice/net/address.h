/* Where to listen: "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (not looked up: loopback),
 * ":8080" (all of IPv4), "unix:/run/sluice.sock". No host names: they are looked up by nobody here.
 */
#ifndef SLUICE_NET_ADDRESS_H
#define SLUICE_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sluice/base/slice.h"

enum { ADDRESS_TEXT_MAX = 128 };

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	};
	socklen_t len;
};

/* NULL and the address; else what is wrong, in words. Port 0 asks for a free one. */
const char *address_parse(struct address *ret_address, struct slice text);

/* In the same form, NUL-terminated. Gives `text`. */
const char *address_format(const struct address *address, char text[ADDRESS_TEXT_MAX]);

/* The peer's IP address without its port, as limits per address count it: IPv4 whole, IPv6 by its
 * /64; Unix sockets are all "". Gives `text`. */
const char *address_peer(const struct sockaddr_storage *peer, char text[INET6_ADDRSTRLEN]);

#endif
