/* Parses the URL of Redis, as an operator writes it:
 *
 *	redis://user:password@host:6379/0    rediss://:password@host?ca=/etc/ca.pem
 *	unix://user:password@/run/redis.sock?db=1
 *	redis+sentinel://user:password@s1:26379,s2:26379/mymaster/0
 *
 * The URL is split before it is percent-decoded, so that a decoded byte never separates anything
 * (RFC 3986 §2.4): scheme; authority, up to the first of "/?#", with the credentials before its
 * last "@"; path; query. A password may contain any byte but NUL, also a raw "@" or ":".
 *
 * Anything unknown is an error: a misspelt parameter or a user without a password would otherwise
 * go unnoticed. An error text never contains a part of the URL, which may be the password.
 *
 * Every part is stored in `text`, one after the other, each with its NUL. Decoding never makes a
 * part longer, a host's NUL has the place of the comma behind it, and there are six other parts at
 * most, so REDIS_URL_MAX + 16 bytes are enough. */
#include "sluice/redis/redis_url.h"

#include <ctype.h>
#include <stdio.h>
#include <sys/un.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/percent.h"

enum {
	PORT_DEFAULT = 6379,
	SENTINEL_PORT_DEFAULT = 26379,
	PORT_MAX = 65535,
	HOST_MAX = 253,
	DATABASE_MAX = 1 << 20,
};

/* Stores the decoded part at `next`, which moves on. NULL: an escape is malformed, or decodes to
 * NUL. */
static const char *store(char **next, struct slice part)
{
	char *start = *next;
	ssize_t len = percent_decode(part, start, part.len);
	if (len < 0 || memchr(start, '\0', (size_t)len))
		return NULL;
	start[len] = '\0';
	*next += len + 1;
	return start;
}

static bool parse_number(struct slice text, unsigned max, unsigned *ret_number)
{
	uint64_t number;
	if (!slice_number(text, max, &number))
		return false;
	*ret_number = (unsigned)number;
	return true;
}

/* ---- the authority: credentials and hosts ---- */

/* Cuts the name or address off the front of "host", "host:port", "[v6]" or "[v6]:port", and leaves
 * the port, or nothing. */
static const char *cut_host(struct slice *rest, struct slice *ret_host)
{
	bool bracketed = rest->len && rest->at[0] == '[';
	*rest = bracketed ? slice_skip(*rest, 1) : *rest;
	struct slice host = *ret_host = slice_cut(rest, bracketed ? ']' : ':');
	if (bracketed) {
		if (!rest->at || (rest->len && rest->at[0] != ':'))
			return "after the IPv6 address, ']' or ']:port' must follow";
		if (!host.len || !memchr(host.at, ':', host.len))
			return "only an IPv6 address may be in []";
		*rest = rest->len ? slice_skip(*rest, 1) : (struct slice){ NULL, 0 };
	}
	for (size_t i = 0; i < host.len; i++) {
		if (!isalnum((unsigned char)host.at[i]) &&
			!strchr(bracketed ? ":.%" : "-._", host.at[i]))
			return "the host contains an invalid character";
	}
	if (!bracketed && rest->len && memchr(rest->at, ':', rest->len))
		return "the port is not a number, or an IPv6 address is not in []";
	return host.len == 0 || host.len > HOST_MAX ? "a host is missing or too long" : NULL;
}

static const char *parse_host(struct redis_url *url, char **next, struct slice text)
{
	struct slice host;
	unsigned port = url->kind == REDIS_SENTINEL ? SENTINEL_PORT_DEFAULT : PORT_DEFAULT;
	const char *problem = cut_host(&text, &host);
	if (problem)
		return problem;
	if (text.at && (!parse_number(text, PORT_MAX, &port) || port == 0))
		return "the port is not a number from 1 to 65535";
	/* not decoded: an IPv6 zone ("%eth0") is not an escape */
	url->hosts[url->n_hosts++] = (struct redis_host){ *next, (uint16_t)port };
	memcpy(*next, host.at, host.len);
	*next += host.len;
	*(*next)++ = '\0';
	return NULL;
}

static const char *parse_hosts(struct redis_url *url, char **next, struct slice text)
{
	const char *problem = NULL;
	bool several = text.len && memchr(text.at, ',', text.len);
	if (several && url->kind == REDIS_STANDALONE)
		return "redis:// takes one host; several are for redis+sentinel:// or "
		       "redis+cluster://";
	do {
		if (url->n_hosts == REDIS_HOSTS_MAX)
			return "there are more than 16 hosts; any few of them are enough";
		problem = parse_host(url, next, slice_cut(&text, ','));
	} while (!problem && text.at);
	return problem;
}

/* "user:password" or ":password". */
static const char *parse_credentials(struct redis_url *url, char **next, struct slice text)
{
	struct slice password = text;
	struct slice user = slice_cut(&password, ':');
	if (!password.at)
		return "a user needs a password: user:password@ (a password alone: :password@)";
	url->user = store(next, user);
	url->password = store(next, password);
	url->has_password = true;
	if (!url->user || !url->password)
		return "a '%' in the user or password must be written as %25";
	return NULL;
}

/* Cuts the credentials off the front of the authority. */
static const char *cut_credentials(struct redis_url *url, char **next, struct slice *authority)
{
	const char *at = authority->len ? memrchr(authority->at, '@', authority->len) : NULL;
	if (!at)
		return NULL;
	size_t len = (size_t)(at - authority->at);
	struct slice credentials = slice_make(authority->at, len);
	*authority = slice_skip(*authority, len + 1);
	return parse_credentials(url, next, credentials);
}

/* ---- the path and the query ---- */

static const char *parse_socket(struct redis_url *url, char **next, struct slice path)
{
	if (path.len < 2)
		return "the path of the Unix socket is missing: unix:///path/of/redis.sock";
	url->path = store(next, path);
	if (!url->path)
		return "a '%' in the path must be written as %25";
	if (strlen(url->path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return "the path is too long for a Unix socket";
	return NULL;
}

static const char *parse_database(struct redis_url *url, struct slice text, bool *seen)
{
	if (*seen)
		return "the database is given twice";
	*seen = true;
	return parse_number(text, DATABASE_MAX, &url->database) ? NULL
								: "the database is not a number";
}

static const char *parse_parameter(
	struct redis_url *url, char **next, struct slice parameter, bool *database_seen)
{
	struct slice value = parameter;
	struct slice name = slice_cut(&value, '=');
	if (slice_equal(name, SLICE("db")))
		return parse_database(url, value, database_seen);
	if (!slice_equal(name, SLICE("ca")))
		return "unknown parameter: known are db=N and, with rediss:// or the like, ca=FILE";
	if (!url->tls || url->ca[0])
		return "ca=FILE may be given once, and only with rediss://";
	url->ca = store(next, value);
	if (!url->ca || !url->ca[0])
		return "ca= needs the name of a file";
	return NULL;
}

static const char *parse_query(
	struct redis_url *url, char **next, struct slice query, bool database_seen)
{
	const char *problem = NULL;
	while (!problem && query.at)
		problem = parse_parameter(url, next, slice_cut(&query, '&'), &database_seen);
	if (!problem && url->kind == REDIS_CLUSTER && url->database)
		problem = "a cluster has only database 0";
	return problem;
}

/* Cuts "mymaster" off the front of "/mymaster/0". Sentinels allow printable characters. */
static const char *cut_master(struct redis_url *url, char **next, struct slice *path)
{
	struct slice rest = slice_skip(*path, path->len > 0);
	struct slice name = slice_cut(&rest, '/');
	if (!name.len)
		return "the name of the master is missing: redis+sentinel://host/mymaster";
	url->master = store(next, name);
	if (!url->master)
		return "a '%' in the name of the master must be written as %25";
	for (const char *c = url->master; *c; c++)
		if (*c <= ' ' || *c == 0x7f)
			return "the name of the master contains an invalid character";
	*path = rest;
	return NULL;
}

/* "/0", or nothing. */
static const char *parse_path(
	struct redis_url *url, char **next, struct slice path, bool *database_seen)
{
	if (url->kind == REDIS_SENTINEL) {
		const char *problem = cut_master(url, next, &path);
		if (problem)
			return problem;
	} else {
		path = slice_skip(path, path.len > 0);
	}
	return path.len ? parse_database(url, path, database_seen) : NULL;
}

/* ---- the whole ---- */

static struct slice cut_authority(struct slice *path)
{
	const char *slash = path->len ? memchr(path->at, '/', path->len) : NULL;
	struct slice authority = *path;
	if (slash)
		authority.len = (size_t)(slash - path->at);
	*path = slice_skip(*path, authority.len);
	return authority;
}

static bool cut(struct slice *text, struct slice prefix)
{
	if (text->len < prefix.len || !slice_equal_nocase(slice_make(text->at, prefix.len), prefix))
		return false;
	*text = slice_skip(*text, prefix.len);
	return true;
}

/* All schemes but unix:// */
static const char *cut_scheme(struct redis_url *url, struct slice *text)
{
	bool known = cut(text, SLICE("redis"));
	url->tls = cut(text, SLICE("s"));
	if (cut(text, SLICE("+sentinel")))
		url->kind = REDIS_SENTINEL;
	else if (cut(text, SLICE("+cluster")))
		url->kind = REDIS_CLUSTER;
	return known && cut(text, SLICE("://"))
		       ? NULL
		       : "it must begin with redis://, unix://, redis+sentinel:// or "
			 "redis+cluster://, with rediss for TLS";
}

static const char *check_bytes(struct slice text)
{
	if (text.len > REDIS_URL_MAX)
		return "the URL is longer than 2048 bytes";
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		if (c <= ' ' || c == 0x7f || c == '#')
			return "spaces, control characters and '#' must be percent-encoded";
	}
	return NULL;
}

static const char *parse_local(struct redis_url *url, char **next, struct slice text)
{
	struct slice query = text;
	struct slice path = slice_cut(&query, '?');
	struct slice authority = cut_authority(&path);
	const char *problem = cut_credentials(url, next, &authority);
	if (!problem && authority.len)
		problem = "a Unix socket has no host: unix:///path/of/redis.sock";
	if (!problem)
		problem = parse_socket(url, next, path);
	return problem ? problem : parse_query(url, next, query, false);
}

static const char *parse_remote(struct redis_url *url, char **next, struct slice text)
{
	bool database_seen = false;
	const char *problem = cut_scheme(url, &text);
	struct slice query = text;
	struct slice path = slice_cut(&query, '?');
	struct slice authority = cut_authority(&path);
	if (!problem)
		problem = cut_credentials(url, next, &authority);
	if (!problem)
		problem = parse_hosts(url, next, authority);
	if (!problem)
		problem = parse_path(url, next, path, &database_seen);
	return problem ? problem : parse_query(url, next, query, database_seen);
}

const char *redis_url_parse(struct redis_url *ret_url, struct slice text)
{
	struct redis_url *url = ret_url;
	*url = (struct redis_url){ .path = "", .master = "", .user = "", .password = "", .ca = "" };
	char *next = url->text;
	const char *problem = check_bytes(text);
	if (problem)
		return problem;
	return cut(&text, SLICE("unix://")) ? parse_local(url, &next, text)
					    : parse_remote(url, &next, text);
}
