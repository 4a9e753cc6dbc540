/* The main thread. It starts the workers and then only waits: for signals, for the admin port's
 * requests, and for what the workers report into its inbox.
 *
 *	SIGTERM -> all workers drain -> all drained -> all quit -> all quiet -> all finish -> joined
 *
 * A second SIGTERM closes what is left at once; the way to the end is the same. SIGHUP makes new
 * settings and TLS setup and hands them to the workers; the old ones are kept until the end, since a
 * request that is under way may still look at them. */
#include "sluice/process/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sluice/base/buffered.h"
#include "sluice/base/hash.h"
#include "sluice/base/log.h"
#include "sluice/process/admin.h"
#include "sluice/process/cpus.h"
#include "sluice/process/descriptors.h"
#include "sluice/process/worker.h"

enum {
	READ_BUFFER_SIZE = 16384,
	FORCED_END_MS = 1000,
	REDIS_REPLY_BYTES = 64 << 20, /* more than that in one reply, and the link is given up */
};

/* One reading of the configuration, with what is made from it. */
struct generation {
	struct generation *older;
	struct settings *settings;
	struct tls_settings *tls; /* of the listener, or NULL */
};

/* The file of a listening Unix socket, as it was when we bound it: a successor may have put his own
 * in its place by the time we end. */
struct socket_file {
	const char *path; /* NULL: there is none */
	dev_t device;
	ino_t inode;
};

struct gateway {
	const struct gateway_setup *setup;
	struct generation *generation; /* the newest */
	struct quota quota;
	struct redis_link_settings redis;
	struct worker_setup worker_setup;
	unsigned n;
	struct worker *workers;
	struct bridge **bridges;
	unsigned drained, quiet; /* how many workers have reported so */
	bool draining, forced;
	struct address address, admin_address;
	struct socket_file files[2]; /* of the two */
	struct deadline forced_end;  /* after the second signal */
	/* of the main thread */
	uv_loop_t loop;
	struct turn turn;
	struct deadlines deadlines;
	struct inbox inbox;
	struct stream_loop stream_loop;
	uv_signal_t signals[3];
	struct admin admin;
	bool has_admin;
};

/* ---- generations ---- */

/* NULL: why is in the log. `settings` is taken. */
static struct generation *create_generation(struct settings *settings)
{
	char error[TLS_ERROR_MAX];
	struct generation *generation = calloc(1, sizeof(*generation));
	MUST(generation);
	generation->settings = settings;
	if (!*settings->tls_certificate)
		return generation;
	generation->tls = tls_server_create(settings->tls_certificate, settings->tls_key, error);
	if (generation->tls)
		return generation;
	log_error("bad certificate", log_text("reason", error));
	settings_destroy(settings);
	free(generation);
	return NULL;
}

static void destroy_generations(struct generation *generation)
{
	while (generation) {
		struct generation *older = generation->older;
		tls_settings_destroy(generation->tls);
		settings_destroy(generation->settings);
		free(generation);
		generation = older;
	}
}

/* ---- what the admin port shows ---- */

static int print_reasons(void *context, struct buffer *out)
{
	const struct gateway *gateway = context;
	int error = gateway->draining ? buffer_printf(out, "draining\n") : 0;
	for (unsigned i = 0; i < gateway->n && !error; i++) {
		if (!link_state_is_up(&gateway->workers[i].command_link))
			error = buffer_printf(
				out, "worker %u: the link for commands to Redis is down\n", i);
		if (!error && !bridge_is_up(&gateway->workers[i].bridge))
			error = buffer_printf(
				out, "worker %u: the link for subscriptions to Redis is down\n", i);
	}
	return error;
}

static int print_links(const struct gateway *gateway, struct buffer *out)
{
	int error = buffer_printf(out, "# HELP sluice_redis_link_up Is the link to Redis live.\n"
				       "# TYPE sluice_redis_link_up gauge\n");
	for (unsigned i = 0; i < gateway->n && !error; i++)
		error = buffer_printf(out,
			"sluice_redis_link_up{worker=\"%u\",link=\"command\"} %d\n"
			"sluice_redis_link_up{worker=\"%u\",link=\"subscribe\"} %d\n",
			i, link_state_is_up(&gateway->workers[i].command_link), i,
			bridge_is_up(&gateway->workers[i].bridge));
	return error;
}

static int print_metrics(void *context, struct buffer *out)
{
	const struct gateway *gateway = context;
	struct metrics *blocks[HOMES_WORKERS_MAX];
	for (unsigned i = 0; i < gateway->n; i++)
		blocks[i] = &gateway->workers[i].metrics;
	int error = metrics_print(blocks, gateway->n, out);
	if (!error)
		error = print_links(gateway, out);
	if (error)
		return error;
	return buffer_printf(out,
		"# HELP sluice_buffered_bytes Memory of what waits, each publication once.\n"
		"# TYPE sluice_buffered_bytes gauge\n"
		"sluice_buffered_bytes %zu\n"
		"# HELP sluice_build_info The version that runs.\n"
		"# TYPE sluice_build_info gauge\n"
		"sluice_build_info{version=\"" SLUICE_VERSION "\"} 1\n",
		buffered_bytes());
}

/* ---- the way to the end ---- */

static void begin_drain(struct gateway *gateway)
{
	log_info("draining", log_number("seconds", gateway->generation->settings->drain_ms / 1000));
	gateway->draining = true;
	for (unsigned i = 0; i < gateway->n; i++)
		worker_drain(&gateway->workers[i]);
}

static void close_main(struct gateway *gateway)
{
	if (gateway->has_admin)
		admin_close(&gateway->admin);
	for (size_t i = 0; i < COUNT_OF(gateway->signals); i++)
		uv_close((uv_handle_t *)&gateway->signals[i], NULL);
	deadlines_close(&gateway->deadlines);
	turn_close(&gateway->turn);
	stream_loop_close(&gateway->stream_loop);
	inbox_close(&gateway->inbox);
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

static void report(struct worker *worker, void (*deliver)(void *owner, void *subject))
{
	struct gateway *gateway = worker->setup->owner;
	MUST(inbox_post(&gateway->inbox, deliver, NULL) == 0);
}

static void on_drained(struct worker *worker)
{
	report(worker, deliver_drained);
}

static void on_quiet(struct worker *worker)
{
	report(worker, deliver_quiet);
}

static const struct worker_events worker_events = { .on_drained = on_drained,
	.on_quiet = on_quiet };

/* ---- signals ---- */

/* Something does not end, such as the resolver's thread: the process does not wait for it. */
static void on_forced_end(struct deadline *deadline)
{
	struct gateway *gateway = container_of(deadline, struct gateway, forced_end);
	gateway->forced = true;
	uv_stop(&gateway->loop);
}

static void begin_abort(struct gateway *gateway)
{
	deadline_set(&gateway->deadlines, &gateway->forced_end, FORCED_END_MS, on_forced_end);
	if (gateway->drained == gateway->n)
		return;
	for (unsigned i = 0; i < gateway->n; i++)
		worker_abort(&gateway->workers[i]);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
	struct gateway *gateway = handle->data;
	log_info("signal", log_text("name", number == SIGTERM ? "SIGTERM" : "SIGINT"));
	if (!gateway->draining)
		begin_drain(gateway);
	else if (!deadline_is_set(&gateway->forced_end))
		begin_abort(gateway);
}

static bool is_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* What cannot change while it runs is kept as it is, and said. But to turn TLS off by a slip of the
 * pen would send cookies in the clear: such a configuration is refused. */
static bool can_follow(const struct gateway *gateway, struct settings *settings)
{
	const struct settings *now = gateway->generation->settings;
	char url[REDIS_URL_MAX], now_url[REDIS_URL_MAX];
	redis_url_mask(&settings->redis, url, sizeof(url));
	redis_url_mask(&now->redis, now_url, sizeof(now_url));
	if (!is_same(settings->listen, now->listen) || settings->workers != now->workers ||
		!is_same(settings->admin_listen, now->admin_listen) || !is_same(url, now_url))
		log_warn("a change waits for a restart",
			log_text(
				"keys", "one or more of listen, workers, admin.listen, redis.url"));
	if (!*settings->tls_certificate == !*now->tls_certificate)
		return true;
	log_error("bad configuration",
		log_text("problem", "tls cannot be turned on or off without a restart"));
	settings_destroy(settings);
	return false;
}

static void on_reload_signal(uv_signal_t *handle, int number)
{
	(void)number;
	struct gateway *gateway = handle->data;
	if (gateway->draining)
		return;
	struct settings *settings = gateway->setup->reload(gateway->setup->context);
	struct generation *generation =
		settings && can_follow(gateway, settings) ? create_generation(settings) : NULL;
	if (!generation) {
		log_error("configuration not reloaded",
			log_text("remedy", "sluice --check says more"));
		return;
	}
	generation->older = gateway->generation;
	gateway->generation = generation;
	log_setup(settings->log_level, settings->log_json);
	for (unsigned i = 0; i < gateway->n; i++)
		worker_reload(&gateway->workers[i], settings, generation->tls);
	log_info("configuration reloaded");
}

static int watch_signals(struct gateway *gateway)
{
	static const struct {
		int number;
		uv_signal_cb callback;
	} rows[] = { { SIGTERM, on_stop_signal }, { SIGINT, on_stop_signal },
		{ SIGHUP, on_reload_signal } };
	int error = 0;
	for (size_t i = 0; i < COUNT_OF(rows) && !error; i++) {
		uv_signal_t *handle = &gateway->signals[i];
		error = uv_signal_init(&gateway->loop, handle);
		handle->data = gateway;
		if (!error)
			error = uv_signal_start(handle, rows[i].callback, rows[i].number);
	}
	return error;
}

/* ---- opening ---- */

/* Says why the process cannot start. */
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
	int error = uv_loop_init(&gateway->loop);
	if (!error)
		error = turn_open(&gateway->turn, &gateway->loop);
	if (!error)
		error = deadlines_open(&gateway->deadlines, &gateway->loop);
	if (!error)
		error = inbox_open(&gateway->inbox, &gateway->loop, gateway);
	gateway->stream_loop = (struct stream_loop){
		.loop = &gateway->loop,
		.turn = &gateway->turn,
		.read_buffer = malloc(READ_BUFFER_SIZE),
		.read_buffer_size = READ_BUFFER_SIZE,
	};
	MUST(gateway->stream_loop.read_buffer);
	if (!error)
		error = stream_loop_open(&gateway->stream_loop);
	return error ? error : watch_signals(gateway);
}

static void remember_file(struct socket_file *file, const struct address *address)
{
	struct stat info;
	if (address->any.sa_family != AF_UNIX || stat(address->local.sun_path, &info) != 0)
		return;
	*file = (struct socket_file){ address->local.sun_path, info.st_dev, info.st_ino };
}

static void remove_file(const struct socket_file *file)
{
	struct stat info;
	if (file->path && stat(file->path, &info) == 0 && info.st_dev == file->device &&
		info.st_ino == file->inode)
		unlink(file->path);
}

static int bind_address(struct address *address, const char *text, struct socket_file *file)
{
	const char *problem = address_parse(address, slice_of(text));
	int fd = problem ? -EINVAL : listener_bind(address, false);
	if (fd >= 0)
		remember_file(file, address);
	return fd;
}

static int open_admin(struct gateway *gateway)
{
	static struct admin_source source = { .print_reasons = print_reasons,
		.print_metrics = print_metrics };
	source.context = gateway;
	const char *text = gateway->generation->settings->admin_listen;
	char name[ADDRESS_TEXT_MAX];
	if (!*text)
		return 0;
	int fd = bind_address(&gateway->admin_address, text, &gateway->files[1]);
	int error = fd < 0 ? fd
			   : admin_open(&gateway->admin, &gateway->stream_loop, &gateway->deadlines,
				     fd, &source);
	if (error)
		return fail("the admin port", text, error);
	gateway->has_admin = true;
	log_info("admin", log_text("address", address_format(&gateway->admin_address, name)));
	return 0;
}

/* The socket of one worker. The first bind is exclusive, to notice whoever listens there already; TCP
 * sockets that share the port follow, while a Unix socket is one for all. */
static int worker_socket(struct gateway *gateway, int exclusive)
{
	if (gateway->address.any.sa_family == AF_UNIX)
		return fcntl(exclusive, F_DUPFD_CLOEXEC, 0);
	return listener_bind(&gateway->address, true);
}

static int open_workers(struct gateway *gateway)
{
	const char *listen = gateway->generation->settings->listen;
	int exclusive = bind_address(&gateway->address, listen, &gateway->files[0]);
	if (exclusive < 0)
		return fail("the listener", listen, exclusive);
	bool local = gateway->address.any.sa_family == AF_UNIX;
	if (!local)
		close(exclusive);
	int error = 0;
	for (unsigned i = 0; i < gateway->n && !error; i++) {
		gateway->bridges[i] = &gateway->workers[i].bridge;
		int fd = worker_socket(gateway, exclusive);
		error = fd < 0 ? fd
			       : worker_open(&gateway->workers[i], &gateway->worker_setup, i, fd);
		worker_set_site(&gateway->workers[i], gateway->setup->site);
	}
	if (local)
		close(exclusive);
	return error ? fail("the workers", listen, error) : 0;
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
	address_format(&gateway->address, name);
	log_info("listening", log_text("address", name),
		log_text("path", gateway->generation->settings->path),
		log_number("workers", gateway->n), log_text("version", SLUICE_VERSION));
	if (gateway->setup->on_listening)
		gateway->setup->on_listening(gateway->setup->context, name);
	return 0;
}

static int prepare_redis(struct gateway *gateway)
{
	const struct redis_url *url = &gateway->generation->settings->redis;
	char error[TLS_ERROR_MAX];
	gateway->redis =
		(struct redis_link_settings){ .url = url, .reply_bytes = REDIS_REPLY_BYTES };
	if (!url->tls)
		return 0;
	gateway->redis.tls = tls_client_create(url->ca, error);
	if (gateway->redis.tls)
		return 0;
	log_error("cannot start", log_text("what", "TLS to Redis"), log_text("reason", error));
	return EXIT_CANNOT_START;
}

static void prepare_workers(struct gateway *gateway)
{
	const struct settings *settings = gateway->generation->settings;
	gateway->n = settings->workers ? settings->workers : cpus_usable();
	gateway->n = MIN(gateway->n, (unsigned)HOMES_WORKERS_MAX);
	gateway->workers = calloc(gateway->n, sizeof(*gateway->workers));
	gateway->bridges = calloc(gateway->n, sizeof(struct bridge *));
	MUST(gateway->workers && gateway->bridges);
	quota_init(&gateway->quota);
	gateway->worker_setup = (struct worker_setup){
		.settings = settings,
		.tls = gateway->generation->tls,
		.redis = &gateway->redis,
		.quota = &gateway->quota,
		.bridges = gateway->bridges,
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
			log_warn("every web site may open connections with a user's cookie",
				log_text("remedy", "name your sites in \"origins\""));
}

/* Ends the process' memory; after the loops. */
static void finish(struct gateway *gateway)
{
	for (unsigned i = 0; i < gateway->n; i++)
		worker_join(&gateway->workers[i]);
	inbox_finish(&gateway->inbox);
	MUST(uv_loop_close(&gateway->loop) == 0);
	free(gateway->stream_loop.read_buffer);
	free(gateway->workers);
	free(gateway->bridges);
	quota_finish(&gateway->quota);
	tls_settings_destroy(gateway->redis.tls);
	destroy_generations(gateway->generation);
	log_info("ended");
}

int gateway_run(const struct gateway_setup *setup)
{
	static struct gateway
		gateway; /* a process has one; a failed start leaves it to the kernel */
	gateway.setup = setup;
	hash_init();
	signal(SIGPIPE, SIG_IGN);
	descriptors_raise_limit();
	log_setup(setup->settings->log_level, setup->settings->log_json);
	gateway.generation = create_generation(setup->settings);
	if (!gateway.generation)
		return EXIT_CANNOT_START;
	warn_of_traps(gateway.generation->settings);
	prepare_workers(&gateway);
	int status = prepare_redis(&gateway);
	int error = status ? 0 : open_loop(&gateway);
	if (error)
		return fail("the main loop", "", error);
	if (!status)
		status = open_workers(&gateway);
	if (!status)
		status = open_admin(&gateway);
	if (!status)
		status = start_workers(&gateway);
	if (status)
		return status;
	uv_run(&gateway.loop, UV_RUN_DEFAULT);
	/* libuv's handlers are gone; one more signal must not spoil the exit status. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	for (size_t i = 0; i < COUNT_OF(gateway.files); i++)
		remove_file(&gateway.files[i]);
	if (gateway.forced)
		log_warn("ended by force");
	else
		finish(&gateway);
	return 0;
}
