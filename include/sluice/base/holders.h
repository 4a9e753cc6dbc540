/* Who holds how much memory of one kind, and since when. When memory is short, it finds the holder
 * that should give its memory back first.
 *
 * Each worker has its own `struct holders`; their sums are in one `struct holders_total`, which any
 * thread may read. Holders are list nodes in their owners' memory. */
#ifndef SLUICE_BASE_HOLDERS_H
#define SLUICE_BASE_HOLDERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/list.h"

enum { HOLDERS_SIZES = 33 };

/* Of all workers. Relaxed: nothing else is ordered by it. */
struct holders_total {
	atomic_size_t bytes, count;
	atomic_uint of_size[HOLDERS_SIZES]; /* holders; [n]: below 2^n bytes */
};

static inline size_t holders_total_bytes(const struct holders_total *total)
{
	return atomic_load_explicit(&total->bytes, memory_order_relaxed);
}

/* What a holder has on average, in bytes; 0 if there is none. */
size_t holders_total_average(const struct holders_total *total);

/* What the largest holder has, rounded down to a power of two; 0 if there is none. */
size_t holders_total_largest(const struct holders_total *total);

struct holders {
	/* private */
	struct holders_total *total;
	struct list of_size[HOLDERS_SIZES]; /* struct holder, by .link; [n]: below 2^n bytes */
};

/* All zero: it holds nothing. */
struct holder {
	/* private */
	struct list link;
	uint32_t bytes, since;
};

void holders_init(struct holders *holders, struct holders_total *total);

/* The holder has `bytes` now; 0: nothing any more, which is due before its memory is freed. Its time
 * begins at `since` if `bytes` has passed a power of two; else it goes on. Times are in milliseconds,
 * modulo 2^32. */
void holders_set(struct holders *holders, struct holder *holder, size_t bytes, uint32_t since);

/* The holder whose bytes multiplied by its time are the most, or at least half of that if all begin
 * their time when they pass a power of two. Holders of less than `bytes`, rounded down to a power of
 * two, and those whose time is less than `age` are left out. NULL: there is none. The work does not
 * depend on the number of holders. */
struct holder *holders_worst(struct holders *holders, size_t bytes, uint32_t age, uint32_t now);

static inline size_t holder_bytes(const struct holder *holder)
{
	return holder->bytes;
}

#endif
