/* The limits that count over all workers: connections of the process, of an address, of a user,
 * upgrades per second, requests of an address that take long, and the browsers' sockets. One per
 * process, used by every thread. The totals are atomic counters. The others are a small table under
 * a mutex; while those limits are off (the default), an ordinary connection does not take the
 * mutex. */
#ifndef SLUICE_CONN_QUOTA_H
#define SLUICE_CONN_QUOTA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/holders.h"
#include "sluice/base/slice.h"
#include "sluice/base/table.h"

struct quota_share; /* the count of one address or one user */

struct quota {
	/* conn/holding: memory of what has not arrived completely, and queues that are stuck */
	struct holders_total incoming, outgoing;
	/* private */
	atomic_uint connections, sockets;
	unsigned sockets_max;
	pthread_mutex_t mutex; /* of what follows */
	struct table shares;   /* struct quota_share, by name */
	uint64_t second;       /* in which what follows was counted */
	unsigned upgrades[2];  /* by enum quota_login */
	struct table tries;    /* struct quota_try, by address */
};

/* Upgrades of both kinds are counted apart, so that strangers use up nothing that log-ins need. */
enum quota_login { QUOTA_ANONYMOUS, QUOTA_LOGGED_IN };

/* Sockets are not limited before quota_set_sockets_max. */
void quota_init(struct quota *quota);

/* Before the threads start. */
void quota_set_sockets_max(struct quota *quota, unsigned max);

/* Everything that was taken must have been given back. */
void quota_finish(struct quota *quota);

/* For all of these: a limit of 0 means no limit, and whatever is taken must be given back. */

/* False: `limit` connections are open already. */
MUST_CHECK bool quota_take_connection(struct quota *quota, unsigned limit);
void quota_give_connection(struct quota *quota);
/* Would quota_take_connection succeed now? */
bool quota_has_connection(const struct quota *quota, unsigned limit);

/* False: `limit` upgrades of this kind were counted within this second. `now_ms` is a monotonic
 * time. It is not given back. */
MUST_CHECK bool quota_take_upgrade(
	struct quota *quota, enum quota_login login, unsigned limit, uint64_t now_ms);

/* Would quota_take_upgrade succeed now? */
MUST_CHECK bool quota_has_upgrade(
	struct quota *quota, enum quota_login login, unsigned limit, uint64_t now_ms);

/* Counts a look-up of somebody at `address` who may be nobody. 0 and the second for quota_give_try
 * (0 when limit is 0); -EBUSY: `limit` look-ups of this address within this second have found
 * nobody, or are under way; -ENOMEM. */
MUST_CHECK int quota_take_try(struct quota *quota, struct slice address, unsigned limit,
	uint64_t now_ms, uint64_t *ret_second);

/* The look-up has found somebody, so it does not count. Tries that are not given back end with
 * their second. */
void quota_give_try(struct quota *quota, struct slice address, uint64_t second);

/* Counts one more connection of an address ('a') or a user ('u'), or one more half-open connection
 * of an address ('h'). 0 and the share (NULL when limit is 0); -EBUSY: `limit` are taken; -ENOMEM.
 * With `ret_share` NULL it returns the same and counts nothing. */
MUST_CHECK int quota_take_share(struct quota *quota, char kind, struct slice name, unsigned limit,
	struct quota_share **ret_share);
/* NULL is allowed. */
void quota_give_share(struct quota *quota, struct quota_share *share);

/* May one more socket of a browser be accepted? A thread asks first and takes later, so each thread
 * may exceed the limit by one. */
bool quota_has_socket(const struct quota *quota);
void quota_take_socket(struct quota *quota);
void quota_give_socket(struct quota *quota);

#endif
