/* Connects the parts of a worker: all tables of events are here, and no part refers to another
 * elsewhere.
 *
 *	listener   -> conns      a new connection
 *	commands   -> sessions   the link is up: read again what may have changed meanwhile
 *	           -> tracking   ask Redis again to report changed sessions
 *	bridge     -> conns      confirmations, publications, gaps
 *	           -> tracking   the subscribed link, which is where Redis reports changed sessions
 *	           -> sessions   a changed session
 *	tracking   -> sessions   tracking began anew: read again what changed unreported
 *	sessions   -> conns      how a session is judged, that it has ended */
#include "sluice/base/limit.h"
#include "sluice/base/log.h"
#include "worker_internal.h"

static void note_tracking(struct worker *worker)
{
	atomic_store(&worker->tracked, tracking_is_on(&worker->tracking));
}

/* ---- the link for commands ---- */

/* Redis cannot notify a client of another server: it would notify whoever has this client ID on ours.
 * Then there is no listener, and only the sweep finds changed sessions. False: nothing is tracked. */
static bool begin_tracking(struct worker *worker)
{
	bool divided = bridge_is_divided(&worker->bridge);
	return tracking_set_listener(&worker->tracking, divided ? 0 : worker->listener_id);
}

static void on_command_up(struct redis_link *link)
{
	struct worker *worker = link->owner;
	link_state_up(&worker->command_link);
	bridge_command_up(&worker->bridge);
	sessions_link_up(&worker->sessions);
	if (!begin_tracking(worker))
		sessions_recheck(&worker->sessions);
	note_tracking(worker);
}

static void on_command_down(struct redis_link *link, const char *reason)
{
	struct worker *worker = link->owner;
	if (link_state_down(&worker->command_link, reason))
		metrics_add(&worker->metrics, METRIC_RECONNECTS_COMMAND, 1);
	bridge_command_down(&worker->bridge);
	sessions_link_down(&worker->sessions);
}

static void on_command_round_trip(struct redis_link *link, uint64_t ns)
{
	struct worker *worker = link->owner;
	metrics_observe(&worker->metrics, HISTOGRAM_REDIS_ROUND_TRIP, ns);
}

/* A link that is subscribed cannot log in again, and with a new password it need not: it stays who
 * it was. For another user it is made anew. */
static void on_command_renewed(struct redis_link *link, const char *problem, bool is_other_user)
{
	struct worker *worker = link->owner;
	if (problem) {
		log_error("redis refuses the new log-in, the links go on with the old one",
			log_number("worker", worker->number), log_text("reason", problem),
			log_text("remedy", "correct redis.username or redis.password, and reload"));
		return;
	}
	log_info("redis log-in renewed", log_number("worker", worker->number));
	if (is_other_user)
		bridge_reconnect(&worker->bridge, "another user is to be logged in");
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
	.on_renewed = on_command_renewed,
	.on_round_trip = on_command_round_trip,
	.on_closed = on_command_closed,
};

/* ---- changed sessions ---- */

/* Worker 0 logs it for all workers, as they use the same Redis. */
static void tell_untracked(struct worker *worker, struct slice problem)
{
	/* the subscribed link is being lost; the next link will have another ID */
	bool passes = slice_starts_with(problem, SLICE("ERR The client ID"));
	if (worker->number != 0 || worker->told_untracked || passes)
		return;
	worker->told_untracked = true;
	unsigned sweep_ms = worker->sessions.setup.settings->session.sweep_ms;
	if (sweep_ms)
		log_warn("redis does not report changed sessions, only the sweep finds them",
			log_number("session.sweep", sweep_ms / 1000), log_slice("reason", problem));
	else
		log_error("redis does not report changed sessions, and with session.sweep 0 "
			  "nothing finds them",
			log_slice("reason", problem));
}

/* Until now Redis tracked nothing, so sessions that were read meanwhile are read again. */
static void on_tracked(struct tracking *tracking)
{
	struct worker *worker = tracking->owner;
	note_tracking(worker);
	sessions_recheck(&worker->sessions);
}

static void on_untracked(struct tracking *tracking, struct slice problem)
{
	note_tracking(tracking->owner);
	tell_untracked(tracking->owner, problem);
}

static void on_unselective(struct tracking *tracking, struct slice problem)
{
	struct worker *worker = tracking->owner;
	if (worker->number == 0 && !worker->told_unselective)
		log_warn("redis tracks session ids that strangers make up, too: it needs CLIENT "
			 "TRACKING OPTIN (Redis 6) and the right client|caching",
			log_slice("reason", problem));
	worker->told_unselective = true;
}

static const struct tracking_events tracking_events = {
	.on_tracked = on_tracked,
	.on_refused = on_untracked,
	.on_unselective = on_unselective,
};

static void on_listening(struct bridge *bridge, uint64_t client, struct slice problem)
{
	struct worker *worker = bridge->owner;
	if (!client)
		tell_untracked(worker, problem);
	worker->listener_id = client;
	begin_tracking(worker);
	note_tracking(worker);
}

static void on_bridge_down(struct bridge *bridge)
{
	struct worker *worker = bridge->owner;
	worker->listener_id = 0;
	tracking_set_listener(&worker->tracking, 0);
	note_tracking(worker);
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
	.on_refused = conn_on_refused,
	.on_publication = conn_on_publication,
	.on_gap = on_gap,
	.on_dropped = conn_on_dropped,
	.on_listening = on_listening,
	.on_invalidated = on_invalidated,
	.on_down = on_bridge_down,
	.on_closed = on_bridge_closed,
};

/* ---- connections ---- */

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

/* ---- opening ---- */

int worker_open_links(struct worker *worker)
{
	const struct worker_setup *setup = worker->setup;
	const struct bridge_setup bridge = {
		.all = setup->bridges,
		.n = setup->n,
		.self = worker->number,
		.inbox = &worker->loop.inbox,
		.metrics = &worker->metrics,
		.redis = setup->redis,
		.commands = &worker->commands,
		.beats = setup->beats,
		.servers = setup->servers,
		.settings = setup->settings,
	};
	tracking_init(&worker->tracking, &worker->commands, &tracking_events, worker);
	int error = redis_link_open(&worker->commands, &worker->loop.streams,
		&worker->loop.deadlines, setup->redis, &command_events, worker);
	if (!error)
		error = bridge_open(&worker->bridge, &worker->loop.streams, &worker->loop.deadlines,
			&bridge, &bridge_events, worker);
	worker->links = 2;
	return error;
}

int worker_open_conns(struct worker *worker)
{
	const struct worker_setup *setup = worker->setup;
	const struct sessions_setup sessions = {
		.link = &worker->commands,
		.tracking = &worker->tracking,
		.settings = setup->settings,
		.metrics = &worker->metrics,
		.loop = &worker->loop.uv,
		.deadlines = &worker->loop.deadlines,
		.turn = &worker->loop.turn,
		.events = &conn_session_events,
	};
	sessions_init(&worker->sessions, &sessions);
	worker->conns = (struct conns){
		.shared = {
			.streams = &worker->loop.streams,
			.deadlines = &worker->loop.deadlines,
			.settings = setup->settings,
			.tls = setup->tls,
			.sessions = &worker->sessions,
			.bridge = &worker->bridge,
			.quota = setup->quota,
			.metrics = &worker->metrics,
		},
		.on_empty = on_empty,
	};
	return conns_open(&worker->conns);
}

int worker_open_listener(struct worker *worker, int fd)
{
	int error = listener_open(&worker->listener, &worker->loop.uv, &worker->loop.deadlines, fd,
		&listener_events, worker);
	worker->listener.newcomers = &worker->loop.streams.newcomers;
	return error;
}
