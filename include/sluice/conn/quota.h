/* The limits that count over all workers: connections of the process, of an address, of a user, upgrades
 * per second, requests of an address that take long, and the browsers' sockets. One per process, used by
 * every thread: the totals are atomic counters, the rest is a small table under a mutex that an ordinary
 * connection does not take while those limits are off (their default). */
#ifndef SLUICE_CONN_QUOTA_H
#define SLUICE_CONN_QUOTA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"
#include "sluice/base/table.h"

struct quota_share; /* one address or one user, counted */

struct quota {
	/* private */
	atomic_uint connections, sockets;
	unsigned sockets_max;
	pthread_mutex_t mutex; /* of what follows */
	struct table shares;   /* struct quota_share, by name */
	uint64_t second;       /* the one that `upgrades` counts in */
	unsigned upgrades;
};

/* Of sockets there are as many as one likes, until quota_set_sockets_max. */
void quota_init(struct quota *quota);

/* Before the threads start. */
void quota_set_sockets_max(struct quota *quota, unsigned max);

/* Nothing may be taken any more. */
void quota_finish(struct quota *quota);

/* All of them: a limit of 0 is none, and everything taken must be given back. */

/* False: `limit` connections are open. */
MUST_CHECK bool quota_take_connection(struct quota *quota, unsigned limit);
void quota_give_connection(struct quota *quota);
/* Would it be taken now? */
bool quota_has_connection(const struct quota *quota, unsigned limit);

/* False: `limit` upgrades were begun within this second. `now_ms` is a monotonic time. */
MUST_CHECK bool quota_take_upgrade(struct quota *quota, unsigned limit, uint64_t now_ms);

/* Counts one more of an address ('a'), a user ('u'), or an address' half-open ones ('h'). 0 and the share (NULL when limit is 0);
 * -EBUSY: `limit` are taken; -ENOMEM. `ret_share` NULL: says what it would give, and counts nothing. */
MUST_CHECK int quota_take_share(struct quota *quota, char kind, struct slice name, unsigned limit,
	struct quota_share **ret_share);
/* NULL is allowed. */
void quota_give_share(struct quota *quota, struct quota_share *share);

/* May one more socket of a browser be accepted? Threads ask first and take then, so each of them may take
 * one too many. */
bool quota_has_socket(const struct quota *quota);
void quota_take_socket(struct quota *quota);
void quota_give_socket(struct quota *quota);

#endif
