/* The keys of a small Redis, and the clients that have read each key. When a key changes, Redis
 * notifies each of its readers once, however often it has read the key, and also if the key was
 * missing. */
#ifndef SLUICE_TESTS_REDIS_KEYS_H
#define SLUICE_TESTS_REDIS_KEYS_H

#include "sluice/base/list.h"
#include "sluice/base/table.h"

enum { REDIS_KEY_MAX = 512 };

/* The reply to GET: a value, else an error, else nil. */
struct redis_record {
	const char *key, *value, *error;
};

struct redis_key {
	char *value; /* owned; or NULL */
	const char *error;
	struct list readers; /* struct reader, by .link */
	unsigned gets;       /* how often it was read */
	struct table_key name;
};

struct redis_keys {
	struct table all; /* struct redis_key, by .name: those that exist or were read */
};

void redis_keys_begin(struct redis_keys *keys, const struct redis_record *records);
void redis_keys_end(struct redis_keys *keys);

struct redis_key *redis_keys_get(struct redis_keys *keys, struct slice name);

/* Deletes all keys, and forgets their readers. */
void redis_keys_flush(struct redis_keys *keys);

void redis_key_set(struct redis_key *key, const struct redis_record *record);

/* The number of keys, existing or not, that have readers. */
size_t redis_keys_tracked(const struct redis_keys *keys);

/* `number`: the client's. */
void redis_key_add_reader(struct redis_key *key, unsigned number);
/* Removes a reader and returns its number; 0: there is none. */
unsigned redis_key_pop_reader(struct redis_key *key);

#endif
