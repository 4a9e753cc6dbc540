/* The channels that we want from Redis, against those that it delivers: what to ask for next, and what each
 * answer means. It knows no link: commands leave through an event, answers come through calls.
 *
 * A turn's changes leave in one SUBSCRIBE and one UNSUBSCRIBE (512 channels a command). */
#ifndef SLUICE_REDIS_WANTED_H
#define SLUICE_REDIS_WANTED_H

#include <stdbool.h>

#include "sluice/base/list.h"
#include "sluice/base/table.h"

struct wanted;

struct wanted_events {
	/* Something has changed: call wanted_ask at the turn's end. */
	void (*on_changed)(struct wanted *wanted);
	/* Sends SUBSCRIBE or UNSUBSCRIBE and its channels, all borrowed. 0; -ENOBUFS: there is no room now;
	 * another negative errno: the link has failed, and wanted_link_down has been called. */
	int (*on_command)(struct wanted *wanted, const struct slice *words, size_t n);
	/* Redis delivers a wanted channel. Raised again after the link has come back, and after the channel
	 * was unwanted and wanted again. The name is borrowed. */
	void (*on_confirmed)(struct wanted *wanted, struct slice channel);
	/* Redis denies us a wanted channel. It is not asked for again until it has been unwanted and wanted
	 * again, or the link has come back. All is borrowed. */
	void (*on_refused)(struct wanted *wanted, struct slice channel, struct slice reason);
};

struct wanted {
	/* private */
	const struct wanted_events *events;
	struct table channels;  /* struct wanted_channel, by name */
	struct list changed;    /* struct wanted_channel, by .link: to be looked at by wanted_ask */
	struct list unanswered; /* struct wanted_channel, by .link: asked for, oldest first */
	size_t awaited; /* wanted when the link came up, and neither confirmed nor refused since */
	bool link_is_up, stopped;
};

/* on_confirmed and on_refused are never raised within wanted_add and wanted_remove. */
void wanted_init(struct wanted *wanted, const struct wanted_events *events);

/* From now on no event is raised. */
void wanted_stop(struct wanted *wanted);

/* Frees everything. */
void wanted_finish(struct wanted *wanted);

/* Wants a channel, whose name is copied; one that is wanted already stays so. 0 or -ENOMEM. */
MUST_CHECK int wanted_add(struct wanted *wanted, struct slice channel);

/* Nothing happens when it is not wanted. */
void wanted_remove(struct wanted *wanted, struct slice channel);

bool wanted_has(const struct wanted *wanted, struct slice channel);
bool wanted_is_confirmed(const struct wanted *wanted, struct slice channel);

/* Asks for what has changed, as far as there is room. */
void wanted_ask(struct wanted *wanted);

/* Are there channels for which there was no room? */
bool wanted_has_more(const struct wanted *wanted);

/* The link is up, and nothing is subscribed on it. */
void wanted_link_up(struct wanted *wanted);

/* The link is lost: nothing is confirmed any more. */
void wanted_link_down(struct wanted *wanted);

/* Has every channel that was wanted when the link came up been confirmed or refused since? */
bool wanted_is_complete(const struct wanted *wanted);

/* Redis has subscribed (or unsubscribed) us. 0; or -EPROTO: this is not the answer that is due. */
MUST_CHECK int wanted_take_answer(struct wanted *wanted, struct slice channel, bool subscribed);

/* Is the oldest unanswered command a SUBSCRIBE? There must be one. */
bool wanted_oldest_is_subscribe(const struct wanted *wanted);

/* Redis denies us the oldest unanswered SUBSCRIBE, of this many channels. */
void wanted_take_refusal(struct wanted *wanted, size_t channels, struct slice reason);

#endif
