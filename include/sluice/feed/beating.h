/* A subscribed link's part in the beats: it hears them, publishes one over the link for commands when
 * beats.h says so, and is made anew when beats.h or servers.h says so. One for each subscribed link,
 * a member of its owner, used in the owner's thread except where it says otherwise. */
#ifndef SLUICE_FEED_BEATING_H
#define SLUICE_FEED_BEATING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/metrics.h"
#include "sluice/feed/beats.h"
#include "sluice/feed/servers.h"
#include "sluice/net/deadlines.h"
#include "sluice/proto/beat.h"
#include "sluice/redis/link.h"
#include "sluice/redis/subscriptions.h"
#include "sluice/settings/settings.h"

struct beating_setup {
	struct beats *beats;                 /* of all links of the process to the server */
	struct servers *servers;             /* of all links of the process */
	struct redis_link *commands;         /* to the same server */
	struct subscriptions *subscriptions; /* the link */
	const struct settings *settings;
	struct metrics *metrics;
	struct deadlines *deadlines;
	unsigned worker;
};

struct beating {
	/* private */
	struct beating_setup setup;
	struct beat_keys keys;
	struct beat_link link;
	struct deadline tick;
	bool unanswered; /* our last PUBLISH */
	uint64_t mark;   /* its */
	uint64_t
		executed; /* when Redis executed the PUBLISH of the newest beat heard; 0: not known */
	uint64_t refreshed; /* when the server's clock was last asked for */
	bool was_allowed, told_unknown;
	atomic_bool is_late; /* a PING on this link has been unanswered for seconds */
	atomic_uint lag_ms;  /* redis.lag_seconds */
};

/* Everything handed in must outlive it, but for the settings, which beating_set_settings replaces. 0
 * or -ENOMEM. */
MUST_CHECK int beating_open(struct beating *beating, const struct beating_setup *setup);
void beating_close(struct beating *beating);
void beating_set_settings(struct beating *beating, const struct settings *settings);

/* Is this the channel of the beats? */
static inline bool beating_is_channel(struct slice channel)
{
	return slice_equal(channel, SLICE("__sluice:beat"));
}

/* Events of the subscribed link. beating_take is called in the link's order: the publications before
 * the beat have been handed on, those behind it have not. */
void beating_take(struct beating *beating, struct slice message);
void beating_confirmed(struct beating *beating);
void beating_refused(struct beating *beating, struct slice reason);
void beating_up(struct beating *beating);
void beating_down(struct beating *beating);
void beating_answered(struct beating *beating, uint64_t round_trip_ns); /* a PING */

/* Events of the link for commands. */
void beating_command_up(struct beating *beating);
void beating_command_down(struct beating *beating);

/* Are both links up, and on two different servers? */
bool beating_is_divided(const struct beating *beating);

/* Why clients may not receive what is published now, in words for the operator; NULL: no reason is
 * known. In any thread. */
const char *beating_problem(struct beating *beating);

/* Time since the last beat that the link has heard, in ns; UINT64_MAX: none yet. In any thread. */
uint64_t beating_silence(struct beating *beating);

#endif
