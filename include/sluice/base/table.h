/* A hash table of structs by a byte key, seeded by hash.h. The key is kept where its struct ends:
 *
 *	struct hub_channel {
 *		...
 *		struct table_key name; -- the last member; the name's bytes follow it
 *	};
 *	channel = calloc(1, sizeof(*channel) + name.len);
 *	error = table_add(&hub->channels, &channel->name, name);
 *
 * That is 16 bytes besides the key, which does not have to be kept once more. */
#ifndef SLUICE_BASE_TABLE_H
#define SLUICE_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

struct table_key {
	/* private */
	struct table_key *next; /* in its bucket */
	uint32_t hash, len;
};

/* Zero-initialised is empty and valid. */
struct table {
	/* private */
	struct table_key **buckets;
	size_t n, capacity; /* of buckets: in use, allocated (a power of two) */
	size_t count;
};

/* The bytes of a key that is, or was, in a table. */
static inline struct slice table_key_bytes(const struct table_key *key)
{
	return slice_make((const char *)(key + 1), key->len);
}

/* NULL: there is none. */
struct table_key *table_find(const struct table *table, struct slice bytes);

/* Copies the key's bytes behind `key`, where there must be room for them. 0; -EEXIST; -ENOMEM; -EMSGSIZE: the
 * key has 4 GiB. On an error nothing is in the table and nothing was copied. */
MUST_CHECK int table_add(struct table *table, struct table_key *key, struct slice bytes);

/* The key must be in; its bytes stay. With the last one the table's own memory is freed, too. */
void table_remove(struct table *table, struct table_key *key);

static inline size_t table_count(const struct table *table)
{
	return table->count;
}

/* The one after `key`, in no order that means anything; the first after NULL; NULL after the last. */
struct table_key *table_next(const struct table *table, const struct table_key *key);

/* The body may take out (and free) the one that it is at, but no other, and may add none. */
#define TABLE_EACH(key, table) \
	for (struct table_key *key = table_next(table, NULL), \
			      *key##_next = key ? table_next(table, key) : NULL; \
		key; key = key##_next, key##_next = key ? table_next(table, key) : NULL)

#endif
