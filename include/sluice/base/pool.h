/* Blocks of one size, outside the heap: for short-lived objects, which would leave holes between
 * long-lived ones, and for very many objects. For use by one thread. */
#ifndef SLUICE_BASE_POOL_H
#define SLUICE_BASE_POOL_H

#include <stddef.h>

#include "sluice/base/list.h"

struct pool {
	/* private */
	size_t block_size;
	struct list with_room; /* struct slab, by .link */
	size_t slabs, empty;
};

/* `block_size`: at most a few kilobytes. Blocks are aligned to eight bytes. */
void pool_init(struct pool *pool, size_t block_size);

/* Every block must have been returned. */
void pool_finish(struct pool *pool);

/* A block, all zero; NULL: out of memory. */
void *pool_take(struct pool *pool);

/* Returns a block to its pool. NULL is allowed. */
void pool_give(struct pool *pool, void *block);

#endif
