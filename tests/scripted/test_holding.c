/* Memory that clients make us hold, in requests and messages that do not end and in queues that are
 * stuck: it is limited, those that hold most are closed, and nothing is left in the counts, whatever
 * the end. The limits of these settings are 1 MiB each. */
#include <errno.h>
#include <stdlib.h>

#include "browser.h"
#include "machine.h"
#include "settings.h"
#include "sluice/base/buffered.h"
#include "unit.h"

enum {
	N = 2000,
	STEPS = 40000,
	LIMIT = 1 << 20,
	A_TURN = 64 << 10, /* what these scripts send at most in a turn */
	OPENING_TURNS = 10,
	BACK_MS = 12000, /* every connection has ended by then */
};

#define V1 "Sec-WebSocket-Protocol: sluice.v1\r\n"

static struct stage the_stage;
static char bytes[8192];

static int begin(void **state)
{
	machine_reset();
	memset(bytes, 'x', sizeof(bytes));
	stage_open(&the_stage, settings_get(SETTINGS_OPEN), 0, browser_records);
	quota_set_sockets_max(&the_stage.quota, 2 * N);
	stage_pass(&the_stage, 1000);
	*state = &the_stage;
	return 0;
}

/* Every count is zero: stage_close aborts otherwise. */
static int end(void **state)
{
	stage_close(*state);
	return 0;
}

static size_t incoming(void)
{
	return holders_total_bytes(&the_stage.quota.incoming);
}

static void open_browser(struct browser *browser, unsigned worker, const char *headers)
{
	browser_open(browser, &the_stage, worker, "10.0.0.1");
	browser_ask(browser, SESSION_ADA, "", headers);
	stage_turns(&the_stage, OPENING_TURNS);
}

static void leave(struct browser *browsers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		browsers[i].wire->peer_ended = true;
	for (size_t i = 0; i < n; i++)
		browsers[i].wire->room = WIRE_TAKES_ALL;
	stage_pass(&the_stage, BACK_MS);
	for (size_t i = 0; i < n; i++)
		browser_finish(&browsers[i]);
}

/* ---- random programs ---- */

static void send_some(struct browser *browser, size_t len)
{
	assert_int_equal(buffer_append(&browser->wire->sent, bytes, len), 0);
}

/* Something that a client may do, hostile or not. */
static void act(struct browser *browser)
{
	size_t len = (size_t)random() % 1000;
	switch (random() % 32) {
	case 0:
		browser_ask(browser, SESSION_ADA, "", random() % 2 ? V1 : "");
		break;
	case 1:
		send_some(browser, len);
		break;
	case 2:
		browser->wire->peer_ended = true;
		break;
	case 3:
		browser->wire->error = -ECONNRESET;
		break;
	case 4:
	case 5:
		browser_frame(browser, 0x89, slice_make(bytes, len % 126));
		break;
	case 6:
	case 7:
		browser_frame(browser, 0x80, slice_make(bytes, len % 10));
		break;
	default:
		browser_frame(browser, 0x0, slice_make(bytes, len));
		break;
	}
}

/* A request, or a part of one; then a part of a message. */
static void come(struct browser *browser)
{
	browser_open(browser, &the_stage, (unsigned)random() % 2, "10.0.0.1");
	if (random() % 3 == 0) {
		assert_int_equal(buffer_append_slice(&browser->wire->sent,
					 SLICE("GET /ws HTTP/1.1\r\nX-Long: ")),
			0);
		send_some(browser, (size_t)random() % 8000);
		return;
	}
	browser_ask(browser, SESSION_ADA, "", random() % 4 ? V1 : "");
	browser_frame(browser, 0x1, slice_make(bytes, (size_t)random() % 2000));
}

static void step(struct browser *browser)
{
	if (browser->wire && browser->wire->closed) {
		browser_finish(browser);
		browser->wire = NULL;
	}
	if (!browser->wire)
		come(browser);
	else if (!browser->wire->peer_ended && !browser->wire->error)
		act(browser);
}

static void counts_return_to_zero_after_random_programs(void **state)
{
	(void)state;
	static struct browser browsers[N];
	struct browser quiet;
	size_t most = 0;
	open_browser(&quiet, 0, "");
	srandom(7);
	for (int i = 0; i < STEPS; i++) {
		step(&browsers[random() % N]);
		if (random() % 8 == 0)
			stage_turn(&the_stage);
		if (random() % 256 == 0)
			stage_pass(&the_stage, 100);
		most = MAX(most, incoming());
		assert_in_range(incoming(), 0, LIMIT + A_TURN);
	}
	assert_true(most > LIMIT - LIMIT / 8);
	assert_true(stage_metric(&the_stage, METRIC_LIMIT_INCOMING_BYTES) > 0);
	browser_look(&quiet);
	assert_true(browser_is_open(&quiet));
	assert_int_equal(quiet.close_frames, 0);
	for (size_t i = 0; i < N; i++)
		if (!browsers[i].wire)
			browser_open(&browsers[i], &the_stage, 0, "10.0.0.1");
	leave(browsers, N);
	leave(&quiet, 1);
	assert_int_equal(incoming(), 0);
}

/* ---- who goes first ---- */

enum { NEARLY_4_KIB = 4096 - 16 - sizeof(struct holding) - 40 };

/* Waits for the rest of a message, of which it has sent so much. */
static void begin_message(struct browser *browser, size_t len)
{
	browser_frame(browser, 0x1, slice_make(bytes, len));
	stage_turns(&the_stage, 2);
}

/* A ping in two pieces. */
static void ping_slowly(struct browser *browser)
{
	static const char first[] = "\x89\xfd\0\0\0\0ping";
	wire_send(browser->wire, slice_make(first, sizeof(first) - 1));
	stage_turns(&the_stage, 2);
	send_some(browser, 125 - 4);
	stage_turns(&the_stage, 2);
}

static size_t come_with_messages(struct browser *others, size_t n)
{
	open_browser(&others[n], 0, V1);
	begin_message(&others[n], NEARLY_4_KIB - 500);
	return n + 1;
}

/* A browser with the oldest message, and so many others with messages as large that memory is nearly
 * short. Returns the number of the others. */
static size_t begin_oldest(struct browser *oldest, struct browser *others)
{
	size_t n = 0;
	open_browser(oldest, 0, V1);
	begin_message(oldest, NEARLY_4_KIB);
	stage_pass(&the_stage, 5000);
	while (incoming() < LIMIT - LIMIT / 8 - 8192)
		n = come_with_messages(others, n);
	stage_pass(&the_stage, 2000);
	return n;
}

/* More of them come, until somebody has been closed. */
static size_t come_until_short(struct browser *others, size_t n)
{
	stage_pass(&the_stage, 100);
	while (!stage_metric(&the_stage, METRIC_LIMIT_INCOMING_BYTES))
		n = come_with_messages(others, n);
	return n;
}

/* The holding of a message that has lasted longest, among many that are as large. */
static void pings_do_not_make_an_old_message_look_new(void **state)
{
	(void)state;
	static struct browser others[N];
	struct browser old;
	size_t n = begin_oldest(&old, others);
	ping_slowly(&old);
	n = come_until_short(others, n);
	browser_look(&old);
	assert_int_equal(old.pongs, 1);
	assert_int_equal(old.close_code, 1013);
	leave(others, n);
	leave(&old, 1);
}

/* The next message of a client is not as old as the one before. */
static void a_new_message_has_a_new_time(void **state)
{
	(void)state;
	static struct browser others[N];
	struct browser busy;
	size_t n = begin_oldest(&busy, others);
	browser_frame(&busy, 0x80, slice_make(bytes, 1));
	begin_message(&busy, NEARLY_4_KIB);
	n = come_until_short(others, n);
	browser_look(&busy);
	assert_true(browser_is_open(&busy));
	leave(others, n);
	leave(&busy, 1);
}

/* ---- queues ---- */

/* A client with a long queue on a channel that is quiet now, and clients that lag a little on
 * another one, where more is published until memory is short. */
static void closes_the_longest_queue_although_nothing_is_added_to_it(void **state)
{
	(void)state;
	struct browser greedy, lagging[2];
	open_browser(&greedy, 0, "");
	for (unsigned i = 0; i < 2; i++) {
		browser_open(&lagging[i], &the_stage, i, "10.0.0.1");
		browser_ask(&lagging[i], SESSION_BOB, "", "");
	}
	stage_turns(&the_stage, OPENING_TURNS);
	greedy.wire->room = lagging[0].wire->room = lagging[1].wire->room = 0;
	for (int i = 0; i < 9; i++) {
		browser_publish(&the_stage, CHANNEL_ADA, 100000);
		stage_turns(&the_stage, 4);
	}
	browser_publish(&the_stage, CHANNEL_BOB, 10000);
	stage_pass(&the_stage, 1000);
	assert_int_equal(stage_metric(&the_stage, METRIC_LIMIT_BUFFERED_BYTES), 0);
	for (int i = 0; i < 20; i++) {
		browser_publish(&the_stage, CHANNEL_BOB, 10000);
		stage_pass(&the_stage, 50);
	}
	assert_int_equal(stage_metric(&the_stage, METRIC_LIMIT_BUFFERED_BYTES), 1);
	assert_in_range(buffered_bytes(), 0, LIMIT);
	greedy.wire->room = lagging[0].wire->room = lagging[1].wire->room = WIRE_TAKES_ALL;
	stage_pass(&the_stage, 100);
	browser_look(&greedy);
	assert_int_equal(greedy.close_code, 1013);
	for (unsigned i = 0; i < 2; i++) {
		browser_look(&lagging[i]);
		assert_true(browser_is_open(&lagging[i]));
		assert_int_equal(lagging[i].received, 21);
		assert_false(lagging[i].missed);
	}
	leave(&greedy, 1);
	leave(lagging, 2);
	assert_int_equal(holders_total_bytes(&the_stage.quota.outgoing), 0);
}

/* A queue that its client has taken in the meantime is not closed for what it was. */
static void a_drained_queue_counts_no_more(void **state)
{
	(void)state;
	struct browser browser;
	open_browser(&browser, 1, "");
	browser.wire->room = 0;
	browser_publish(&the_stage, CHANNEL_ADA, 100000);
	stage_pass(&the_stage, 500);
	assert_in_range(holders_total_bytes(&the_stage.quota.outgoing), 100000, 101000);
	browser.wire->room = WIRE_TAKES_ALL;
	stage_turns(&the_stage, 4);
	assert_int_equal(holders_total_bytes(&the_stage.quota.outgoing), 0);
	leave(&browser, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			counts_return_to_zero_after_random_programs, begin, end),
		cmocka_unit_test_setup_teardown(
			closes_the_longest_queue_although_nothing_is_added_to_it, begin, end),
		cmocka_unit_test_setup_teardown(
			pings_do_not_make_an_old_message_look_new, begin, end),
		cmocka_unit_test_setup_teardown(a_new_message_has_a_new_time, begin, end),
		cmocka_unit_test_setup_teardown(a_drained_queue_counts_no_more, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
