/* Which pages may open connections: the defence against cross-site WebSocket hijacking.
 *
 * A browser sends the user's cookies with a WebSocket that any page opens, and CORS does not apply.
 * Only the Origin header (RFC 6454 §7) tells which page it was, and a page cannot forge it. So one
 * loose comparison gives every user's account to every page on the web. Prefixes, suffixes and
 * patterns cause such mistakes ("https://app.example.com.evil.org"), so there are none: both sides
 * are parsed into the triple of RFC 6454 §4, and the triples are compared.
 *
 *	https://app.example.com:8443
 *	scheme  host            port     a serialised origin is exactly this
 *
 * A string that cannot be parsed equals nothing: "null" (sandboxed frames, data: pages),
 * user:password@, a path, a space, two origins. Hosts consist of the characters of names and
 * addresses as browsers write them, punycode included, so "*", "%" and everything above ASCII are
 * refused without a rule.
 *
 * "same-host" compares with the Host header, which has no scheme. A proxy that terminates TLS hands
 * on "Host: app.example.com" for https://app.example.com, so a Host without a port means the
 * default port of the origin's scheme; only http and https, which have one, can be the same host.
 * Where TLS ends here, the scheme is known: a page of http://app.example.com, which anybody on the
 * network can forge, is not the same host. */
#include "sluice/proto/http/origin.h"

#include <string.h>

enum { PORT_NONE = 0, PORT_MAX = 65535 };

struct origin {
	struct slice scheme, host;
	unsigned port; /* the scheme's default if the origin has none; or PORT_NONE */
};

static bool consists_of(struct slice text, const char *alphabet)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\0' || !strchr(alphabet, text.at[i]))
			return false;
	}
	return text.len > 0;
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

static bool is_http(struct slice scheme)
{
	return slice_equal_nocase(scheme, SLICE("http"));
}

static bool is_https(struct slice scheme)
{
	return slice_equal_nocase(scheme, SLICE("https"));
}

static unsigned default_port(struct slice scheme)
{
	return is_http(scheme) ? 80 : is_https(scheme) ? 443 : PORT_NONE;
}

static bool read_port(struct slice digits, unsigned *port)
{
	uint64_t number;
	if (digits.len > 5 || !slice_number(digits, PORT_MAX, &number))
		return false;
	*port = (unsigned)number;
	return number > 0;
}

/* Cuts the host off the front of `authority`: an IPv6 literal with its brackets, or a name. */
static bool cut_host(struct slice *authority, struct slice *host)
{
	struct slice rest = *authority;
	if (authority->len && authority->at[0] == '[') {
		struct slice address = slice_cut(&rest, ']');
		if (!rest.at || !consists_of(slice_skip(address, 1), DIGITS "abcdefABCDEF:."))
			return false;
		*host = slice_make(address.at, address.len + 1);
	} else {
		*host = slice_cut(&rest, ':');
		if (!consists_of(*host, LETTERS DIGITS "-._"))
			return false;
	}
	*authority = slice_skip(*authority, host->len);
	return true;
}

/* Reads "host" or "host:port"; the origin's scheme is set. */
static bool read_authority(struct slice authority, struct origin *origin)
{
	if (!cut_host(&authority, &origin->host))
		return false;
	origin->port = default_port(origin->scheme);
	if (authority.len == 0)
		return true;
	return authority.at[0] == ':' && read_port(slice_skip(authority, 1), &origin->port);
}

static bool read_origin(struct slice text, struct origin *origin)
{
	struct slice rest = text;
	origin->scheme = slice_cut(&rest, ':');
	if (!consists_of(origin->scheme, LETTERS DIGITS "+-.") ||
		!slice_starts_with(rest, SLICE("//")))
		return false;
	return read_authority(slice_skip(rest, 2), origin);
}

static bool origin_equal(const struct origin *a, const struct origin *b)
{
	return slice_equal_nocase(a->scheme, b->scheme) && slice_equal_nocase(a->host, b->host) &&
	       a->port == b->port;
}

static bool is_same_host(const struct origin *origin, const struct origin_target *target)
{
	struct origin own = { .scheme = origin->scheme };
	bool may_be_http = !target->over_tls && is_http(origin->scheme);
	return (may_be_http || is_https(origin->scheme)) && read_authority(target->host, &own) &&
	       origin_equal(origin, &own);
}

bool origin_setting_is_valid(struct slice allowed)
{
	struct origin origin;
	return slice_equal(allowed, SLICE("same-host")) || slice_equal(allowed, SLICE("none")) ||
	       slice_equal(allowed, SLICE("*")) || read_origin(allowed, &origin);
}

static bool allows(struct slice allowed, struct slice text, const struct origin *origin,
	const struct origin_target *target)
{
	struct origin wanted;
	if (slice_equal(allowed, SLICE("*")))
		return true;
	if (slice_equal(allowed, SLICE("none")))
		return !text.at;
	if (!origin)
		return false;
	if (slice_equal(allowed, SLICE("same-host")))
		return is_same_host(origin, target);
	return read_origin(allowed, &wanted) && origin_equal(origin, &wanted);
}

bool origin_is_allowed(const struct slice *allowed, size_t n_allowed, struct slice origin,
	const struct origin_target *target)
{
	struct origin parts;
	const struct origin *readable = read_origin(origin, &parts) ? &parts : NULL;
	for (size_t i = 0; i < n_allowed; i++) {
		if (allows(allowed[i], origin, readable, target))
			return true;
	}
	return false;
}
