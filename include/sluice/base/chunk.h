/* Immutable, reference-counted bytes, which many send queues in several threads can share.
 *
 * A chunk is the first member of one malloc'd block that also holds its bytes. Its creator has the
 * first reference; the last chunk_unref frees the block. References may be taken and dropped in any
 * thread. As long as the block exists it counts as buffered, once for all its references. */
#ifndef SLUICE_BASE_CHUNK_H
#define SLUICE_BASE_CHUNK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chunk {
	atomic_uint refs;
	uint32_t len;
	const char *bytes;
	/* Releases what else the block owns before the block is freed, in the thread that drops the
	 * last reference. May be NULL. */
	void (*release)(struct chunk *chunk);
};

/* A chunk with a copy of `len` bytes (at most UINT32_MAX); NULL: out of memory. */
struct chunk *chunk_create(const void *bytes, size_t len);

/* The same with room for `room` bytes (at least `len`), for chunk_append. */
struct chunk *chunk_create_roomy(const void *bytes, size_t len, size_t room);

/* Appends a copy of the bytes to a chunk of chunk_create or chunk_create_roomy. Only its creator may
 * do that, and only while nobody else has a reference. False: it has no room for all of them, and
 * none was appended. */
bool chunk_append(struct chunk *chunk, const void *bytes, size_t len);

/* For a caller that lays out such a block itself: from here on the block must not move, and counts
 * as buffered. Must come before the first chunk_unref. */
void chunk_settle(struct chunk *chunk);

static inline struct chunk *chunk_ref(struct chunk *chunk)
{
	atomic_fetch_add_explicit(&chunk->refs, 1, memory_order_relaxed);
	return chunk;
}

void chunk_unref(struct chunk *chunk);

#endif
