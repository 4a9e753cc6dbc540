/*
 * Opens WebSocket connections, publishes, and counts what comes back. It does one phase after the
 * other, on the same connections, and says what each came to in one line of JSON:
 *
 *     load --port 8080 --redis-port 6379 --connections 1000 --server-pid 12 open paced flat
 *
 *     open    as many handshakes as --at-once are under way
 *     storm   all at once
 *     idle    holds the connections for --seconds
 *     secure  a TLS handshake for each connection, which is closed then; --resume: all but the first
 *             resume its session
 *     paced   --rate publications a second for --seconds
 *     flat    as many as come back: never more than --window are under way, so that what Redis
 *             holds back for a slow subscriber is never the limit
 *
 * With --tls the connections use TLS 1.2. A --channel with "{n}" in it means one for each connection, and the publications are spread over
 * them; else each publication is for all connections.
 *
 * Every delivery is counted, checked to be the next one and timed, from the moment before the command
 * is written to the one after the read. What this program used itself is told beside what the server
 * used: where the first comes near the time that has passed, it was the generator that was measured.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crowd.h"
#include "publisher.h"
#include "usage.h"

#define QUIET        (5 * SECOND) /* without a delivery: no more will come */
#define TURN_MOST    (SECOND / 10)
#define TICK         (SECOND / 1000) /* publications that are due within it leave in one write */
#define COOKIES_MOST 100000

struct load {
	struct crowd crowd;
	struct publisher publisher;
	struct processes server, redis, self;
	const char *channel, *cookies_file;
	uint16_t redis_port, http_port;
	uint32_t at_once;
	double rate, seconds;
	size_t size;
	uint64_t window;
};

/* What a phase is the difference of. */
struct moment {
	int64_t at;
	struct usage server, redis, self;
	uint64_t deliveries, published, replies, receivers, bytes;
};

static _Noreturn void fail(const char *what, int error)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(-error));
	exit(1);
}

static struct moment moment_now(const struct load *load)
{
	return (struct moment){ .at = clock_now(),
		.server = usage_now(&load->server),
		.redis = usage_now(&load->redis),
		.self = usage_now(&load->self),
		.deliveries = load->crowd.deliveries,
		.published = load->publisher.published,
		.replies = load->publisher.replies,
		.receivers = load->publisher.receivers,
		.bytes = load->crowd.bytes };
}

/* ---- phases: each gives the time at which it was over ---- */

static int64_t settle(struct load *load, uint32_t at_once)
{
	struct crowd *crowd = &load->crowd;
	int64_t deadline = clock_now() + 60 * SECOND;
	while (!crowd_is_settled(crowd) && clock_now() < deadline) {
		crowd_begin(crowd, at_once);
		crowd_turn(crowd, deadline);
	}
	return clock_now();
}

static int64_t phase_open(struct load *load)
{
	return settle(load, load->at_once);
}

static int64_t phase_storm(struct load *load)
{
	return settle(load, UINT32_MAX);
}

static int64_t phase_idle(struct load *load)
{
	int64_t end = clock_now() + (int64_t)(load->seconds * SECOND);
	while (clock_now() < end)
		crowd_turn(&load->crowd, end);
	return clock_now();
}

static int64_t phase_secure(struct load *load)
{
	struct crowd *crowd = &load->crowd;
	if (!crowd->is_secure)
		fail("the phase secure needs --tls", -EINVAL);
	crowd->only_secures = true;
	if (crowd->secure.resumes) { /* the others need its session */
		crowd_begin(crowd, 1);
		while (crowd->open + crowd->refused == 0)
			crowd_turn(crowd, clock_now() + TURN_MOST);
	}
	return settle(load, load->at_once);
}

static bool is_spread(const struct load *load)
{
	return strstr(load->channel, "{n}") != NULL;
}

static uint64_t deliveries_of(const struct load *load, uint64_t publications)
{
	return is_spread(load) ? publications : publications * load->crowd.open;
}

static void publish(struct load *load, uint64_t count)
{
	for (; count > 0; count--) {
		char channel[256];
		uint64_t number = load->publisher.published;
		crowd_expand(load->channel, crowd_receiver(&load->crowd, number), channel,
			sizeof channel);
		crowd_published(&load->crowd, number);
		int error = publisher_add(&load->publisher, channel);
		if (error)
			fail("cannot publish", error);
	}
	int error = publisher_flush(&load->publisher);
	if (error)
		fail("cannot publish", error);
}

/* Reads until all is there; gives the time of the last delivery, not of giving up. */
static int64_t drain(struct load *load, uint64_t wanted)
{
	struct crowd *crowd = &load->crowd;
	int64_t last = clock_now();
	for (uint64_t had = crowd->deliveries; crowd->deliveries < wanted;) {
		crowd_turn(crowd, last + QUIET);
		if (crowd->deliveries > had)
			last = clock_now();
		else if (clock_now() >= last + QUIET)
			break;
		had = crowd->deliveries;
	}
	int error = publisher_settle(&load->publisher);
	if (error)
		fail("no reply to a publication", error);
	return last;
}

static int64_t phase_paced(struct load *load)
{
	const uint64_t total = (uint64_t)llround(load->rate * load->seconds);
	const double step = SECOND / load->rate;
	const uint64_t wanted = load->crowd.deliveries + deliveries_of(load, total);
	const int64_t began = clock_now();
	for (uint64_t done = 0; done < total;) {
		int64_t passed = clock_now() - began;
		uint64_t due = (uint64_t)((double)passed / step) + 1;
		if (due > total)
			due = total;
		publish(load, due - done);
		done = due;
		int64_t next = began + (int64_t)((double)done * step);
		if (next < began + passed + TICK)
			next = began + passed + TICK;
		while (clock_now() < next)
			crowd_turn(&load->crowd, next);
	}
	return drain(load, wanted);
}

/* Refills in lumps of an eighth, because a write for each publication would be the generator's cost. */
static int64_t phase_flat(struct load *load)
{
	struct crowd *crowd = &load->crowd;
	const int64_t end = clock_now() + (int64_t)(load->seconds * SECOND);
	const uint64_t before = crowd->deliveries;
	uint64_t published = 0;
	while (clock_now() < end) {
		uint64_t back = (crowd->deliveries - before) / deliveries_of(load, 1);
		uint64_t room = load->window - (published - back);
		if (room >= load->window / 8 && room > 0) {
			publish(load, room);
			published += room;
		}
		crowd_turn(crowd, clock_now() + TURN_MOST);
	}
	return drain(load, before + deliveries_of(load, published));
}

static const struct phase {
	const char *name;
	int64_t (*run)(struct load *load);
	bool publishes;
} PHASES[] = { { "open", phase_open, false }, { "storm", phase_storm, false },
	{ "idle", phase_idle, false }, { "secure", phase_secure, false },
	{ "paced", phase_paced, true }, { "flat", phase_flat, true } };

/* ---- the report ---- */

static double in_us(int64_t nanoseconds)
{
	return (double)nanoseconds / 1000;
}

static void report_usage(const char *name, const struct usage *from, const struct usage *to)
{
	printf(",\"%s\":{\"cpu_us\":%.1f,\"rss_kib\":[%" PRId64 ",%" PRId64
	       "],\"own_kib\":[%" PRId64 ",%" PRId64 "]}",
		name, in_us(to->cpu - from->cpu), from->resident, to->resident, from->own, to->own);
}

static void report(const struct load *load, const char *phase, const struct moment *from,
	const struct moment *to, int64_t ended)
{
	const struct crowd *crowd = &load->crowd;
	uint64_t published = to->published - from->published, replies = to->replies - from->replies;
	printf("{\"phase\":\"%s\",\"seconds\":%.6f", phase, (double)(ended - from->at) / SECOND);
	printf(",\"connections\":%u,\"open\":%u,\"refused\":%u,\"lost\":%u", crowd->count,
		crowd->open, crowd->refused, crowd->lost);
	printf(",\"resumed\":%" PRIu64, crowd->secure.resumed);
	printf(",\"publications\":%" PRIu64 ",\"receivers\":%.3f", published,
		replies ? (double)(to->receivers - from->receivers) / (double)replies : 0.0);
	printf(",\"expected\":%" PRIu64 ",\"deliveries\":%" PRIu64 ",\"misordered\":%" PRIu64
	       ",\"bytes\":%" PRIu64,
		deliveries_of(load, published), to->deliveries - from->deliveries,
		crowd->misordered, to->bytes - from->bytes);
	printf(",\"latency_us\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}",
		in_us(latency_quantile(&crowd->latency, 0.50)),
		in_us(latency_quantile(&crowd->latency, 0.99)), in_us(crowd->latency.longest));
	report_usage("server", &from->server, &to->server);
	report_usage("redis", &from->redis, &to->redis);
	report_usage("load", &from->self, &to->self);
	printf("}\n");
	fflush(stdout);
}

static void run_phase(struct load *load, const struct phase *phase)
{
	load->crowd.latency = (struct latency){ 0 };
	load->crowd.misordered = 0;
	struct moment from = moment_now(load);
	int64_t ended = phase->run(load);
	struct moment to = moment_now(load);
	report(load, phase->name, &from, &to, ended);
}

static const struct phase *find_phase(const char *name)
{
	for (size_t i = 0; i < sizeof PHASES / sizeof PHASES[0]; i++)
		if (strcmp(PHASES[i].name, name) == 0)
			return &PHASES[i];
	fprintf(stderr, "load: \"%s\" is no phase\n", name);
	exit(2);
}

/* ---- set-up ---- */

static const struct option OPTIONS[] = { { "port", required_argument, NULL, 'p' },
	{ "redis-port", required_argument, NULL, 'r' },
	{ "http-port", required_argument, NULL, 'h' },
	{ "server-pid", required_argument, NULL, 's' },
	{ "redis-pid", required_argument, NULL, 'R' },
	{ "connections", required_argument, NULL, 'n' }, { "path", required_argument, NULL, 'P' },
	{ "cookies", required_argument, NULL, 'c' }, { "header", required_argument, NULL, 'H' },
	{ "channel", required_argument, NULL, 'C' }, { "at-once", required_argument, NULL, 'a' },
	{ "rate", required_argument, NULL, 'e' }, { "seconds", required_argument, NULL, 't' },
	{ "size", required_argument, NULL, 'z' }, { "window", required_argument, NULL, 'w' },
	{ "tls", no_argument, NULL, 'T' }, { "resume", no_argument, NULL, 'S' }, { 0 } };

static uint64_t number_of(const char *text)
{
	char *end;
	uint64_t number = strtoull(text, &end, 10);
	if (end == text || *end != '\0')
		fail(text, -EINVAL);
	return number;
}

static void take_processes(struct processes *processes, const char *text)
{
	int error = processes_parse(processes, text);
	if (error)
		fail(text, error);
}

/* A header line wants an end, and the option's value has none. */
static const char *header_line(const char *text)
{
	size_t size = strlen(text) + 3;
	char *line = malloc(size);
	if (!line)
		fail("--header", -ENOMEM);
	snprintf(line, size, "%s\r\n", text);
	return line;
}

static void take_option(struct load *load, int option)
{
	switch (option) {
	case 'p':
		load->crowd.port = (uint16_t)number_of(optarg);
		break;
	case 'r':
		load->redis_port = (uint16_t)number_of(optarg);
		break;
	case 'h':
		load->http_port = (uint16_t)number_of(optarg);
		break;
	case 's':
		take_processes(&load->server, optarg);
		break;
	case 'R':
		take_processes(&load->redis, optarg);
		break;
	case 'n':
		load->crowd.count = (uint32_t)number_of(optarg);
		break;
	case 'P':
		load->crowd.path = optarg;
		break;
	case 'c':
		load->cookies_file = optarg;
		break;
	case 'H':
		load->crowd.extra_header = header_line(optarg);
		break;
	case 'C':
		load->channel = optarg;
		break;
	case 'a':
		load->at_once = (uint32_t)number_of(optarg);
		break;
	case 'e':
		load->rate = (double)number_of(optarg);
		break;
	case 't':
		load->seconds = strtod(optarg, NULL);
		break;
	case 'z':
		load->size = number_of(optarg);
		break;
	case 'w':
		load->window = number_of(optarg);
		break;
	case 'T':
		load->crowd.is_secure = true;
		break;
	case 'S':
		load->crowd.secure.resumes = true;
		break;
	default:
		exit(2);
	}
}

/* One a line; there must be enough for everyone, because one that is used twice is another test. */
static const char *const *read_cookies(const char *path, uint32_t count)
{
	FILE *file = fopen(path, "r");
	const char **cookies = calloc(count, sizeof *cookies);
	if (!file || !cookies)
		fail(path, -errno);
	for (uint32_t i = 0; i < count; i++) {
		char *line = NULL;
		size_t size = 0;
		ssize_t length = getline(&line, &size, file);
		if (length <= 0)
			fail("--cookies has fewer lines than there are connections", -EINVAL);
		line[strcspn(line, "\r\n")] = '\0';
		cookies[i] = line;
	}
	fclose(file);
	return cookies;
}

static void raise_file_limit(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void set_up(struct load *load)
{
	raise_file_limit();
	if (load->size < NUMBER_DIGITS || load->crowd.count == 0 || load->rate <= 0 ||
		!load->window)
		fail("--size, --connections, --rate and --window must be above nothing", -EINVAL);
	if (load->cookies_file)
		load->crowd.cookies = read_cookies(load->cookies_file, load->crowd.count);
	load->self = (struct processes){ .ids = { getpid() }, .count = 1 };
	int error = crowd_init(&load->crowd);
	if (error)
		fail("the connections cannot begin", error);
	if (is_spread(load))
		crowd_expect_spread(&load->crowd);
	bool is_http = load->http_port != 0;
	error = publisher_open(&load->publisher, is_http ? load->http_port : load->redis_port,
		is_http, load->size);
	if (error)
		fail("cannot connect to where publications go", error);
}

int main(int argc, char **argv)
{
	static struct load load = { .crowd = { .path = "/ws", .extra_header = "", .count = 1000 },
		.channel = "news",
		.at_once = 100,
		.rate = 100,
		.seconds = 5,
		.size = 128,
		.window = 512 };
	for (int option; (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;)
		take_option(&load, option);
	for (int i = optind; i < argc; i++)
		find_phase(argv[i]);
	set_up(&load);
	for (int i = optind; i < argc; i++)
		run_phase(&load, find_phase(argv[i]));
	publisher_close(&load.publisher);
	crowd_finish(&load.crowd);
	return 0;
}
