/* What a small Redis has under its keys, and who has read it, so that Redis owes him a word when it
 * changes: one word for however many reads, and of a key that was not there, too. */
#ifndef SLUICE_TESTS_REDIS_KEYS_H
#define SLUICE_TESTS_REDIS_KEYS_H

#include "sluice/base/list.h"
#include "sluice/base/table.h"

enum { REDIS_KEY_MAX = 512 };

/* What GET gives for a key: a value, or else an error, or else nil. */
struct redis_record {
	const char *key, *value, *error;
};

struct redis_key {
	char *value; /* or NULL; its own */
	const char *error;
	struct list readers; /* struct reader, by .link */
	unsigned gets;       /* how often it was asked for */
	struct table_key name;
};

struct redis_keys {
	struct table all; /* struct redis_key, by .name: those that are there or were asked for */
};

void redis_keys_begin(struct redis_keys *keys, const struct redis_record *records);
void redis_keys_end(struct redis_keys *keys);

struct redis_key *redis_keys_get(struct redis_keys *keys, struct slice name);

/* Nothing is there any more, and nobody has read anything. */
void redis_keys_flush(struct redis_keys *keys);

void redis_key_set(struct redis_key *key, const struct redis_record *record);

/* A client, by its number. */
void redis_key_add_reader(struct redis_key *key, unsigned number);
/* Takes one out; 0: there is none. */
unsigned redis_key_pop_reader(struct redis_key *key);

#endif
