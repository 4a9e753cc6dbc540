/* Immutable bytes, counted: what many send queues, in several threads, point to at once.
 *
 * A chunk is the first member of one malloc'd block, its bytes lie in the same block. Whoever makes
 * a chunk holds the first reference; the last chunk_unref frees the block. References may be taken
 * and dropped in any thread. From making to freeing the whole block counts as buffered, once however
 * many refer to it. */
#ifndef SLUICE_BASE_CHUNK_H
#define SLUICE_BASE_CHUNK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct chunk {
	atomic_uint refs;
	uint32_t len;
	const char *bytes;
	/* Called before the block is freed, in the thread that dropped the last reference: gives back
	 * what else hangs on the block. Or NULL. */
	void (*release)(struct chunk *chunk);
};

/* Gives a chunk with a copy of `len` bytes (at most UINT32_MAX), or NULL: no memory. */
struct chunk *chunk_create(const void *bytes, size_t len);

/* For who lays out such a block himself: from here on it is not moved any more, and counts. To be called
 * before the first chunk_unref. */
void chunk_settle(struct chunk *chunk);

static inline struct chunk *chunk_ref(struct chunk *chunk)
{
	atomic_fetch_add_explicit(&chunk->refs, 1, memory_order_relaxed);
	return chunk;
}

void chunk_unref(struct chunk *chunk);

#endif
