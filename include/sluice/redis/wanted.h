/* Compares the channels that we want from Redis with the channels that it delivers. Decides which
 * commands to send, and what each answer means. It has no link: it raises an event to send a
 * command, and its owner calls it with each answer.
 *
 * The changes of a turn are sent in one SUBSCRIBE and one UNSUBSCRIBE, with at most 512 channels in
 * a command. */
#ifndef SLUICE_REDIS_WANTED_H
#define SLUICE_REDIS_WANTED_H

#include <stdbool.h>

#include "sluice/base/list.h"
#include "sluice/base/table.h"

struct wanted;

struct wanted_events {
	/* Something has changed: call wanted_ask at the turn's end. */
	void (*on_changed)(struct wanted *wanted);
	/* Sends SUBSCRIBE or UNSUBSCRIBE and its channels, all borrowed. 0; -ENOBUFS: there is no
	 * room now; another negative errno: the link has failed, and wanted_link_down has been
	 * called. */
	int (*on_command)(struct wanted *wanted, const struct slice *words, size_t n);
	/* Redis delivers a wanted channel. Raised again after the link has come back, and after the
	 * channel was unwanted and wanted again. The name is borrowed. */
	void (*on_confirmed)(struct wanted *wanted, struct slice channel);
	/* Redis denies us a wanted channel. No new SUBSCRIBE is sent for it until it has been
	 * unwanted and wanted again, or the link has come back. Both are borrowed. */
	void (*on_refused)(struct wanted *wanted, struct slice channel, struct slice reason);
};

struct wanted {
	/* private */
	const struct wanted_events *events;
	struct table channels;  /* struct wanted_channel, by name */
	struct list changed;    /* struct wanted_channel, by .link: for wanted_ask to check */
	struct list unanswered; /* struct wanted_channel, by .link: command sent, oldest first */
	size_t awaited; /* channels wanted when the link came up, not confirmed or refused yet */
	bool link_is_up, stopped;
};

/* on_confirmed and on_refused are never raised within wanted_add and wanted_remove. */
void wanted_init(struct wanted *wanted, const struct wanted_events *events);

/* From now on raises no event. */
void wanted_stop(struct wanted *wanted);

/* Frees everything. */
void wanted_finish(struct wanted *wanted);

/* Wants a channel, whose name is copied; one that is wanted already stays so. 0 or -ENOMEM. */
MUST_CHECK int wanted_add(struct wanted *wanted, struct slice channel);

/* Does nothing if the channel is not wanted. */
void wanted_remove(struct wanted *wanted, struct slice channel);

bool wanted_has(const struct wanted *wanted, struct slice channel);
bool wanted_is_confirmed(const struct wanted *wanted, struct slice channel);

/* Sends commands for the channels that have changed, as far as the link has room. */
void wanted_ask(struct wanted *wanted);

/* Are there changed channels for which the link had no room? */
bool wanted_has_more(const struct wanted *wanted);

/* The link is up, and nothing is subscribed on it. */
void wanted_link_up(struct wanted *wanted);

/* The link is lost: nothing is confirmed any more. */
void wanted_link_down(struct wanted *wanted);

/* Has every channel that was wanted when the link came up been confirmed or refused since? */
bool wanted_is_complete(const struct wanted *wanted);

/* Redis has subscribed us to the channel, or unsubscribed us. 0; -EPROTO: this is not the answer
 * that is due. */
MUST_CHECK int wanted_take_answer(struct wanted *wanted, struct slice channel, bool subscribed);

/* Is the oldest unanswered command a SUBSCRIBE? There must be one. */
bool wanted_oldest_is_subscribe(const struct wanted *wanted);

/* Redis denies us the oldest unanswered SUBSCRIBE, of this many channels. */
void wanted_take_refusal(struct wanted *wanted, size_t channels, struct slice reason);

#endif
