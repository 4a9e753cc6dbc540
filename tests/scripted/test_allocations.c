/* Out of memory, at every allocation in turn.
 *
 *	test_allocations [N | N PARTS]
 *
 * One scene, with everything that can happen to a connection, is repeated, and each time the next
 * allocation fails: ours, libuv's, hiredis', cJSON's or mbedTLS'. The test ends when the scene is
 * over before the allocation is reached. With a number, only that allocation fails; with two, every
 * PARTS-th from that one on, so that several CPUs can share the work.
 *
 * A guest is a browser that should be connected. Each time it must hold that
 *
 *	- nothing crashes, and in the end nothing is left: no block, no handle, no count
 *	- at most one guest is lost, and it can reconnect at once
 *	- a guest without a session is closed after the sweep, if not at once
 *	- a publication in a step without a failure reaches every guest, and nobody else
 *	- browsers receive only valid data, as in every script (browser.h)
 *
 * A link to Redis that runs out of memory fails and reconnects; each step waits for that. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocations.h"
#include "browser.h"
#include "deflate.h"
#include "machine.h"
#include "settings.h"

enum {
	HEALTHY,
	ADA,
	PAGE,
	GUESTS,
	VISITORS_MAX = 36,
	CROWD = 5,
	AFTERWARDS_MS = 3000,
	SWEPT_MS = 6000
};

struct guest {
	struct browser browser;
	enum browser_session session;
	unsigned worker;
	const char *query, *headers;
	bool is_here;     /* is connected, and should stay connected */
	size_t answered;  /* pings */
	unsigned renewed; /* how often it had to reconnect */
};

struct scene {
	struct stage stage;
	struct guest guests[GUESTS];
	struct browser visitors[VISITORS_MAX]; /* other browsers */
	size_t n_visitors;
	bool had_failed;   /* before this step */
	unsigned connects; /* of links, likewise */
};

/* ---- failing ---- */

static size_t failing; /* which allocation fails, for the message of an abort */

static void tell_which(void)
{
	char words[64];
	int len = snprintf(words, sizeof(words), "when allocation %zu fails\n", failing);
	(void)!write(STDERR_FILENO, words, (size_t)len);
}

static void on_abort(int signal)
{
	(void)signal;
	tell_which();
}

/* The sanitizers' function, in builds with one. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static bool fails_in_this_step(const struct scene *scene)
{
	return allocations_failed() && !scene->had_failed;
}

/* Must hold unless the allocation fails in this step. */
#define EXPECT(scene, x) MUST((x) || fails_in_this_step(scene))

/* ---- guests ---- */

/* It is checked again at the end. */
static struct browser *keep(struct scene *scene, const struct browser *browser)
{
	MUST(scene->n_visitors < VISITORS_MAX);
	scene->visitors[scene->n_visitors] = *browser;
	return &scene->visitors[scene->n_visitors++];
}

static struct browser *visit_by(struct scene *scene, unsigned device, unsigned worker,
	enum browser_session session, const char *query, const char *headers)
{
	struct browser browser;
	browser_open(&browser, &scene->stage, worker, "10.0.0.2");
	browser.device = device;
	browser_ask(&browser, session, query, headers);
	stage_turns(&scene->stage, 8);
	return keep(scene, &browser);
}

static struct browser *visit(struct scene *scene, unsigned worker, enum browser_session session,
	const char *query, const char *headers)
{
	return visit_by(scene, 0, worker, session, query, headers);
}

static bool come(struct scene *scene, struct guest *guest)
{
	browser_open(&guest->browser, &scene->stage, guest->worker, "10.0.0.1");
	browser_ask(&guest->browser, guest->session, guest->query, guest->headers);
	guest->answered = 0;
	browser_frame(&guest->browser, 0x89, SLICE("early")); /* a ping behind the request */
	if (guest == &scene->guests[PAGE])
		browser_command(&guest->browser, "subscribe", CHANNEL_RED, 1);
	stage_pass(&scene->stage, 1000);
	browser_look(&guest->browser);
	guest->is_here = browser_is_open(&guest->browser);
	int status = guest->browser.status; /* the guest has done nothing wrong */
	MUST(status == 101 || status == 503 || status == 500 || status == 0);
	if (!guest->is_here)
		keep(scene, &guest->browser);
	return guest->is_here;
}

/* Lets time pass; connected browsers answer their pings. */
static void pass(struct scene *scene, unsigned ms)
{
	stage_pass(&scene->stage, ms);
	for (size_t i = 0; i < GUESTS; i++) {
		struct guest *guest = &scene->guests[i];
		if (!guest->is_here)
			continue;
		browser_look(&guest->browser);
		for (; guest->answered < guest->browser.pings; guest->answered++)
			browser_frame(&guest->browser, 0x8a, SLICE(""));
	}
}

/* A page subscribes again to a channel that was unavailable. */
static void look_after_page(struct scene *scene, struct guest *guest)
{
	for (unsigned i = 0; i < 2 && !(guest->browser.has >> CHANNEL_RED & 1); i++) {
		EXPECT(scene, false);
		browser_command(&guest->browser, "subscribe", CHANNEL_RED, 2);
		pass(scene, 1500);
		browser_look(&guest->browser);
	}
	MUST(guest->browser.has >> CHANNEL_RED & 1);
}

/* A guest may be lost only if this step's allocation has failed; it then reconnects. */
static void look_after(struct scene *scene, struct guest *guest)
{
	browser_look(&guest->browser);
	if (browser_is_open(&guest->browser)) {
		if (guest->browser.v1)
			look_after_page(scene, guest);
		return;
	}
	EXPECT(scene, false);
	keep(scene, &guest->browser);
	guest->renewed++;
	MUST(come(scene, guest));
}

static void look_after_all(struct scene *scene)
{
	unsigned renewed = 0;
	pass(scene, AFTERWARDS_MS);
	if (fails_in_this_step(scene)) /* just now, maybe */
		pass(scene, AFTERWARDS_MS);
	for (size_t i = 0; i < GUESTS; i++) {
		if (scene->guests[i].is_here)
			look_after(scene, &scene->guests[i]);
		renewed += scene->guests[i].renewed;
	}
	MUST(renewed <= 1);
}

/* Has the guest received every publication on the channel? If it is connected and has not, a
 * failure must explain it. */
static void check_channel(
	struct scene *scene, const struct guest *guest, enum browser_channel channel)
{
	bool complete = guest->browser.last[channel] == scene->stage.published[channel];
	bool known = stage_metric(&scene->stage, METRIC_PUBLICATIONS_DROPPED_TOTAL) > 0 ||
		     scene->stage.redis.connects > scene->connects;
	EXPECT(scene, complete);
	MUST(complete || known || guest->browser.gaps || !browser_is_open(&guest->browser));
}

static void publish_to_all(struct scene *scene)
{
	browser_publish(&scene->stage, CHANNEL_NEWS, 0);
	browser_publish(&scene->stage, CHANNEL_NEWS, 200);
	browser_publish(&scene->stage, CHANNEL_BOB, 0);
	browser_publish(&scene->stage, CHANNEL_ADA, 0);
	browser_publish(&scene->stage, CHANNEL_RED, 300);
	stage_pass(&scene->stage, 1000);
	for (size_t i = 0; i < GUESTS; i++)
		browser_look(&scene->guests[i].browser);
	check_channel(scene, &scene->guests[HEALTHY], CHANNEL_NEWS);
	check_channel(scene, &scene->guests[HEALTHY], CHANNEL_BOB);
	check_channel(scene, &scene->guests[ADA], CHANNEL_NEWS);
	check_channel(scene, &scene->guests[ADA], CHANNEL_ADA);
	check_channel(scene, &scene->guests[ADA], CHANNEL_RED);
	check_channel(scene, &scene->guests[PAGE], CHANNEL_NEWS);
	check_channel(scene, &scene->guests[PAGE], CHANNEL_RED);
	EXPECT(scene, scene->guests[ADA].browser.compressed > 0);
}

/* ---- the scene ---- */

static void open_links(struct scene *scene)
{
	stage_pass(&scene->stage, 1000);
}

static void let_in(struct scene *scene)
{
	for (size_t i = 0; i < GUESTS; i++) {
		if (come(scene, &scene->guests[i]))
			continue;
		EXPECT(scene, false);
		stage_pass(&scene->stage, AFTERWARDS_MS);
		MUST(come(scene, &scene->guests[i]));
	}
}

static void send_compressed(struct scene *scene, struct browser *browser, struct slice message)
{
	enum { IN_THE_FIRST = 5 };
	struct buffer payload = { 0 };
	allocations_spare();
	deflate_message(message, &payload);
	struct slice octets = buffer_slice(&payload);
	browser_frame(browser, 0x42, slice_make(octets.at, IN_THE_FIRST));
	allocations_resume();
	stage_turn(&scene->stage);
	browser_frame(browser, 0x80, slice_skip(octets, IN_THE_FIRST));
	buffer_finish(&payload);
	stage_turn(&scene->stage);
}

static void talk(struct scene *scene)
{
	struct browser *ada = &scene->guests[ADA].browser;
	browser_look(ada);
	size_t pongs = ada->pongs;
	browser_frame(ada, 0x01, SLICE("a message in"));
	stage_turn(&scene->stage);
	browser_frame(ada, 0x89, SLICE("a ping between"));
	browser_frame(ada, 0x00, SLICE("three"));
	stage_turn(&scene->stage);
	browser_frame(ada, 0x80, SLICE("pieces"));
	browser_frame(ada, 0x8a, SLICE("a pong"));
	stage_turns(&scene->stage, 2);
	send_compressed(scene, ada, SLICE("and one in two pieces, compressed"));
	browser_look(ada);
	EXPECT(scene, ada->pongs == pongs + 1);
}

static void command(struct scene *scene)
{
	struct browser *page = &scene->guests[PAGE].browser;
	browser_look(page);
	size_t answers = page->answers;
	browser_command(page, "unsubscribe", CHANNEL_RED, 3);
	browser_command(page, "subscribe", CHANNEL_BOB, 4);
	browser_command(page, "subscribe", CHANNEL_RED, 5);
	browser_frame(page, 0x81, SLICE("no command"));
	pass(scene, 1500);
	browser_command(page, "unsubscribe", CHANNEL_RED, 6);
	browser_command(page, "subscribe", CHANNEL_DENIED, 7);
	pass(scene, 1500);
	browser_command(page, "subscribe", CHANNEL_RED, 8);
	pass(scene, 1500);
	browser_look(page);
	EXPECT(scene, page->answers == answers + 7);
}

static void give_ticket(struct scene *scene)
{
	redis_change(&scene->stage.redis,
		(struct redis_record){ "ticket:bob" BROWSER_SECRET,
			"{\"authenticated\":true,\"userId\":7,\"session\":\"sess:bob" BROWSER_SECRET
			"\"}" });
}

/* A page that logs in with a ticket, offered as a subprotocol, and receives the channels that the
 * ticket allows. */
static void come_by_ticket(struct scene *scene)
{
	give_ticket(scene);
	struct browser *page = visit(scene, 0, SESSION_NO_COOKIE, "",
		"Sec-WebSocket-Protocol: sluice.v1, ticket.bob" BROWSER_SECRET "\r\n");
	browser_command(page, "subscribe", CHANNEL_ADA, 1);
	browser_command(page, "subscribe", CHANNEL_B, 2);
	stage_pass(&scene->stage, 1000);
	browser_publish(&scene->stage, CHANNEL_B, 20);
	browser_publish(&scene->stage, CHANNEL_BOB, 20);
	stage_pass(&scene->stage, 200);
	browser_look(page);
	EXPECT(scene, page->answers == 2 && page->received == 2 && page->last[CHANNEL_B] &&
			      page->last[CHANNEL_BOB]);
	page->wire->peer_ended = true;
}

#define ORIGIN "Origin: http://sluice.test\r\n"

/* Refused requests and checks, with their status. */
static void refuse(struct scene *scene)
{
	static const struct {
		enum browser_session session;
		const char *query, *headers;
		int status;
	} rows[] = {
		{ SESSION_LOGGED_OUT, "", "", 401 }, { SESSION_FORGED, "", "", 401 },
		{ SESSION_BOB, "?channel=user:ada", "", 403 }, { SESSION_BOB, "s", "", 404 },
		{ SESSION_BOB, "", "X: y\r\n z\r\n", 400 },
		{ SESSION_NO_COOKIE, "?ticket=gone" BROWSER_SECRET, "", 401 },
		{ SESSION_BOB, "/check?channel=news&channel=public:a", ORIGIN, 204 },
		{ SESSION_BOB, "/check?channel=user:ada", ORIGIN, 403 },
		{ SESSION_NO_COOKIE, "/check?ticket=bob" BROWSER_SECRET, ORIGIN, 204 },
		{ SESSION_NO_COOKIE, "?channel=user:ada&ticket=bob" BROWSER_SECRET, "", 403 },
		{ SESSION_NO_COOKIE, "?ticket=bob" BROWSER_SECRET, "", 401 }, /* it was taken */
	};
	give_ticket(scene);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct browser *browser =
			visit(scene, i % 2, rows[i].session, rows[i].query, rows[i].headers);
		browser->wire->peer_ended = true;
		stage_pass(&scene->stage, 500);
		browser_look(browser);
		EXPECT(scene, browser->status == rows[i].status);
	}
}

/* Reads nothing, until its queue is full. */
static void be_slow(struct scene *scene)
{
	struct browser *slow = visit(scene, 1, SESSION_BOB, "?channel=public:a", "");
	slow->wire->room = 0;
	for (unsigned i = 0; i < 4; i++) {
		browser_frame(slow, 0x89, SLICE("and a ping"));
		browser_publish(&scene->stage, CHANNEL_A, 200);
		stage_turn(&scene->stage);
		publish_to_all(scene);
	}
	slow->wire->room = 100;
	stage_turns(&scene->stage, 2);
	slow->wire->room = WIRE_TAKES_ALL;
	stage_turns(&scene->stage, 2);
	browser_look(slow);
	EXPECT(scene, slow->close_code == 1013);
	slow->wire->peer_ended = true;
}

/* They connect in such quick succession that one always waits for a channel that nobody had. */
static void crowd(struct scene *scene)
{
	struct browser *crowd[CROWD];
	unsigned let_in = 0;
	stage_reload(&scene->stage, settings_get(SETTINGS_ROOMY));
	for (size_t i = 0; i < CROWD; i++) {
		crowd[i] = visit(scene, 0, SESSION_BOB, "?channel=public:b", "");
		pass(scene, 500);
	}
	pass(scene, 1000);
	for (size_t i = 0; i < CROWD; i++) {
		browser_look(crowd[i]);
		let_in += crowd[i]->status == 101;
		crowd[i]->wire->error = -ECONNRESET;
	}
	MUST(let_in + fails_in_this_step(scene) >= CROWD);
	stage_reload(&scene->stage, settings_get(SETTINGS_TIGHT));
}

static void lose_redis(struct scene *scene)
{
	size_t gaps = scene->guests[PAGE].browser.gaps;
	redis_drop(&scene->stage.redis);
	stage_turns(&scene->stage, 2);
	struct browser *early = visit(scene, 0, SESSION_BOB, "", "");
	browser_look(early);
	EXPECT(scene, early->status == 503);
	stage_pass(&scene->stage, AFTERWARDS_MS);
	browser_look(&scene->guests[PAGE].browser);
	EXPECT(scene, scene->guests[PAGE].browser.gaps == gaps + 1);
}

static void beat(struct scene *scene)
{
	for (unsigned i = 0; i < 3; i++)
		pass(scene, 9000);
	for (size_t guest = 0; guest < GUESTS; guest++) {
		EXPECT(scene, scene->guests[guest].answered > 0);
	}
}

static void change_session(
	struct scene *scene, enum browser_session session, unsigned device, const char *value)
{
	char key[BROWSER_KEY_MAX];
	redis_change(&scene->stage.redis,
		(struct redis_record){ browser_key(session, device, key), value, NULL });
}

static bool hears_of_red(struct scene *scene, struct browser *browser)
{
	browser_publish(&scene->stage, CHANNEL_RED, 0);
	stage_turns(&scene->stage, 4);
	browser_look(browser);
	return browser->last[CHANNEL_RED] == scene->stage.published[CHANNEL_RED];
}

static void say_goodbye(struct scene *scene, struct guest *guest)
{
	browser_frame(&guest->browser, 0x88, SLICE("\x03\xe8 bye"));
	stage_turns(&scene->stage, 2);
	browser_look(&guest->browser);
	EXPECT(scene, guest->browser.close_code == 1000);
	guest->browser.wire->peer_ended = true;
	guest->is_here = false;
}

/* Ada leaves the red team: her page is unsubscribed from its channel and notified, after the sweep
 * if not at once. */
static void lose_team(struct scene *scene)
{
	struct guest *ada = &scene->guests[ADA], *page = &scene->guests[PAGE];
	ada->query = "";
	change_session(scene, SESSION_ADA, 0,
		"{\"cookie\":{},\"authenticated\":true,\"userId\":\"ada\",\"teams\":[]}");
	stage_pass(&scene->stage, 200);
	EXPECT(scene, !hears_of_red(scene, &ada->browser));
	pass(scene, SWEPT_MS);
	MUST(!hears_of_red(scene, &ada->browser));
	browser_look(&page->browser);
	MUST(!(page->browser.has >> CHANNEL_RED & 1) || !browser_is_open(&page->browser));
	say_goodbye(scene, page);
}

/* No guest has lost its session. */
static void forget_keys(struct scene *scene)
{
	char key[BROWSER_KEY_MAX];
	redis_evict(&scene->stage.redis, browser_key(SESSION_ADA, 0, key));
	redis_evict(&scene->stage.redis, browser_key(SESSION_BOB, 0, key));
	stage_turns(&scene->stage, 4);
	redis_invalidate(&scene->stage.redis, SLICE("*-1\r\n"));
	stage_pass(&scene->stage, 500);
}

/* A session ends, and Redis' invalidation is lost or not. */
static void end_session(struct scene *scene, unsigned worker, enum redis_lack lack)
{
	enum { DEVICE = 1 };
	change_session(scene, SESSION_ADA, DEVICE,
		"{\"cookie\":{},\"authenticated\":true,\"userId\":\"ada\"}");
	struct browser *browser = visit_by(scene, DEVICE, worker, SESSION_ADA, "", "");
	browser_look(browser);
	EXPECT(scene, browser_is_open(browser));
	stage_pass(&scene->stage, 200);
	scene->stage.redis.lack = lack;
	change_session(scene, SESSION_ADA, DEVICE, NULL);
	stage_pass(&scene->stage, 200);
	browser_look(browser);
	EXPECT(scene, browser_is_open(browser) == (lack == REDIS_LACKS_WORDS));
	scene->stage.redis.lack = REDIS_LACKS_NOTHING;
	pass(scene, SWEPT_MS);
	browser_look(browser);
	MUST(!browser_is_open(browser));
	EXPECT(scene, browser->close_code == 4401);
	browser->wire->peer_ended = true;
}

static void end_sessions(struct scene *scene)
{
	end_session(scene, 0, REDIS_LACKS_NOTHING);
	end_session(scene, 1, REDIS_LACKS_WORDS);
}

static void leave(struct scene *scene)
{
	say_goodbye(scene, &scene->guests[ADA]);
}

static void drain(struct scene *scene)
{
	struct guest *healthy = &scene->guests[HEALTHY];
	stage_drain(&scene->stage);
	stage_pass(&scene->stage, 2500);
	browser_look(&healthy->browser);
	EXPECT(scene, healthy->browser.close_code == 1012);
	healthy->is_here = false;
}

static void (*const steps[])(struct scene *scene) = { open_links, let_in, publish_to_all, talk,
	command, come_by_ticket, refuse, publish_to_all, be_slow, publish_to_all, crowd, lose_redis,
	publish_to_all, beat, lose_team, forget_keys, end_sessions, leave, drain };

static void finish(struct scene *scene)
{
	for (size_t i = 0; i < GUESTS; i++)
		keep(scene, &scene->guests[i].browser);
	for (size_t i = 0; i < scene->n_visitors; i++) {
		browser_look(&scene->visitors[i]);
		browser_finish(&scene->visitors[i]);
	}
}

static void play(void)
{
	static struct scene scene;
	scene = (struct scene){ 0 };
	scene.guests[HEALTHY] =
		(struct guest){ .session = SESSION_BOB, .query = "", .headers = "" };
	scene.guests[ADA] = (struct guest){ .session = SESSION_ADA,
		.worker = 1,
		.query = "?channel=team:red",
		.headers = "Sec-WebSocket-Extensions: permessage-deflate\r\n" };
	scene.guests[PAGE] = (struct guest){ .session = SESSION_ADA,
		.query = "",
		.headers = "Sec-WebSocket-Protocol: sluice.v1\r\n" };
	stage_open(&scene.stage, settings_get(SETTINGS_TIGHT), 0, browser_records);
	machine_keep_out_of_log(BROWSER_SECRET);
	allocations_fail_at(failing);
	scene.stage.lacked_memory = failing > 0;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		scene.had_failed = allocations_failed();
		scene.connects = scene.stage.redis.connects;
		steps[i](&scene);
		look_after_all(&scene);
	}
	stage_close(&scene.stage);
	finish(&scene);
}

/* False: the scene was over before the allocation was reached. */
static bool try(size_t n)
{
	long before = allocations_alive();
	failing = n;
	play();
	MUST(allocations_alive() == before);
	return allocations_failed();
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	signal(SIGABRT, on_abort);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(tell_which);
	play(); /* created once and kept */
	try(0);
	size_t first = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	size_t step = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	if (argc == 2)
		return !try(first);
	size_t points = 0;
	for (size_t n = first; try(n); n += step)
		points++;
	printf("%zu allocation points\n", points);
	return points == 0;
}
