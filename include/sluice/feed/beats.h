/* When to publish a beat, and what it means that a subscribed link has not heard one. One struct
 * beats is shared by all workers of the process, for one Redis server; each subscribed link to that
 * server has a struct beat_link. There is no clock and no link in here: the time, `now`, is the
 * caller's (uv_hrtime, ns).
 *
 * All functions may be called in any thread. */
#ifndef SLUICE_FEED_BEATS_H
#define SLUICE_FEED_BEATS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "sluice/base/defs.h"
#include "sluice/base/list.h"

enum {
	BEATS_QUIET_MS = 1000,    /* a beat is due when no link has heard one for this time … */
	BEATS_JITTER_MS = 500,    /* … and a random part of this */
	BEATS_PATIENCE_MS = 3000, /* a link may miss beats for this time … */
	BEATS_MISSED_MS = 500,    /* … or this, if the server says that it has fewer links … */
	BEATS_PATIENCE_AGAIN_MS = 4000, /* … and, if it was made anew for that, for this time */
	BEATS_UNPROVEN_MS = 4000,       /* without any beat heard or accepted */
	BEATS_DENIED_MS = 5000,         /* between two tries when we may not publish */
	BEATS_STOPPED_MS = 2000, /* between two calls of beats_tick: the process was stopped */
	BEATS_OLD_MS = 1000,     /* an older beat does not make us wait with ours */
	BEATS_KNOWN_MAX = 64,
	BEATS_OWN_MAX = 16,
};

/* What is wrong with a link. */
enum beat_doubt {
	BEAT_FINE,
	BEAT_STARVING, /* it receives nothing that is published */
	BEAT_LAGGING,  /* it receives it too late */
};

/* A beat that the server has certainly delivered: it answered our PUBLISH, or some link of ours has
 * heard it. */
struct beat_known {
	uint64_t mark;
	uint64_t sent;  /* by us; 0: by another gateway */
	uint64_t since; /* that we know it */
	bool missed;    /* the server has fewer of our links than there are */
};

/* One that we have published, answered or not. */
struct beat_own {
	uint64_t mark, sent;
};

struct beats {
	/* private, under the mutex */
	uv_mutex_t mutex;
	struct list links;      /* struct beat_link, by .node */
	uint64_t due;           /* of the next beat */
	uint64_t proven;        /* when a beat was last heard or accepted */
	uint64_t ticked, woken; /* the last tick; the last that came after a stop */
	uint64_t denied_until;  /* 0: we may publish */
	struct beat_own own[BEATS_OWN_MAX];
	struct beat_known known[BEATS_KNOWN_MAX];
	uint64_t n_own, n_known; /* so far; the newest is at (n - 1) % MAX */
};

/* Zero-initialised, then beats_add. */
struct beat_link {
	/* private, under the mutex */
	struct list node;
	bool confirmed, refused;
	uint64_t since;        /* confirmed at */
	uint64_t heard;        /* the last beat, on this or an earlier connection; 0: none yet */
	uint64_t answered;     /* when the newest answered PING was sent */
	uint64_t seen;         /* known beats up to this one were heard, or came before the link */
	uint64_t lag;          /* of the newest beat */
	bool measured;         /* it was one of ours, so the lag is no matter of clocks */
	enum beat_doubt doubt; /* since it was made anew, until a beat is heard */
};

/* 0 or a negative errno. */
MUST_CHECK int beats_init(struct beats *beats, uint64_t now);
void beats_finish(struct beats *beats);

void beats_add(struct beats *beats, struct beat_link *link);
void beats_remove(struct beats *beats, struct beat_link *link);

/* ---- what happens on a link ---- */

/* Redis delivers beats on it from now on. The next beat is due at once. */
void beats_confirmed(struct beats *beats, struct beat_link *link, uint64_t now);
/* Redis denies us the channel. True: until now it denied us nothing. */
bool beats_refused(struct beats *beats, struct beat_link *link);
void beats_down(struct beats *beats, struct beat_link *link);

/* It has heard a beat. `lag_ns`, for a beat of another gateway, is how old it is by its stamp; 0: not
 * known. For one of ours it is measured here. Returns how old it is; 0: not known. */
uint64_t beats_heard(
	struct beats *beats, struct beat_link *link, uint64_t mark, uint64_t lag_ns, uint64_t now);

/* A PING that was sent at `sent` has been answered. */
void beats_answered(struct beats *beats, struct beat_link *link, uint64_t sent);

/* ---- publishing ---- */

/* Is a beat due? Then it is the caller's to publish, with this mark, and no other caller is told so.
 * A caller whose last beat is unanswered must not ask. */
bool beats_take(struct beats *beats, uint64_t now, uint64_t *ret_mark);

/* The server has answered our PUBLISH: it has delivered the beat to so many links. */
void beats_accepted(struct beats *beats, uint64_t mark, uint64_t receivers, uint64_t now);

/* It denies us to PUBLISH. True: until now it did not. */
bool beats_denied(struct beats *beats, uint64_t now);

/* ---- judging ---- */

/* To be called by each worker ten times a second. */
void beats_tick(struct beats *beats, uint64_t now);

/* The time from `then` to `now` in which the process was not stopped. */
uint64_t beats_age(struct beats *beats, uint64_t then, uint64_t now);

/* Is the link to be made anew? Then its doubt lasts until it hears a beat. `lag_limit` in ns. */
enum beat_doubt beats_judge(
	struct beats *beats, struct beat_link *link, uint64_t lag_limit, uint64_t now);

/* What is wrong with the link now, or was when it was made anew and has not been disproved. */
enum beat_doubt beats_doubt(
	struct beats *beats, const struct beat_link *link, uint64_t lag_limit, uint64_t now);

/* For BEATS_UNPROVEN_MS no beat was heard and none was accepted, although we may publish: nobody
 * knows whether the links are alive. */
bool beats_are_unproven(struct beats *beats, uint64_t now);

/* May we publish and hear beats, as far as is known? */
bool beats_are_allowed(struct beats *beats);

/* How late the latest link is, in ns: the age of the last beat when it was heard, or of the oldest
 * that is still to come. */
uint64_t beats_lag(struct beats *beats, uint64_t now);

/* The time since the link has last heard a beat, in ns; UINT64_MAX: never. */
uint64_t beats_silence(struct beats *beats, const struct beat_link *link, uint64_t now);

#endif
