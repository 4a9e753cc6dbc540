/* uthash's macros, kept to this file, with our seeded hash and with failed allocations reported
 * instead of ending the process. */
#define HASH_NONFATAL_OOM         1
#define uthash_nonfatal_oom(elem) (out_of_memory = true)
#define HASH_FUNCTION(key, keylen, hashv) \
	((hashv) = (unsigned)hash_bytes(slice_make((const char *)(key), keylen)))

#include "sluice/base/table.h"

#include <errno.h>
#include <stdbool.h>

#include "sluice/base/hash.h"

static _Thread_local bool out_of_memory;

struct table_entry *table_find(const struct table *table, struct slice key)
{
	struct table_entry *found;
	HASH_FIND(hh, table->first, key.at, key.len, found);
	return found;
}

int table_add(struct table *table, struct table_entry *entry, struct slice key)
{
	if (table_find(table, key))
		return -EEXIST;
	out_of_memory = false;
	HASH_ADD_KEYPTR(hh, table->first, key.at, key.len, entry);
	return out_of_memory ? -ENOMEM : 0;
}

void table_remove(struct table *table, struct table_entry *entry)
{
	HASH_DELETE(hh, table->first, entry);
}

size_t table_count(const struct table *table)
{
	return HASH_COUNT(table->first);
}
