/* A worker's life.
 *
 * Workers end in steps, so that nobody posts to a closed inbox. First all workers drain. Then all
 * quit, which closes their links to Redis, so that nothing arrives any more. When all are quiet, no
 * worker can post to another. Then all finish: they close their inboxes, and their loops run out of
 * handles. The main thread takes each step for all workers at once (gateway.c). */
#include "sluice/process/worker.h"

#include <stdlib.h>
#include <unistd.h>

#include "sluice/process/signals.h"
#include "sluice/proto/ws/ws_deflate.h"
#include "worker_internal.h"

enum { READ_BUFFER_SIZE = 65536 };

static void on_turn(void *owner, uint64_t busy_ns)
{
	struct worker *worker = owner;
	metrics_observe(&worker->metrics, HISTOGRAM_LOOP_TURN, busy_ns);
	metrics_set(&worker->metrics, METRIC_QUEUED_BYTES, (int64_t)worker->loop.streams.queued);
	metrics_set(&worker->metrics, METRIC_COMPRESSIONS_TOTAL,
		(int64_t)ws_deflater_count(worker->conns.ws.deflater));
}

int worker_open(
	struct worker *worker, const struct worker_setup *setup, unsigned number, int listening_fd)
{
	*worker = (struct worker){ .setup = setup, .number = number };
	link_state_init(&worker->command_link, "command", number);
	int error = event_loop_open(&worker->loop, READ_BUFFER_SIZE, on_turn, worker);
	worker->loop.streams.newcomers.pace = setup->pace;
	worker->loop.streams.newcomers.metrics = &worker->metrics;
	if (!error)
		error = worker_open_links(worker);
	if (!error)
		error = worker_open_conns(worker);
	if (error) {
		close(listening_fd);
		return error;
	}
	return worker_open_listener(worker, listening_fd);
}

void worker_set_site(struct worker *worker, const struct site *site)
{
	conns_set_site(&worker->conns, site);
}

static void run(void *context)
{
	struct worker *worker = context;
	signals_block();
	uv_run(&worker->loop.uv, UV_RUN_DEFAULT);
}

int worker_start(struct worker *worker)
{
	return uv_thread_create(&worker->thread, run, worker);
}

/* ---- calls that are posted ---- */

static void deliver_drain(void *owner, void *subject)
{
	(void)subject;
	struct worker *worker = owner;
	listener_close(&worker->listener);
	bridge_stop_waiting(&worker->bridge);
	conns_drain(&worker->conns);
}

void worker_drain(struct worker *worker)
{
	inbox_post_call(&worker->loop.inbox, &worker->drain, deliver_drain, NULL);
}

static void deliver_abort(void *owner, void *subject)
{
	(void)subject;
	struct worker *worker = owner;
	conns_abort(&worker->conns);
}

void worker_abort(struct worker *worker)
{
	inbox_post_call(&worker->loop.inbox, &worker->abort, deliver_abort, NULL);
}

static void deliver_quit(void *owner, void *subject)
{
	(void)subject;
	struct worker *worker = owner;
	redis_link_close(&worker->commands);
	bridge_close(&worker->bridge);
}

void worker_quit(struct worker *worker)
{
	inbox_post_call(&worker->loop.inbox, &worker->quit, deliver_quit, NULL);
}

static void deliver_finish(void *owner, void *subject)
{
	(void)subject;
	struct worker *worker = owner;
	event_loop_close(&worker->loop);
}

void worker_finish(struct worker *worker)
{
	inbox_post_call(&worker->loop.inbox, &worker->finish, deliver_finish, NULL);
}

static void deliver_reload(void *owner, void *subject)
{
	struct worker *worker = owner;
	const struct generation *generation = subject;
	worker->conns.shared.settings = generation->settings;
	worker->conns.shared.tls = generation->tls;
	/* first, as the connections may want more channels than the old limit permits */
	bridge_set_settings(&worker->bridge, generation->settings);
	conns_settings_changed(&worker->conns);
	sessions_set_settings(&worker->sessions, generation->settings);
	redis_link_log_in_again(&worker->commands);
	worker->followed = generation;
	worker->setup->events->on_reloaded(worker);
}

void worker_reload(struct worker *worker, struct generation *generation)
{
	inbox_post_call(&worker->loop.inbox, &worker->reload, deliver_reload, generation);
}

void worker_join(struct worker *worker)
{
	uv_thread_join(&worker->thread);
	conns_finish(&worker->conns);
	sessions_finish(&worker->sessions);
	bridge_finish(&worker->bridge);
	event_loop_finish(&worker->loop);
}
