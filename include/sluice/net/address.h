/* Addresses to listen on: "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (always 127.0.0.1),
 * ":8080" (all IPv4 addresses), "unix:/run/sluice.sock". Other host names are not accepted. */
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

/* NULL, and the address; else what is wrong, as a literal. Port 0 asks for a free port. */
const char *address_parse(struct address *ret_address, struct slice text);

/* In the same form, NUL-terminated. Returns `text`. */
const char *address_format(const struct address *address, char text[ADDRESS_TEXT_MAX]);

/* The peer's IP address as limits per address count it: IPv4 whole, IPv6 by its /64, without the
 * port; "" for every Unix socket. Returns `text`. */
const char *address_peer(const struct sockaddr_storage *peer, char text[INET6_ADDRSTRLEN]);

#endif
