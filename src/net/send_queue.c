/* The send queue's ring.
 *
 *	slots   [ C | D |   |   |   |   | A | B ]     capacity 8, first 6, count 4
 *	                                  ^ first_offset bytes of A are sent
 *
 * A client that keeps up never has more than a chunk or two here, for one loop turn. So the struct
 * has two slots. A larger ring is allocated when needed and freed as soon as the queue is empty, so
 * that idle connections own no memory. */
#include "sluice/net/send_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/buffered.h"

static struct chunk **slot_at(const struct send_queue *queue, size_t i)
{
	return &queue->slots[(queue->first + i) & (queue->capacity - 1U)];
}

static void drop_ring(struct send_queue *queue)
{
	if (queue->slots == queue->inline_slots)
		return;
	buffered_remove(queue->capacity * sizeof(struct chunk *));
	free(queue->slots);
}

static int grow(struct send_queue *queue)
{
	if (queue->capacity >= SEND_QUEUE_MAX)
		return -ENOBUFS;
	uint16_t capacity = (uint16_t)(2 * queue->capacity);
	struct chunk **slots = calloc(capacity, sizeof(struct chunk *));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < queue->count; i++)
		slots[i] = *slot_at(queue, i);
	drop_ring(queue);
	buffered_add(capacity * sizeof(struct chunk *));
	queue->slots = slots;
	queue->first = 0;
	queue->capacity = capacity;
	return 0;
}

void send_queue_init(struct send_queue *queue)
{
	*queue = (struct send_queue){ .slots = queue->inline_slots, .capacity = SEND_QUEUE_INLINE };
}

void send_queue_finish(struct send_queue *queue)
{
	for (size_t i = 0; i < queue->count; i++)
		chunk_unref(*slot_at(queue, i));
	drop_ring(queue);
	send_queue_init(queue);
}

int send_queue_push(struct send_queue *queue, struct chunk *chunk)
{
	if (chunk->len == 0)
		return 0;
	if (chunk->len > UINT32_MAX - queue->bytes)
		return -ENOBUFS;
	if (queue->count == queue->capacity) {
		int result = grow(queue);
		if (result < 0)
			return result;
	}
	*slot_at(queue, queue->count) = chunk_ref(chunk);
	queue->count++;
	queue->bytes += chunk->len;
	return 0;
}

/* The last chunk; NULL: there is none, or somebody else has a reference. */
static struct chunk *own_last(const struct send_queue *queue)
{
	struct chunk *last = queue->count ? *slot_at(queue, queue->count - 1U) : NULL;
	return last && atomic_load_explicit(&last->refs, memory_order_relaxed) == 1 ? last : NULL;
}

int send_queue_push_shared(struct send_queue *queue, const void *bytes, size_t len)
{
	struct chunk *last = own_last(queue);
	if (len > UINT32_MAX - queue->bytes)
		return -ENOBUFS;
	if (last && chunk_append(last, bytes, len)) {
		queue->bytes += (uint32_t)len;
		return 0;
	}
	struct chunk *chunk = chunk_create_roomy(bytes, len, MAX(len, (size_t)SEND_QUEUE_SHARED));
	if (!chunk)
		return -ENOMEM;
	int result = send_queue_push(queue, chunk);
	chunk_unref(chunk);
	return result;
}

static struct iovec part_at(const struct send_queue *queue, size_t i)
{
	const struct chunk *chunk = *slot_at(queue, i);
	size_t offset = i == 0 ? queue->first_offset : 0;
	/* iovec has no const, as reading uses it too; sendmsg does not write */
	return (struct iovec){ (void *)(uintptr_t)(chunk->bytes + offset), chunk->len - offset };
}

size_t send_queue_gather(
	const struct send_queue *queue, struct iovec *parts, size_t n, size_t limit)
{
	size_t used = 0;
	while (used < n && used < queue->count && limit > 0) {
		parts[used] = part_at(queue, used);
		parts[used].iov_len = MIN(parts[used].iov_len, limit);
		limit -= parts[used].iov_len;
		used++;
	}
	return used;
}

struct iovec send_queue_front(const struct send_queue *queue, void *scratch, size_t limit)
{
	if (queue->count == 0)
		return (struct iovec){ scratch, 0 };
	struct iovec front = part_at(queue, 0);
	front.iov_len = MIN(front.iov_len, limit);
	if (front.iov_len == limit || queue->count == 1)
		return front;
	size_t len = 0;
	for (size_t i = 0; i < queue->count && len < limit; i++) {
		struct iovec part = part_at(queue, i);
		size_t n = MIN(part.iov_len, limit - len);
		memcpy((char *)scratch + len, part.iov_base, n);
		len += n;
	}
	return (struct iovec){ scratch, len };
}

size_t send_queue_cut(struct send_queue *queue, size_t keep)
{
	size_t before = queue->bytes, bytes = 0;
	uint16_t count = 0;
	while (count < queue->count && bytes < keep)
		bytes += part_at(queue, count++).iov_len;
	for (size_t i = count; i < queue->count; i++)
		chunk_unref(*slot_at(queue, i));
	queue->count = count;
	queue->bytes = (uint32_t)bytes;
	if (count == 0)
		send_queue_finish(queue);
	return before - bytes;
}

void send_queue_consume(struct send_queue *queue, size_t n)
{
	MUST(n <= queue->bytes);
	queue->bytes -= (uint32_t)n;
	while (n > 0) {
		struct chunk *chunk = *slot_at(queue, 0);
		size_t left = chunk->len - queue->first_offset;
		if (n < left) {
			queue->first_offset += (uint32_t)n;
			return;
		}
		n -= left;
		chunk_unref(chunk);
		queue->first = (uint16_t)((queue->first + 1U) & (queue->capacity - 1U));
		queue->first_offset = 0;
		queue->count--;
	}
	if (queue->count == 0)
		send_queue_finish(queue);
}
