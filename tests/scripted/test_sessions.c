/* What happens to connections when their sessions end or change, and how many reads it costs. The
 * counts are exact, because the clock only moves when a test moves it.
 *
 * A turn is all that happens at one moment: replies are read, commands are sent. From a change to
 * the close frame there are two turns, with the record read again between them. */
#include <stdio.h>

#include "browser.h"
#include "machine.h"
#include "settings.h"
#include "sluice/proto/ws/ws_close.h"
#include "unit.h"

enum {
	CROWD = 1500, /* more than the reads under way at a time */
	GUESTS_MAX = CROWD + 4,
	TICK_MS = 50,
	AT_ONCE_TURNS = 3,
	OPENING_TURNS = 10,
	BACK_MS = 3000,  /* a lost link has come back by then */
	ANSWER_MS = 900, /* as in authenticate.c */
	/* as in sessions_pace.c */
	GAP_MS = 50,
	SETTLE_MS = 4 * GAP_MS,
	VAIN_PER_SECOND = 5000,
	CREDIT_MAX = 2 * VAIN_PER_SECOND,
	/* as in settings.c */
	SWEEP_MS = 10000,
};

#define ADA(teams) "{\"cookie\":{},\"authenticated\":true,\"userId\":\"ada\",\"teams\":[" teams "]}"
#define RED_BLUE   "\"red\",\"blue\""
#define BLUE       "\"blue\""

struct scene {
	struct stage stage;
	struct browser guests[GUESTS_MAX];
	size_t n;
};

static int begin(void **state, enum scripted_settings settings)
{
	static struct scene scene;
	scene.n = 0;
	stage_open(&scene.stage, settings_get(settings), 0, browser_records);
	machine_keep_out_of_log(BROWSER_SECRET);
	quota_set_sockets_max(&scene.stage.quota, GUESTS_MAX);
	stage_pass(&scene.stage, 1000);
	*state = &scene;
	return 0;
}

static int watched(void **state)
{
	return begin(state, SETTINGS_WATCHED);
}

static int touched(void **state)
{
	return begin(state, SETTINGS_TOUCHED);
}

static int untouched(void **state)
{
	return begin(state, SETTINGS_ROOMY);
}

static int strict(void **state)
{
	return begin(state, SETTINGS_STRICT);
}

static int unsigned_cookies(void **state)
{
	return begin(state, SETTINGS_UNSIGNED);
}

static int ending(void **state)
{
	return begin(state, SETTINGS_ENDING);
}

static int ending_tickets(void **state)
{
	return begin(state, SETTINGS_ENDING_TICKETS);
}

/* stage_close checks that nothing is left. */
static int end(void **state)
{
	struct scene *scene = *state;
	stage_close(&scene->stage);
	for (size_t i = 0; i < scene->n; i++)
		browser_finish(&scene->guests[i]);
	return 0;
}

/* ---- guests ---- */

/* Opens a connection and sends the handshake. No turn has passed. */
static struct browser *come(struct scene *scene, enum browser_session session, unsigned device,
	unsigned worker, const char *query)
{
	struct browser *guest = &scene->guests[scene->n++];
	browser_open(guest, &scene->stage, worker, "10.0.0.1");
	guest->device = device;
	browser_ask(guest, session, query, "");
	return guest;
}

static bool is_open(struct browser *guest)
{
	browser_look(guest);
	return browser_is_open(guest);
}

static struct browser *enter(
	struct scene *scene, enum browser_session session, unsigned worker, const char *query)
{
	struct browser *guest = come(scene, session, 0, worker, query);
	stage_turns(&scene->stage, OPENING_TURNS);
	assert_true(is_open(guest));
	return guest;
}

/* The code of the close frame from the gateway; 0: none. browser_look checks that there is only
 * one. */
static unsigned closed_with(struct browser *guest)
{
	browser_look(guest);
	return guest->close_frames ? guest->close_code : 0;
}

/* Ada on many devices, each with its own session, all on one worker. */
static void enter_crowd(struct scene *scene, size_t n)
{
	char key[BROWSER_KEY_MAX];
	size_t first = scene->n;
	for (unsigned device = 1; device <= n; device++) {
		browser_key(SESSION_ADA, device, key);
		redis_change(&scene->stage.redis, (struct redis_record){ key, ADA(BLUE), NULL });
		come(scene, SESSION_ADA, device, 0, "");
	}
	stage_turns(&scene->stage, OPENING_TURNS);
	for (size_t i = first; i < scene->n; i++)
		assert_true(is_open(&scene->guests[i]));
}

static size_t count_closed(struct scene *scene)
{
	size_t n = 0;
	for (size_t i = 0; i < scene->n; i++)
		n += closed_with(&scene->guests[i]) == WS_CLOSE_SESSION_ENDED;
	return n;
}

/* Does it now receive publications on this channel of Ada's? */
static bool hears(struct scene *scene, struct browser *guest, enum browser_channel channel)
{
	browser_publish(&scene->stage, channel, 0);
	stage_turns(&scene->stage, OPENING_TURNS);
	browser_look(guest);
	return guest->last[channel] == scene->stage.published[channel];
}

/* ---- records ---- */

static void change(
	struct scene *scene, enum browser_session session, const char *value, const char *error)
{
	char key[BROWSER_KEY_MAX];
	redis_change(&scene->stage.redis,
		(struct redis_record){ browser_key(session, 0, key), value, error });
}

/* Changes the record without an invalidation. */
static void change_unheard(
	struct scene *scene, enum browser_session session, const char *value, const char *error)
{
	scene->stage.redis.lack = REDIS_LACKS_WORDS;
	change(scene, session, value, error);
	scene->stage.redis.lack = REDIS_LACKS_NOTHING;
}

static void evict(struct scene *scene, enum browser_session session, unsigned device)
{
	char key[BROWSER_KEY_MAX];
	redis_evict(&scene->stage.redis, browser_key(session, device, key));
}

/* How often the record was read. */
static unsigned gets(struct scene *scene, enum browser_session session, unsigned device)
{
	char key[BROWSER_KEY_MAX];
	browser_key(session, device, key);
	return redis_keys_get(&scene->stage.redis.keys, slice_of(key))->gets;
}

static void hold_answers(bool hold)
{
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		redis_reader(i)->held = hold;
}

/* Moves the clock, tick by tick. */
static void pass(struct scene *scene, unsigned ms)
{
	for (unsigned passed = 0; passed < ms; passed += TICK_MS) {
		machine_pass(TICK_MS);
		stage_turn(&scene->stage);
	}
}

/* Waits until no session was read within the gap. */
static void settle(struct scene *scene)
{
	pass(scene, SETTLE_MS);
}

/* ---- the end of a session ---- */

static const struct {
	const char *name, *value, *error;
} ends[] = {
	{ "deleted", NULL, NULL },
	{ "logged out", "{\"cookie\":{},\"authenticated\":false,\"userId\":\"ada\"}", NULL },
	{ "another user", "{\"cookie\":{},\"authenticated\":true,\"userId\":\"eve\"}", NULL },
	{ "no user", "{\"cookie\":{},\"authenticated\":true}", NULL },
	{ "not JSON", "{\"cookie\":{", NULL },
	{ "not a string", NULL, "-WRONGTYPE Operation against a key\r\n" },
};

static void closes_at_once_when_a_session_ends(void **state)
{
	struct scene *scene = *state;
	struct browser *bob = enter(scene, SESSION_BOB, 0, "?channel=public:a");
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		change(scene, SESSION_ADA, ADA(RED_BLUE), NULL);
		struct browser *ada = enter(scene, SESSION_ADA, 0, "");
		settle(scene);
		change(scene, SESSION_ADA, ends[i].value, ends[i].error);
		stage_turns(&scene->stage, AT_ONCE_TURNS);
		if (closed_with(ada) != WS_CLOSE_SESSION_ENDED)
			fail_msg("%s: not closed", ends[i].name);
		assert_int_equal(stage_metric(&scene->stage, METRIC_SESSIONS), 1);
	}
	assert_true(is_open(bob));
	assert_int_equal(gets(scene, SESSION_BOB, 0), 1);
	assert_int_equal(
		stage_metric(&scene->stage, METRIC_SESSIONS_REVOKED_TOTAL), COUNT_OF(ends));
	assert_int_equal(
		stage_metric(&scene->stage, METRIC_CLOSES_4401), 0); /* no client has answered */
}

/* One session in all workers: each worker reads it once, however many connections have it. */
static void reads_a_shared_session_once_a_worker(void **state)
{
	enum { SHARERS = 7 };
	struct scene *scene = *state;
	for (unsigned i = 0; i < SHARERS; i++)
		enter(scene, SESSION_ADA, i % STAGE_WORKERS, "");
	assert_int_equal(stage_metric(&scene->stage, METRIC_SESSIONS), STAGE_WORKERS);
	settle(scene);
	unsigned before = gets(scene, SESSION_ADA, 0);
	change(scene, SESSION_ADA, NULL, NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(gets(scene, SESSION_ADA, 0) - before, STAGE_WORKERS);
	assert_int_equal(count_closed(scene), SHARERS);
	pass(scene, SWEEP_MS);
	assert_int_equal(gets(scene, SESSION_ADA, 0) - before, STAGE_WORKERS);
	assert_int_equal(count_closed(scene), SHARERS);
	assert_int_equal(stage_metric(&scene->stage, METRIC_CLOSES_4401), SHARERS);
	assert_int_equal(stage_metric(&scene->stage, METRIC_SESSIONS_REVOKED_TOTAL), STAGE_WORKERS);
}

static void closes_a_crowd_at_once(void **state)
{
	struct scene *scene = *state;
	char key[BROWSER_KEY_MAX];
	enter_crowd(scene, CROWD);
	settle(scene);
	for (unsigned device = 1; device <= CROWD; device++)
		redis_change(&scene->stage.redis,
			(struct redis_record){ browser_key(SESSION_ADA, device, key) });
	/* Sessions that did not fit in the first round of reads are in the second. Those that the
	 * sweep has just read are not read again within the gap. */
	stage_turns(&scene->stage, 2 * AT_ONCE_TURNS);
	pass(scene, 4 * GAP_MS);
	assert_int_equal(count_closed(scene), CROWD);
}

static void closes_all_after_a_flush(void **state)
{
	struct scene *scene = *state;
	enter(scene, SESSION_ADA, 0, "");
	enter(scene, SESSION_ADA, 1, "");
	enter(scene, SESSION_BOB, 1, "");
	redis_flush(&scene->stage.redis);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(count_closed(scene), 3);
}

/* ---- invalidations without a change ---- */

static void closes_nobody_for_an_invalidation_without_a_change(void **state)
{
	static const char *const words[] = {
		"*-1\r\n",
		"$-1\r\n",
		"*0\r\n",
		"*2\r\n$19\r\nsess:ada" BROWSER_SECRET "\r\n:7\r\n",
		"*1\r\n*-1\r\n",
		"*1\r\n$0\r\n\r\n",
		":3\r\n",
	};
	struct scene *scene = *state;
	struct browser *ada = enter(scene, SESSION_ADA, 0, "");
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		redis_invalidate(&scene->stage.redis, slice_of(words[i]));
		settle(scene);
		assert_true(is_open(ada));
	}
	redis_publish(SLICE("__redis__:invalidate"), SLICE("sess:ada" BROWSER_SECRET));
	evict(scene, SESSION_ADA, 0);
	settle(scene);
	assert_true(is_open(ada));
	assert_true(hears(scene, ada, CHANNEL_RED));
	assert_int_equal(stage_metric(&scene->stage, METRIC_SESSIONS_REVOKED_TOTAL), 0);
}

/* However often it is invalidated, a session is read once in 50 ms, and its last change is seen. */
static void reads_a_session_once_in_50_ms(void **state)
{
	enum { EVERY_MS = 10, FOR_MS = 2000 };
	struct scene *scene = *state;
	struct browser *ada = enter(scene, SESSION_ADA, 0, "");
	settle(scene);
	unsigned before = gets(scene, SESSION_ADA, 0);
	for (unsigned passed = 0; passed < FOR_MS; passed += EVERY_MS) {
		evict(scene, SESSION_ADA, 0);
		stage_turns(&scene->stage, AT_ONCE_TURNS);
		machine_pass(EVERY_MS);
		stage_turn(&scene->stage);
	}
	unsigned n = gets(scene, SESSION_ADA, 0) - before;
	assert_in_range(n, FOR_MS / GAP_MS / 2, FOR_MS / GAP_MS + 1);
	change(scene, SESSION_ADA, NULL, NULL);
	pass(scene, 2 * GAP_MS);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
}

static void invalidate_all(struct scene *scene, unsigned n)
{
	for (unsigned device = 1; device <= n; device++)
		evict(scene, SESSION_ADA, device);
}

/* Redis evicts more keys than it can track: the reads per second are limited. A session that ends
 * among these is found in its turn; when they have stopped, ends are found at once again. */
static void limits_reads_that_find_nothing_new(void **state)
{
	enum { N = 400, FOR_MS = 4000, IN_TURN_MS = 1500 };
	struct scene *scene = *state;
	enter_crowd(scene, N);
	struct browser *bob = enter(scene, SESSION_BOB, 0, ""),
		       *ada = enter(scene, SESSION_ADA, 0, "");
	settle(scene);
	unsigned before = scene->stage.redis.gets;
	for (unsigned passed = 0; passed < FOR_MS; passed += TICK_MS) {
		invalidate_all(scene, N);
		pass(scene, TICK_MS);
	}
	unsigned n = scene->stage.redis.gets - before;
	assert_in_range(n, CREDIT_MAX, CREDIT_MAX + VAIN_PER_SECOND * FOR_MS / 1000 + N);
	change(scene, SESSION_ADA, NULL, NULL);
	for (unsigned passed = 0; passed < IN_TURN_MS; passed += TICK_MS) {
		invalidate_all(scene, N);
		evict(scene, SESSION_ADA, 0); /* invalidated again, it keeps its place */
		pass(scene, TICK_MS);
	}
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
	pass(scene, 3000);
	change(scene, SESSION_BOB, NULL, NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(closed_with(bob), WS_CLOSE_SESSION_ENDED);
	assert_int_equal(count_closed(scene), 2);
}

/* Real changes are not limited. The sweep reads some of the sessions as well. */
static void does_not_limit_reads_of_real_changes(void **state)
{
	enum { N = CROWD, ROUNDS = 30, ROUND_MS = 4 * GAP_MS, FOR_MS = ROUNDS * ROUND_MS };
	static const char *const records[] = { ADA(RED_BLUE), ADA(BLUE) };
	struct scene *scene = *state;
	char key[BROWSER_KEY_MAX];
	enter_crowd(scene, N);
	settle(scene);
	unsigned before = scene->stage.redis.gets;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned device = 1; device <= N; device++)
			redis_change(&scene->stage.redis,
				(struct redis_record){ browser_key(SESSION_ADA, device, key),
					records[round % COUNT_OF(records)] });
		stage_turns(&scene->stage, AT_ONCE_TURNS);
		pass(scene, ROUND_MS);
	}
	assert_in_range(
		scene->stage.redis.gets - before, N * ROUNDS, N * ROUNDS + N * FOR_MS / SWEEP_MS);
	assert_true(N * ROUNDS > CREDIT_MAX + VAIN_PER_SECOND * FOR_MS / 1000);
}

/* ---- invalidations that are lost or come early ---- */

static void finds_a_lost_invalidation_by_the_sweep(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter(scene, SESSION_ADA, 0, ""),
		       *bob = enter(scene, SESSION_BOB, 1, "");
	settle(scene);
	change_unheard(scene, SESSION_ADA, NULL, NULL);
	pass(scene, SWEEP_MS - 1000);
	assert_true(is_open(ada));
	pass(scene, 1500);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
	assert_true(is_open(bob));
}

/* Sessions that were opened together are not read together for ever. */
static void spreads_the_sweep_over_its_period(void **state)
{
	enum { N = 400, STEP_MS = 100, A_STEP = N * (STEP_MS + DEADLINE_TICK_MS) / SWEEP_MS + 1 };
	struct scene *scene = *state;
	enter_crowd(scene, N);
	settle(scene);
	unsigned before = scene->stage.redis.gets, at_most = 0;
	for (unsigned passed = 0; passed < 3 * SWEEP_MS; passed += STEP_MS) {
		unsigned earlier = scene->stage.redis.gets;
		pass(scene, STEP_MS);
		at_most = MAX(at_most, scene->stage.redis.gets - earlier);
	}
	assert_in_range(at_most, 1, A_STEP);
	assert_in_range(scene->stage.redis.gets - before, 3 * N - 2 * A_STEP, 3 * N);
	for (unsigned device = 1; device <= N; device++)
		assert_in_range(gets(scene, SESSION_ADA, device), 3, 5);
}

/* The invalidation overtakes the reply with the old record. */
static void reads_again_what_changed_during_a_read(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter(scene, SESSION_ADA, 0, "");
	settle(scene);
	struct wire *readers[STAGE_WORKERS] = { redis_reader(0), redis_reader(1) };
	evict(scene, SESSION_ADA, 0);
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		readers[i]->held = true;
	unsigned before = gets(scene, SESSION_ADA, 0);
	stage_turns(&scene->stage, 2);
	assert_int_equal(gets(scene, SESSION_ADA, 0) - before, 1);
	change(scene, SESSION_ADA, NULL, NULL);
	stage_turns(&scene->stage, 2);
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		readers[i]->held = false;
	stage_turns(&scene->stage, 2);
	assert_true(is_open(ada));
	pass(scene, 2 * GAP_MS);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(gets(scene, SESSION_ADA, 0) - before, 2);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
}

/* The same, before the session has a member. */
static void closes_when_a_session_ends_during_its_look_up(void **state)
{
	struct scene *scene = *state;
	struct wire *readers[STAGE_WORKERS] = { redis_reader(0), redis_reader(1) };
	struct browser *ada = come(scene, SESSION_ADA, 0, 0, "");
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		readers[i]->held = true;
	stage_turns(&scene->stage, 3);
	assert_int_equal(gets(scene, SESSION_ADA, 0), 1);
	change(scene, SESSION_ADA, NULL, NULL);
	stage_turns(&scene->stage, 3);
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		readers[i]->held = false;
	pass(scene, 500);
	assert_int_equal(gets(scene, SESSION_ADA, 0), 2);
	assert_false(is_open(ada));
	assert_int_equal(ada->status, 401);
	assert_int_equal(stage_metric(&scene->stage, METRIC_SESSIONS), 0);
}

/* The turns until the session has a member, which waits for its channels. */
static void turn_until_joined(struct scene *scene)
{
	for (int i = 0; i < OPENING_TURNS; i++) {
		stage_turn(&scene->stage);
		if (stage_metric(&scene->stage, METRIC_SESSIONS))
			return;
	}
	fail();
}

/* Redis confirms its channels in the same moment. */
static void refuses_whose_session_ends_before_its_channels_are_confirmed(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = come(scene, SESSION_ADA, 0, 0, "?channel=public:a&channel=public:b");
	turn_until_joined(scene);
	change(scene, SESSION_ADA, NULL, NULL);
	stage_turns(&scene->stage, OPENING_TURNS);
	browser_look(ada);
	assert_int_equal(ada->status, 401);
}

static void opens_whose_session_is_touched_before_its_channels_are_confirmed(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = come(scene, SESSION_ADA, 0, 0, "?channel=public:a&channel=public:b");
	turn_until_joined(scene);
	evict(scene, SESSION_ADA, 0);
	stage_turns(&scene->stage, OPENING_TURNS);
	assert_true(is_open(ada));
	assert_int_equal(gets(scene, SESSION_ADA, 0), 2);
}

/* Its record is written during every read. */
static void lets_a_session_in_that_is_written_all_the_time(void **state)
{
	enum { READS_MAX = 6 }; /* for the look-up, and when its channels are confirmed */
	struct scene *scene = *state;
	struct wire *readers[STAGE_WORKERS] = { redis_reader(0), redis_reader(1) };
	struct browser *ada = come(scene, SESSION_ADA, 0, 0, "");
	unsigned writes = 0;
	for (; !ada->status && writes < READS_MAX; writes++) {
		for (size_t i = 0; i < COUNT_OF(readers); i++)
			readers[i]->held = true;
		stage_turns(&scene->stage, 3);
		change(scene, SESSION_ADA, ADA(RED_BLUE), NULL);
		stage_turns(&scene->stage, 3);
		for (size_t i = 0; i < COUNT_OF(readers); i++)
			readers[i]->held = false;
		stage_turn(&scene->stage);
		browser_look(ada);
	}
	assert_int_equal(ada->status, 101);
	assert_in_range(writes, 3, READS_MAX);
}

/* A client whose opening waits for a channel that Redis does not confirm. */
static struct browser *wait_for_channel(struct scene *scene, const char *query)
{
	struct browser *guest = come(scene, SESSION_ADA, 0, 0, query);
	stage_turns(&scene->stage, OPENING_TURNS);
	pass(scene, 2 * GAP_MS);
	browser_look(guest);
	assert_int_equal(guest->status, 0);
	assert_int_equal(stage_metric(&scene->stage, METRIC_SESSIONS), 1);
	return guest;
}

static void refuses_an_opening_whose_session_ends(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = wait_for_channel(scene, "?channel=public:slow");
	change(scene, SESSION_ADA, NULL, NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	browser_look(ada);
	assert_int_equal(ada->status, 401);
	assert_int_equal(stage_metric(&scene->stage, METRIC_SESSIONS), 0);
}

static void closes_an_opening_with_4401_where_configured(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = wait_for_channel(scene, "?channel=public:slow");
	change(scene, SESSION_ADA, NULL, NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
	assert_int_equal(ada->received, 0);
}

static void refuses_an_opening_that_loses_its_channel(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = wait_for_channel(scene, "?channel=team:red&channel=public:slow");
	change(scene, SESSION_ADA, ADA(BLUE), NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	browser_look(ada);
	assert_int_equal(ada->status, 403);
}

/* ---- the end that a record names ---- */

enum { LIFE_MS = 5000, LATE_MS = 2 * TICK_MS };

static const int64_t NOON_MS = INT64_C(1800000000000);

/* Writes Ada's record with an end; unheard: without an invalidation. */
static void write_end(struct scene *scene, int64_t at_ms, bool unheard)
{
	char value[160];
	snprintf(value, sizeof(value),
		"{\"authenticated\":true,\"userId\":\"ada\",\"teams\":[\"red\"],\"expires\":%lld}",
		(long long)at_ms);
	(unheard ? change_unheard : change)(scene, SESSION_ADA, value, NULL);
}

static struct browser *enter_for(struct scene *scene, unsigned ms)
{
	machine_set_wall(NOON_MS);
	write_end(scene, NOON_MS + ms, false);
	return enter(scene, SESSION_ADA, 0, "");
}

static void pass_end(struct scene *scene, struct browser *guest)
{
	pass(scene, LIFE_MS - LATE_MS);
	assert_true(is_open(guest));
	pass(scene, 2 * LATE_MS);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
}

static void closes_at_the_end_that_the_record_names(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter_for(scene, LIFE_MS);
	struct browser *bob = enter(scene, SESSION_BOB, 0, "?channel=public:a");
	pass_end(scene, ada);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
	assert_int_equal(gets(scene, SESSION_ADA, 0), 2);
	assert_int_equal(gets(scene, SESSION_BOB, 0), 1);
	assert_true(is_open(bob));
}

static void stays_open_if_the_record_names_a_later_end(void **state)
{
	struct scene *scene = *state;
	for (unsigned unheard = 0; unheard < 2; unheard++) {
		struct browser *ada = enter_for(scene, LIFE_MS);
		settle(scene);
		write_end(scene, NOON_MS + 2 * LIFE_MS, unheard);
		pass(scene, LIFE_MS);
		stage_turns(&scene->stage, AT_ONCE_TURNS);
		assert_true(is_open(ada));
		pass(scene, LIFE_MS);
		stage_turns(&scene->stage, AT_ONCE_TURNS);
		assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
	}
}

static void stays_open_if_the_record_names_no_end_any_more(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter_for(scene, LIFE_MS);
	settle(scene);
	change(scene, SESSION_ADA, ADA(BLUE), NULL);
	pass(scene, 2 * LIFE_MS);
	assert_true(is_open(ada));
}

static void closes_at_the_known_end_without_a_link(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter_for(scene, LIFE_MS + SETTLE_MS);
	settle(scene);
	scene->stage.redis.mode = REDIS_AWAY;
	redis_drop(&scene->stage.redis);
	pass_end(scene, ada);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
	scene->stage.redis.mode = REDIS_ANSWERS;
}

/* Within a second, which is sooner than the link fails. */
static void closes_at_the_known_end_if_Redis_hangs(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter_for(scene, LIFE_MS);
	pass(scene, LIFE_MS - LATE_MS);
	scene->stage.redis.mode = REDIS_HANGS;
	pass(scene, 2 * LATE_MS);
	assert_true(is_open(ada));
	pass(scene, 1000);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
	scene->stage.redis.mode = REDIS_ANSWERS;
}

static void closes_at_the_known_end_if_the_record_cannot_be_read(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter_for(scene, LIFE_MS + SETTLE_MS);
	settle(scene);
	change(scene, SESSION_ADA, NULL, "-LOADING Redis is loading the dataset\r\n");
	pass_end(scene, ada);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
}

static void follows_a_wall_clock_that_is_set(void **state)
{
	enum { LOOK_MS = 60000, SET_BACK_MS = 3000 };
	struct scene *scene = *state;
	struct browser *ada = enter_for(scene, LIFE_MS);
	machine_set_wall(NOON_MS - SET_BACK_MS);
	pass(scene, LIFE_MS + SET_BACK_MS - LATE_MS);
	assert_true(is_open(ada));
	pass(scene, 2 * LATE_MS);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
	ada = enter_for(scene, 100 * LOOK_MS);
	machine_set_wall(NOON_MS + INT64_C(100) * LOOK_MS);
	pass(scene, LOOK_MS + LATE_MS);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
}

static void closes_at_the_end_that_a_ticket_names(void **state)
{
	struct scene *scene = *state;
	char value[160];
	machine_set_wall(NOON_MS);
	snprintf(value, sizeof(value), "{\"userId\":7,\"expires\":%lld}",
		(long long)NOON_MS + LIFE_MS);
	redis_change(&scene->stage.redis,
		(struct redis_record){ "ticket:bob" BROWSER_SECRET, value, NULL });
	struct browser *bob =
		come(scene, SESSION_NO_COOKIE, 0, 0, "?channel=public:a&ticket=bob" BROWSER_SECRET);
	stage_turns(&scene->stage, OPENING_TURNS);
	pass_end(scene, bob);
	assert_int_equal(closed_with(bob), WS_CLOSE_SESSION_ENDED);
}

/* The ticket names a session, too, and its own end comes while Redis is asked for that. */
static void refuses_a_ticket_that_ends_during_its_look_up(void **state)
{
	struct scene *scene = *state;
	char value[160];
	machine_set_wall(NOON_MS);
	snprintf(value, sizeof(value),
		"{\"userId\":7,\"expires\":%lld,\"session\":\"sess:bob" BROWSER_SECRET "\"}",
		(long long)NOON_MS + 500);
	redis_change(&scene->stage.redis,
		(struct redis_record){ "ticket:bob" BROWSER_SECRET, value, NULL });
	struct browser *bob =
		come(scene, SESSION_NO_COOKIE, 0, 0, "?channel=public:a&ticket=bob" BROWSER_SECRET);
	for (unsigned n = 0;
		redis_keys_get(&scene->stage.redis.keys, SLICE("ticket:bob" BROWSER_SECRET))->value;
		n++) {
		assert_true(n < OPENING_TURNS);
		stage_turn(&scene->stage);
	}
	hold_answers(true);
	pass(scene, 600);
	browser_look(bob);
	assert_int_equal(bob->status, 0);
	hold_answers(false);
	stage_turns(&scene->stage, OPENING_TURNS);
	browser_look(bob);
	assert_int_equal(bob->status, 401);
}

/* ---- links that are lost ---- */

/* Ada's session ends while the link is down. */
static void check_lost_link(struct scene *scene, void (*lose)(struct redis *redis), unsigned reads)
{
	struct browser *ada = enter(scene, SESSION_ADA, 0, ""),
		       *bob = enter(scene, SESSION_BOB, 0, "");
	settle(scene);
	unsigned before = gets(scene, SESSION_BOB, 0);
	lose(&scene->stage.redis);
	stage_turns(&scene->stage, 2);
	change(scene, SESSION_ADA, NULL, NULL);
	stage_turns(&scene->stage, 2);
	assert_true(is_open(ada));
	pass(scene, BACK_MS);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
	assert_true(is_open(bob));
	assert_in_range(gets(scene, SESSION_BOB, 0) - before, 1, reads);
	change(scene, SESSION_BOB, NULL, NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(is_open(bob), scene->stage.redis.lack == REDIS_LACKS_ID);
}

static void reads_all_again_after_a_lost_subscribed_link(void **state)
{
	check_lost_link(*state, redis_drop_listeners, 1);
}

static void reads_all_again_after_a_lost_command_link(void **state)
{
	check_lost_link(*state, redis_drop_readers, 2);
}

static void reads_all_again_after_both_links_are_lost(void **state)
{
	check_lost_link(*state, redis_drop, 3);
}

static void closes_nobody_for_a_record_that_cannot_be_read(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter(scene, SESSION_ADA, 0, "");
	settle(scene);
	change(scene, SESSION_ADA, NULL, "-LOADING Redis is loading the dataset\r\n");
	pass(scene, SWEEP_MS / 2);
	assert_true(is_open(ada));
	change_unheard(scene, SESSION_ADA, NULL, NULL);
	pass(scene, SWEEP_MS + 1000);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
}

/* Redis does not invalidate a key that it has not let us read, so the sweep would be late. */
static void retries_a_record_that_cannot_be_read_every_second(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter(scene, SESSION_ADA, 0, "");
	settle(scene);
	change(scene, SESSION_ADA, NULL, "-BUSY Redis is busy running a script\r\n");
	unsigned before = gets(scene, SESSION_ADA, 0);
	pass(scene, SWEEP_MS / 2);
	assert_in_range(gets(scene, SESSION_ADA, 0) - before, 3, SWEEP_MS / 2 / 1000 + 1);
	change_unheard(scene, SESSION_ADA, NULL, NULL);
	pass(scene, 1000 + 2 * TICK_MS);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
}

/* Redis refuses tracking and sends no invalidation: the sweep finds the end. */
static void check_untracked(struct scene *scene, enum redis_lack lack)
{
	scene->stage.redis.lack = lack;
	redis_drop(&scene->stage.redis);
	pass(scene, BACK_MS);
	struct browser *ada = enter(scene, SESSION_ADA, 0, "");
	change(scene, SESSION_ADA, NULL, NULL);
	pass(scene, 1000);
	assert_true(is_open(ada));
	pass(scene, SWEEP_MS);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
}

/* Redis tracks everything or nothing, and invalidates as ever. */
static void check_unselective(struct scene *scene, enum redis_lack lack)
{
	scene->stage.redis.lack = lack;
	redis_drop(&scene->stage.redis);
	pass(scene, BACK_MS);
	struct browser *ada = enter(scene, SESSION_ADA, 0, "");
	settle(scene);
	change(scene, SESSION_ADA, NULL, NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
}

static void closes_at_once_without_OPTIN(void **state)
{
	check_unselective(*state, REDIS_LACKS_OPTIN);
}

static void closes_at_once_without_CLIENT_CACHING(void **state)
{
	check_unselective(*state, REDIS_LACKS_CACHING);
}

/* An end while the link was down is found when it is back, with or without tracking. */
static void reads_all_again_after_a_lost_link_without_tracking(void **state)
{
	struct scene *scene = *state;
	scene->stage.redis.lack = REDIS_LACKS_ID;
	redis_drop(&scene->stage.redis);
	pass(scene, BACK_MS);
	check_lost_link(scene, redis_drop_readers, 1);
}

static void relies_on_the_sweep_without_CLIENT_ID(void **state)
{
	check_untracked(*state, REDIS_LACKS_ID);
}

static void relies_on_the_sweep_without_CLIENT_TRACKING(void **state)
{
	check_untracked(*state, REDIS_LACKS_TRACKING);
}

/* ---- what Redis tracks ---- */

static void tracks_no_id_that_a_stranger_makes_up(void **state)
{
	enum { STRANGERS = 100 };
	struct scene *scene = *state;
	struct redis *redis = &scene->stage.redis;
	for (unsigned i = 1; i <= STRANGERS; i++) {
		struct browser *stranger = come(scene, SESSION_ADA, i, 0, "");
		stage_turns(&scene->stage, OPENING_TURNS);
		browser_look(stranger);
		assert_int_equal(stranger->status, 401);
	}
	assert_int_equal(redis->gets, STRANGERS);
	assert_int_equal(redis_keys_tracked(&redis->keys), 0);
	struct browser *out = come(scene, SESSION_LOGGED_OUT, 0, 0, "");
	stage_turns(&scene->stage, OPENING_TURNS);
	browser_look(out);
	assert_int_equal(out->status, 401);
	assert_int_equal(redis_keys_tracked(&redis->keys), 0);
	struct browser *ada = enter(scene, SESSION_ADA, 0, "");
	assert_int_equal(gets(scene, SESSION_ADA, 0), 2);
	assert_int_equal(redis_keys_tracked(&redis->keys), 1);
	enter(scene, SESSION_ADA, 0, ""); /* a session with members is read once */
	assert_int_equal(gets(scene, SESSION_ADA, 0), 3);
	settle(scene);
	change(scene, SESSION_ADA, NULL, NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
}

/* An invalidation of all during a read that is not tracked does not make it so. */
static void tracks_no_made_up_id_after_a_flush(void **state)
{
	struct scene *scene = *state;
	struct redis *redis = &scene->stage.redis;
	struct wire *readers[STAGE_WORKERS] = { redis_reader(0), redis_reader(1) };
	struct browser *stranger = come(scene, SESSION_ADA, 1, 0, "");
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		readers[i]->held = true;
	stage_turns(&scene->stage, 3);
	redis_flush(redis);
	stage_turns(&scene->stage, 3);
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		readers[i]->held = false;
	stage_turns(&scene->stage, OPENING_TURNS);
	browser_look(stranger);
	assert_int_equal(stranger->status, 401);
	assert_int_equal(gets(scene, SESSION_ADA, 1), 2);
	assert_int_equal(redis_keys_tracked(&redis->keys), 0);
}

/* Between the read that found it, which is not tracked, and the one that decides. */
static void refuses_an_unsigned_session_that_ends_while_it_opens(void **state)
{
	struct scene *scene = *state;
	struct wire *readers[STAGE_WORKERS] = { redis_reader(0), redis_reader(1) };
	struct browser *ada = come(scene, SESSION_ADA, 0, 0, "");
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		readers[i]->held = true;
	stage_turns(&scene->stage, 3);
	assert_int_equal(gets(scene, SESSION_ADA, 0), 1);
	change(scene, SESSION_ADA, NULL, NULL);
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		readers[i]->held = false;
	stage_turns(&scene->stage, OPENING_TURNS);
	browser_look(ada);
	assert_int_equal(ada->status, 401);
}

/* ---- long records ---- */

enum { LONG_BYTES = 400 << 10, LONG_TURNS = 100 };

/* A record that is read in some thirty pieces. */
static const char *long_record(void)
{
	static const char head[] = "{\"cookie\":{},\"authenticated\":true,\"userId\":\"ada\","
				   "\"teams\":[\"red\"],\"x\":[";
	static char record[LONG_BYTES];
	size_t len = sizeof(head) - 1;
	memcpy(record, head, len);
	for (; len < LONG_BYTES - 8; len += 2)
		memcpy(record + len, "1,", 2);
	memcpy(record + len, "0]}", 4);
	return record;
}

/* Turns until the record has been sent by Redis and its reading has begun. */
static void turn_into_a_record(struct scene *scene)
{
	for (unsigned n = 0; !scene->stage.workers[0].sessions.pieces.kept; n++) {
		assert_true(n < LONG_TURNS);
		stage_turn(&scene->stage);
	}
}

static void reads_a_long_record_in_pieces(void **state)
{
	struct scene *scene = *state;
	change(scene, SESSION_ADA, long_record(), NULL);
	struct browser *ada = come(scene, SESSION_ADA, 0, 0, "");
	turn_into_a_record(scene);
	struct browser *bob = enter(scene, SESSION_BOB, 0, "");
	assert_int_equal(gets(scene, SESSION_BOB, 0), 1);
	stage_turns(&scene->stage, LONG_TURNS);
	assert_true(is_open(ada) && is_open(bob));
	assert_int_equal(scene->stage.workers[0].sessions.pieces.kept, 0);
	assert_int_equal(gets(scene, SESSION_ADA, 0), 1);
}

/* A turn takes so long here that the pieces take longer than Redis may take for its answer. */
static void a_long_record_takes_its_time_on_a_busy_worker(void **state)
{
	struct scene *scene = *state;
	change(scene, SESSION_ADA, long_record(), NULL);
	struct browser *ada = come(scene, SESSION_ADA, 0, 0, "");
	turn_into_a_record(scene);
	for (unsigned ms = 0; ms < 3 * ANSWER_MS; ms += ANSWER_MS / 2) {
		assert_true(scene->stage.workers[0].sessions.pieces.kept);
		machine_pass(ANSWER_MS / 2);
		stage_turn(&scene->stage);
	}
	browser_look(ada);
	assert_int_equal(ada->status, 0);
	stage_turns(&scene->stage, LONG_TURNS);
	assert_true(is_open(ada));
}

/* The read of an unsigned id is repeated, and tracked, when it has found a session: what the pieces of
 * the first took is added to the time for the second, and no more. */
static void waits_no_longer_for_Redis_because_of_a_long_record(void **state)
{
	struct scene *scene = *state;
	change(scene, SESSION_ADA, long_record(), NULL);
	struct browser *ada = come(scene, SESSION_ADA, 0, 0, "");
	turn_into_a_record(scene);
	for (unsigned ms = 0; ms < ANSWER_MS; ms += ANSWER_MS / 2) {
		assert_true(scene->stage.workers[0].sessions.pieces.kept);
		machine_pass(ANSWER_MS / 2);
		stage_turn(&scene->stage);
	}
	hold_answers(true);
	stage_turns(&scene->stage, LONG_TURNS);
	pass(scene, ANSWER_MS - 2 * TICK_MS);
	browser_look(ada);
	assert_int_equal(ada->status, 0);
	pass(scene, 4 * TICK_MS);
	browser_look(ada);
	assert_int_equal(ada->status, 503);
	hold_answers(false);
}

static void a_long_record_survives_its_link(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter(scene, SESSION_ADA, 0, "");
	settle(scene);
	change(scene, SESSION_ADA, long_record(), NULL);
	turn_into_a_record(scene);
	redis_drop_readers(&scene->stage.redis);
	pass(scene, BACK_MS);
	assert_true(is_open(ada));
	assert_int_equal(scene->stage.workers[0].sessions.pieces.kept, 0);
	change(scene, SESSION_ADA, NULL, NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(closed_with(ada), WS_CLOSE_SESSION_ENDED);
}

static void refuses_whose_session_ends_between_two_pieces(void **state)
{
	struct scene *scene = *state;
	change(scene, SESSION_ADA, long_record(), NULL);
	struct browser *ada = come(scene, SESSION_ADA, 0, 0, "");
	turn_into_a_record(scene);
	change(scene, SESSION_ADA, NULL, NULL);
	stage_turns(&scene->stage, LONG_TURNS);
	browser_look(ada);
	assert_int_equal(ada->status, 401);
}

/* Somebody looks up many sessions that have long records: others are read again all the same. */
static void closes_at_once_beside_many_long_records(void **state)
{
	enum { DEVICES = 40, MUCH_BYTES = 8 << 20 }; /* as in session_read.c */
	struct scene *scene = *state;
	const struct sessions *sessions = &scene->stage.workers[0].sessions;
	char key[BROWSER_KEY_MAX];
	struct browser *bob = enter(scene, SESSION_BOB, 0, "");
	settle(scene);
	for (unsigned device = 1; device <= DEVICES; device++) {
		browser_key(SESSION_ADA, device, key);
		redis_change(
			&scene->stage.redis, (struct redis_record){ key, long_record(), NULL });
		come(scene, SESSION_ADA, device, 0, "");
	}
	turn_into_a_record(scene);
	stage_turn(&scene->stage);
	change(scene, SESSION_BOB, NULL, NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_true(sessions->pieces.kept > MUCH_BYTES);
	assert_int_equal(closed_with(bob), WS_CLOSE_SESSION_ENDED);
}

/* The end of the scene checks that nothing is left. */
static void ends_between_two_pieces(void **state)
{
	struct scene *scene = *state;
	change(scene, SESSION_ADA, long_record(), NULL);
	change(scene, SESSION_BOB, long_record(), NULL);
	come(scene, SESSION_ADA, 0, 0, "");
	come(scene, SESSION_BOB, 0, 0, "");
	turn_into_a_record(scene);
}

/* ---- channel rules ---- */

static void changes_the_channels_with_the_session(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter(scene, SESSION_ADA, 0, "?channel=public:a");
	assert_true(hears(scene, ada, CHANNEL_RED));
	settle(scene);
	change(scene, SESSION_ADA, ADA(BLUE), NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(redis_subscribers(SLICE("team:red")), 0);
	assert_int_equal(redis_subscribers(SLICE("team:blue")), 1);
	assert_false(hears(scene, ada, CHANNEL_RED));
	assert_true(hears(scene, ada, CHANNEL_A));
	settle(scene);
	change(scene, SESSION_ADA, ADA(RED_BLUE), NULL);
	stage_turns(&scene->stage, OPENING_TURNS);
	assert_true(hears(scene, ada, CHANNEL_RED));
	settle(scene);
	change(scene, SESSION_ADA, ADA(""), NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_true(hears(scene, ada, CHANNEL_A));
	assert_true(is_open(ada));
}

static void closes_a_connection_that_loses_all_channels(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter(scene, SESSION_ADA, 0, "");
	struct browser *bob = enter(scene, SESSION_BOB, 0, ""); /* on no channel from the start */
	settle(scene);
	change(scene, SESSION_ADA, ADA(""), NULL);
	change(scene, SESSION_BOB, "{\"cookie\":{},\"authenticated\":true,\"userId\":7}", NULL);
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(closed_with(ada), WS_CLOSE_FORBIDDEN);
	assert_true(is_open(bob));
}

/* The record is the same; the rules have changed. */
static void applies_reloaded_rules_to_open_connections(void **state)
{
	struct scene *scene = *state;
	struct browser *only = enter(scene, SESSION_ADA, 0, "");
	struct browser *also = enter(scene, SESSION_ADA, 1, "?channel=public:a");
	settle(scene);
	stage_reload(&scene->stage, settings_get(SETTINGS_STRICT));
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	assert_int_equal(closed_with(only), WS_CLOSE_FORBIDDEN);
	assert_true(is_open(also));
	assert_false(hears(scene, also, CHANNEL_RED));
	stage_reload(&scene->stage, settings_get(SETTINGS_WATCHED));
	stage_turns(&scene->stage, OPENING_TURNS);
	assert_true(hears(scene, also, CHANNEL_RED));
	assert_true(hears(scene, also, CHANNEL_A));
}

/* A rule of the new settings names a field that the read, by the old ones, has not looked for. */
static void applies_rules_that_are_reloaded_during_a_read(void **state)
{
	struct scene *scene = *state;
	struct browser *ada = enter(scene, SESSION_ADA, 0, "?channel=public:a");
	settle(scene);
	change(scene, SESSION_ADA, ADA(RED_BLUE), NULL);
	hold_answers(true);
	struct browser *late = come(scene, SESSION_ADA, 0, 0, "?channel=team:red");
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	stage_reload(&scene->stage, settings_get(SETTINGS_WATCHED));
	stage_turns(&scene->stage, AT_ONCE_TURNS);
	hold_answers(false);
	settle(scene);
	assert_true(is_open(ada) && is_open(late));
	assert_true(hears(scene, ada, CHANNEL_RED));
	assert_true(hears(scene, late, CHANNEL_RED));
}

/* Asks for a channel with sluice.v1, and waits for the answer. */
static void ask_for(struct scene *scene, struct browser *guest, enum browser_channel channel)
{
	browser_look(guest);
	size_t answers = guest->answers;
	browser_command(guest, "subscribe", channel, 1);
	stage_turns(&scene->stage, OPENING_TURNS);
	browser_look(guest);
	assert_int_equal(guest->answers, answers + 1);
}

static struct browser *enter_v1(struct scene *scene)
{
	struct browser *ada = &scene->guests[scene->n++];
	browser_open(ada, &scene->stage, 0, "10.0.0.1");
	browser_ask(ada, SESSION_ADA, "", "Sec-WebSocket-Protocol: sluice.v1\r\n");
	stage_turns(&scene->stage, OPENING_TURNS);
	assert_true(is_open(ada));
	settle(scene);
	return ada;
}

static void reads_a_record_once_a_tick_for_commands(void **state)
{
	enum { COMMANDS = 10, TICKS = 3 };
	struct scene *scene = *state;
	struct browser *ada = enter_v1(scene);
	unsigned before = gets(scene, SESSION_ADA, 0);
	for (unsigned tick = 1; tick <= TICKS; tick++) {
		for (unsigned i = 0; i < COMMANDS; i++)
			ask_for(scene, ada, CHANNEL_STRANGE);
		assert_int_equal(gets(scene, SESSION_ADA, 0) - before, tick);
		pass(scene, 2 * TICK_MS);
	}
	ask_for(scene, ada, CHANNEL_STRANGE);
	evict(scene, SESSION_ADA, 0);
	stage_turn(&scene->stage); /* Redis has said so, and the record is due or being read */
	ask_for(scene, ada, CHANNEL_STRANGE);
	assert_in_range(gets(scene, SESSION_ADA, 0) - before, TICKS + 2, TICKS + 3);
}

/* In the same tick. */
static void judges_no_command_by_a_record_that_has_changed(void **state)
{
	struct scene *scene = *state;
	change(scene, SESSION_ADA, ADA(BLUE), NULL);
	struct browser *ada = enter_v1(scene);
	ask_for(scene, ada, CHANNEL_RED);
	assert_false(ada->has & 1U << CHANNEL_RED);
	change(scene, SESSION_ADA, ADA(RED_BLUE), NULL);
	stage_turn(&scene->stage);
	browser_command(ada, "subscribe", CHANNEL_RED, 2);
	stage_turns(&scene->stage, OPENING_TURNS);
	browser_look(ada);
	assert_int_equal(ada->answers, 3); /* and that it has joined, as the channel is automatic */
	assert_true(ada->has & 1U << CHANNEL_RED);
}

/* ---- the time to live ---- */

static void answer_pings(struct browser *guest, size_t *answered)
{
	for (browser_look(guest); *answered < guest->pings; ++*answered)
		browser_frame(guest, 0x8a, SLICE(""));
}

/* Keeps two pages of one session open for ten minutes. Returns how often its time to live was
 * set. */
static unsigned stay(struct scene *scene, bool answers)
{
	enum { MINUTES = 10, STEPS = MINUTES * 60 };
	size_t answered[] = { 0, 0 };
	struct browser *guests[] = { enter(scene, SESSION_ADA, 0, ""),
		enter(scene, SESSION_ADA, 0, "") };
	for (unsigned step = 0; step < STEPS; step++) {
		stage_pass(&scene->stage, 1000);
		for (size_t i = 0; i < COUNT_OF(guests) && answers; i++)
			answer_pings(guests[i], &answered[i]);
	}
	assert_int_equal(is_open(guests[0]), answers);
	return scene->stage.redis.expires;
}

static void extends_the_session_of_an_open_page(void **state)
{
	struct scene *scene = *state;
	assert_in_range(stay(scene, true), 7, 10);
	assert_int_equal(stage_metric(&scene->stage, METRIC_SESSIONS_REVOKED_TOTAL), 0);
}

static void does_not_extend_it_for_a_page_that_does_not_answer(void **state)
{
	assert_int_equal(stay(*state, false), 0);
}

static void does_not_extend_it_without_session_touch(void **state)
{
	assert_int_equal(stay(*state, true), 0);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(closes_at_once_when_a_session_ends, watched),
		TEST(reads_a_shared_session_once_a_worker, watched),
		TEST(closes_a_crowd_at_once, watched),
		TEST(closes_all_after_a_flush, watched),
		TEST(closes_nobody_for_an_invalidation_without_a_change, watched),
		TEST(reads_a_session_once_in_50_ms, watched),
		TEST(limits_reads_that_find_nothing_new, watched),
		TEST(does_not_limit_reads_of_real_changes, watched),
		TEST(finds_a_lost_invalidation_by_the_sweep, watched),
		TEST(spreads_the_sweep_over_its_period, watched),
		TEST(reads_again_what_changed_during_a_read, watched),
		TEST(closes_when_a_session_ends_during_its_look_up, watched),
		TEST(refuses_whose_session_ends_before_its_channels_are_confirmed, watched),
		TEST(opens_whose_session_is_touched_before_its_channels_are_confirmed, watched),
		TEST(lets_a_session_in_that_is_written_all_the_time, watched),
		TEST(refuses_an_opening_whose_session_ends, watched),
		TEST(closes_an_opening_with_4401_where_configured, strict),
		TEST(refuses_an_opening_that_loses_its_channel, watched),
		TEST(closes_at_the_end_that_the_record_names, ending),
		TEST(stays_open_if_the_record_names_a_later_end, ending),
		TEST(stays_open_if_the_record_names_no_end_any_more, ending),
		TEST(closes_at_the_known_end_without_a_link, ending),
		TEST(closes_at_the_known_end_if_Redis_hangs, ending),
		TEST(closes_at_the_known_end_if_the_record_cannot_be_read, ending),
		TEST(follows_a_wall_clock_that_is_set, ending),
		TEST(closes_at_the_end_that_a_ticket_names, ending_tickets),
		TEST(refuses_a_ticket_that_ends_during_its_look_up, ending_tickets),
		TEST(reads_all_again_after_a_lost_subscribed_link, watched),
		TEST(reads_all_again_after_a_lost_command_link, watched),
		TEST(reads_all_again_after_both_links_are_lost, watched),
		TEST(closes_nobody_for_a_record_that_cannot_be_read, watched),
		TEST(retries_a_record_that_cannot_be_read_every_second, watched),
		TEST(relies_on_the_sweep_without_CLIENT_ID, watched),
		TEST(relies_on_the_sweep_without_CLIENT_TRACKING, watched),
		TEST(closes_at_once_without_OPTIN, watched),
		TEST(closes_at_once_without_CLIENT_CACHING, watched),
		TEST(reads_all_again_after_a_lost_link_without_tracking, watched),
		TEST(tracks_no_id_that_a_stranger_makes_up, unsigned_cookies),
		TEST(tracks_no_made_up_id_after_a_flush, unsigned_cookies),
		TEST(refuses_an_unsigned_session_that_ends_while_it_opens, unsigned_cookies),
		TEST(reads_a_long_record_in_pieces, watched),
		TEST(a_long_record_takes_its_time_on_a_busy_worker, watched),
		TEST(waits_no_longer_for_Redis_because_of_a_long_record, unsigned_cookies),
		TEST(a_long_record_survives_its_link, watched),
		TEST(refuses_whose_session_ends_between_two_pieces, watched),
		TEST(closes_at_once_beside_many_long_records, watched),
		TEST(ends_between_two_pieces, watched),
		TEST(changes_the_channels_with_the_session, watched),
		TEST(closes_a_connection_that_loses_all_channels, watched),
		TEST(applies_reloaded_rules_to_open_connections, watched),
		TEST(applies_rules_that_are_reloaded_during_a_read, strict),
		TEST(reads_a_record_once_a_tick_for_commands, watched),
		TEST(judges_no_command_by_a_record_that_has_changed, watched),
		TEST(extends_the_session_of_an_open_page, touched),
		TEST(does_not_extend_it_for_a_page_that_does_not_answer, touched),
		TEST(does_not_extend_it_without_session_touch, untouched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
