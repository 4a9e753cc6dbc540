/* redis://[[user]:password@]host[:port][/db], rediss://… for the same over TLS, and
 * unix://[[user]:password@]/path[?db=N].
 *
 * User, password and path are percent-decoded. Query: db=N; with rediss:// also ca=/path/of/ca.pem,
 * the certificates to trust instead of the system's. */
#ifndef SLUICE_REDIS_REDIS_URL_H
#define SLUICE_REDIS_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/slice.h"

enum { REDIS_URL_MAX = 1024 };

/* Owns its strings, which are NUL-terminated, and "" where absent. */
struct redis_url {
	bool tls;
	const char *host; /* "" for a Unix socket; an IPv6 address without brackets */
	uint16_t port;    /* 6379 when left out */
	const char *path; /* of the Unix socket, or "" */
	const char *user, *password;
	bool has_password; /* which may be empty */
	const char *ca;    /* file of trusted certificates, or "" */
	unsigned database;
	/* private */
	char text[REDIS_URL_MAX + 16];
};

/* NULL, and the parsed URL, which must not be copied as a struct; else an error text, a literal. */
const char *redis_url_parse(struct redis_url *ret_url, struct slice text);

/* The URL with its password replaced by "***", for logs and --print-config. Returns `text`. */
const char *redis_url_mask(const struct redis_url *url, char *text, size_t size);

#endif
