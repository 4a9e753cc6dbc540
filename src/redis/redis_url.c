/* Parses the URL of the Redis server and user, as an operator writes it:
 *
 *	redis://user:password@host:6379/0    rediss://:password@host?ca=/etc/ca.pem
 *	unix://user:password@/run/redis.sock?db=1
 *
 * The URL is split before it is percent-decoded, so that a decoded byte never separates anything
 * (RFC 3986 §2.4): scheme; authority, up to the first of "/?#", with the credentials before its
 * last "@"; path; query. A password may contain any byte but NUL, also a raw "@" or ":".
 *
 * Anything unknown is an error: a misspelt parameter or a user without a password would otherwise
 * go unnoticed. An error text never contains a part of the URL, which may be the password.
 *
 * Every part is stored in `text`, one after the other, each with its NUL. Decoding never makes a
 * part longer, and there are five at most, so REDIS_URL_MAX + 16 bytes are enough. */
#include "sluice/redis/redis_url.h"

#include <ctype.h>
#include <stdio.h>
#include <sys/un.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/percent.h"

enum { PORT_DEFAULT = 6379, PORT_MAX = 65535, HOST_MAX = 253, DATABASE_MAX = 1 << 20 };

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

/* "host", "host:port", "[v6]", "[v6]:port". */
static const char *parse_host(struct redis_url *url, char **next, struct slice text)
{
	bool bracketed = text.len && text.at[0] == '[';
	struct slice rest = bracketed ? slice_skip(text, 1) : text;
	struct slice host = slice_cut(&rest, bracketed ? ']' : ':');
	if (bracketed) {
		if (!rest.at || (rest.len && rest.at[0] != ':'))
			return "after the IPv6 address, ']' or ']:port' must follow";
		if (!host.len || !memchr(host.at, ':', host.len))
			return "only an IPv6 address may be in []";
		rest = rest.len ? slice_skip(rest, 1) : (struct slice){ NULL, 0 };
	}
	for (size_t i = 0; i < host.len; i++) {
		if (!isalnum((unsigned char)host.at[i]) &&
			!strchr(bracketed ? ":.%" : "-._", host.at[i]))
			return "the host contains an invalid character";
	}
	if (host.len == 0 || host.len > HOST_MAX)
		return "the host is missing or too long";
	unsigned port = PORT_DEFAULT;
	if (rest.at && (!parse_number(rest, PORT_MAX, &port) || port == 0))
		return "the port is not a number from 1 to 65535";
	url->port = (uint16_t)port;
	/* not decoded: an IPv6 zone ("%eth0") is not an escape */
	url->host = *next;
	memcpy(*next, host.at, host.len);
	*next += host.len;
	*(*next)++ = '\0';
	return NULL;
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
		return "unknown parameter: known are db=N and, with rediss://, ca=FILE";
	if (!url->tls || url->ca[0])
		return "ca=FILE may be given once, and only with rediss://";
	url->ca = store(next, value);
	if (!url->ca || !url->ca[0])
		return "ca= needs the name of a file";
	return NULL;
}

/* "/0" of redis:// and rediss://, then "db=0&ca=/file". */
static const char *parse_rest(
	struct redis_url *url, char **next, struct slice path, struct slice query)
{
	bool seen = false;
	const char *problem = NULL;
	if (!url->path[0] && path.len > 1)
		problem = parse_database(url, slice_skip(path, 1), &seen);
	while (!problem && query.at)
		problem = parse_parameter(url, next, slice_cut(&query, '&'), &seen);
	return problem;
}

static struct slice cut_authority(struct slice *path)
{
	const char *slash = path->len ? memchr(path->at, '/', path->len) : NULL;
	struct slice authority = *path;
	if (slash)
		authority.len = (size_t)(slash - path->at);
	*path = slice_skip(*path, authority.len);
	return authority;
}

static bool cut_scheme(struct slice *text, struct slice scheme)
{
	if (text->len < scheme.len || !slice_equal_nocase(slice_make(text->at, scheme.len), scheme))
		return false;
	*text = slice_skip(*text, scheme.len);
	return true;
}

static const char *check_bytes(struct slice text)
{
	if (text.len > REDIS_URL_MAX)
		return "the URL is longer than 1024 bytes";
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		if (c <= ' ' || c == 0x7f || c == '#')
			return "spaces, control characters and '#' must be percent-encoded";
	}
	return NULL;
}

const char *redis_url_parse(struct redis_url *ret_url, struct slice text)
{
	struct redis_url *url = ret_url;
	*url = (struct redis_url){ .host = "", .path = "", .user = "", .password = "", .ca = "" };
	char *next = url->text;
	const char *problem = check_bytes(text);
	if (problem)
		return problem;
	bool local = cut_scheme(&text, SLICE("unix://"));
	url->tls = !local && cut_scheme(&text, SLICE("rediss://"));
	if (!local && !url->tls && !cut_scheme(&text, SLICE("redis://")))
		return "the URL must begin with redis://, rediss:// or unix://";
	struct slice query = text;
	struct slice path = slice_cut(&query, '?');
	struct slice authority = cut_authority(&path);
	problem = cut_credentials(url, &next, &authority);
	if (!problem && local && authority.len)
		problem = "a Unix socket has no host: unix:///path/of/redis.sock";
	if (!problem)
		problem =
			local ? parse_socket(url, &next, path) : parse_host(url, &next, authority);
	return problem ? problem : parse_rest(url, &next, path, query);
}

/* A string that grows in the caller's array; what does not fit is left out. */
struct line {
	char *text;
	size_t size, len;
};

static void put(struct line *line, struct slice text)
{
	size_t n = MIN(text.len, line->size - 1 - line->len);
	memcpy(line->text + line->len, text.at, n);
	line->len += n;
	line->text[line->len] = '\0';
}

/* `kept`: punctuation that separates nothing in this part. */
static void put_encoded(struct line *line, const char *text, const char *kept)
{
	for (; *text; text++) {
		char escaped[4] = { *text };
		if (!isalnum((unsigned char)*text) && !strchr(kept, *text))
			snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned char)*text);
		put(line, slice_of(escaped));
	}
}

static void put_host(struct line *line, const struct redis_url *url)
{
	char port[8];
	bool v6 = strchr(url->host, ':') != NULL;
	put(line, slice_of(v6 ? "[" : ""));
	put(line, slice_of(url->host));
	snprintf(port, sizeof(port), "%s:%u", v6 ? "]" : "", url->port);
	put(line, slice_of(port));
}

const char *redis_url_mask(const struct redis_url *url, char *text, size_t size)
{
	struct line line = { text, size, 0 };
	char database[24];
	put(&line, slice_of(url->path[0] ? "unix://" : url->tls ? "rediss://" : "redis://"));
	put_encoded(&line, url->user, "-._~");
	put(&line, slice_of(url->has_password ? ":***@" : ""));
	if (url->path[0])
		put_encoded(&line, url->path, "-._~/");
	else
		put_host(&line, url);
	snprintf(database, sizeof(database), "%s%u", url->path[0] ? "?db=" : "/", url->database);
	put(&line, slice_of(database));
	if (url->ca[0]) {
		put(&line, SLICE("?ca="));
		put_encoded(&line, url->ca, "-._~/");
	}
	return text;
}
