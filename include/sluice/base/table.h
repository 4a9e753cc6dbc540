/* A hash table of structs by a byte key, on uthash, seeded by hash.h. The entry is a member of the
 * owner's struct; the key's bytes are the owner's too and must stay unchanged while it is in. */
#ifndef SLUICE_BASE_TABLE_H
#define SLUICE_BASE_TABLE_H

#include <stddef.h>
#include <uthash.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

struct table_entry {
	UT_hash_handle hh;
};

/* Zero-initialised is empty and valid. Entries are walked in the order in which they came. */
struct table {
	struct table_entry *first;
};

/* NULL: there is none. */
struct table_entry *table_find(const struct table *table, struct slice key);

/* 0, -EEXIST, or -ENOMEM; on an error the entry is in no table. */
MUST_CHECK int table_add(struct table *table, struct table_entry *entry, struct slice key);

/* The entry must be in. With the last one the table's own memory is freed too. */
void table_remove(struct table *table, struct table_entry *entry);

size_t table_count(const struct table *table);

/* The body may take out (and free) the entry that it is at, but no other. */
#define TABLE_EACH(entry, table) \
	for (struct table_entry *entry = (table)->first, \
				*entry##_next = entry ? entry->hh.next : NULL; \
		entry; entry = entry##_next, entry##_next = entry ? entry->hh.next : NULL)

#endif
