#include "sluice/base/chunk.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/buffered.h"
#include "sluice/base/defs.h"

struct chunk *chunk_create_roomy(const void *bytes, size_t len, size_t room)
{
	MUST(len <= room && room <= UINT32_MAX);
	struct chunk *chunk = malloc(sizeof(*chunk) + room);
	if (!chunk)
		return NULL;
	char *copy = (char *)(chunk + 1);
	if (len)
		memcpy(copy, bytes, len);
	atomic_init(&chunk->refs, 1);
	chunk->len = (uint32_t)len;
	chunk->bytes = copy;
	chunk->release = NULL;
	chunk_settle(chunk);
	return chunk;
}

struct chunk *chunk_create(const void *bytes, size_t len)
{
	return chunk_create_roomy(bytes, len, len);
}

/* The allocator knows the block's size, so the chunk need not. */
bool chunk_append(struct chunk *chunk, const void *bytes, size_t len)
{
	char *own = (char *)(chunk + 1);
	size_t room = malloc_usable_size(chunk) - sizeof(*chunk) - chunk->len;
	if (chunk->bytes != own || chunk->release || len > MIN(room, UINT32_MAX - chunk->len))
		return false;
	memcpy(own + chunk->len, bytes, len);
	chunk->len += (uint32_t)len;
	return true;
}

void chunk_settle(struct chunk *chunk)
{
	/* the allocator may have returned a larger block, and knows its size */
	buffered_add(malloc_usable_size(chunk));
}

void chunk_unref(struct chunk *chunk)
{
	/* Release: this thread's use of the bytes happens before the free. Acquire: so does the
	 * others' use. */
	if (atomic_fetch_sub_explicit(&chunk->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (chunk->release)
		chunk->release(chunk);
	buffered_remove(malloc_usable_size(chunk));
	free(chunk);
}
