/* The bytes that a stream has yet to send: a ring of references to chunks, in order. The first two
 * need no memory of their own. */
#ifndef SLUICE_NET_SEND_QUEUE_H
#define SLUICE_NET_SEND_QUEUE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "sluice/base/chunk.h"
#include "sluice/base/defs.h"

enum { SEND_QUEUE_INLINE = 2, SEND_QUEUE_MAX = 32768, SEND_QUEUE_SHARED = 4000 };

/* Must not be moved once in use. */
struct send_queue {
	struct chunk **slots; /* ring: `inline_slots` until it needs more */
	struct chunk *inline_slots[SEND_QUEUE_INLINE];
	uint32_t bytes;                  /* yet to be sent */
	uint32_t first_offset;           /* bytes of the first chunk that are sent */
	uint16_t first, count, capacity; /* the capacity is a power of two */
};

void send_queue_init(struct send_queue *queue);

/* Drops all references. The queue is empty and usable afterwards. */
void send_queue_finish(struct send_queue *queue);

/* Takes a reference of its own. 0; -ENOMEM; -ENOBUFS: beyond 4 GiB or SEND_QUEUE_MAX chunks. */
MUST_CHECK int send_queue_push(struct send_queue *queue, struct chunk *chunk);

/* Pushes a copy of the bytes (at least one). Small pieces that follow each other share a chunk of the
 * queue's own, of SEND_QUEUE_SHARED bytes: they cost an allocation and a part of a gathered write
 * together. Results as of send_queue_push. */
MUST_CHECK int send_queue_push_shared(struct send_queue *queue, const void *bytes, size_t len);

/* Points at most `n` parts at the first `limit` bytes. Returns the number of parts. */
size_t send_queue_gather(
	const struct send_queue *queue, struct iovec *parts, size_t n, size_t limit);

/* The first bytes in one piece, at most `limit`: in place if the first chunk has enough bytes or is
 * the only one, else copied to `scratch`. As long as nothing is consumed, later calls return the
 * same bytes or more. */
struct iovec send_queue_front(const struct send_queue *queue, void *scratch, size_t limit);

/* Drops all chunks after the one that contains byte number `keep`. Returns the number of bytes
 * dropped. */
size_t send_queue_cut(struct send_queue *queue, size_t keep);

/* Drops the first `n` bytes (at most as many as are queued), and the references to fully sent
 * chunks. */
void send_queue_consume(struct send_queue *queue, size_t n);

#endif
