/* Slabs of blocks.
 *
 *	| slab | block | block | block | ... |     64 KiB, aligned to 64 KiB
 *
 * Why not malloc: a burst of log-ins brings thousands of requests at once, each in a block of
 * kilobytes, and a second later none is left. On the heap these blocks would be between blocks of
 * connections that stay, so their pages could not be returned to the system, and an idle connection
 * would cost four times its size. Here they are all in one place, and empty slabs are returned to
 * the system, except a few: a stream of log-ins would map and unmap one for each two dozen of them.
 *
 * Objects that exist once for each connection benefit too: malloc keeps a word before each block,
 * rounds its size up, and places it in holes that are a little too large. Here a block takes
 * exactly its size.
 *
 * A block's address gives its slab. Free blocks form a list. */
#include "sluice/base/pool.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "sluice/base/defs.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

enum { SLAB_BYTES = 65536, ALIGNMENT = 8, EMPTY_MAX = 4 };

struct free_block {
	struct free_block *next;
};

struct slab {
	struct list link; /* in with_room, while a block is free */
	size_t used;
	struct free_block *free;
	_Alignas(ALIGNMENT) char blocks[];
};

static size_t blocks_per_slab(const struct pool *pool)
{
	return (SLAB_BYTES - sizeof(struct slab)) / pool->block_size;
}

static struct slab *slab_of(void *block)
{
	char *at = block;
	return (void *)(at - (uintptr_t)at % SLAB_BYTES);
}

/* mmap aligns to pages only, so this maps twice as much and unmaps the excess. */
static void *map_slab(void)
{
	char *whole = mmap(
		NULL, 2 * SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (whole == MAP_FAILED)
		return NULL;
	size_t before = (SLAB_BYTES - (uintptr_t)whole % SLAB_BYTES) % SLAB_BYTES;
	if (before)
		munmap(whole, before);
	munmap(whole + before + SLAB_BYTES, SLAB_BYTES - before);
	return whole + before;
}

static struct slab *create_slab(struct pool *pool)
{
	struct slab *slab = map_slab();
	if (!slab)
		return NULL;
	for (size_t i = blocks_per_slab(pool); i-- > 0;) {
		struct free_block *block = (void *)(slab->blocks + i * pool->block_size);
		block->next = slab->free;
		slab->free = block;
	}
	ASAN_POISON_MEMORY_REGION(slab->blocks, SLAB_BYTES - sizeof(*slab));
	list_append(&pool->with_room, &slab->link);
	pool->slabs++;
	pool->empty++;
	return slab;
}

static void destroy_slab(struct pool *pool, struct slab *slab)
{
	list_remove(&slab->link);
	pool->slabs--;
	pool->empty--;
	ASAN_UNPOISON_MEMORY_REGION(slab, SLAB_BYTES);
	munmap(slab, SLAB_BYTES);
}

void pool_init(struct pool *pool, size_t block_size)
{
	*pool = (struct pool){ .block_size = (block_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };
	list_init(&pool->with_room);
	MUST(blocks_per_slab(pool) > 0);
}

void pool_finish(struct pool *pool)
{
	LIST_EACH_SAFE (node, &pool->with_room) {
		struct slab *slab = container_of(node, struct slab, link);
		MUST(slab->used == 0);
		destroy_slab(pool, slab);
	}
	MUST(pool->slabs == 0);
}

void *pool_take(struct pool *pool)
{
	struct slab *slab = list_is_empty(&pool->with_room)
				    ? create_slab(pool)
				    : container_of(pool->with_room.next, struct slab, link);
	if (!slab)
		return NULL;
	struct free_block *block = slab->free;
	ASAN_UNPOISON_MEMORY_REGION(block, pool->block_size);
	slab->free = block->next;
	if (slab->used++ == 0)
		pool->empty--;
	if (!slab->free)
		list_remove(&slab->link);
	return memset(block, 0, pool->block_size);
}

/* Of the slabs that are empty some stay, at the end of the list. */
static void keep_or_destroy(struct pool *pool, struct slab *slab)
{
	if (++pool->empty > EMPTY_MAX) {
		destroy_slab(pool, slab);
		return;
	}
	list_remove(&slab->link);
	list_append(&pool->with_room, &slab->link);
}

/* A slab that has room again goes to the end of the list: the others fill up first, and it gets
 * time to become empty. */
void pool_give(struct pool *pool, void *block)
{
	if (!block)
		return;
	struct slab *slab = slab_of(block);
	struct free_block *free_block = block;
	if (!slab->free)
		list_append(&pool->with_room, &slab->link);
	free_block->next = slab->free;
	slab->free = free_block;
	ASAN_POISON_MEMORY_REGION(block, pool->block_size);
	if (--slab->used == 0)
		keep_or_destroy(pool, slab);
}
