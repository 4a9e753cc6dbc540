#include "sluice/redis/place.h"

#include <stdio.h>

static bool find_fixed(struct redis_place *place, struct redis_address *ret_address,
	char problem[REDIS_PROBLEM_MAX])
{
	const struct redis_url *url = container_of(place, struct redis_fixed_place, place)->url;
	const struct redis_host none = { .name = "" };
	const struct redis_host *only = url->n_hosts ? &url->hosts[0] : &none;
	*ret_address = (struct redis_address){ .port = only->port, .generation = 1 };
	int host = snprintf(ret_address->host, REDIS_HOST_MAX, "%s", only->name);
	int path = snprintf(ret_address->path, REDIS_PATH_MAX, "%s", url->path);
	bool fits = host < REDIS_HOST_MAX && path < REDIS_PATH_MAX;
	if (!fits)
		snprintf(problem, REDIS_PROBLEM_MAX, "the host or path of redis.url is too long");
	return fits;
}

static void ignore(struct redis_place *place, uint64_t generation, const char *reason)
{
	(void)place;
	(void)generation;
	(void)reason;
}

void redis_fixed_place_init(struct redis_fixed_place *fixed, const struct redis_url *url)
{
	static const struct redis_place_kind kind = { .find = find_fixed, .suspect = ignore };
	*fixed = (struct redis_fixed_place){ .place.kind = &kind, .url = url };
}
