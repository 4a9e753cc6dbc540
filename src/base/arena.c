#include "sluice/base/arena.h"

#include <stdlib.h>

#include "sluice/base/secret.h"

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

void *arena_take(struct arena *arena, size_t size)
{
	struct arena_block *block = calloc(1, sizeof(*block) + size);
	if (!block)
		return NULL;
	block->next = arena->first;
	block->size = size;
	arena->first = block;
	return block->bytes;
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
	char *copy = arena_take(arena, bytes.len + 1);
	if (!copy)
		return (struct slice){ NULL, 0 };
	if (bytes.len)
		memcpy(copy, bytes.at, bytes.len);
	return slice_make(copy, bytes.len);
}

void arena_wipe(struct arena *arena)
{
	for (struct arena_block *block = arena->first; block; block = block->next)
		secret_wipe(block->bytes, block->size);
}

void arena_finish(struct arena *arena)
{
	while (arena->first) {
		struct arena_block *block = arena->first;
		arena->first = block->next;
		free(block);
	}
}
