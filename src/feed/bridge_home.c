/* Dispatches the events of a home's link to Redis.
 *
 *	publication         -> batches -> bridge_delivery.c
 *	confirmation        -> bridge_wants.c
 *	link lost, or back  -> link_state, bridge_gaps.c
 *	changed keys        -> the owner
 *	beat                -> beating, also what happens to the link; before the publications behind it
 *	                       are handed on
 *
 * When the link is lost, the hubs are not notified: browsers stay connected, and the subscriptions
 * module subscribes to everything again. Only the link's state changes, so that no new browser is
 * admitted that would receive nothing. Connected browsers are notified of the gap when the link is
 * back. */
#include "bridge_internal.h"
#include "sluice/base/limit.h"
#include "sluice/base/log.h"

static const uint64_t REFUSAL_PERIOD_NS = UINT64_C(60000000000);

/* The subscriptions and the batches have handles. */
enum { PARTS_TO_CLOSE = 2 };

static void close_part(struct bridge *home)
{
	if (--home->closing == 0)
		home->events->on_closed(home);
}

/* ---- events of the batches ---- */

static void on_publication(struct batches *batches, struct publication *publication)
{
	bridge_deliver(batches->owner, publication);
}

static void on_batches_closed(struct batches *batches)
{
	close_part(batches->owner);
}

static const struct batches_events batches_events = {
	.on_publication = on_publication,
	.on_closed = on_batches_closed,
};

/* ---- events of the subscriptions ---- */

static void on_message(
	struct subscriptions *subscriptions, struct slice channel, struct slice payload)
{
	struct bridge *home = subscriptions->owner;
	if (beating_is_channel(channel)) {
		beating_take(&home->beating, payload);
		return;
	}
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
		static _Atomic uint64_t quiet_until;
		if (log_may(&quiet_until))
			log_error("out of memory", log_text("for", "a publication"));
		bridge_dropped(home, channel);
	}
}

static void on_batch_end(struct subscriptions *subscriptions)
{
	struct bridge *home = subscriptions->owner;
	batches_end_read(&home->batches);
}

/* A gap goes first: whoever waits for the channel has missed nothing. */
static void on_confirmed(
	struct subscriptions *subscriptions, struct slice channel, bool was_refused)
{
	struct bridge *home = subscriptions->owner;
	if (beating_is_channel(channel)) {
		beating_confirmed(&home->beating);
		return;
	}
	if (was_refused)
		bridge_dropped(home, channel);
	bridge_answer(home, channel, true);
	bridge_count_channels(home);
}

/* Browsers may request the channel again and again, so this is logged once a minute. */
static void on_refused(
	struct subscriptions *subscriptions, struct slice channel, struct slice reason)
{
	struct bridge *home = subscriptions->owner;
	uint64_t now = uv_hrtime();
	if (beating_is_channel(channel)) {
		beating_refused(&home->beating, reason);
		return;
	}
	bridge_answer(home, channel, false);
	bridge_count_channels(home);
	if (home->refusal_logged && now - home->refusal_logged < REFUSAL_PERIOD_NS)
		return;
	home->refusal_logged = now;
	log_warn("redis refuses SUBSCRIBE", log_number("worker", home->setup.self),
		log_slice("channel", channel), log_slice("reason", reason));
}

static enum wanted_class class_of(struct subscriptions *subscriptions, struct slice channel)
{
	const struct bridge *home = subscriptions->owner;
	const struct settings *settings = home->setup.settings;
	if (beating_is_channel(channel))
		return WANTED_OWN;
	bool automatic =
		channel_rules_may_be_automatic(settings->rules, settings->n_rules, channel);
	return automatic ? WANTED_AUTOMATIC : WANTED_ASKED;
}

static void on_up(struct subscriptions *subscriptions)
{
	struct bridge *home = subscriptions->owner;
	link_state_up(&home->link);
	beating_up(&home->beating);
	if (home->was_up)
		bridge_was_away(home);
	home->was_up = true;
}

static void on_down(struct subscriptions *subscriptions, const char *reason)
{
	struct bridge *home = subscriptions->owner;
	if (link_state_down(&home->link, reason))
		metrics_add(home->setup.metrics, METRIC_RECONNECTS_SUBSCRIBE, 1);
	batches_flush(&home->batches);
	bridge_count_channels(home);
	beating_down(&home->beating);
	home->events->on_down(home);
}

static void on_listening(struct subscriptions *subscriptions, uint64_t client, struct slice problem)
{
	struct bridge *home = subscriptions->owner;
	home->events->on_listening(home, client, problem);
}

static void on_invalidated(struct subscriptions *subscriptions, struct slice key)
{
	struct bridge *home = subscriptions->owner;
	home->events->on_invalidated(home, key);
}

static void on_round_trip(struct subscriptions *subscriptions, uint64_t ns)
{
	struct bridge *home = subscriptions->owner;
	metrics_observe(home->setup.metrics, HISTOGRAM_REDIS_ROUND_TRIP, ns);
	bridge_count_channels(home);
	beating_answered(&home->beating, ns);
}

static void on_subscriptions_closed(struct subscriptions *subscriptions)
{
	close_part(subscriptions->owner);
}

static const struct subscriptions_events subscriptions_events = {
	.on_confirmed = on_confirmed,
	.on_refused = on_refused,
	.class_of = class_of,
	.on_message = on_message,
	.on_batch_end = on_batch_end,
	.on_up = on_up,
	.on_down = on_down,
	.on_round_trip = on_round_trip,
	.on_listening = on_listening,
	.on_invalidated = on_invalidated,
	.on_closed = on_subscriptions_closed,
};

/* ---- for the bridge ---- */

int bridge_home_open(struct bridge *home, struct stream_loop *shared, struct deadlines *deadlines)
{
	const struct bridge_setup *setup = &home->setup;
	homes_init(&home->homes, setup->n);
	link_state_init(&home->link, "subscribe", setup->self);
	home->closing = PARTS_TO_CLOSE;
	int error =
		batches_open(&home->batches, shared->loop, setup->settings, &batches_events, home);
	if (!error)
		error = subscriptions_open(&home->subscriptions, shared, deadlines, setup->redis,
			&subscriptions_events, home);
	if (!error)
		error = subscriptions_listen(&home->subscriptions);
	const struct beating_setup beating = {
		.beats = setup->beats,
		.servers = setup->servers,
		.commands = setup->commands,
		.subscriptions = &home->subscriptions,
		.settings = setup->settings,
		.metrics = setup->metrics,
		.deadlines = deadlines,
		.worker = setup->self,
	};
	return error ? error : beating_open(&home->beating, &beating);
}

void bridge_home_close(struct bridge *home)
{
	batches_close(&home->batches);
	beating_close(&home->beating);
	subscriptions_close(&home->subscriptions);
}
