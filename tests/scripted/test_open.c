/* The moment in which a connection becomes open, and the one in which it is closed. */
#include "allocations.h"
#include "browser.h"
#include "machine.h"
#include "settings.h"
#include "sluice/base/buffered.h"
#include "unit.h"

enum {
	OPENING_TURNS = 10,
	BACK_MS = 3000,      /* a lost link has come back by then */
	HANDSHAKE_MS = 3000, /* of SETTINGS_TIGHT */
	TICK_MS = 100,
};

static int begin_with(void **state, enum scripted_settings settings)
{
	static struct stage stage;
	machine_reset();
	stage_open(&stage, settings_get(settings), 0, browser_records);
	stage_pass(&stage, 1000);
	*state = &stage;
	return 0;
}

static int begin(void **state)
{
	return begin_with(state, SETTINGS_ROOMY);
}

static int begin_tight(void **state)
{
	return begin_with(state, SETTINGS_TIGHT);
}

static int end(void **state)
{
	stage_close(*state);
	return 0;
}

static void leave(struct stage *stage, struct browser *browser)
{
	browser->wire->peer_ended = true;
	stage_pass(stage, BACK_MS);
	browser_look(browser);
	browser_finish(browser);
}

/* Opens a connection while the n-th allocation fails. False: there were not so many. */
static bool opens_while_memory_fails(struct stage *stage, size_t n)
{
	struct browser browser;
	int64_t opened = stage_metric(stage, METRIC_CONNECTIONS_TOTAL);
	int64_t aborted = stage_metric(stage, METRIC_CLOSES_1006);
	browser_open(&browser, stage, 0, "10.0.0.1");
	browser_ask(&browser, SESSION_ADA, "", "Sec-WebSocket-Protocol: sluice.v1\r\n");
	allocations_fail_at(n);
	stage_turns(stage, OPENING_TURNS);
	bool failed = allocations_failed();
	allocations_fail_at(0);
	browser_look(&browser);
	bool is_open = browser.status == 101;
	assert_int_equal(stage_metric(stage, METRIC_CONNECTIONS_TOTAL) - opened, is_open);
	assert_int_equal(stage_metric(stage, METRIC_CONNECTIONS), is_open);
	assert_int_equal(stage_metric(stage, METRIC_CLOSES_1006) - aborted, 0);
	leave(stage, &browser);
	return failed;
}

static void counts_a_connection_only_when_its_101_is_sent(void **state)
{
	struct stage *stage = *state;
	stage->lacked_memory = true;
	for (size_t n = 1; opens_while_memory_fails(stage, n); n++)
		;
}

/* A ping is kept while the queue is stuck, and its pong is not sent behind a close frame. */
static void frees_the_pong_that_it_kept_when_it_closes(void **state)
{
	struct stage *stage = *state;
	char key[BROWSER_KEY_MAX];
	struct browser browser;
	browser_open(&browser, stage, 0, "10.0.0.1");
	browser_ask(&browser, SESSION_ADA, "", "");
	stage_turns(stage, OPENING_TURNS);
	size_t before = buffered_bytes();
	browser.wire->room = 0;
	browser_publish(stage, CHANNEL_NEWS, 20);
	stage_turns(stage, 4);
	browser_frame(&browser, 0x89, SLICE("kept"));
	stage_turns(stage, 2);
	redis_change(&stage->redis,
		(struct redis_record){ browser_key(SESSION_ADA, 0, key), NULL, NULL });
	stage_pass(stage, 200);
	browser.wire->room = WIRE_TAKES_ALL;
	stage_turns(stage, 2);
	browser_look(&browser);
	assert_int_equal(browser.close_code, 4401);
	assert_int_equal(browser.pongs, 0);
	assert_int_equal(buffered_bytes(), before);
	leave(stage, &browser);
}

/* Its bytes wait for us for most of the time that the request has. */
static void gives_a_request_no_more_time_because_it_has_waited(void **state)
{
	struct stage *stage = *state;
	struct browser browser;
	browser_open(&browser, stage, 0, "10.0.0.1");
	browser.wire->held = true;
	wire_send(browser.wire, SLICE("GET /ws HTTP/1.1\r\n"));
	stage_pass(stage, HANDSHAKE_MS - 5 * TICK_MS);
	browser.wire->held = false;
	stage_pass(stage, 3 * TICK_MS);
	browser_look(&browser);
	assert_int_equal(browser.status, 0);
	stage_pass(stage, 4 * TICK_MS);
	browser_look(&browser);
	assert_int_equal(browser.status, 408);
	leave(stage, &browser);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			counts_a_connection_only_when_its_101_is_sent, begin, end),
		cmocka_unit_test_setup_teardown(
			frees_the_pong_that_it_kept_when_it_closes, begin, end),
		cmocka_unit_test_setup_teardown(
			gives_a_request_no_more_time_because_it_has_waited, begin_tight, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
