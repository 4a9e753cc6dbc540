/* What was published to one channel, in a row: a run of consecutive publications, laid out once as
 * ready-made WebSocket frames, so that every subscriber's write can point to the same bytes.
 * Immutable once it has been handed on, counted, shared by threads.
 *
 * Publications that Redis delivers back to back on the same channel in one read join one run: the
 * cost per subscriber is then per run and not per publication. A publication on another channel
 * ends the run, so that the order between channels is kept.
 *
 * For connections that negotiated permessage-deflate a run has compressed forms for small, middling
 * and large windows, made when first asked for and shared like the plain one; and so it has another with
 * the envelopes of sluice.v1. */
#ifndef SLUICE_HUB_PUBLICATION_H
#define SLUICE_HUB_PUBLICATION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/chunk.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"
#include "sluice/proto/ws/ws_deflate.h"
#include "sluice/proto/ws/ws_extension.h"

enum { PUBLICATION_FORMS = 3 };

/* A publication's frames are `chunk`, the first member: whoever queues the chunk holds the run. */
struct publication {
	struct chunk chunk;
	uint32_t count; /* publications in it */
	uint32_t channel_len;
	const char *channel;      /* in the same block */
	struct publication *next; /* for whoever has it before it is shared */
	/* private */
	pthread_mutex_t making;                                /* one of these, all of them NULL */
	_Atomic(struct chunk *) compressed[PUBLICATION_FORMS]; /* until somebody has asked for it */
	_Atomic(struct publication *) enveloped;
};

static inline struct slice publication_channel(const struct publication *publication)
{
	return slice_make(publication->channel, publication->channel_len);
}

static inline struct publication *publication_ref(struct publication *publication)
{
	chunk_ref(&publication->chunk);
	return publication;
}

static inline void publication_unref(struct publication *publication)
{
	chunk_unref(&publication->chunk);
}

/* The run under way. Zero-initialised is "none". */
struct publication_run {
	struct publication *publication;
	size_t capacity;
};

/* Appends a publication to the run. 0; -EAGAIN: another channel's run is under way, or it is full
 * (1 MiB): take it first; -ENOMEM. The frame is text when the payload is valid UTF-8, else binary.
 */
MUST_CHECK int publication_run_add(
	struct publication_run *run, struct slice channel, struct slice payload);

/* Ends the run and gives it, with one reference that is the caller's; NULL: there is none. */
struct publication *publication_run_take(struct publication_run *run);

/* The frames for a connection that negotiated permessage-deflate with this window: payloads of at
 * least `threshold` bytes are compressed where that makes them smaller, each by itself (RFC 7692
 * §7.2.1), the others are as they were. Any thread may ask, with a deflater of its own; the first who
 * asks for a form compresses, and the others wait for him. Borrowed, lives as long as the
 * publication. Never NULL: the plain frames when nothing is gained, or there is no memory. */
struct chunk *publication_compressed(struct publication *publication, unsigned window_bits,
	size_t threshold, struct ws_deflater *deflater);

/* The same publications as the messages of sluice.v1, for whom publication_compressed may be asked in
 * turn. Any thread may ask; the first makes it, and the others wait for him. Borrowed, lives as long as
 * the publication. NULL: no memory. */
struct publication *publication_enveloped(struct publication *publication);

#endif
