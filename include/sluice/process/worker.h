/* One thread: a libuv loop, its listening socket, its connections, its hub, and two links to Redis,
 * one for commands and one for subscriptions.
 *
 * The main thread opens everything before any worker runs. From worker_start to worker_join it
 * belongs to the worker's thread, and the main thread only posts to its inbox. */
#ifndef SLUICE_PROCESS_WORKER_H
#define SLUICE_PROCESS_WORKER_H

#include <stdbool.h>
#include <uv.h>

#include "sluice/auth/sessions.h"
#include "sluice/base/metrics.h"
#include "sluice/conn/conns.h"
#include "sluice/conn/quota.h"
#include "sluice/feed/bridge.h"
#include "sluice/feed/link_state.h"
#include "sluice/net/listener.h"
#include "sluice/process/event_loop.h"
#include "sluice/process/generation.h"
#include "sluice/redis/tracking.h"
#include "sluice/settings/settings.h"

struct worker;

struct worker_events {
	/* All are called in the worker's thread. */
	void (*on_drained)(struct worker *worker);  /* no connection is left */
	void (*on_quiet)(struct worker *worker);    /* it will not post to other workers any more */
	void (*on_reloaded)(struct worker *worker); /* it follows another generation */
};

/* What all workers share; must outlive them. */
struct worker_setup {
	const struct settings *settings;
	struct tls_settings *tls; /* of the listener, or NULL */
	const struct redis_link_settings *redis;
	struct quota *quota;
	struct newcomers_pace *pace;   /* of limits.tls_handshakes_per_second */
	struct bridge *const *bridges; /* of all workers, by number */
	struct beats *beats;
	struct servers *servers;
	unsigned n;
	const struct worker_events *events;
	void *owner;
};

struct worker {
	const struct worker_setup *setup;
	unsigned number;
	struct metrics metrics;
	struct link_state command_link;
	atomic_bool tracked;                       /* Redis says which sessions have changed */
	const struct generation *_Atomic followed; /* since the last reload, or NULL */
	/* private */
	uv_thread_t thread;
	struct event_loop loop;
	struct listener listener;
	struct redis_link commands;
	struct bridge bridge;
	struct tracking tracking;
	uint64_t listener_id; /* client ID of the subscribed link; 0: none */
	struct sessions sessions;
	struct conns conns;
	struct inbox_call reload, drain, abort, quit, finish; /* to the worker */
	struct inbox_call drained, quiet, reloaded;           /* the owner's, to report them */
	unsigned links;                                       /* not yet closed */
	bool told_untracked;   /* a warning that sessions are not tracked has been logged */
	bool told_unselective; /* the same, that all reads are tracked */
};

/* Opens worker `number` on a listening descriptor, which it takes, also on an error.
 * setup->bridges[number] must be &worker->bridge. 0 or a negative errno, after which the process
 * ends. */
MUST_CHECK int worker_open(
	struct worker *worker, const struct worker_setup *setup, unsigned number, int listening_fd);

/* Sets the site beside the WebSocket endpoint; NULL: none. To be called before worker_start. */
void worker_set_site(struct worker *worker, const struct site *site);

MUST_CHECK int worker_start(struct worker *worker);

/* Posted to the worker's thread, without memory, so they cannot fail. Each is called once, in this order; worker_abort may come at any
 * time. */
void worker_drain(struct worker *worker);  /* -> on_drained */
void worker_abort(struct worker *worker);  /* closes the remaining connections at once */
void worker_quit(struct worker *worker);   /* when all are drained; closes the links -> on_quiet */
void worker_finish(struct worker *worker); /* when all are quiet; the loop ends */

/* Replaces the settings, and the TLS settings for new connections, by those of this generation, which
 * must stay valid, as the older ones must. Posted too. */
void worker_reload(struct worker *worker, struct generation *generation);

/* Waits for the thread and frees everything. */
void worker_join(struct worker *worker);

#endif
