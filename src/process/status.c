#include "sluice/process/status.h"

#include "sluice/base/buffered.h"
#include "sluice/base/log.h"

/* What is wrong with a worker's two links; NULL: nothing. */
static const char *command_problem(const struct worker *worker)
{
	if (!link_state_is_up(&worker->command_link))
		return "the link for commands to Redis is down";
	return look_ups_problem(&worker->sessions.look_ups);
}

static const char *subscribe_problem(struct worker *worker)
{
	if (!bridge_is_up(&worker->bridge))
		return "the link for subscriptions to Redis is down";
	return bridge_problem(&worker->bridge);
}

static int print_problems(const struct status *status, struct buffer *out)
{
	int error = 0;
	for (unsigned i = 0; i < status->n && !error; i++) {
		struct worker *worker = &status->workers[i];
		const char *command = command_problem(worker);
		const char *subscribe = subscribe_problem(worker);
		if (command)
			error = buffer_printf(out, "worker %u: %s\n", i, command);
		if (!error && subscribe)
			error = buffer_printf(out, "worker %u: %s\n", i, subscribe);
	}
	return error;
}

int status_print_reasons(const struct status *status, struct buffer *out)
{
	int error = status->draining ? buffer_printf(out, "draining\n") : 0;
	if (error || status->readiness.ready)
		return error;
	size_t before = out->len;
	error = print_problems(status, out);
	if (!error && out->len == before)
		error = buffer_printf(out, "what was wrong has ended less than a second ago\n");
	return error;
}

/* ---- the watch ---- */

static const char *first_problem(const struct status *status)
{
	const char *problem = NULL;
	for (unsigned i = 0; i < status->n && !problem; i++) {
		problem = command_problem(&status->workers[i]);
		if (!problem)
			problem = subscribe_problem(&status->workers[i]);
	}
	return problem;
}

static bool sessions_are_tracked(const struct status *status)
{
	for (unsigned i = 0; i < status->n; i++)
		if (!atomic_load(&status->workers[i].tracked))
			return false;
	return true;
}

/* The first change of each is the start. */
static void watch_tracking(struct status *status, uint64_t now_ms)
{
	bool before = status->tracking.ready, begun = status->tracking.begun;
	bool now = readiness_note(&status->tracking, !sessions_are_tracked(status), now_ms);
	if (begun && before != now)
		log_info(
			"changed sessions are found", log_text("mode", now ? "redirect" : "sweep"));
}

void status_watch(struct status *status, uint64_t now_ms)
{
	const char *problem = first_problem(status);
	bool before = status->readiness.ready, begun = status->readiness.begun;
	bool now = readiness_note(&status->readiness, problem, now_ms);
	watch_tracking(status, now_ms);
	if (!begun || before == now || status->draining)
		return;
	if (now)
		log_info("ready again");
	else
		log_warn("not ready", log_text("reason", problem));
}

/* A link that has never heard a beat has no sample. */
static int print_silence(struct worker *worker, struct buffer *out)
{
	uint64_t ns = bridge_silence(&worker->bridge);
	if (ns == UINT64_MAX)
		return 0;
	return buffer_printf(out, "sluice_feed_last_beat_seconds{worker=\"%u\",node=\"\"} %.3f\n",
		worker->number, (double)ns / 1e9);
}

static int print_feed(const struct status *status, struct buffer *out)
{
	struct beats *beats = status->workers[0].setup->beats;
	int error = buffer_printf(out,
		"# HELP sluice_feed_lag_seconds How late publications arrive on the latest link.\n"
		"# TYPE sluice_feed_lag_seconds gauge\n"
		"sluice_feed_lag_seconds %.3f\n"
		"# HELP sluice_probe_enabled Whether beats are published and heard.\n"
		"# TYPE sluice_probe_enabled gauge\n"
		"sluice_probe_enabled %d\n"
		"# HELP sluice_feed_last_beat_seconds Time since the last beat on a link for "
		"subscriptions.\n"
		"# TYPE sluice_feed_last_beat_seconds gauge\n",
		(double)beats_lag(beats, uv_hrtime()) / 1e9,
		status->settings->redis_probe && beats_are_allowed(beats));
	for (unsigned i = 0; i < status->n && !error; i++)
		error = print_silence(&status->workers[i], out);
	return error;
}

static int print_links(const struct status *status, struct buffer *out)
{
	int error =
		buffer_printf(out, "# HELP sluice_redis_link_up Whether the link to Redis is up.\n"
				   "# TYPE sluice_redis_link_up gauge\n");
	for (unsigned i = 0; i < status->n && !error; i++)
		error = buffer_printf(out,
			"sluice_redis_link_up{worker=\"%u\",link=\"command\"} %d\n"
			"sluice_redis_link_up{worker=\"%u\",link=\"subscribe\"} %d\n",
			i, link_state_is_up(&status->workers[i].command_link), i,
			bridge_is_up(&status->workers[i].bridge));
	return error;
}

int status_print_metrics(const struct status *status, struct buffer *out)
{
	struct metrics *blocks[HOMES_WORKERS_MAX];
	for (unsigned i = 0; i < status->n; i++)
		blocks[i] = &status->workers[i].metrics;
	int error = metrics_print(blocks, status->n, out);
	if (!error)
		error = print_links(status, out);
	if (!error)
		error = print_feed(status, out);
	if (error)
		return error;
	bool tracked = sessions_are_tracked(status);
	return buffer_printf(out,
		"# HELP sluice_session_watch How changed sessions are found: 1 for the way in "
		"force.\n"
		"# TYPE sluice_session_watch gauge\n"
		"sluice_session_watch{mode=\"resp3\"} 0\n"
		"sluice_session_watch{mode=\"redirect\"} %d\n"
		"sluice_session_watch{mode=\"sweep\"} %d\n"
		"# HELP sluice_buffered_bytes Memory of queued data, counting each publication "
		"once.\n"
		"# TYPE sluice_buffered_bytes gauge\n"
		"sluice_buffered_bytes %zu\n"
		"# HELP sluice_incoming_bytes Memory of handshakes, requests and messages that are "
		"not complete.\n"
		"# TYPE sluice_incoming_bytes gauge\n"
		"sluice_incoming_bytes %zu\n"
		"# HELP sluice_build_info The version of this program.\n"
		"# TYPE sluice_build_info gauge\n"
		"sluice_build_info{version=\"" SLUICE_VERSION "\"} 1\n",
		tracked, !tracked, buffered_bytes(),
		holders_total_bytes(&status->workers[0].setup->quota->incoming));
}
