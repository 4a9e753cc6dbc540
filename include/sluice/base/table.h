/* A hash table of structs by a byte string, seeded by hash.h. The key is stored at the end of its
 * struct:
 *
 *	struct hub_channel {
 *		...
 *		struct table_key name; -- the last member; the name's bytes follow it
 *	};
 *	channel = calloc(1, sizeof(*channel) + name.len);
 *	error = table_add(&hub->channels, &channel->name, name);
 *
 * An entry costs 16 bytes besides the key. */
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

/* All zero is empty and valid. */
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

/* NULL: there is no such key. */
struct table_key *table_find(const struct table *table, struct slice bytes);

/* Copies the key's bytes behind `key`, where there must be room for them. 0; -EEXIST; -ENOMEM;
 * -EMSGSIZE: the key is 4 GiB or longer. On an error nothing was added or copied. */
MUST_CHECK int table_add(struct table *table, struct table_key *key, struct slice bytes);

/* The key must be in the table; its bytes stay. Removing the last key frees the table's own
 * memory. */
void table_remove(struct table *table, struct table_key *key);

static inline size_t table_count(const struct table *table)
{
	return table->count;
}

/* The key after `key`, in no particular order; the first after NULL; NULL after the last. */
struct table_key *table_next(const struct table *table, const struct table_key *key);

/* The body may remove (and free) the current key, but no other key, and may not add a key. */
#define TABLE_EACH(key, table) \
	for (struct table_key *key = table_next(table, NULL), \
			      *key##_next = key ? table_next(table, key) : NULL; \
		key; key = key##_next, key##_next = key ? table_next(table, key) : NULL)

#endif
