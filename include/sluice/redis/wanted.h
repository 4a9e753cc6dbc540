/* Compares the channels that we want from Redis with the channels that it delivers. Decides which
 * commands to send, and what each answer means. It has no link: it raises an event to send a
 * command, and its owner calls it with each answer.
 *
 * The changes of a turn are sent in one SUBSCRIBE and one UNSUBSCRIBE, with at most 512 channels in
 * a command. A channel that Redis denies to us is refused until it is asked for again
 * (wanted_ask_refused) and confirmed, or unwanted. */
#ifndef SLUICE_REDIS_WANTED_H
#define SLUICE_REDIS_WANTED_H

#include <stdbool.h>

#include "sluice/base/list.h"
#include "sluice/base/table.h"

struct wanted;

/* Whose a channel is. */
enum wanted_class {
	WANTED_ASKED,     /* a client's, which has asked for it */
	WANTED_AUTOMATIC, /* clients get it when they connect */
	WANTED_OWN,       /* the gateway's */
	WANTED_CLASSES,
};

struct wanted_events {
	/* Something has changed: call wanted_ask at the turn's end. */
	void (*on_changed)(struct wanted *wanted);
	/* Sends SUBSCRIBE or UNSUBSCRIBE and its channels, all borrowed. 0; -ENOBUFS: there is no
	 * room now; another negative errno: the link has failed, and wanted_link_down has been
	 * called. */
	int (*on_command)(struct wanted *wanted, const struct slice *words, size_t n);
	/* Redis delivers a wanted channel. Raised again after the link has come back, and after the
	 * channel was unwanted and wanted again. `was_refused`: on this link, until now. The name is
	 * borrowed. */
	void (*on_confirmed)(struct wanted *wanted, struct slice channel, bool was_refused);
	/* Redis denies us a wanted channel. Not raised again until the channel was confirmed or
	 * unwanted, or the link has come back. Both are borrowed. */
	void (*on_refused)(struct wanted *wanted, struct slice channel, struct slice reason);
	/* Asked for each refused channel. */
	enum wanted_class (*class_of)(struct wanted *wanted, struct slice channel);
};

struct wanted {
	/* private */
	const struct wanted_events *events;
	struct table channels;  /* struct wanted_channel, by name */
	struct list changed;    /* struct wanted_channel, by .link: for wanted_ask to check */
	struct list unanswered; /* struct wanted_channel, by .link: command sent, oldest first */
	struct list resting
		[WANTED_CLASSES]; /* struct wanted_channel, by .link: refused, oldest first */
	size_t refused[WANTED_CLASSES];
	size_t awaited; /* channels wanted when the link came up, not confirmed or refused yet */
	bool link_is_up, stopped;
	bool barred; /* see wanted_is_barred */
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
bool wanted_is_refused(const struct wanted *wanted, struct slice channel);

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

/* Asks once more for a channel that is confirmed, to find out whether SUBSCRIBE is still allowed.
 * Whatever the answer, the channel stays confirmed. Does nothing if it is not. */
void wanted_probe(struct wanted *wanted, struct slice channel);

/* ---- wanted_refused.c ---- */

/* Asks for refused channels again at the turn's end: first for our own and the automatic ones, then
 * for those that were refused longest ago, but for no more than `max`. If SUBSCRIBE is denied as a
 * whole, for one channel. */
void wanted_ask_refused(struct wanted *wanted, size_t max);

/* Is a refused channel waiting for wanted_ask_refused? */
bool wanted_has_refused(const struct wanted *wanted);

/* How many channels of a class are refused. */
size_t wanted_refused_count(const struct wanted *wanted, enum wanted_class class);

/* Does Redis deny us the command SUBSCRIBE, whatever the channel? */
bool wanted_is_barred(const struct wanted *wanted);

#endif
