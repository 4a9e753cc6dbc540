/* How much memory of the process is taken by what waits: to be sent, to be handed to another thread, or
 * for the rest of a message. Whoever holds such memory adds it and takes it off again; every thread may
 * ask. One number, not one per worker, since what one worker made another may free. */
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
