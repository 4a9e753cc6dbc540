#include "sluice/base/chunk.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/buffered.h"
#include "sluice/base/defs.h"

struct chunk *chunk_create(const void *bytes, size_t len)
{
	MUST(len <= UINT32_MAX);
	struct chunk *chunk = malloc(sizeof(*chunk) + len);
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
