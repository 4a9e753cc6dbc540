/* Where Redis is, as an operator writes it:
 *
 *	redis://[[user]:password@]host[:port][/db]                    one server
 *	unix://[[user]:password@]/path[?db=N]                         one server, by a Unix socket
 *	redis+sentinel://[[user]:password@]host[:port],…/master[/db]  the sentinels' master
 *	redis+cluster://[[user]:password@]host[:port],…               a cluster, by some of its nodes
 *
 * rediss://, rediss+sentinel:// and rediss+cluster:// are the same over TLS. A host is a name, an
 * IPv4 address, or an IPv6 address in []. User, password, master and path are percent-decoded.
 * Query: db=N; over TLS also ca=/path/of/ca.pem, the certificates to trust instead of the system's. */
#ifndef SLUICE_REDIS_REDIS_URL_H
#define SLUICE_REDIS_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/slice.h"

enum {
	REDIS_URL_MAX = 2048,
	REDIS_URL_MASKED_MAX = 3 * REDIS_URL_MAX + 128,
	REDIS_HOSTS_MAX = 16,
};

enum redis_kind {
	REDIS_STANDALONE,
	REDIS_SENTINEL,
	REDIS_CLUSTER,
};

struct redis_host {
	const char *name; /* or an address; an IPv6 address has no brackets */
	uint16_t port;    /* when left out, 6379, or 26379 of a sentinel */
};

/* Owns its strings, which are NUL-terminated, and "" where absent. */
struct redis_url {
	enum redis_kind kind;
	bool tls;
	/* A standalone server has one, or none if it has a `path`. */
	struct redis_host hosts[REDIS_HOSTS_MAX];
	size_t n_hosts;
	const char *path;   /* of the Unix socket, or "" */
	const char *master; /* the name by which the sentinels know it, or "" */
	const char *user, *password;
	bool has_password; /* which may be empty */
	const char *ca;    /* file of trusted certificates, or "" */
	unsigned database; /* 0 in a cluster */
	/* private */
	char text[REDIS_URL_MAX + 16];
};

/* NULL, and the parsed URL, which must not be copied as a struct; else an error text, a literal. */
const char *redis_url_parse(struct redis_url *ret_url, struct slice text);

/* The URL with its password replaced by "***", for logs and --print-config. REDIS_URL_MASKED_MAX
 * bytes are always enough; what does not fit is left out. Returns `text`. */
const char *redis_url_mask(const struct redis_url *url, char *text, size_t size);

#endif
