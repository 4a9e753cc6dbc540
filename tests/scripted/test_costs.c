/* What a connection and a delivery cost, counted exactly. Not time, which depends on the machine,
 * but the number of allocations, the memory that is held, and the commands to Redis.
 *
 * test_stream.c counts system calls: a turn writes once to each connection, whatever the number of
 * publications. */
#include <stdio.h>

#include "allocations.h"
#include "browser.h"
#include "machine.h"
#include "settings.h"
#include "sluice/proto/record/session_cookie.h"
#include "unit.h"

enum {
	FEW = 100,
	MANY = 1000,
	PUBLICATIONS = 50,
	/* limits in bytes for an idle connection: on shared channels, and with a channel of its
	 * own */
	SHARED_BYTES_MAX = 480,
	PRIVATE_BYTES_MAX = 800,
	/* and for a session of its own */
	SESSION_BYTES_MAX = 160,
	SID_LEN = 36,
};

struct crowd {
	struct stage stage;
	struct browser browsers[MANY];
	size_t n;
	bool own_sessions; /* else all are Ada's */
	struct redis_record records[MANY + 1];
	char keys[MANY][sizeof("sess:") + SID_LEN], values[MANY][64];
};

static struct crowd the_crowd;

static int open_stage(void **state, const struct redis_record *records)
{
	machine_reset();
	the_crowd.n = 0;
	the_crowd.own_sessions = records == the_crowd.records;
	stage_open(&the_crowd.stage, settings_get(SETTINGS_ROOMY), 0, records);
	quota_set_sockets_max(&the_crowd.stage.quota, MANY);
	stage_pass(&the_crowd.stage, 1000);
	*state = &the_crowd;
	return 0;
}

static int crowd_open(void **state)
{
	return open_stage(state, browser_records);
}

/* Each has a session; all sessions are of different users, or all of one. */
static int crowd_open_with(void **state, bool own_users)
{
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(the_crowd.keys[i], sizeof(the_crowd.keys[i]), "sess:%0*u", SID_LEN, i);
		snprintf(the_crowd.values[i], sizeof(the_crowd.values[i]),
			"{\"cookie\":{},\"authenticated\":true,\"userId\":\"u%u\"}",
			own_users ? i : 0);
		the_crowd.records[i] = (struct redis_record){ .key = the_crowd.keys[i],
			.value = the_crowd.values[i] };
	}
	return open_stage(state, the_crowd.records);
}

static int crowd_open_with_sessions(void **state)
{
	return crowd_open_with(state, false);
}

static int crowd_open_with_users(void **state)
{
	return crowd_open_with(state, true);
}

static int crowd_close(void **state)
{
	struct crowd *crowd = *state;
	stage_close(&crowd->stage);
	for (size_t i = 0; i < crowd->n; i++)
		browser_finish(&crowd->browsers[i]);
	return 0;
}

static void ask(struct crowd *crowd, size_t i, const char *query, const char *headers)
{
	char cookie[SESSION_COOKIE_MAX], lines[SESSION_COOKIE_MAX + 32];
	if (!crowd->own_sessions) {
		browser_ask(&crowd->browsers[i], SESSION_ADA, query, headers);
		return;
	}
	ssize_t len = session_cookie_sign(SESSION_SIGNATURE_CONNECT, SLICE(SETTINGS_SECRET),
		slice_of(crowd->keys[i] + strlen("sess:")), cookie, sizeof(cookie));
	assert_true(len > 0);
	snprintf(lines, sizeof(lines), "Cookie: connect.sid=%.*s\r\n", (int)len, cookie);
	browser_ask(&crowd->browsers[i], SESSION_NO_COOKIE, query, lines);
}

/* The script knows only the channels of users that it has named. */
static bool is_in(const struct crowd *crowd, struct browser *browser)
{
	if (crowd->own_sessions)
		return slice_starts_with(
			buffer_slice(&browser->wire->received), SLICE("HTTP/1.1 101 "));
	browser_look(browser);
	return browser_is_open(browser);
}

/* Memory that the script holds for a browser; it is not the gateway's. */
static void forget_bytes(struct wire *wire)
{
	buffer_finish(&wire->sent);
	buffer_finish(&wire->received);
	wire->arrived = 0;
}

/* Memory in use, except for bytes on the wires, which are the script's. */
static size_t gateway_bytes(void)
{
	size_t bytes = allocations_bytes();
	LIST_EACH (node, &wires) {
		struct wire *wire = container_of(node, struct wire, link);
		bytes -= wire->sent.capacity + wire->received.capacity;
	}
	return bytes;
}

/* Returns the bytes that each of them holds in the gateway. `query`: with %u for the browser's
 * number. */
static size_t join(struct crowd *crowd, size_t n, const char *query, const char *headers)
{
	size_t first = crowd->n;
	for (; crowd->n < first + n; crowd->n++)
		browser_prepare(&crowd->browsers[crowd->n], &crowd->stage);
	size_t before = gateway_bytes();
	for (size_t i = first; i < crowd->n; i++) {
		char text[64];
		struct browser *browser = &crowd->browsers[i];
		snprintf(text, sizeof(text), "%s%zu", query, i);
		browser_come(browser, i % STAGE_WORKERS, "10.0.0.1");
		ask(crowd, i, *query ? text : "", headers);
		stage_turns(&crowd->stage, 8);
		assert_true(is_in(crowd, browser));
		forget_bytes(browser->wire);
	}
	return (gateway_bytes() - before) / n;
}

/* The number of allocations from a publication to its last delivery. */
static size_t allocations_of_a_publication(struct crowd *crowd, enum browser_channel channel)
{
	int64_t before = stage_metric(&crowd->stage, METRIC_DELIVERIES_TOTAL);
	allocations_fail_at(0);
	browser_publish(&crowd->stage, channel, 200);
	stage_turns(&crowd->stage, 4);
	size_t counted = allocations_counted();
	assert_int_equal(
		stage_metric(&crowd->stage, METRIC_DELIVERIES_TOTAL), before + (int64_t)crowd->n);
	for (size_t i = 0; i < crowd->n; i++)
		forget_bytes(crowd->browsers[i].wire);
	return counted;
}

/* The first publications also allocate memory that is kept: a deflater, room in the links'
 * readers. */
static void warm_up(struct crowd *crowd)
{
	for (int i = 0; i < 3; i++)
		allocations_of_a_publication(crowd, CHANNEL_NEWS);
}

static void a_delivery_allocates_nothing(void **state)
{
	struct crowd *crowd = *state;
	join(crowd, FEW, "", "");
	warm_up(crowd);
	size_t few = allocations_of_a_publication(crowd, CHANNEL_NEWS);
	join(crowd, MANY - FEW, "", "");
	for (int i = 0; i < PUBLICATIONS; i++)
		assert_int_equal(allocations_of_a_publication(crowd, CHANNEL_NEWS), few);
	print_message(
		"a publication: %zu allocations, to %d or to %d connections\n", few, FEW, MANY);
}

static void a_compressed_delivery_allocates_nothing(void **state)
{
	static const char offer[] = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
	struct crowd *crowd = *state;
	join(crowd, FEW, "", offer);
	warm_up(crowd);
	size_t few = allocations_of_a_publication(crowd, CHANNEL_NEWS);
	join(crowd, MANY - FEW, "", offer);
	int64_t before = stage_metric(&crowd->stage, METRIC_COMPRESSIONS_TOTAL);
	for (int i = 0; i < PUBLICATIONS; i++)
		assert_int_equal(allocations_of_a_publication(crowd, CHANNEL_NEWS), few);
	assert_int_equal(stage_metric(&crowd->stage, METRIC_COMPRESSIONS_TOTAL) - before, 0);
}

/* The envelopes are made once, for any number of connections. */
static void a_delivery_with_sluice_v1_allocates_nothing(void **state)
{
	static const char offer[] = "Sec-WebSocket-Protocol: sluice.v1\r\n";
	struct crowd *crowd = *state;
	join(crowd, FEW, "", offer);
	warm_up(crowd);
	size_t few = allocations_of_a_publication(crowd, CHANNEL_NEWS);
	size_t bytes = join(crowd, MANY - FEW, "", offer);
	for (int i = 0; i < PUBLICATIONS; i++)
		assert_int_equal(allocations_of_a_publication(crowd, CHANNEL_NEWS), few);
	print_message("with sluice.v1: %zu allocations, %zu bytes\n", few, bytes);
	assert_true(bytes <= SHARED_BYTES_MAX);
}

static void subscribes_to_a_channel_once(void **state)
{
	struct crowd *crowd = *state;
	join(crowd, MANY, "", "");
	assert_int_equal(redis_subscribers(SLICE("news")), 1);
	assert_int_equal(redis_subscribers(SLICE("user:ada")), 1);
	assert_int_equal(stage_metric(&crowd->stage, METRIC_CHANNELS), 2);
	assert_int_equal(stage_metric(&crowd->stage, METRIC_SUBSCRIPTIONS), 2 * MANY);
}

static void an_idle_connection_is_small(void **state)
{
	struct crowd *crowd = *state;
	join(crowd, FEW, "", "");
	size_t bytes = join(crowd, MANY - FEW, "", "");
	print_message("an idle connection on two shared channels: %zu bytes\n", bytes);
	assert_true(bytes <= SHARED_BYTES_MAX);
}

static void a_connection_with_its_own_channel_is_small(void **state)
{
	struct crowd *crowd = *state;
	join(crowd, FEW, "", "");
	size_t bytes = join(crowd, MANY - FEW, "?channel=public:", "");
	print_message("with a third channel of its own: %zu bytes\n", bytes);
	assert_true(bytes <= PRIVATE_BYTES_MAX);
}

static void a_connection_with_its_own_session_is_small(void **state)
{
	struct crowd *crowd = *state;
	join(crowd, FEW, "", "");
	size_t bytes = join(crowd, MANY - FEW, "", "");
	print_message("with a session of its own, on shared channels: %zu bytes\n", bytes);
	assert_true(bytes <= SHARED_BYTES_MAX + SESSION_BYTES_MAX);
}

static void a_connection_with_its_own_user_is_small(void **state)
{
	struct crowd *crowd = *state;
	join(crowd, FEW, "", "");
	assert_int_equal(redis_subscribers(SLICE("user:u0")), 1);
	size_t bytes = join(crowd, MANY - FEW, "", "");
	print_message("with a session and a channel of its own: %zu bytes\n", bytes);
	assert_true(bytes <= PRIVATE_BYTES_MAX + SESSION_BYTES_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, crowd_open, crowd_close)
#define TEST_WITH(name, what) \
	cmocka_unit_test_setup_teardown(name, crowd_open_with_##what, crowd_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_delivery_allocates_nothing),
		TEST(a_compressed_delivery_allocates_nothing),
		TEST(a_delivery_with_sluice_v1_allocates_nothing),
		TEST(subscribes_to_a_channel_once),
		TEST(an_idle_connection_is_small),
		TEST(a_connection_with_its_own_channel_is_small),
		TEST_WITH(a_connection_with_its_own_session_is_small, sessions),
		TEST_WITH(a_connection_with_its_own_user_is_small, users),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
