/* The memory of the process for data that waits: to be sent, to be handed to another thread, or for
 * the rest of a message. Code that holds such memory adds it here and removes it again; any thread
 * may read the sum. There is one number instead of one per worker, because one worker may free what
 * another has allocated. */
#ifndef SLUICE_BASE_BUFFERED_H
#define SLUICE_BASE_BUFFERED_H

#include <stdatomic.h>
#include <stddef.h>

/* Relaxed: nothing else is ordered by it. */
extern atomic_size_t buffered_total;

static inline void buffered_add(size_t n)
{
	atomic_fetch_add_explicit(&buffered_total, n, memory_order_relaxed);
}

static inline void buffered_remove(size_t n)
{
	atomic_fetch_sub_explicit(&buffered_total, n, memory_order_relaxed);
}

static inline size_t buffered_bytes(void)
{
	return atomic_load_explicit(&buffered_total, memory_order_relaxed);
}

#endif
