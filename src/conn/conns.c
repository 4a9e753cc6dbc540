/* The connections of a worker.
 *
 * The drain closes connections in the order in which they were accepted. At every step it computes
 * how many should be closed by now, total x elapsed / duration, and closes as many. So any number
 * is spread evenly, with one deadline for all. Clients that have not answered their close frame
 * DRAIN_GRACE_MS after the end are cut off: whoever started the drain kills the process soon. */
#include "sluice/conn/conns.h"

#include "sluice/conn/open/dialects.h"
#include "sluice/conn/open/ws.h"
#include "sluice/conn/opening/half_open.h"
#include "sluice/conn/opening/request.h"

enum { DRAIN_STEP_MS = 50, DRAIN_GRACE_MS = 1000, WAITING_AT_ONCE = 64 };

static struct conn *conn_of(struct list *node)
{
	return container_of(node, struct conn, link);
}

/* ---- the drain ---- */

static void on_conn_closed(struct conn_shared *shared)
{
	struct conns *conns = container_of(shared, struct conns, shared);
	if (!shared->draining || shared->count)
		return;
	deadline_clear(shared->deadlines, &conns->drain);
	conns->on_empty(conns);
}

static void drain_one(struct conn *conn)
{
	if (conn->phase->on_drain)
		conn->phase->on_drain(conn);
}

/* How many connections should be closed by now. Rounded up, so that the first is closed at once. */
static size_t drain_due(const struct conns *conns)
{
	uint64_t elapsed = uv_now(conns->shared.streams->loop) - conns->drain_begin;
	uint64_t duration = conns->shared.settings->drain_ms;
	if (elapsed >= duration)
		return SIZE_MAX;
	return (size_t)((conns->drain_total * elapsed + duration - 1) / duration);
}

static bool drain_is_over(const struct conns *conns)
{
	uint64_t elapsed = uv_now(conns->shared.streams->loop) - conns->drain_begin;
	return elapsed >= (uint64_t)conns->shared.settings->drain_ms + DRAIN_GRACE_MS;
}

static void on_drain_due(struct deadline *deadline)
{
	struct conns *conns = container_of(deadline, struct conns, drain);
	if (drain_is_over(conns)) {
		conns_abort(conns);
		return;
	}
	size_t due = drain_due(conns);
	LIST_EACH_SAFE (node, &conns->shared.all) {
		struct conn *conn = conn_of(node);
		if (!conn_is_open(conn)) {
			drain_one(conn);
		} else if (conns->drain_closed < due) {
			conns->drain_closed++;
			drain_one(conn);
		}
	}
	/* After its time the drain continues for connections that were still opening. */
	deadline_set(conns->shared.deadlines, &conns->drain, DRAIN_STEP_MS, on_drain_due);
}

void conns_drain(struct conns *conns)
{
	struct conn_shared *shared = &conns->shared;
	if (shared->draining)
		return;
	shared->draining = true;
	conns->drain_begin = uv_now(shared->streams->loop);
	conns->drain_total = 0;
	LIST_EACH (node, &shared->all)
		conns->drain_total += conn_is_open(conn_of(node));
	if (shared->count == 0)
		conns->on_empty(conns);
	else
		deadline_set(shared->deadlines, &conns->drain, DRAIN_STEP_MS, on_drain_due);
}

void conns_abort(struct conns *conns)
{
	LIST_EACH_SAFE (node, &conns->shared.all)
		conn_abort(conn_of(node));
}

/* ---- notifications ---- */

void conns_on_gap(struct conns *conns, uint64_t homes)
{
	LIST_EACH_SAFE (node, &conns->shared.all) {
		struct conn *conn = conn_of(node);
		if (conn->phase->on_gap)
			conn->phase->on_gap(conn, homes);
	}
}

/* Connections with a session are notified by the sessions, too, when they have been read. That may
 * take long; what the new rules allow to nobody ends now. */
void conns_settings_changed(struct conns *conns)
{
	ws_shared_set_settings(&conns->ws, conns->shared.settings);
	LIST_EACH_SAFE (node, &conns->shared.all) {
		struct conn *conn = conn_of(node);
		if (conn->session.session)
			conn_rules_changed(conn);
		else
			conn_login_changed(conn, NULL);
	}
}

/* ---- the beginning ---- */

void conns_accept(struct conns *conns, int fd, const struct sockaddr_storage *peer)
{
	request_begin(&conns->shared, fd, peer);
}

void conns_make_room(struct conns *conns)
{
	if (half_open_make_room(&conns->opening) == 0)
		newcomers_shed(&conns->shared.streams->newcomers, WAITING_AT_ONCE);
}

int conns_open(struct conns *conns)
{
	conns->shared.opening = &conns->opening;
	conns->shared.open = &conns->open;
	conns->shared.on_closed = on_conn_closed;
	conn_shared_init(&conns->shared);
	opening_shared_init(&conns->opening);
	conns->open = (struct open_shared){ .dialects = dialects, .ws = &conns->ws };
	return ws_shared_init(&conns->ws, dialects, &ws_reader_events, conns->shared.settings);
}

void conns_set_site(struct conns *conns, const struct site *site)
{
	conns->opening.site = site;
}

void conns_finish(struct conns *conns)
{
	conn_shared_finish(&conns->shared);
	opening_shared_finish(&conns->opening);
	ws_shared_finish(&conns->ws);
}
