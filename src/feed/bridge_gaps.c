/* Decides which connections are notified of missed publications, and when.
 *
 *	a publication was dropped                            -> gap on its channel
 *	the home's link to Redis was lost and is back        -> gap on all channels of that home
 *	a run was dropped because its worker is behind       -> the same: there is no time to report each
 *
 * After a gap, a page fetches again what it shows. So it is notified only when the link is back and
 * every channel is subscribed again: what it then fetches is at least as new as what it missed.
 *
 * Each worker has a link, and after an outage of Redis the links do not come back at the same
 * moment, but a page has channels of several homes. So a worker waits briefly after a home is back,
 * and again while another home is still down, but only for a limited time. Then every page is
 * notified once. */
#include "bridge_internal.h"

#include <errno.h>
#include <stdlib.h>

enum { GAP_MS = 100, GAP_WAITS = 10 };

static void on_gap_due(struct deadline *deadline);

static void set_deadline(struct bridge *bridge)
{
	deadline_set(bridge->deadlines, &bridge->gap_deadline, GAP_MS, on_gap_due);
}

static bool all_are_up(const struct bridge *bridge)
{
	for (unsigned i = 0; i < bridge->setup.n; i++)
		if (!link_state_is_up(&bridge->setup.all[i]->link))
			return false;
	return true;
}

static void on_gap_due(struct deadline *deadline)
{
	struct bridge *bridge = container_of(deadline, struct bridge, gap_deadline);
	if (++bridge->gap_waits < GAP_WAITS && !all_are_up(bridge)) {
		set_deadline(bridge);
		return;
	}
	uint64_t homes = bridge->gap_homes;
	bridge->gap_homes = 0;
	bridge->gap_waits = 0;
	bridge->events->on_gap(bridge, homes);
}

static void deliver_gap(void *owner, void *subject)
{
	(void)owner;
	struct note *note = subject;
	struct bridge *bridge = note->to;
	uint64_t home = UINT64_C(1) << note->worker;
	free(note);
	atomic_fetch_and(&bridge->gap_posted, ~home);
	/* Without subscribers nobody has to be notified, and when the worker ends, no deadline may
	 * start. */
	if (hub_subscription_count(&bridge->hub) == 0)
		return;
	bridge->gap_homes |= home;
	set_deadline(bridge);
}

void bridge_dropped_on_the_way(struct bridge *home, struct bridge *to)
{
	uint64_t bit = UINT64_C(1) << home->setup.self;
	if (atomic_fetch_or(&to->gap_posted, bit) & bit)
		return;
	if (bridge_post_note(to, deliver_gap, home->setup.self, 0, SLICE("")) != 0)
		atomic_fetch_and(&to->gap_posted, ~bit);
}

void bridge_was_away(struct bridge *home)
{
	for (unsigned i = 0; i < home->setup.n; i++)
		bridge_dropped_on_the_way(home, home->setup.all[i]);
}

/* ---- one channel ---- */

static size_t weight(struct slice channel)
{
	return sizeof(struct note) + channel.len + sizeof(struct inbox_message);
}

static void tell_subscriber(void *context, struct subscriber *subscriber)
{
	struct note *note = context;
	note->to->events->on_dropped(subscriber, note_name(note));
}

static void deliver_dropped(void *owner, void *subject)
{
	(void)owner;
	struct note *note = subject;
	atomic_fetch_sub(&note->to->backlog, weight(note_name(note)));
	hub_each_subscriber(&note->to->hub, note_name(note), tell_subscriber, note);
	free(note);
}

static void post_dropped(struct bridge *home, struct bridge *to, struct slice channel)
{
	size_t more = weight(channel);
	if (atomic_fetch_add(&to->backlog, more) <= BRIDGE_BACKLOG_MAX &&
		bridge_post_note(to, deliver_dropped, home->setup.self, 0, channel) == 0)
		return;
	atomic_fetch_sub(&to->backlog, more);
	bridge_dropped_on_the_way(home, to);
}

void bridge_dropped(struct bridge *home, struct slice channel)
{
	uint64_t workers = homes_workers(&home->homes, channel);
	for (unsigned worker = 0; workers; worker++, workers >>= 1)
		if (workers & 1)
			post_dropped(home, home->setup.all[worker], channel);
}
