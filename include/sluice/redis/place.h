/* Where a link connects to. A link does not know an address: before each attempt it asks its place,
 * so that the attempt after a failover goes to the new master. There are several kinds of places:
 * an address that never changes (below), and the master that Sentinels name.
 *
 * Everything here may be called in any thread. */
#ifndef SLUICE_REDIS_PLACE_H
#define SLUICE_REDIS_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/redis/redis_url.h"

enum { REDIS_HOST_MAX = 256, REDIS_PATH_MAX = 256, REDIS_PROBLEM_MAX = 256 };

struct redis_address {
	char host[REDIS_HOST_MAX]; /* "" for a Unix socket */
	uint16_t port;
	char path[REDIS_PATH_MAX]; /* of the Unix socket, or "" */
	/* Grows whenever the place moves to another server. A link to an older generation is closed,
	 * even if it is healthy. */
	uint64_t generation;
};

struct redis_place;

struct redis_place_kind {
	/* The server may have become a replica without our noticing: links ask it for its ROLE. */
	bool has_roles;
	bool (*find)(struct redis_place *place, struct redis_address *ret_address,
		char problem[REDIS_PROBLEM_MAX]);
	void (*suspect)(struct redis_place *place, uint64_t generation, const char *reason);
};

/* The first member of each kind. */
struct redis_place {
	const struct redis_place_kind *kind;
};

/* Where to connect now. False: nobody knows; `problem` is one line for the operator. */
MUST_CHECK static inline bool redis_place_find(struct redis_place *place,
	struct redis_address *ret_address, char problem[REDIS_PROBLEM_MAX])
{
	return place->kind->find(place, ret_address, problem);
}

/* A link to this generation has found that it may be at the wrong server, or that the server is
 * gone. The place looks again soon. */
static inline void redis_place_suspect(
	struct redis_place *place, uint64_t generation, const char *reason)
{
	place->kind->suspect(place, generation, reason);
}

/* The address that a URL names. */
struct redis_fixed_place {
	struct redis_place place;
	const struct redis_url
		*url; /* read again by each redis_place_find; must outlive the place */
};

void redis_fixed_place_init(struct redis_fixed_place *fixed, const struct redis_url *url);

#endif
