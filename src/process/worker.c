/* How a worker ends, so that nobody posts to an inbox that is closed: first all workers drain; then all
 * quit, which closes their links to Redis, so that nothing comes in any more; when all are quiet, no
 * worker can post to another, and all finish: they close their inboxes, and their loops run out of
 * handles. The main thread takes these steps for all workers at once (gateway.c). */
#include "sluice/process/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sluice/base/limit.h"
#include "sluice/base/log.h"
#include "sluice/proto/ws/ws_deflate.h"

enum { READ_BUFFER_SIZE = 65536 };

/* ---- the link for commands ---- */

static void on_command_up(struct redis_link *link)
{
	struct worker *worker = link->owner;
	link_state_up(&worker->command_link);
	sessions_recheck(&worker->sessions);
	tracking_reader_is_up(&worker->tracking);
}

static void on_command_down(struct redis_link *link, const char *reason)
{
	struct worker *worker = link->owner;
	if (link_state_down(&worker->command_link, reason))
		metrics_add(&worker->metrics, METRIC_RECONNECTS_COMMAND, 1);
}

static void on_command_round_trip(struct redis_link *link, uint64_t ns)
{
	struct worker *worker = link->owner;
	metrics_observe(&worker->metrics, HISTOGRAM_REDIS_ROUND_TRIP, ns);
}

static void link_closed(struct worker *worker)
{
	if (--worker->links == 0)
		worker->setup->events->on_quiet(worker);
}

static void on_command_closed(struct redis_link *link)
{
	link_closed(link->owner);
}

static const struct redis_link_events command_events = {
	.on_up = on_command_up,
	.on_down = on_command_down,
	.on_round_trip = on_command_round_trip,
	.on_closed = on_command_closed,
};

/* ---- changed sessions ---- */

/* One of the workers says it for all; they all ask the same Redis. */
static void tell_untracked(struct worker *worker, struct slice problem)
{
	/* the subscribed link is being lost, and the next will have another number */
	bool passes = slice_starts_with(problem, SLICE("ERR The client ID"));
	if (worker->number != 0 || worker->told_untracked || passes)
		return;
	worker->told_untracked = true;
	unsigned sweep_ms = worker->sessions.setup.settings->session.sweep_ms;
	if (sweep_ms)
		log_warn("redis does not tell of changed sessions, only the sweep finds them",
			log_number("session.sweep", sweep_ms / 1000), log_slice("reason", problem));
	else
		log_error(
			"redis does not tell of changed sessions, and with session.sweep 0 nobody "
			"finds them",
			log_slice("reason", problem));
}

/* Redis has tracked nothing since the last time, so what was read meanwhile is read again. */
static void on_tracked(struct tracking *tracking)
{
	struct worker *worker = tracking->owner;
	sessions_recheck(&worker->sessions);
}

static void on_untracked(struct tracking *tracking, struct slice problem)
{
	tell_untracked(tracking->owner, problem);
}

static const struct tracking_events tracking_events = {
	.on_tracked = on_tracked,
	.on_refused = on_untracked,
};

static void on_listening(struct bridge *bridge, uint64_t client, struct slice problem)
{
	struct worker *worker = bridge->owner;
	if (!client)
		tell_untracked(worker, problem);
	tracking_set_listener(&worker->tracking, client);
}

static void on_bridge_down(struct bridge *bridge)
{
	struct worker *worker = bridge->owner;
	tracking_set_listener(&worker->tracking, 0);
}

static void on_invalidated(struct bridge *bridge, struct slice key)
{
	struct worker *worker = bridge->owner;
	sessions_invalidated(&worker->sessions, key);
}

static void on_bridge_closed(struct bridge *bridge)
{
	link_closed(bridge->owner);
}

static void on_gap(struct bridge *bridge, uint64_t homes)
{
	struct worker *worker = bridge->owner;
	conns_on_gap(&worker->conns, homes);
}

static const struct bridge_events bridge_events = {
	.on_confirmed = conn_on_confirmed,
	.on_publication = conn_on_publication,
	.on_gap = on_gap,
	.on_dropped = conn_on_dropped,
	.on_listening = on_listening,
	.on_invalidated = on_invalidated,
	.on_down = on_bridge_down,
	.on_closed = on_bridge_closed,
};

/* ---- other events ---- */

static void on_accept(struct listener *listener, int fd, const struct sockaddr_storage *peer)
{
	struct worker *worker = listener->owner;
	conns_accept(&worker->conns, fd, peer);
}

static bool may_accept(struct listener *listener)
{
	struct worker *worker = listener->owner;
	if (quota_has_socket(worker->setup->quota))
		return true;
	conns_make_room(&worker->conns);
	return false;
}

static void on_pause(struct listener *listener)
{
	struct worker *worker = listener->owner;
	metrics_add(&worker->metrics, METRIC_ACCEPT_PAUSES_TOTAL, 1);
	limit_hit(&worker->metrics, METRIC_LIMIT_DESCRIPTORS);
}

static const struct listener_events listener_events = {
	.on_accept = on_accept,
	.may_accept = may_accept,
	.on_pause = on_pause,
};

static void on_empty(struct conns *conns)
{
	struct worker *worker = container_of(conns, struct worker, conns);
	worker->setup->events->on_drained(worker);
}

/* libuv counts the time that the loop has waited; the rest of the time between two ends of a turn is
 * what the turn was busy. */
static void on_turn_end(uv_prepare_t *handle)
{
	struct worker *worker = container_of(handle, struct worker, turn_end);
	uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(&worker->loop);
	if (worker->turn_began_ns)
		metrics_observe(&worker->metrics, HISTOGRAM_LOOP_TURN,
			now - worker->turn_began_ns - (idle - worker->idle_ns));
	metrics_set(&worker->metrics, METRIC_QUEUED_BYTES, (int64_t)worker->stream_loop.queued);
	metrics_set(&worker->metrics, METRIC_COMPRESSIONS_TOTAL,
		(int64_t)ws_deflater_count(worker->conns.deflater));
	worker->turn_began_ns = now;
	worker->idle_ns = idle;
}

/* ---- opening ---- */

static int open_loop(struct worker *worker)
{
	int error = uv_loop_init(&worker->loop);
	if (!error)
		error = uv_loop_configure(&worker->loop, UV_METRICS_IDLE_TIME);
	/* libuv runs the handle that was started last first: what the turn's end writes is measured. */
	if (!error)
		error = uv_prepare_init(&worker->loop, &worker->turn_end);
	if (!error)
		error = uv_prepare_start(&worker->turn_end, on_turn_end);
	if (!error)
		error = turn_open(&worker->turn, &worker->loop);
	if (!error)
		error = deadlines_open(&worker->deadlines, &worker->loop);
	if (!error)
		error = inbox_open(&worker->inbox, &worker->loop, worker);
	uv_unref((uv_handle_t *)&worker->turn_end);
	worker->stream_loop = (struct stream_loop){
		.loop = &worker->loop,
		.turn = &worker->turn,
		.read_buffer = malloc(READ_BUFFER_SIZE),
		.read_buffer_size = READ_BUFFER_SIZE,
	};
	if (!error && !worker->stream_loop.read_buffer)
		error = -ENOMEM;
	return error ? error : stream_loop_open(&worker->stream_loop);
}

static int open_links(struct worker *worker)
{
	const struct worker_setup *setup = worker->setup;
	const struct bridge_setup bridge = {
		.all = setup->bridges,
		.n = setup->n,
		.self = worker->number,
		.inbox = &worker->inbox,
		.metrics = &worker->metrics,
		.redis = setup->redis,
		.settings = setup->settings,
	};
	tracking_init(&worker->tracking, &worker->commands, &tracking_events, worker);
	int error = redis_link_open(&worker->commands, &worker->stream_loop, &worker->deadlines,
		setup->redis, &command_events, worker);
	if (!error)
		error = bridge_open(&worker->bridge, &worker->stream_loop, &worker->deadlines,
			&bridge, &bridge_events, worker);
	worker->links = 2;
	return error;
}

static int open_conns(struct worker *worker)
{
	const struct worker_setup *setup = worker->setup;
	const struct sessions_setup sessions = {
		.link = &worker->commands,
		.settings = setup->settings,
		.metrics = &worker->metrics,
		.loop = &worker->loop,
		.deadlines = &worker->deadlines,
		.events = &conn_session_events,
	};
	sessions_init(&worker->sessions, &sessions);
	worker->conns = (struct conns){
		.shared = &worker->stream_loop,
		.deadlines = &worker->deadlines,
		.settings = setup->settings,
		.tls = setup->tls,
		.sessions = &worker->sessions,
		.bridge = &worker->bridge,
		.quota = setup->quota,
		.metrics = &worker->metrics,
		.on_empty = on_empty,
	};
	return conns_open(&worker->conns);
}

int worker_open(
	struct worker *worker, const struct worker_setup *setup, unsigned number, int listening_fd)
{
	*worker = (struct worker){ .setup = setup, .number = number };
	link_state_init(&worker->command_link, "command", number);
	int error = open_loop(worker);
	if (!error)
		error = open_links(worker);
	if (!error)
		error = open_conns(worker);
	if (error) {
		close(listening_fd);
		return error;
	}
	return listener_open(&worker->listener, &worker->loop, &worker->deadlines, listening_fd,
		&listener_events, worker);
}

void worker_set_site(struct worker *worker, const struct site *site)
{
	worker->conns.site = site;
}

static void run(void *context)
{
	struct worker *worker = context;
	uv_run(&worker->loop, UV_RUN_DEFAULT);
}

int worker_start(struct worker *worker)
{
	return uv_thread_create(&worker->thread, run, worker);
}

/* ---- what is posted ---- */

static void post(struct worker *worker, void (*deliver)(void *owner, void *subject), void *subject)
{
	/* A process that cannot even be told to end has no better way. */
	MUST(inbox_post(&worker->inbox, deliver, subject) == 0);
}

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
	post(worker, deliver_drain, NULL);
}

static void deliver_abort(void *owner, void *subject)
{
	(void)subject;
	struct worker *worker = owner;
	conns_abort(&worker->conns);
}

void worker_abort(struct worker *worker)
{
	post(worker, deliver_abort, NULL);
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
	post(worker, deliver_quit, NULL);
}

static void deliver_finish(void *owner, void *subject)
{
	(void)subject;
	struct worker *worker = owner;
	uv_close((uv_handle_t *)&worker->turn_end, NULL);
	deadlines_close(&worker->deadlines);
	turn_close(&worker->turn);
	stream_loop_close(&worker->stream_loop);
	inbox_close(&worker->inbox);
}

void worker_finish(struct worker *worker)
{
	post(worker, deliver_finish, NULL);
}

struct reload {
	const struct settings *settings;
	struct tls_settings *tls;
};

static void deliver_reload(void *owner, void *subject)
{
	struct worker *worker = owner;
	struct reload *reload = subject;
	worker->conns.settings = reload->settings;
	worker->conns.tls = reload->tls;
	conns_settings_changed(&worker->conns);
	sessions_set_settings(&worker->sessions, reload->settings);
	bridge_set_settings(&worker->bridge, reload->settings);
	free(reload);
}

void worker_reload(struct worker *worker, const struct settings *settings, struct tls_settings *tls)
{
	struct reload *reload = malloc(sizeof(*reload));
	MUST(reload);
	*reload = (struct reload){ settings, tls };
	post(worker, deliver_reload, reload);
}

void worker_join(struct worker *worker)
{
	uv_thread_join(&worker->thread);
	conns_finish(&worker->conns);
	sessions_finish(&worker->sessions);
	bridge_finish(&worker->bridge);
	inbox_finish(&worker->inbox);
	free(worker->stream_loop.read_buffer);
	MUST(uv_loop_close(&worker->loop) == 0);
}
