/* Listening addresses, from text and back.
 *
 * Names are not looked up: the listening address must not depend on a name server, and a name may
 * have two addresses, of which only one would be used. "localhost" is accepted because it is so
 * common. */
#include "sluice/net/address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>

#include "sluice/base/defs.h"

static const char *parse_local(struct address *ret_address, struct slice path)
{
	struct address address = { .local.sun_family = AF_UNIX };
	if (path.len == 0 || memchr(path.at, '\0', path.len))
		return "the path of the Unix socket is missing";
	if (path.len >= sizeof(address.local.sun_path))
		return "the path of the Unix socket is too long (107 bytes at most)";
	memcpy(address.local.sun_path, path.at, path.len);
	address.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
	*ret_address = address;
	return NULL;
}

/* Splits at the last colon; an IPv6 address has its own colons in brackets. */
static bool cut_port(struct slice text, struct slice *ret_host, struct slice *ret_port)
{
	const char *colon = text.len ? memrchr(text.at, ':', text.len) : NULL;
	if (!colon)
		return false;
	*ret_host = slice_make(text.at, (size_t)(colon - text.at));
	*ret_port = slice_skip(text, ret_host->len + 1);
	return true;
}

static bool parse_port(struct slice digits, in_port_t *ret_port)
{
	uint64_t port;
	if (digits.len > 5 || !slice_number(digits, UINT16_MAX, &port))
		return false;
	*ret_port = htons((uint16_t)port);
	return true;
}

static bool parse_ip(int family, struct slice host, void *ret_ip)
{
	char text[INET6_ADDRSTRLEN];
	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.at, host.len);
	text[host.len] = '\0';
	return inet_pton(family, text, ret_ip) == 1 && strlen(text) == host.len;
}

static bool is_bracketed(struct slice host)
{
	return host.len >= 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
}

/* `host` without its brackets. */
static const char *parse_v6(struct address *ret_address, struct slice host, in_port_t port)
{
	struct address address = { .len = sizeof(address.v6) };
	address.v6.sin6_family = AF_INET6;
	address.v6.sin6_port = port;
	if (!parse_ip(AF_INET6, host, &address.v6.sin6_addr))
		return "the text in brackets must be an IPv6 address";
	*ret_address = address;
	return NULL;
}

static const char *parse_v4(struct address *ret_address, struct slice host, in_port_t port)
{
	struct address address = { .len = sizeof(address.v4) };
	address.v4.sin_family = AF_INET;
	address.v4.sin_port = port;
	if (host.len == 0)
		address.v4.sin_addr.s_addr = htonl(INADDR_ANY);
	else if (slice_equal_nocase(host, SLICE("localhost")))
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (!parse_ip(AF_INET, host, &address.v4.sin_addr))
		return "the host must be an IPv4 address, an IPv6 address in brackets, or "
		       "localhost";
	*ret_address = address;
	return NULL;
}

const char *address_parse(struct address *ret_address, struct slice text)
{
	struct slice host, port;
	in_port_t number;
	if (slice_starts_with(text, SLICE("unix:")))
		return parse_local(ret_address, slice_skip(text, strlen("unix:")));
	if (!cut_port(text, &host, &port))
		return "the port is missing, as in 127.0.0.1:8080";
	if (!parse_port(port, &number))
		return "the port must be a number from 0 to 65535";
	if (is_bracketed(host))
		return parse_v6(ret_address, slice_make(host.at + 1, host.len - 2), number);
	return parse_v4(ret_address, host, number);
}

const char *address_format(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
	char ip[INET6_ADDRSTRLEN];
	if (address->any.sa_family == AF_UNIX) {
		snprintf(text, ADDRESS_TEXT_MAX, "unix:%s", address->local.sun_path);
	} else if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address->v6.sin6_addr, ip, sizeof(ip));
		snprintf(text, ADDRESS_TEXT_MAX, "[%s]:%u", ip, ntohs(address->v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &address->v4.sin_addr, ip, sizeof(ip));
		snprintf(text, ADDRESS_TEXT_MAX, "%s:%u", ip, ntohs(address->v4.sin_port));
	}
	return text;
}

/* Every site has at least a /64 of IPv6, so single addresses do not identify a client. IPv4 through
 * an IPv6 socket counts as IPv4. */
static void format_v6_peer(const struct in6_addr *peer, char text[INET6_ADDRSTRLEN])
{
	struct in6_addr network = *peer;
	if (IN6_IS_ADDR_V4MAPPED(peer)) {
		inet_ntop(AF_INET, &peer->s6_addr[12], text, INET6_ADDRSTRLEN);
		return;
	}
	memset(&network.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &network, text, INET6_ADDRSTRLEN);
}

/* What inet_ntop prints too, but with printf, and every accepted connection needs it. */
static void format_v4_peer(struct in_addr ip, char text[INET6_ADDRSTRLEN])
{
	const unsigned char *bytes = (const unsigned char *)&ip;
	char *at = text;
	for (int i = 0; i < 4; i++) {
		if (bytes[i] >= 100)
			*at++ = (char)('0' + bytes[i] / 100);
		if (bytes[i] >= 10)
			*at++ = (char)('0' + bytes[i] / 10 % 10);
		*at++ = (char)('0' + bytes[i] % 10);
		*at++ = i < 3 ? '.' : '\0';
	}
}

const char *address_peer(const struct sockaddr_storage *peer, char text[INET6_ADDRSTRLEN])
{
	text[0] = '\0';
	if (peer->ss_family == AF_INET)
		format_v4_peer(((const struct sockaddr_in *)peer)->sin_addr, text);
	else if (peer->ss_family == AF_INET6)
		format_v6_peer(&((const struct sockaddr_in6 *)peer)->sin6_addr, text);
	return text;
}
