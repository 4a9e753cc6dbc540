/* Who tells whom.
 *
 * Wants go from a worker's hub to the channel's home: directly when that is the same worker, else as a
 * note through its inbox. Answers always go through the inbox, also to the worker itself, so that a
 * hub is never told within its own call. An inbox keeps the order of each sender, so "want", "unwant",
 * "want" of one worker arrive as they were meant; the ticket sorts out confirmations that cross them.
 *
 * Who wants what stands in the home's book (hub/homes.h). Publications that one read of Redis brings are
 * gathered into runs (hub/publication.h); a run is handed over when another channel's publication comes,
 * and at the end of the read.
 *
 * When the link is lost, nothing is told to the hubs: browsers stay, and the subscriptions module asks
 * for everything again. Only the link's state changes, so that nobody is let in who would hear nothing; and
 * who was there meanwhile is told when it is back (bridge_gaps.c). */
#include "bridge_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/hash.h"
#include "sluice/base/limit.h"
#include "sluice/base/log.h"

static const uint64_t REFUSAL_PERIOD_NS = UINT64_C(60000000000);

unsigned bridge_home(const struct bridge *bridge, struct slice channel)
{
	return (unsigned)(hash_bytes(channel) % bridge->setup.n);
}

static struct bridge *home_of(struct bridge *bridge, struct slice channel)
{
	return bridge->setup.all[bridge_home(bridge, channel)];
}

int bridge_post_note(struct bridge *to, void (*deliver)(void *owner, void *subject),
	unsigned worker, uint32_t ticket, struct slice name)
{
	struct note *note = malloc(sizeof(*note) + name.len);
	if (!note)
		return -ENOMEM;
	*note = (struct note){
		.to = to, .worker = worker, .ticket = ticket, .name_len = (uint32_t)name.len
	};
	memcpy(note->name, name.at, name.len);
	int error = inbox_post(to->setup.inbox, deliver, note);
	if (error)
		free(note);
	return error;
}

/* ---- at the hub's side ---- */

static void deliver_confirmed(void *owner, void *subject)
{
	(void)owner;
	struct note *note = subject;
	hub_confirm(&note->to->hub, note_name(note), note->ticket);
	free(note);
}

/* ---- at the home's side ---- */

static void count_channels(struct bridge *home)
{
	metrics_set(home->setup.metrics, METRIC_CHANNELS, (int64_t)homes_count(&home->homes));
}

/* Without memory the browsers that wait are refused when their time is up, unless somebody else asks. */
static void confirm(struct bridge *home, struct slice channel, unsigned worker)
{
	(void)!bridge_post_note(home->setup.all[worker], deliver_confirmed, worker,
		homes_ticket(&home->homes, channel, worker), channel);
}

static void unwant(struct bridge *home, unsigned worker, struct slice channel)
{
	if (homes_unwant(&home->homes, channel, worker))
		subscriptions_unwant(&home->subscriptions, channel);
	count_channels(home);
}

static int want(struct bridge *home, unsigned worker, uint32_t ticket, struct slice channel)
{
	int result = homes_want(&home->homes, channel, worker, ticket);
	int error = result > 0 ? subscriptions_want(&home->subscriptions, channel) : MIN(result, 0);
	if (error && result > 0)
		homes_unwant(&home->homes, channel, worker);
	if (!error && subscriptions_is_confirmed(&home->subscriptions, channel))
		confirm(home, channel, worker);
	count_channels(home);
	return error;
}

static void deliver_want(void *owner, void *subject)
{
	(void)owner;
	struct note *note = subject;
	if (want(note->to, note->worker, note->ticket, note_name(note)) != 0)
		log_error("out of memory", log_text("for", "a subscription"));
	free(note);
}

static void deliver_unwant(void *owner, void *subject)
{
	(void)owner;
	struct note *note = subject;
	unwant(note->to, note->worker, note_name(note));
	free(note);
}

/* ---- events of the hub ---- */

static int on_wanted(struct hub *hub, struct slice channel, uint32_t ticket)
{
	struct bridge *bridge = hub->owner, *home = home_of(bridge, channel);
	if (home == bridge)
		return want(home, bridge->setup.self, ticket, channel);
	return bridge_post_note(home, deliver_want, bridge->setup.self, ticket, channel);
}

static int on_unwanted(struct hub *hub, struct slice channel)
{
	struct bridge *bridge = hub->owner, *home = home_of(bridge, channel);
	if (home != bridge)
		return bridge_post_note(home, deliver_unwant, bridge->setup.self, 0, channel);
	unwant(home, bridge->setup.self, channel);
	return 0;
}

static void on_subscriber_confirmed(
	struct hub *hub, struct subscriber *subscriber, struct slice channel)
{
	struct bridge *bridge = hub->owner;
	bridge->events->on_confirmed(subscriber, channel);
}

static void on_publication(
	struct hub *hub, struct subscriber *subscriber, struct publication *publication)
{
	struct bridge *bridge = hub->owner;
	bridge->events->on_publication(subscriber, publication);
}

static const struct hub_events hub_events = {
	.on_wanted = on_wanted,
	.on_unwanted = on_unwanted,
	.on_confirmed = on_subscriber_confirmed,
	.on_publication = on_publication,
};

/* ---- the way of a publication ---- */

struct delivery {
	struct bridge *to;
	struct publication *publication;
};

/* The memory that it holds on its way: of many small ones most is not their bytes. */
static size_t weight(const struct publication *publication)
{
	return sizeof(*publication) + publication->channel_len + publication->chunk.len +
	       sizeof(struct delivery) + sizeof(struct inbox_message);
}

static void deliver_publication(void *owner, void *subject)
{
	(void)owner;
	struct delivery *delivery = subject;
	struct bridge *bridge = delivery->to;
	atomic_fetch_sub(&bridge->backlog, weight(delivery->publication));
	hub_publish(&bridge->hub, delivery->publication);
	publication_unref(delivery->publication);
	free(delivery);
}

static int post_publication(struct bridge *to, struct publication *publication)
{
	struct delivery *delivery = malloc(sizeof(*delivery));
	if (!delivery)
		return -ENOMEM;
	*delivery = (struct delivery){ to, publication_ref(publication) };
	int error = inbox_post(to->setup.inbox, deliver_publication, delivery);
	if (error) {
		publication_unref(publication);
		free(delivery);
	}
	return error;
}

static void post_or_drop(struct bridge *home, struct bridge *to, struct publication *publication)
{
	size_t more = weight(publication);
	if (atomic_fetch_add(&to->backlog, more) <= BRIDGE_BACKLOG_MAX &&
		post_publication(to, publication) == 0)
		return;
	atomic_fetch_sub(&to->backlog, more);
	metrics_add(home->setup.metrics, METRIC_PUBLICATIONS_DROPPED_TOTAL, publication->count);
	bridge_dropped_on_the_way(home, to);
}

static void on_batched(struct batches *batches, struct publication *publication)
{
	struct bridge *home = batches->owner;
	uint64_t workers = homes_workers(&home->homes, publication_channel(publication));
	for (unsigned worker = 0; workers; worker++, workers >>= 1) {
		if (!(workers & 1))
			continue;
		if (worker == home->setup.self)
			hub_publish(&home->hub, publication);
		else
			post_or_drop(home, home->setup.all[worker], publication);
	}
}

/* Two parts of it have handles. */
static void close_part(struct bridge *bridge)
{
	if (--bridge->closing == 0)
		bridge->events->on_closed(bridge);
}

static void on_batches_closed(struct batches *batches)
{
	close_part(batches->owner);
}

static const struct batches_events batches_events = {
	.on_publication = on_batched,
	.on_closed = on_batches_closed,
};

/* ---- events of the subscriptions ---- */

static void on_message(
	struct subscriptions *subscriptions, struct slice channel, struct slice payload)
{
	struct bridge *home = subscriptions->owner;
	metrics_add(home->setup.metrics, METRIC_PUBLICATIONS_TOTAL, 1);
	if (payload.len > home->setup.settings->limits.publication_bytes) {
		metrics_add(home->setup.metrics, METRIC_PUBLICATIONS_DROPPED_TOTAL, 1);
		limit_hit(home->setup.metrics, METRIC_LIMIT_PUBLICATION_BYTES);
		bridge_dropped(home, channel);
		return;
	}
	int error = batches_add(&home->batches, channel, payload);
	if (error) {
		metrics_add(home->setup.metrics, METRIC_PUBLICATIONS_DROPPED_TOTAL, 1);
		log_error("out of memory", log_text("for", "a publication"));
		bridge_dropped(home, channel);
	}
}

static void on_batch_end(struct subscriptions *subscriptions)
{
	struct bridge *home = subscriptions->owner;
	batches_end_read(&home->batches);
}

static void on_confirmed(struct subscriptions *subscriptions, struct slice channel)
{
	struct bridge *home = subscriptions->owner;
	uint64_t workers = homes_workers(&home->homes, channel);
	for (unsigned worker = 0; workers; worker++, workers >>= 1)
		if (workers & 1)
			confirm(home, channel, worker);
}

/* Browsers may go on asking for it, so one line a minute says so. Those who wait are refused when
 * their time is up. */
static void on_refused(
	struct subscriptions *subscriptions, struct slice channel, struct slice reason)
{
	struct bridge *home = subscriptions->owner;
	uint64_t now = uv_hrtime();
	if (home->refusal_told && now - home->refusal_told < REFUSAL_PERIOD_NS)
		return;
	home->refusal_told = now;
	log_warn("redis refuses SUBSCRIBE", log_number("worker", home->setup.self),
		log_slice("channel", channel), log_slice("reason", reason));
}

static void on_up(struct subscriptions *subscriptions)
{
	struct bridge *bridge = subscriptions->owner;
	link_state_up(&bridge->link);
	if (bridge->was_up)
		bridge_was_away(bridge);
	bridge->was_up = true;
}

static void on_down(struct subscriptions *subscriptions, const char *reason)
{
	struct bridge *bridge = subscriptions->owner;
	if (link_state_down(&bridge->link, reason))
		metrics_add(bridge->setup.metrics, METRIC_RECONNECTS_SUBSCRIBE, 1);
	batches_flush(&bridge->batches);
	bridge->events->on_down(bridge);
}

static void on_listening(struct subscriptions *subscriptions, uint64_t client, struct slice problem)
{
	struct bridge *bridge = subscriptions->owner;
	bridge->events->on_listening(bridge, client, problem);
}

static void on_invalidated(struct subscriptions *subscriptions, struct slice key)
{
	struct bridge *bridge = subscriptions->owner;
	bridge->events->on_invalidated(bridge, key);
}

static void on_round_trip(struct subscriptions *subscriptions, uint64_t ns)
{
	struct bridge *bridge = subscriptions->owner;
	metrics_observe(bridge->setup.metrics, HISTOGRAM_REDIS_ROUND_TRIP, ns);
}

static void on_closed(struct subscriptions *subscriptions)
{
	close_part(subscriptions->owner);
}

static const struct subscriptions_events subscriptions_events = {
	.on_confirmed = on_confirmed,
	.on_refused = on_refused,
	.on_message = on_message,
	.on_batch_end = on_batch_end,
	.on_up = on_up,
	.on_down = on_down,
	.on_round_trip = on_round_trip,
	.on_listening = on_listening,
	.on_invalidated = on_invalidated,
	.on_closed = on_closed,
};

/* ---- the door ---- */

static void count_subscriptions(struct bridge *bridge)
{
	metrics_set(bridge->setup.metrics, METRIC_SUBSCRIPTIONS,
		(int64_t)hub_subscription_count(&bridge->hub));
}

int bridge_open(struct bridge *bridge, struct stream_loop *shared, struct deadlines *deadlines,
	const struct bridge_setup *setup, const struct bridge_events *events, void *owner)
{
	*bridge = (struct bridge){
		.owner = owner, .setup = *setup, .events = events, .deadlines = deadlines
	};
	hub_init(&bridge->hub, &hub_events, bridge);
	homes_init(&bridge->homes, setup->n);
	link_state_init(&bridge->link, "subscribe", setup->self);
	bridge->closing = 2;
	int error = batches_open(
		&bridge->batches, shared->loop, setup->settings, &batches_events, bridge);
	if (error)
		return error;
	error = subscriptions_open(&bridge->subscriptions, shared, deadlines, setup->redis,
		&subscriptions_events, bridge);
	return error ? error : subscriptions_listen(&bridge->subscriptions);
}

void bridge_close(struct bridge *bridge)
{
	deadline_clear(bridge->deadlines, &bridge->gap_deadline);
	batches_close(&bridge->batches);
	subscriptions_close(&bridge->subscriptions);
}

void bridge_finish(struct bridge *bridge)
{
	homes_finish(&bridge->homes);
	hub_finish(&bridge->hub);
}

int bridge_subscribe(struct bridge *bridge, struct subscriber *subscriber, struct slice channel)
{
	if (!bridge_is_up(home_of(bridge, channel)))
		return -ENOTCONN;
	return bridge_join(bridge, subscriber, channel);
}

int bridge_join(struct bridge *bridge, struct subscriber *subscriber, struct slice channel)
{
	int error = hub_subscribe(&bridge->hub, subscriber, channel);
	count_subscriptions(bridge);
	return error == -EEXIST ? 0 : error;
}

bool bridge_is_confirmed(const struct bridge *bridge, struct slice channel)
{
	return hub_is_confirmed(&bridge->hub, channel);
}

bool bridge_has(
	const struct bridge *bridge, const struct subscriber *subscriber, struct slice channel)
{
	return hub_has(&bridge->hub, subscriber, channel);
}

int bridge_unsubscribe(struct bridge *bridge, struct subscriber *subscriber, struct slice channel)
{
	int error = hub_unsubscribe(&bridge->hub, subscriber, channel);
	count_subscriptions(bridge);
	return error;
}

void bridge_unsubscribe_all(struct bridge *bridge, struct subscriber *subscriber)
{
	hub_unsubscribe_all(&bridge->hub, subscriber);
	count_subscriptions(bridge);
}

void bridge_set_settings(struct bridge *bridge, const struct settings *settings)
{
	bridge->setup.settings = settings;
	batches_set_settings(&bridge->batches, settings);
}

void bridge_stop_waiting(struct bridge *bridge)
{
	batches_stop_waiting(&bridge->batches);
}

bool bridge_is_up(const struct bridge *bridge)
{
	return link_state_is_up(&bridge->link);
}
