/* One or more publications on one channel, laid out once as ready-made WebSocket frames, so that
 * every subscriber's write can point to the same bytes. Such a run is immutable once it has been
 * handed on, reference-counted, and shared between threads.
 *
 * Publications that Redis delivers back to back on the same channel in one read join one run: each
 * subscriber then costs one step per run, not one per publication. A publication on another channel
 * ends the run, so that the order between channels is kept.
 *
 * A run has several forms: the plain frames, and one form for each other protocol, with the
 * publications as its messages. Each form has compressed frames, for connections that negotiated
 * permessage-deflate with a small, a medium or a large window. All of these are made on first
 * use. */
#ifndef SLUICE_HUB_PUBLICATION_H
#define SLUICE_HUB_PUBLICATION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/chunk.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

/* The form in which a connection's protocol sends a publication. */
enum publication_form {
	PUBLICATION_PLAIN,     /* the payload, as it was published */
	PUBLICATION_ENVELOPED, /* a message of sluice.v1 */
	PUBLICATION_FORMS,
};

enum { PUBLICATION_WINDOWS = 3 }; /* sizes of the windows for which frames are compressed */

/* A publication's frames are `chunk`, the first member: a reference to the chunk holds the whole
 * run. */
struct publication {
	struct chunk chunk;
	uint32_t count; /* publications in it */
	uint32_t channel_len;
	const char *channel;      /* in the same block */
	struct publication *next; /* for the owner to use until the run is shared */
	/* private */
	pthread_mutex_t making; /* held while one of the following is made; each is NULL before */
	_Atomic(struct chunk *) compressed[PUBLICATION_WINDOWS];
	_Atomic(struct publication *)
		forms[PUBLICATION_FORMS]; /* except for the plain form, which is this run */
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

/* A run that is still growing. Zero-initialised: there is none. */
struct publication_run {
	struct publication *publication;
	size_t capacity;
};

/* Appends a publication to the run: as a text frame when the payload is valid UTF-8, else as a
 * binary one. 0; -EAGAIN: the run belongs to another channel, or is full (1 MiB): take it first;
 * -ENOMEM. */
MUST_CHECK int publication_run_add(
	struct publication_run *run, struct slice channel, struct slice payload);

/* Ends the run and returns it with one reference; NULL: there is none. */
struct publication *publication_run_take(struct publication_run *run);

#endif
