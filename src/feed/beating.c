/* Ten times a second each worker looks whether a beat is due and whether its links are good.
 *
 * A link that only its own direction of TCP has left is found by the beats, too: Redis answers a PING
 * before it executes a later PUBLISH. So if a beat arrives that was published well after our PING,
 * and the PING is unanswered, Redis does not get what we send on this link.
 *
 * Without beats (redis.probe, an ACL) the rest remains: PINGs that are not answered for seconds make
 * the link not ready, and after redis.lag_seconds it is made anew. */
#include "sluice/feed/beating.h"

#include "sluice/base/log.h"
#include "sluice/base/secret.h"

enum {
	TICK_MS = 100,
	LATE_MS = 3000,    /* a PING that is unanswered for so long makes the link not ready */
	STALLED_MS = 1000, /* beats so much younger than an unanswered PING prove it lost */
	CLOCK_MS = 60000,  /* between two questions for the server's clock */
};

static const uint64_t MS = 1000000;

static const struct slice channel = { "__sluice:beat", sizeof("__sluice:beat") - 1 };

static bool is_probing(const struct beating *beating)
{
	return beating->setup.settings->redis_probe;
}

static const struct redis_link *subscribed(const struct beating *beating)
{
	return subscriptions_link(beating->setup.subscriptions);
}

/* ---- making links anew ---- */

static void restart(struct beating *beating, enum metric reason, const char *text)
{
	metrics_add(beating->setup.metrics, reason, 1);
	redis_link_suspect(subscribed(beating), text);
	subscriptions_fail(beating->setup.subscriptions, text);
}

static void judge_beats(struct beating *beating, uint64_t now)
{
	uint64_t limit = beating->setup.settings->redis_lag_ms * MS;
	switch (beats_judge(beating->setup.beats, &beating->link, limit, now)) {
	case BEAT_STARVING:
		restart(beating, METRIC_FEED_RESTARTS_STARVING,
			"it does not receive what Redis has published");
		break;
	case BEAT_LAGGING:
		restart(beating, METRIC_FEED_RESTARTS_LAG, "it is later than redis.lag_seconds");
		break;
	case BEAT_FINE:
		break;
	}
}

static void judge_pings(struct beating *beating, uint64_t now)
{
	uint64_t sent = redis_link_ping_sent(subscribed(beating));
	uint64_t age = sent ? beats_age(beating->setup.beats, sent, now) : 0;
	bool late = age >= LATE_MS * MS, was_late = atomic_exchange(&beating->is_late, late);
	if (sent && beating->executed >= sent + STALLED_MS * MS)
		restart(beating, METRIC_FEED_RESTARTS_STALLED, "Redis does not get what is sent");
	else if (age > beating->setup.settings->redis_lag_ms * MS)
		restart(beating, METRIC_FEED_RESTARTS_LAG,
			"a PING is unanswered for redis.lag_seconds");
	else if (late && !was_late)
		log_warn("redis is late", log_text("link", "subscribe"),
			log_number("worker", beating->setup.worker),
			log_text("reason", "a PING is unanswered for seconds"));
}

static void judge_command_pings(struct beating *beating, uint64_t now)
{
	uint64_t sent = redis_link_ping_sent(beating->setup.commands);
	if (sent && beats_age(beating->setup.beats, sent, now) >
			    beating->setup.settings->redis_lag_ms * MS)
		redis_link_fail(
			beating->setup.commands, "a PING is unanswered for redis.lag_seconds");
}

static void tell_news(enum servers_news news)
{
	static const char remedy[] =
		"redis.url must lead to one server: the master, not any of several";
	switch (news) {
	case SERVERS_DIVIDED:
		log_warn("the links to redis are on different servers, and are made anew",
			log_text("remedy", remedy));
		break;
	case SERVERS_HELPLESS:
		log_error("the links to redis go on coming to different servers: clients miss "
			  "publications, and only the sweep notices log-outs",
			log_text("remedy", remedy));
		break;
	case SERVERS_UNITED:
		log_info("the links to redis are on one server again");
		break;
	case SERVERS_QUIET:
		break;
	}
}

static void judge_servers(struct beating *beating, uint64_t now)
{
	static const char reason[] = "the links are on different servers";
	bool anew[SERVERS_LINKS];
	tell_news(servers_check(beating->setup.servers, beating->setup.worker, now, anew));
	if (anew[SERVERS_COMMAND])
		redis_link_fail(beating->setup.commands, reason);
	if (anew[SERVERS_SUBSCRIBE])
		restart(beating, METRIC_FEED_RESTARTS_TWO_SERVERS, reason);
}

/* ---- publishing ---- */

static void tell_off(struct slice reason)
{
	log_warn("the probe is off: a feed that is silently dead is found late or not at all",
		log_slice("reason", reason),
		log_text("remedy", "allow +publish and the channels &__sluice:* to the user of "
				   "redis.url, or set redis.probe to false"));
}

static void take_error(struct beating *beating, struct slice reason)
{
	static _Atomic uint64_t quiet_until;
	if (slice_starts_with(reason, SLICE("NOPERM"))) {
		if (beats_denied(beating->setup.beats, uv_hrtime()))
			tell_off(reason);
	} else if (log_may(&quiet_until)) {
		log_warn("redis does not publish a beat", log_slice("reason", reason));
	}
}

static void on_published(void *context, const struct redisReply *reply)
{
	struct beating *beating = context;
	beating->unanswered = false;
	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0)
		beats_accepted(
			beating->setup.beats, beating->mark, (uint64_t)reply->integer, uv_hrtime());
	else
		take_error(beating, reply->type == REDIS_REPLY_ERROR
					    ? reply_error_reason(reply)
					    : SLICE("unexpected reply to PUBLISH"));
}

static int send_beat(struct beating *beating, uint64_t now)
{
	char bytes[BEAT_BYTES];
	const struct beat beat = {
		.mark = beating->mark,
		.run_id = redis_link_run_id(beating->setup.commands),
		.stamp = redis_link_server_ms(beating->setup.commands, now),
	};
	int error = beat_write(&beat, &beating->keys, channel, bytes);
	const struct slice words[] = { SLICE("PUBLISH"), channel,
		slice_make(bytes, sizeof(bytes)) };
	return error ? error
		     : redis_link_command(beating->setup.commands, words, COUNT_OF(words),
			       on_published, beating);
}

static void publish_if_due(struct beating *beating, uint64_t now)
{
	if (beating->unanswered || !redis_link_is_up(beating->setup.commands) ||
		!beats_take(beating->setup.beats, now, &beating->mark))
		return;
	beating->unanswered = send_beat(beating, now) == 0;
}

/* ---- ten times a second ---- */

/* One worker speaks for all. */
static void tell_whether_allowed(struct beating *beating)
{
	bool allowed = beats_are_allowed(beating->setup.beats);
	if (allowed && !beating->was_allowed && beating->setup.worker == 0)
		log_info("the probe is on again");
	beating->was_allowed = allowed;
}

static void refresh_clock(struct beating *beating, uint64_t now)
{
	if (now - beating->refreshed < CLOCK_MS * MS || !redis_link_is_up(beating->setup.commands))
		return;
	beating->refreshed = now;
	redis_link_refresh_server(beating->setup.commands);
}

static void on_tick(struct deadline *deadline)
{
	struct beating *beating = container_of(deadline, struct beating, tick);
	uint64_t now = uv_hrtime();
	deadline_set(beating->setup.deadlines, deadline, TICK_MS, on_tick);
	beats_tick(beating->setup.beats, now);
	judge_servers(beating, now);
	judge_pings(beating, now);
	judge_command_pings(beating, now);
	if (!is_probing(beating))
		return;
	judge_beats(beating, now);
	publish_if_due(beating, now);
	tell_whether_allowed(beating);
	refresh_clock(beating, now);
}

/* ---- events of the subscribed link ---- */

/* How old a beat of another gateway is, by its stamp; 0: not known. */
static uint64_t lag_by_stamp(const struct beating *beating, uint64_t stamp, uint64_t now)
{
	uint64_t server = redis_link_server_ms(beating->setup.commands, now);
	return stamp && server > stamp ? (server - stamp) * MS : 0;
}

/* Its publications reach us only because our server is a replica of that one: after a failover that
 * we have not heard of, or because redis.url leads to a replica. */
static void look_at_server(const struct beating *beating, uint64_t run_id)
{
	if (servers_differ(redis_link_run_id(subscribed(beating)), run_id))
		redis_link_suspect(subscribed(beating), "a beat came from another server");
}

void beating_take(struct beating *beating, struct slice message)
{
	struct beat beat;
	uint64_t now = uv_hrtime();
	if (beat_read(&beat, &beating->keys, channel, message) != 0) {
		metrics_add(beating->setup.metrics, METRIC_BEATS_DROPPED_TOTAL, 1);
		return;
	}
	look_at_server(beating, beat.run_id);
	uint64_t lag = beats_heard(beating->setup.beats, &beating->link, beat.mark,
		lag_by_stamp(beating, beat.stamp, now), now);
	beating->executed = lag ? now - MIN(lag, now) : 0;
}

void beating_confirmed(struct beating *beating)
{
	beating->executed = 0;
	beats_confirmed(beating->setup.beats, &beating->link, uv_hrtime());
}

void beating_refused(struct beating *beating, struct slice reason)
{
	if (beats_refused(beating->setup.beats, &beating->link))
		tell_off(reason);
}

void beating_up(struct beating *beating)
{
	servers_set(beating->setup.servers, beating->setup.worker, SERVERS_SUBSCRIBE,
		redis_link_run_id(subscribed(beating)), uv_hrtime());
}

void beating_down(struct beating *beating)
{
	atomic_store(&beating->is_late, false);
	beating->executed = 0;
	beats_down(beating->setup.beats, &beating->link);
	servers_set(
		beating->setup.servers, beating->setup.worker, SERVERS_SUBSCRIBE, 0, uv_hrtime());
}

void beating_answered(struct beating *beating, uint64_t round_trip_ns)
{
	beats_answered(beating->setup.beats, &beating->link, uv_hrtime() - round_trip_ns);
}

/* ---- events of the link for commands ---- */

void beating_command_up(struct beating *beating)
{
	uint64_t run_id = redis_link_run_id(beating->setup.commands), now = uv_hrtime();
	beating->refreshed = now;
	servers_set(beating->setup.servers, beating->setup.worker, SERVERS_COMMAND, run_id, now);
	if (!run_id && !beating->told_unknown && beating->setup.worker == 0)
		log_info("redis does not tell which server it is, so links on two servers are "
			 "found late or not at all",
			log_text("remedy", "allow +info to the user of redis.url"));
	beating->told_unknown |= !run_id;
}

void beating_command_down(struct beating *beating)
{
	servers_set(beating->setup.servers, beating->setup.worker, SERVERS_COMMAND, 0, uv_hrtime());
}

bool beating_is_divided(const struct beating *beating)
{
	return servers_differ(
		redis_link_run_id(beating->setup.commands), redis_link_run_id(subscribed(beating)));
}

/* ---- for other threads ---- */

const char *beating_problem(struct beating *beating)
{
	uint64_t now = uv_hrtime(), limit = atomic_load(&beating->lag_ms) * MS;
	if (atomic_load(&beating->is_late))
		return "Redis does not answer on the link for subscriptions";
	switch (beats_doubt(beating->setup.beats, &beating->link, limit, now)) {
	case BEAT_STARVING:
		return "the link for subscriptions does not receive what is published";
	case BEAT_LAGGING:
		return "the link for subscriptions is late";
	case BEAT_FINE:
		break;
	}
	return beats_are_unproven(beating->setup.beats, now)
		       ? "nothing can be published to Redis, or nothing that is arrives"
		       : NULL;
}

uint64_t beating_silence(struct beating *beating)
{
	return beats_silence(beating->setup.beats, &beating->link, uv_hrtime());
}

/* ---- for the owner ---- */

/* After an error the old keys remain. */
static int make_keys(struct beating *beating)
{
	const struct settings *settings = beating->setup.settings;
	struct slice secrets[BEAT_SECRETS_MAX];
	size_t n = 0;
	if (settings->replay_secret.len)
		secrets[n++] = settings->replay_secret;
	for (size_t i = 0; i < settings->session.n_secrets && n < BEAT_SECRETS_MAX; i++)
		secrets[n++] = settings->session.secrets[i];
	struct beat_keys keys;
	int error = beat_keys_make(&keys, secrets, n);
	if (!error)
		beating->keys = keys;
	secret_wipe(&keys, sizeof(keys));
	return error;
}

/* 0 or -ENOMEM. */
static int follow(struct beating *beating, const struct settings *settings)
{
	beating->setup.settings = settings;
	atomic_store(&beating->lag_ms, settings->redis_lag_ms);
	int error = make_keys(beating);
	if (!error && settings->redis_probe)
		error = subscriptions_want(beating->setup.subscriptions, channel);
	if (!settings->redis_probe)
		subscriptions_unwant(beating->setup.subscriptions, channel);
	return error;
}

int beating_open(struct beating *beating, const struct beating_setup *setup)
{
	*beating = (struct beating){ .setup = *setup, .was_allowed = true };
	beats_add(setup->beats, &beating->link);
	deadline_set(setup->deadlines, &beating->tick, TICK_MS, on_tick);
	return follow(beating, setup->settings);
}

void beating_close(struct beating *beating)
{
	deadline_clear(beating->setup.deadlines, &beating->tick);
	beats_remove(beating->setup.beats, &beating->link);
}

void beating_set_settings(struct beating *beating, const struct settings *settings)
{
	bool was_probing = is_probing(beating);
	int error = follow(beating, settings);
	if (error)
		log_error("out of memory", log_text("for", "the settings of the beats"));
	if (was_probing && !settings->redis_probe)
		beats_down(beating->setup.beats, &beating->link);
}
