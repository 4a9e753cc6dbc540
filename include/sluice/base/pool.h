/* Blocks of one size, apart from the heap: for what lives shortly and would leave holes between what
 * lives long, and for what there are very many of. One thread's. */
#ifndef SLUICE_BASE_POOL_H
#define SLUICE_BASE_POOL_H

#include <stddef.h>

#include "sluice/base/list.h"

struct pool {
	/* private */
	size_t block_size;
	struct list with_room; /* struct slab, by .link */
	size_t slabs;
};

/* `block_size`: at most some kilobytes. Blocks are aligned for anything of up to eight bytes. */
void pool_init(struct pool *pool, size_t block_size);

/* Every block must have been given back. */
void pool_finish(struct pool *pool);

/* A block, all zero; NULL: no memory. */
void *pool_take(struct pool *pool);

/* To the pool that it is from. NULL is allowed. */
void pool_give(struct pool *pool, void *block);

#endif
