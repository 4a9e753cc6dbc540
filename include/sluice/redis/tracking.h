/* Redis' support for client-side caching: when a key that one link has read changes, Redis notifies
 * another link, once, until the key is read again.
 *
 *	reader ---- GET sess:1 ----> Redis ---- "sess:1 has changed" ----> listener
 *
 * The listener is a subscribed link (subscriptions.h), which Redis knows by its client ID. Whenever
 * one of the two links has come back, this module tells Redis to track the reader's keys for the
 * listener (CLIENT TRACKING ON REDIRECT). With OPTIN, Redis tracks only the reads that ask for it. */
#ifndef SLUICE_REDIS_TRACKING_H
#define SLUICE_REDIS_TRACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/redis/link.h"

struct tracking;

struct tracking_events {
	/* Keys that are read from now on are tracked; keys that were read before may not be. */
	void (*on_tracked)(struct tracking *tracking);
	/* Redis does not support tracking, or denies it to us. `problem`, borrowed, is its error
	 * text. Raised once for each attempt. */
	void (*on_refused)(struct tracking *tracking, struct slice problem);
	/* Redis does not support tracking only some reads, or denies it to us, so all will be
	 * tracked. `problem` as above. */
	void (*on_unselective)(struct tracking *tracking, struct slice problem);
};

enum tracking_mode {
	TRACKING_OFF,
	TRACKING_ALL,      /* every read */
	TRACKING_SELECTED, /* the reads that ask for it */
};

struct tracking {
	void *owner;
	/* private */
	const struct tracking_events *events;
	struct redis_link *reader;
	uint64_t listener;       /* its client ID; 0: there is none */
	unsigned unanswered;     /* CLIENT TRACKING that were sent */
	enum tracking_mode mode; /* once they are answered with OK */
	bool selects;            /* TRACKING_SELECTED is wanted */
};

void tracking_init(struct tracking *tracking, struct redis_link *reader,
	const struct tracking_events *events, void *owner);

/* Will strangers' keys be read, so that Redis should track only the reads that ask for it? At first it
 * tracks all. Counts from the next read on; if tracking begins anew, on_tracked follows within this
 * call. */
void tracking_set_selective(struct tracking *tracking, bool selects);

/* One of the two links has come up, or the listener is down: this is the listener's client ID, 0:
 * there is none. Tracking begins anew. False: nothing is tracked, as one of them is missing. */
bool tracking_set_listener(struct tracking *tracking, uint64_t listener);

/* Is anything tracked, as far as Redis has answered? */
bool tracking_is_on(const struct tracking *tracking);

/* Does it depend on `tracked` whether tracking_read is tracked? If not, either all reads are
 * tracked, or none. */
bool tracking_is_selective(const struct tracking *tracking);

/* Sends a command that reads one key over the reader, as redis_link_command does and with its
 * results; if `tracked`, a change of the key is reported. A tracked read may use up two of the
 * link's REDIS_PENDING_MAX commands. */
MUST_CHECK int tracking_read(struct tracking *tracking, bool tracked, const struct slice *words,
	size_t n, redis_reply_fn on_read, void *context);

#endif
