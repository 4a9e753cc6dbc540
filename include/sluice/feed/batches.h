/* Gathers the publications of a home into runs, delays them by delivery.batch_milliseconds or the
 * time of the channel's rule, and hands them over in order. */
#ifndef SLUICE_FEED_BATCHES_H
#define SLUICE_FEED_BATCHES_H

#include <stdbool.h>
#include <uv.h>

#include "sluice/hub/publication.h"
#include "sluice/settings/settings.h"

struct batches;

struct batches_events {
	/* The reference is borrowed. */
	void (*on_publication)(struct batches *batches, struct publication *publication);
	void (*on_closed)(struct batches *batches);
};

/* The publications with the same delay. */
struct batch {
	unsigned ms;
	uint64_t due; /* loop time, ms; 0: nothing waits */
	struct publication *first, **last;
	size_t bytes; /* of frames in the list */
	struct publication_run run;
};

struct batches {
	const struct batches_events *events;
	void *owner;
	/* private */
	const struct settings *settings;
	uv_timer_t timer;                       /* the earliest `due` */
	struct batch all[SETTINGS_BATCHES_MAX]; /* one for each different delay */
	size_t n;
	bool hurries; /* batches_stop_waiting was called */
};

/* 0 or a negative errno. */
MUST_CHECK int batches_open(struct batches *batches, uv_loop_t *loop,
	const struct settings *settings, const struct batches_events *events, void *owner);

/* Hands over everything, then closes; on_closed follows. */
void batches_close(struct batches *batches);

/* Replaces the settings, which must outlive the batches, and hands over everything that waits. */
void batches_set_settings(struct batches *batches, const struct settings *settings);

/* Adds a publication. If too much is waiting, hands over its queue within the call. 0 or
 * -ENOMEM. */
MUST_CHECK int batches_add(struct batches *batches, struct slice channel, struct slice payload);

/* One read from Redis has ended: hands over the publications without a delay. */
void batches_end_read(struct batches *batches);

/* Hands over everything. */
void batches_flush(struct batches *batches);

/* Hands over everything, and from now on delays nothing. */
void batches_stop_waiting(struct batches *batches);

#endif
