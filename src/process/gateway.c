/* The main thread. It starts the workers and then only waits for signals, for requests on the admin
 * port, and for reports of the workers to its inbox.
 *
 *	SIGTERM -> all workers drain -> all drained -> all quit -> all quiet -> all finish -> joined
 *
 * A second SIGTERM closes the remaining connections at once; the other steps are the same. SIGHUP
 * makes a new generation of settings and hands it to the workers. */
#include "sluice/process/gateway.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/base/hash.h"
#include "sluice/base/log.h"
#include "sluice/process/admin.h"
#include "sluice/process/cpus.h"
#include "sluice/process/descriptors.h"
#include "sluice/process/generation.h"
#include "sluice/process/listening.h"
#include "sluice/process/sandbox/sandbox.h"
#include "sluice/process/signals.h"
#include "sluice/process/status.h"

enum {
	READ_BUFFER_SIZE = 16384,
	FORCED_END_MS = 1000,
	REDIS_REPLY_BYTES = 64 << 20, /* a longer reply breaks the link */
};

struct gateway {
	const struct gateway_setup *setup;
	struct generation *generation; /* the newest */
	struct quota quota;
	struct newcomers_pace pace;
	struct redis_fixed_place place;
	struct redis_account account;
	struct beats beats;
	struct servers servers;
	struct redis_link_settings redis;
	struct worker_setup worker_setup;
	unsigned n;
	struct worker *workers;
	struct bridge **bridges;
	unsigned drained, quiet; /* workers that have reported it */
	bool forced;
	struct deadline forced_end; /* after the second signal */
	/* of the main thread */
	struct event_loop loop;
	struct signals signals;
	struct sandbox sandbox;
	struct listening listening, admin_listening;
	int sockets[HOMES_WORKERS_MAX]; /* of the workers' listeners */
	int admin_socket;
	struct status status;
	struct deadline watch; /* of the status */
	struct admin admin;
	bool has_admin;
};

/* ---- shutting down ---- */

static void begin_drain(struct gateway *gateway)
{
	log_info("draining", log_number("seconds", gateway->generation->settings->drain_ms / 1000));
	gateway->status.draining = true;
	for (unsigned i = 0; i < gateway->n; i++)
		worker_drain(&gateway->workers[i]);
}

static void on_watch_due(struct deadline *deadline)
{
	struct gateway *gateway = container_of(deadline, struct gateway, watch);
	status_watch(&gateway->status, uv_now(&gateway->loop.uv));
	deadline_set(&gateway->loop.deadlines, deadline, STATUS_WATCH_MS, on_watch_due);
}

static void close_main(struct gateway *gateway)
{
	deadline_clear(&gateway->loop.deadlines, &gateway->watch);
	if (gateway->has_admin)
		admin_close(&gateway->admin);
	sandbox_close(&gateway->sandbox);
	signals_close(&gateway->signals);
	event_loop_close(&gateway->loop);
}

static void deliver_drained(void *owner, void *subject)
{
	(void)subject;
	struct gateway *gateway = owner;
	if (++gateway->drained < gateway->n)
		return;
	for (unsigned i = 0; i < gateway->n; i++)
		worker_quit(&gateway->workers[i]);
}

static void deliver_quiet(void *owner, void *subject)
{
	(void)subject;
	struct gateway *gateway = owner;
	if (++gateway->quiet < gateway->n)
		return;
	for (unsigned i = 0; i < gateway->n; i++)
		worker_finish(&gateway->workers[i]);
	close_main(gateway);
}

static void report(
	struct worker *worker, struct inbox_call *call, void (*deliver)(void *owner, void *subject))
{
	struct gateway *gateway = worker->setup->owner;
	inbox_post_call(&gateway->loop.inbox, call, deliver, NULL);
}

static void on_drained(struct worker *worker)
{
	report(worker, &worker->drained, deliver_drained);
}

static void on_quiet(struct worker *worker)
{
	report(worker, &worker->quiet, deliver_quiet);
}

/* Only when all workers follow the newest generation are the older ones without a user. */
static void deliver_reloaded(void *owner, void *subject)
{
	(void)subject;
	struct gateway *gateway = owner;
	for (unsigned i = 0; i < gateway->n; i++)
		if (gateway->workers[i].followed != gateway->generation)
			return;
	generation_forget_older(gateway->generation);
}

static void on_reloaded(struct worker *worker)
{
	report(worker, &worker->reloaded, deliver_reloaded);
}

static const struct worker_events worker_events = { .on_reloaded = on_reloaded,
	.on_drained = on_drained,
	.on_quiet = on_quiet };

/* Something does not end, such as a resolver thread. The process does not wait for it. */
static void on_forced_end(struct deadline *deadline)
{
	struct gateway *gateway = container_of(deadline, struct gateway, forced_end);
	gateway->forced = true;
	uv_stop(&gateway->loop.uv);
}

static void begin_abort(struct gateway *gateway)
{
	deadline_set(&gateway->loop.deadlines, &gateway->forced_end, FORCED_END_MS, on_forced_end);
	if (gateway->drained == gateway->n)
		return;
	for (unsigned i = 0; i < gateway->n; i++)
		worker_abort(&gateway->workers[i]);
}

/* ---- signals ---- */

static void on_stop(void *owner, const char *name)
{
	struct gateway *gateway = owner;
	log_info("signal", log_text("name", name));
	if (!gateway->status.draining)
		begin_drain(gateway);
	else if (!deadline_is_set(&gateway->forced_end))
		begin_abort(gateway);
}

static void on_reload(void *owner)
{
	struct gateway *gateway = owner;
	if (gateway->status.draining)
		return;
	struct settings *settings = gateway->setup->reload(gateway->setup->context);
	struct generation *generation =
		settings ? generation_create(settings, gateway->generation) : NULL;
	if (!generation) {
		log_error("configuration not reloaded",
			log_text("remedy", "run sluice --check to see the problems; a file in a "
					   "folder that is new to the sandbox needs a restart"));
		return;
	}
	gateway->generation = generation;
	gateway->status.settings = settings;
	if (generation->is_same_redis)
		redis_account_change(
			&gateway->account, &settings->redis.login, generation->redis_tls);
	log_setup(settings->log_level, settings->log_json);
	atomic_store(&gateway->pace.per_second, settings->limits.tls_handshakes_per_second);
	for (unsigned i = 0; i < gateway->n; i++)
		worker_reload(&gateway->workers[i], generation);
	log_info("configuration reloaded");
}

static const struct signals_events signals_events = { .on_stop = on_stop, .on_reload = on_reload };

/* ---- opening ---- */

/* Logs why the process cannot start. Returns its exit status. */
static int fail(const char *what, const char *where, int error)
{
	log_error("cannot start", log_text("what", what), log_text("where", where),
		log_text("reason", strerror(-error)),
		log_text("remedy", error == -EADDRINUSE
					   ? "another program listens there: stop it, or "
					     "choose another address"
					   : "see the reason"));
	return EXIT_CANNOT_START;
}

static int open_loop(struct gateway *gateway)
{
	int error = event_loop_open(&gateway->loop, READ_BUFFER_SIZE, NULL, gateway);
	if (!error)
		error = sandbox_listen(&gateway->sandbox, &gateway->loop.uv);
	if (!error)
		error = signals_open(
			&gateway->signals, &gateway->loop.uv, &signals_events, gateway);
	return error ? fail("the main loop", "", error) : 0;
}

static int bind_admin(struct gateway *gateway)
{
	const char *text = gateway->generation->settings->admin_listen;
	if (!*text)
		return 0;
	int fd = listening_open(&gateway->admin_listening, text);
	if (fd < 0)
		return fail("the admin port", text, fd);
	gateway->admin_socket = fd;
	gateway->has_admin = true;
	return 0;
}

static int open_admin(struct gateway *gateway)
{
	const char *text = gateway->generation->settings->admin_listen;
	char name[ADDRESS_TEXT_MAX];
	if (!gateway->has_admin)
		return 0;
	int error = admin_open(&gateway->admin, &gateway->loop.streams, &gateway->loop.deadlines,
		gateway->admin_socket, &gateway->status);
	if (error)
		return fail("the admin port", text, error);
	log_info("admin port open",
		log_text("address", address_format(&gateway->admin_listening.address, name)));
	return 0;
}

static int bind_listener(struct gateway *gateway)
{
	const char *listen = gateway->generation->settings->listen;
	int error = listening_open_all(&gateway->listening, listen, gateway->n, gateway->sockets);
	return error ? fail("the listener", listen, error) : 0;
}

static int enter_sandbox(struct gateway *gateway)
{
	const struct listening *const sockets[] = { &gateway->listening,
		&gateway->admin_listening };
	bool good = sandbox_enter(&gateway->sandbox, gateway->generation->settings, sockets);
	return good ? 0 : EXIT_CANNOT_START;
}

static int open_worker(struct gateway *gateway, unsigned number)
{
	struct worker *worker = &gateway->workers[number];
	gateway->bridges[number] = &worker->bridge;
	int error = worker_open(worker, &gateway->worker_setup, number, gateway->sockets[number]);
	worker_set_site(worker, gateway->setup->site);
	return error;
}

static int open_workers(struct gateway *gateway)
{
	int error = 0;
	for (unsigned i = 0; i < gateway->n && !error; i++)
		error = open_worker(gateway, i);
	return error ? fail("the workers", gateway->generation->settings->listen, error) : 0;
}

static int start_workers(struct gateway *gateway)
{
	char name[ADDRESS_TEXT_MAX];
	quota_set_sockets_max(&gateway->quota, descriptors_for_browsers(gateway->n));
	for (unsigned i = 0; i < gateway->n; i++) {
		int error = worker_start(&gateway->workers[i]);
		if (error)
			return fail("a thread", "worker", error);
	}
	on_watch_due(&gateway->watch);
	address_format(&gateway->listening.address, name);
	log_info("listening", log_text("address", name),
		log_text("path", gateway->generation->settings->path),
		log_number("workers", gateway->n), log_text("version", SLUICE_VERSION));
	if (gateway->setup->on_listening)
		gateway->setup->on_listening(gateway->setup->context, name);
	return 0;
}

static int prepare_redis(struct gateway *gateway)
{
	const struct generation *generation = gateway->generation;
	const struct redis_url *url = &generation->settings->redis.url;
	redis_fixed_place_init(&gateway->place, url);
	gateway->redis = (struct redis_link_settings){
		.place = &gateway->place.place,
		.account = &gateway->account,
		.database = url->database,
		.reply_bytes = REDIS_REPLY_BYTES,
		.asks_server = true,
	};
	int error = redis_account_init(
		&gateway->account, &generation->settings->redis.login, generation->redis_tls);
	return error ? fail("the links to Redis", "", error) : 0;
}

static void prepare_workers(struct gateway *gateway)
{
	const struct settings *settings = gateway->generation->settings;
	gateway->n = settings->workers ? settings->workers : cpus_usable();
	gateway->n = MIN(gateway->n, (unsigned)HOMES_WORKERS_MAX);
	gateway->workers = calloc(gateway->n, sizeof(*gateway->workers));
	gateway->bridges = calloc(gateway->n, sizeof(struct bridge *));
	MUST(gateway->workers && gateway->bridges);
	gateway->status = (struct status){
		.workers = gateway->workers, .n = gateway->n, .settings = settings
	};
	quota_init(&gateway->quota);
	MUST(beats_init(&gateway->beats, uv_hrtime()) == 0);
	MUST(servers_init(&gateway->servers) == 0);
	atomic_store(&gateway->pace.per_second, settings->limits.tls_handshakes_per_second);
	gateway->worker_setup = (struct worker_setup){
		.settings = settings,
		.tls = gateway->generation->tls,
		.redis = &gateway->redis,
		.quota = &gateway->quota,
		.pace = &gateway->pace,
		.bridges = gateway->bridges,
		.beats = &gateway->beats,
		.servers = &gateway->servers,
		.n = gateway->n,
		.events = &worker_events,
		.owner = gateway,
	};
}

static void warn_of_traps(const struct settings *settings)
{
	if (settings->n_rules == 0)
		log_warn("no channel is allowed", log_text("remedy", "add rules to \"channels\""));
	for (size_t i = 0; i < settings->n_origins; i++)
		if (slice_equal(settings->origins[i], SLICE("*")))
			log_warn("any web site may open connections with a user's cookie",
				log_text("remedy", "name your sites in \"origins\""));
}

/* The exit status; EXIT_SUCCESS: it serves. */
static int open_all(struct gateway *gateway)
{
	int status = prepare_redis(gateway);
	if (status)
		return status;
	status = bind_listener(gateway);
	if (!status)
		status = bind_admin(gateway);
	if (!status)
		status = enter_sandbox(gateway);
	if (!status)
		status = open_loop(gateway);
	if (!status)
		status = open_admin(gateway);
	if (!status)
		status = open_workers(gateway);
	return status ? status : start_workers(gateway);
}

/* Frees everything; after the loops have ended. */
static void finish(struct gateway *gateway)
{
	for (unsigned i = 0; i < gateway->n; i++)
		worker_join(&gateway->workers[i]);
	event_loop_finish(&gateway->loop);
	free(gateway->workers);
	free(gateway->bridges);
	quota_finish(&gateway->quota);
	redis_account_finish(&gateway->account);
	beats_finish(&gateway->beats);
	servers_finish(&gateway->servers);
	generation_destroy_all(gateway->generation);
	log_info("ended");
}

int gateway_run(const struct gateway_setup *setup)
{
	static struct gateway
		gateway; /* one per process; after a failed start the kernel cleans up */
	gateway.setup = setup;
	hash_init();
	signals_begin();
	descriptors_raise_limit();
	log_setup(setup->settings->log_level, setup->settings->log_json);
	sandbox_hide(&gateway.sandbox, setup->settings->sandbox, setup->site ? "--dev" : NULL);
	gateway.generation = generation_create(setup->settings, NULL);
	if (!gateway.generation)
		return EXIT_CANNOT_START;
	warn_of_traps(gateway.generation->settings);
	prepare_workers(&gateway);
	int status = open_all(&gateway);
	if (status)
		return status;
	uv_run(&gateway.loop.uv, UV_RUN_DEFAULT);
	listening_remove_file(&gateway.listening);
	listening_remove_file(&gateway.admin_listening);
	if (gateway.forced)
		log_warn("ended by force");
	else
		finish(&gateway);
	return EXIT_SUCCESS;
}
