/* Linear hashing (Litwin, 1980), with chains.
 *
 *	buckets   0   1   2   3 | 4   5 | .   .       n = 6, capacity 8
 *	                        split off 0 and 1     2 is the next to be split
 *
 * A key's bucket is its hash modulo the capacity or, where that bucket does not exist yet, modulo
 * half the capacity. Each key that makes the table too full splits one bucket, in turn, by the next
 * bit of the hash. So the table never moves all keys at once: at a million channels this would
 * block the loop for a tenth of a second, and every client of the worker would wait. Only the array
 * of buckets doubles at once; the C library remaps a large one instead of copying it, and its pages
 * are not resident before they are used.
 *
 * Why not a library: uthash needs 56 bytes for an entry, a third of them for an order that is not
 * needed here. A client with its own channel and session is in four or five tables, and those
 * entries would be most of its memory.
 *
 * If there is no memory for more buckets, the chains grow longer; only the first key of an empty
 * table needs memory. The array shrinks only when the table is empty. */
#include "sluice/base/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/hash.h"

enum { FIRST_BUCKETS = 8, KEYS_PER_BUCKET = 2 };

/* The upper half: the lower half spreads channels over the workers, so that the channels of one
 * worker would use only some of the buckets. */
static uint32_t hash_of(struct slice bytes)
{
	return (uint32_t)(hash_bytes(bytes) >> 32);
}

static size_t index_of(const struct table *table, uint32_t hash)
{
	size_t index = hash & (table->capacity - 1);
	return index < table->n ? index : index - table->capacity / 2;
}

static struct table_key **bucket_of(const struct table *table, uint32_t hash)
{
	return &table->buckets[index_of(table, hash)];
}

static struct table_key *find(const struct table *table, struct slice bytes, uint32_t hash)
{
	struct table_key *key = *bucket_of(table, hash);
	while (key && !(key->hash == hash && slice_equal(table_key_bytes(key), bytes)))
		key = key->next;
	return key;
}

static bool widen(struct table *table)
{
	size_t capacity = table->capacity ? 2 * table->capacity : FIRST_BUCKETS;
	struct table_key **buckets =
		reallocarray(table->buckets, capacity, sizeof(struct table_key *));
	if (!buckets)
		return false;
	table->buckets = buckets;
	table->capacity = capacity;
	return true;
}

/* Adds one bucket and moves the keys that belong there now. */
static void split(struct table *table)
{
	if (table->n == table->capacity && !widen(table))
		return;
	size_t added = table->n++;
	struct table_key **from = &table->buckets[added - table->capacity / 2];
	struct table_key **to = &table->buckets[added];
	while (*from) {
		struct table_key *key = *from;
		if (index_of(table, key->hash) != added) {
			from = &key->next;
			continue;
		}
		*from = key->next;
		*to = key;
		to = &key->next;
	}
	*to = NULL;
}

static int begin(struct table *table)
{
	if (!widen(table))
		return -ENOMEM;
	table->n = FIRST_BUCKETS;
	memset(table->buckets, 0, FIRST_BUCKETS * sizeof(struct table_key *));
	return 0;
}

static void finish(struct table *table)
{
	free(table->buckets);
	*table = (struct table){ 0 };
}

struct table_key *table_find(const struct table *table, struct slice bytes)
{
	return table->count ? find(table, bytes, hash_of(bytes)) : NULL;
}

int table_add(struct table *table, struct table_key *key, struct slice bytes)
{
	if (bytes.len > UINT32_MAX)
		return -EMSGSIZE;
	if (!table->buckets && begin(table) != 0)
		return -ENOMEM;
	uint32_t hash = hash_of(bytes);
	if (find(table, bytes, hash))
		return -EEXIST;
	if (table->count >= KEYS_PER_BUCKET * table->n)
		split(table);
	struct table_key **bucket = bucket_of(table, hash);
	*key = (struct table_key){ .next = *bucket, .hash = hash, .len = (uint32_t)bytes.len };
	if (bytes.len)
		memcpy(key + 1, bytes.at, bytes.len);
	*bucket = key;
	table->count++;
	return 0;
}

void table_remove(struct table *table, struct table_key *key)
{
	struct table_key **place = bucket_of(table, key->hash);
	while (*place != key)
		place = &(*place)->next;
	*place = key->next;
	if (--table->count == 0)
		finish(table);
}

struct table_key *table_next(const struct table *table, const struct table_key *key)
{
	if (key && key->next)
		return key->next;
	size_t index = key ? index_of(table, key->hash) + 1 : 0;
	while (index < table->n && !table->buckets[index])
		index++;
	return index < table->n ? table->buckets[index] : NULL;
}
