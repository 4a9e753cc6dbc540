/* One thread: a libuv loop, its listening socket, its connections, its hub, and two links to Redis, one
 * for commands and one that is only ever subscribed.
 *
 * Everything is opened by the main thread before any worker runs; from worker_start to worker_join it
 * belongs to the worker's thread, and the main thread only posts to its inbox. */
#ifndef SLUICE_PROCESS_WORKER_H
#define SLUICE_PROCESS_WORKER_H

#include <stdbool.h>
#include <uv.h>

#include "sluice/auth/sessions.h"
#include "sluice/base/metrics.h"
#include "sluice/conn/conn.h"
#include "sluice/conn/quota.h"
#include "sluice/feed/bridge.h"
#include "sluice/feed/link_state.h"
#include "sluice/net/inbox.h"
#include "sluice/net/listener.h"
#include "sluice/redis/tracking.h"
#include "sluice/settings/settings.h"

struct worker;

struct worker_events {
	/* Both in the worker's thread. Drained: no connection is left. Quiet: nothing of it will post to
	 * another worker any more. */
	void (*on_drained)(struct worker *worker);
	void (*on_quiet)(struct worker *worker);
};

/* What all workers share; must outlive them. */
struct worker_setup {
	const struct settings *settings;
	struct tls_settings *tls; /* of the listener, or NULL */
	const struct redis_link_settings *redis;
	struct quota *quota;
	struct bridge *const *bridges; /* of all workers, by number */
	unsigned n;
	const struct worker_events *events;
	void *owner;
};

struct worker {
	const struct worker_setup *setup;
	unsigned number;
	struct metrics metrics;
	struct link_state command_link;
	/* private */
	uv_thread_t thread;
	uv_loop_t loop;
	struct turn turn;
	struct deadlines deadlines;
	struct inbox inbox;
	struct stream_loop stream_loop;
	struct listener listener;
	struct redis_link commands;
	struct bridge bridge;
	struct tracking tracking;
	struct sessions sessions;
	struct conns conns;
	uv_prepare_t turn_end; /* measures how long a turn was busy */
	uint64_t turn_began_ns, idle_ns;
	unsigned links;      /* not yet closed */
	bool told_untracked; /* the log has been told that sessions are not tracked */
};

/* Opens worker `number` on a listening descriptor (taken, also on an error). setup->bridges must
 * have its place for &worker->bridge. 0 or a negative errno, after which the process ends. */
MUST_CHECK int worker_open(
	struct worker *worker, const struct worker_setup *setup, unsigned number, int listening_fd);

/* A site beside the endpoint; before worker_start. */
void worker_set_site(struct worker *worker, const struct site *site);

MUST_CHECK int worker_start(struct worker *worker);

/* All four are posted; what they do happens in the worker's thread. Once each, in this order; abort may
 * come any time. */
void worker_drain(struct worker *worker);  /* -> on_drained */
void worker_abort(struct worker *worker);  /* closes what is left at once */
void worker_quit(struct worker *worker);   /* when all are drained; closes the links -> on_quiet */
void worker_finish(struct worker *worker); /* when all are quiet; the loop ends */

/* New settings, and TLS setup for new connections. The old ones must live on. */
void worker_reload(
	struct worker *worker, const struct settings *settings, struct tls_settings *tls);

/* Waits for the thread and frees everything. */
void worker_join(struct worker *worker);

#endif
