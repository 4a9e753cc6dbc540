#include "stage.h"

#include <arpa/inet.h>
#include <uv.h>

#include "allocations.h"
#include "machine.h"
#include "sluice/base/buffered.h"

enum {
	LISTENING = -1,   /* no descriptor: stage_accept is the listener */
	STEPS_MAX = 20,   /* in stage_pass */
	TURNS_MAX = 1000, /* until the awaited event must have come */
	REPLY_BYTES = 1 << 20,
};

/* The linker puts it in place of uv_thread_join. The script's own thread runs the workers. */
int __wrap_uv_thread_join(uv_thread_t *thread);

int __wrap_uv_thread_join(uv_thread_t *thread)
{
	(void)thread;
	return 0;
}

static void on_drained(struct worker *worker)
{
	((struct stage *)worker->setup->owner)->drained++;
}

static void on_quiet(struct worker *worker)
{
	((struct stage *)worker->setup->owner)->quiet++;
}

static void on_reloaded(struct worker *worker)
{
	(void)worker;
}

static const struct worker_events worker_events = { on_drained, on_quiet, on_reloaded };

static void note_settings(struct stage *stage, const struct settings *settings)
{
	stage->settings = settings;
	stage->admits_anyone |= !settings->session.required;
	stage->rejects_by_close |= settings->session.reject == SESSION_REJECT_CLOSE;
	stage->believes_ids |= settings->session.signature == SESSION_SIGNATURE_NONE;
}

void stage_open(struct stage *stage, const struct settings *settings, uint8_t chunking,
	const struct redis_record *records)
{
	*stage = (struct stage){ 0 };
	note_settings(stage, settings);
	machine_reset();
	wires_begin(chunking);
	quota_init(&stage->quota);
	quota_set_sockets_max(&stage->quota, STAGE_SOCKETS_MAX);
	redis_begin(&stage->redis, records);
	redis_fixed_place_init(&stage->place, &settings->redis.url);
	MUST(redis_account_init(&stage->account, &settings->redis.login, NULL) == 0);
	stage->redis_settings = (struct redis_link_settings){ .place = &stage->place.place,
		.account = &stage->account,
		.reply_bytes = REPLY_BYTES,
		.asks_server = true };
	MUST(beats_init(&stage->beats, uv_hrtime()) == 0);
	MUST(servers_init(&stage->servers) == 0);
	stage->setup = (struct worker_setup){
		.settings = settings,
		.redis = &stage->redis_settings,
		.quota = &stage->quota,
		.bridges = stage->bridges,
		.beats = &stage->beats,
		.servers = &stage->servers,
		.n = STAGE_WORKERS,
		.events = &worker_events,
		.owner = stage,
	};
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		stage->bridges[i] = &stage->workers[i].bridge;
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		MUST(worker_open(&stage->workers[i], &stage->setup, i, LISTENING) == 0);
}

void stage_turn(struct stage *stage)
{
	redis_turn(&stage->redis);
	for (unsigned i = 0; i < STAGE_WORKERS; i++) {
		struct worker *worker = &stage->workers[i];
		uv_update_time(&worker->loop.uv);
		wires_turn(&worker->loop.streams);
		uv_run(&worker->loop.uv, UV_RUN_NOWAIT);
	}
}

void stage_turns(struct stage *stage, unsigned n)
{
	while (n--)
		stage_turn(stage);
}

void stage_pass(struct stage *stage, unsigned ms)
{
	unsigned step = MAX(DEADLINE_TICK_MS, ms / STEPS_MAX);
	for (unsigned passed = 0; passed < ms; passed += step) {
		machine_pass(step);
		stage_turn(stage);
	}
}

void stage_accept(struct stage *stage, unsigned worker, struct wire *wire, const char *ip)
{
	struct listener *listener = &stage->workers[worker].listener;
	struct sockaddr_storage peer = { .ss_family = AF_INET };
	MUST(inet_pton(AF_INET, ip, &((struct sockaddr_in *)&peer)->sin_addr) == 1);
	bool may_accept = !listener->closing && listener->events->may_accept(listener);
	if (may_accept)
		listener->events->on_accept(listener, wire->number, &peer);
	else
		wire->closed = true;
	if (!may_accept && !listener->closing)
		listener->events->on_pause(listener);
}

/* The main thread's orders need no memory. */
static void tell_all(struct stage *stage, void (*tell)(struct worker *worker))
{
	size_t before = allocations_counted();
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		tell(&stage->workers[i]);
	MUST(allocations_counted() == before);
}

void stage_drain(struct stage *stage)
{
	if (!stage->draining)
		tell_all(stage, worker_drain);
	stage->draining = true;
}

void stage_reload(struct stage *stage, const struct settings *settings)
{
	size_t before = allocations_counted();
	stage->generation.settings = (struct settings *)(uintptr_t)settings;
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		worker_reload(&stage->workers[i], &stage->generation);
	MUST(allocations_counted() == before);
	note_settings(stage, settings);
}

int64_t stage_metric(const struct stage *stage, enum metric metric)
{
	int64_t sum = 0;
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		sum += atomic_load(&stage->workers[i].metrics.values[metric]);
	return sum;
}

static void turn_until_all(struct stage *stage, const unsigned *workers)
{
	for (unsigned turns = 0; *workers < STAGE_WORKERS; turns++) {
		MUST(turns < TURNS_MAX);
		stage_turn(stage);
	}
}

/* Each connection that was counted as open was counted as closed once, with one code. */
static void check_metrics(const struct stage *stage)
{
	int64_t closed = 0;
	for (enum metric code = METRIC_CLOSES_1000; code <= METRIC_CLOSES_OTHER; code++)
		closed += stage_metric(stage, code);
	MUST(closed == stage_metric(stage, METRIC_CONNECTIONS_TOTAL));
	MUST(stage_metric(stage, METRIC_CONNECTIONS) == 0);
	MUST(stage_metric(stage, METRIC_SESSIONS) == 0);
	MUST(stage_metric(stage, METRIC_SUBSCRIPTIONS) == 0);
	MUST(stage_metric(stage, METRIC_CHANNELS) == 0 || stage->lacked_memory);
	MUST(atomic_load(&stage->quota.connections) == 0);
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		MUST(stage->workers[i].loop.streams.queued == 0);
}

static void turn_until_ended(struct stage *stage)
{
	for (unsigned turns = 0, alive = 1; alive; turns++) {
		MUST(turns < TURNS_MAX);
		stage_turn(stage);
		alive = 0;
		for (unsigned i = 0; i < STAGE_WORKERS; i++)
			alive += uv_loop_alive(&stage->workers[i].loop.uv) != 0;
	}
}

void stage_close(struct stage *stage)
{
	stage_drain(stage);
	tell_all(stage, worker_abort);
	turn_until_all(stage, &stage->drained);
	tell_all(stage, worker_quit);
	turn_until_all(stage, &stage->quiet);
	check_metrics(stage);
	tell_all(stage, worker_finish);
	turn_until_ended(stage);
	tell_all(stage, worker_join);
	beats_finish(&stage->beats);
	servers_finish(&stage->servers);
	redis_end(&stage->redis);
	redis_account_finish(&stage->account);
	quota_finish(&stage->quota);
	MUST(buffered_bytes() == 0);
}
