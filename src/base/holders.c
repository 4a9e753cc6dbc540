/* One list for each power of two. A holder is in the list of its size, and goes to its end when it
 * comes from another list.
 *
 *	of_size[12]   2 to 4 KiB     oldest -> ... -> newest
 *	of_size[16]   32 to 64 KiB   oldest -> ... -> newest
 *
 * So the first of a list is the one that has been in it for longest, and nobody else in it can have
 * more than twice its bytes times its age. Comparing the first of each list finds the worst, in
 * bounded work.
 *
 * The age is that of the stay in a list. Whoever grows must double to look young again, and may do
 * so a few times only: a client that sends one byte now and then makes no progress. */
#include "sluice/base/holders.h"

#include "sluice/base/defs.h"

static unsigned size_of(size_t bytes)
{
	return bytes ? 64 - (unsigned)__builtin_clzll(bytes) : 0;
}

size_t holders_total_average(const struct holders_total *total)
{
	size_t count = atomic_load_explicit(&total->count, memory_order_relaxed);
	return count ? holders_total_bytes(total) / count : 0;
}

size_t holders_total_largest(const struct holders_total *total)
{
	size_t size = HOLDERS_SIZES - 1;
	while (size && !atomic_load_explicit(&total->of_size[size], memory_order_relaxed))
		size--;
	return size ? (size_t)1 << (size - 1) : 0;
}

void holders_init(struct holders *holders, struct holders_total *total)
{
	holders->total = total;
	for (size_t i = 0; i < HOLDERS_SIZES; i++)
		list_init(&holders->of_size[i]);
}

static void add_to_total(struct holders_total *total, uint32_t before, uint32_t after)
{
	/* unsigned arithmetic wraps, so a difference below zero is subtracted */
	atomic_fetch_add_explicit(&total->bytes, (size_t)after - before, memory_order_relaxed);
	if (!before != !after)
		atomic_fetch_add_explicit(
			&total->count, after ? 1 : (size_t)-1, memory_order_relaxed);
}

static void move_in_total(struct holders_total *total, unsigned from, unsigned to)
{
	if (from)
		atomic_fetch_sub_explicit(&total->of_size[from], 1, memory_order_relaxed);
	if (to)
		atomic_fetch_add_explicit(&total->of_size[to], 1, memory_order_relaxed);
}

void holders_set(struct holders *holders, struct holder *holder, size_t bytes, uint32_t since)
{
	uint32_t before = holder->bytes, after = (uint32_t)MIN(bytes, (size_t)UINT32_MAX);
	if (before == after)
		return;
	add_to_total(holders->total, before, after);
	holder->bytes = after;
	if (size_of(before) == size_of(after))
		return;
	move_in_total(holders->total, size_of(before), size_of(after));
	list_remove(&holder->link);
	holder->since = since;
	if (after)
		list_append(&holders->of_size[size_of(after)], &holder->link);
}

struct holder *holders_worst(struct holders *holders, size_t bytes, uint32_t age, uint32_t now)
{
	struct holder *worst = NULL;
	uint64_t most = 0;
	for (size_t i = size_of(bytes); i < HOLDERS_SIZES; i++) {
		struct list *oldest = holders->of_size[i].next;
		if (oldest == &holders->of_size[i])
			continue;
		struct holder *holder = container_of(oldest, struct holder, link);
		uint32_t time = now - holder->since;
		uint64_t held = (uint64_t)holder->bytes * (time + 1ULL);
		if (time >= age && held > most) {
			most = held;
			worst = holder;
		}
	}
	return worst;
}
