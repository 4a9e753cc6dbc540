#include "sluice/conn/quota.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct quota_share {
	unsigned count;
	struct table_key name; /* kind, then the address or user */
};

/* The look-ups of one address within this second. */
struct quota_try {
	unsigned count;
	struct table_key address;
};

void quota_init(struct quota *quota)
{
	*quota = (struct quota){ .mutex = PTHREAD_MUTEX_INITIALIZER, .sockets_max = UINT_MAX };
}

void quota_set_sockets_max(struct quota *quota, unsigned max)
{
	quota->sockets_max = max;
}

static void forget_tries(struct quota *quota)
{
	TABLE_EACH (key, &quota->tries) {
		table_remove(&quota->tries, key);
		free(container_of(key, struct quota_try, address));
	}
}

void quota_finish(struct quota *quota)
{
	forget_tries(quota);
	MUST(atomic_load(&quota->connections) == 0 && table_count(&quota->shares) == 0);
	MUST(atomic_load(&quota->sockets) == 0);
	MUST(holders_total_bytes(&quota->incoming) == 0);
	MUST(holders_total_bytes(&quota->outgoing) == 0);
	pthread_mutex_destroy(&quota->mutex);
}

bool quota_take_connection(struct quota *quota, unsigned limit)
{
	unsigned before = atomic_fetch_add(&quota->connections, 1);
	if (!limit || before < limit)
		return true;
	quota_give_connection(quota);
	return false;
}

void quota_give_connection(struct quota *quota)
{
	atomic_fetch_sub(&quota->connections, 1);
}

bool quota_has_connection(const struct quota *quota, unsigned limit)
{
	return !limit || atomic_load(&quota->connections) < limit;
}

/* ---- within a second ---- */

/* The workers' clocks are some milliseconds apart. A clock that is behind does not begin a new
 * second. */
static void begin_second(struct quota *quota, uint64_t now_ms)
{
	if (now_ms / 1000 <= quota->second)
		return;
	quota->second = now_ms / 1000;
	memset(quota->upgrades, 0, sizeof(quota->upgrades));
	forget_tries(quota);
}

/* `n`: how many to take. */
static bool count_upgrades(
	struct quota *quota, enum quota_login login, unsigned limit, uint64_t now_ms, unsigned n)
{
	if (!limit)
		return true;
	pthread_mutex_lock(&quota->mutex);
	begin_second(quota, now_ms);
	bool left = quota->upgrades[login] < limit;
	quota->upgrades[login] += left ? n : 0;
	pthread_mutex_unlock(&quota->mutex);
	return left;
}

bool quota_take_upgrade(
	struct quota *quota, enum quota_login login, unsigned limit, uint64_t now_ms)
{
	return count_upgrades(quota, login, limit, now_ms, 1);
}

bool quota_has_upgrade(struct quota *quota, enum quota_login login, unsigned limit, uint64_t now_ms)
{
	return count_upgrades(quota, login, limit, now_ms, 0);
}

static struct quota_try *find_try(struct quota *quota, struct slice address)
{
	struct table_key *key = table_find(&quota->tries, address);
	return key ? container_of(key, struct quota_try, address) : NULL;
}

static struct quota_try *create_try(struct quota *quota, struct slice address)
{
	struct quota_try *try = calloc(1, sizeof(*try) + address.len);
	if (try && table_add(&quota->tries, &try->address, address) == 0)
		return try;
	free(try);
	return NULL;
}

static int try_once(struct quota *quota, struct slice address, unsigned limit)
{
	struct quota_try *try = find_try(quota, address);
	if (!try)
		try = create_try(quota, address);
	if (!try)
		return -ENOMEM;
	if (try->count >= limit)
		return -EBUSY;
	try->count++;
	return 0;
}

int quota_take_try(struct quota *quota, struct slice address, unsigned limit, uint64_t now_ms,
	uint64_t *ret_second)
{
	*ret_second = 0;
	if (!limit)
		return 0;
	pthread_mutex_lock(&quota->mutex);
	begin_second(quota, now_ms);
	int error = try_once(quota, address, limit);
	if (!error)
		*ret_second = quota->second;
	pthread_mutex_unlock(&quota->mutex);
	return error;
}

void quota_give_try(struct quota *quota, struct slice address, uint64_t second)
{
	if (!second)
		return;
	pthread_mutex_lock(&quota->mutex);
	struct quota_try *try = second == quota->second ? find_try(quota, address) : NULL;
	if (try && try->count)
		try->count--;
	pthread_mutex_unlock(&quota->mutex);
}

/* ---- shares ---- */

static struct quota_share *create(struct quota *quota, struct slice key)
{
	struct quota_share *share = calloc(1, sizeof(*share) + key.len);
	if (!share)
		return NULL;
	if (table_add(&quota->shares, &share->name, key) != 0) {
		free(share);
		return NULL;
	}
	return share;
}

static int take(
	struct quota *quota, struct slice key, unsigned limit, struct quota_share **ret_share)
{
	struct table_key *found = table_find(&quota->shares, key);
	if (!found && !ret_share)
		return 0;
	struct quota_share *share =
		found ? container_of(found, struct quota_share, name) : create(quota, key);
	if (!share)
		return -ENOMEM;
	if (share->count >= limit)
		return -EBUSY;
	if (!ret_share)
		return 0;
	share->count++;
	*ret_share = share;
	return 0;
}

int quota_take_share(struct quota *quota, char kind, struct slice name, unsigned limit,
	struct quota_share **ret_share)
{
	if (ret_share)
		*ret_share = NULL;
	if (!limit)
		return 0;
	char *key = malloc(name.len + 1);
	if (!key)
		return -ENOMEM;
	key[0] = kind;
	memcpy(key + 1, name.at, name.len);
	pthread_mutex_lock(&quota->mutex);
	int error = take(quota, slice_make(key, name.len + 1), limit, ret_share);
	pthread_mutex_unlock(&quota->mutex);
	free(key);
	return error;
}

void quota_give_share(struct quota *quota, struct quota_share *share)
{
	if (!share)
		return;
	pthread_mutex_lock(&quota->mutex);
	if (--share->count == 0) {
		table_remove(&quota->shares, &share->name);
		free(share);
	}
	pthread_mutex_unlock(&quota->mutex);
}

bool quota_has_socket(const struct quota *quota)
{
	return atomic_load_explicit(&quota->sockets, memory_order_relaxed) < quota->sockets_max;
}

void quota_take_socket(struct quota *quota)
{
	atomic_fetch_add_explicit(&quota->sockets, 1, memory_order_relaxed);
}

void quota_give_socket(struct quota *quota)
{
	atomic_fetch_sub_explicit(&quota->sockets, 1, memory_order_relaxed);
}
