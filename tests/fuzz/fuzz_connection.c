/* Whole connections on scripted streams (tests/scripted): real workers, with browsers and a Redis
 * that the input controls. The first byte chooses the chunking, the second the configuration, and
 * the rest is a script of letters, so that it can be written by hand:
 *
 *	oW     a browser connects to worker W, and becomes the current browser
 *	bN     the N-th browser becomes the current browser
 *	uSQH   requests the endpoint with session S, query Q and headers H of the tables below
 *	rN...  sends the N bytes that follow
 *	fFN... sends a masked frame: first byte F of the table, and the N bytes that follow
 *	FFN    the same with N * N bytes "x"
 *	zFN... like f, compressed;  ZFN: like F, with 16 times as many bytes, compressed
 *	vNC    sends command N of the table, for channel C
 *	kN     reads N * 16 bytes more; with N = 15 reads everything
 *	e      ends its side;  x: its connection is reset;  c: the next browser's cannot be opened
 *	pCN    a publication on channel C, of N * N bytes
 *	mM     from now on Redis answers (0), hangs (1), or is down (2)
 *	sNL... Redis sends the L bytes that follow on its N-th link
 *	d      Redis closes all links;  yN: only the subscribed links (0), or only the others
 *	RSR    the record of session S becomes record R of the table below
 *	iS     Redis stops tracking that record, and reports it as changed
 *	nW     Redis sends report W of the table about changed keys, or (0) loses all keys
 *	qN     from now on Redis does not support N of enum redis_lack
 *	hN     bytes from Redis on the N-th link for commands are held until the next "h" for it
 *	wN     N * N * 10 ms pass
 *	tN     N turns of all loops
 *	aN     the N-th allocation from now on fails
 *	D      the drain begins
 *	lN     reloads the N-th configuration
 *
 * A number is a byte minus '0'; a missing number is 0. After each step the loops run one turn,
 * unless the step is followed by "+". Whatever the script is, everything is freed in the end, the
 * metrics add up, and each browser has received valid data (browser.h). If records were changed,
 * then after the sweep no browser is connected without a session, or receives publications of a
 * team that is not in its session. */
#include "allocations.h"
#include "browser.h"
#include "fuzz.h"
#include "machine.h"
#include "settings.h"

#include <errno.h>

enum {
	BROWSERS_MAX = 12,
	STEPS_MAX = 400,
	TAKES_UNIT = 16,
	TAKES_ALL = 15,
	WAIT_UNIT_MS = 10,
	BACK_MS = 5000, /* by then Redis is back */
	COMPRESSED_TIMES = 16,
	RSV1 = 0x40
};

struct play {
	struct slice script; /* the rest of it */
	struct stage stage;
	struct browser browsers[BROWSERS_MAX];
	unsigned n, current;
	bool refuse_next;
	bool may_miss;       /* publications, without a bug */
	bool changes;        /* with records */
	unsigned records[2]; /* of Ada and Bob, by their rows */
};

static const char *const queries[] = { "", "?channel=team:red",
	"?channel=public:a&channel=public%3Ab", "?channel=user:ada",
	"?channel=public:denied&channel=public:a", "?channel=secret",
	"?channel=public:a&channel=public:b&channel=public:c&channel=public:d", "?channel=%00",
	"?channel=", "?x=1&channel=news&channel=news", "?channel=public:a+b", "?channel=%zz",
	"?ticket=bob" BROWSER_SECRET, "/check?channel=public:a",
	"/check?ticket=bob" BROWSER_SECRET };

static const char *const headers[] = { "", "Origin: http://sluice.test\r\n",
	"Origin: https://elsewhere.test\r\n", "Sec-WebSocket-Protocol: chat, superchat\r\n",
	"Sec-WebSocket-Extensions: permessage-deflate\r\n",
	"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9, x\r\n",
	"Content-Length: 3\r\n", "Sec-WebSocket-Version: 12\r\n", "X: y\r\n z\r\n",
	"Cookie: connect.sid=other\r\n", "Sec-WebSocket-Protocol: sluice.v1\r\n",
	"Sec-WebSocket-Protocol: x, ticket.y, sluice.v1\r\n"
	"Sec-WebSocket-Extensions: permessage-deflate\r\n",
	"Sec-WebSocket-Protocol: ticket.bob" BROWSER_SECRET ", sluice.v1\r\n" };

/* FIN and opcode: good ones first. */
static const uint8_t firsts[] = { 0x81, 0x82, 0x89, 0x8a, 0x88, 0x01, 0x02, 0x00, 0x80, 0xc1, 0x83,
	0x09, 0x8b, 0xa1 };

/* What a record may become: Ada's records, then Bob's. */
static const struct {
	const char *values[2], *error;
	bool is_session, is_red; /* or this is unknown */
} records[] = {
	{ { "{\"cookie\":{},\"authenticated\":true,\"userId\":\"ada\",\"teams\":[\"red\",\"blue\"]"
	    "}",
		  "{\"cookie\":{},\"authenticated\":true,\"userId\":7}" },
		NULL, true, true },
	{ { NULL, NULL }, NULL, false, false },
	{ { "{\"cookie\":{},\"authenticated\":true,\"userId\":\"ada\",\"teams\":[\"blue\"]}",
		  "{\"cookie\":{},\"authenticated\":true,\"userId\":7,\"teams\":[\"blue\"]}" },
		NULL, true, false },
	{ { "{\"cookie\":{},\"authenticated\":false}", "{\"cookie\":{}}" }, NULL, false, false },
	{ { "{\"cookie\":{},\"authenticated\":true,\"userId\":\"eve\"}",
		  "{\"cookie\":{},\"authenticated\":true}" },
		NULL, true, false },
	{ { "{\"cookie\":{", "[]" }, NULL, false, false },
	{ { NULL, NULL }, "-WRONGTYPE Operation against a key\r\n", false, false },
	{ { NULL, NULL }, "-LOADING Redis is loading the dataset\r\n", true, true },
};

/* Reports of changed keys that Redis may send, and some that it should not. */
static const char *const words[] = { "", "*-1\r\n", "$-1\r\n", "*0\r\n",
	"*1\r\n$19\r\nsess:ada-session-id\r\n",
	"*2\r\n$19\r\nsess:bob-session-id\r\n$19\r\nsess:ada-session-id\r\n",
	"*3\r\n$0\r\n\r\n:1\r\n*1\r\n$1\r\nx\r\n", "*1\r\n$-1\r\n", ":1\r\n", "$4\r\nsess\r\n",
	"+OK\r\n", "-ERR no\r\n" };

static uint8_t next_octet(struct play *play)
{
	if (!play->script.len)
		return '0';
	uint8_t octet = (uint8_t)play->script.at[0];
	play->script = slice_skip(play->script, 1);
	return octet;
}

static uint8_t next_number(struct play *play)
{
	return (uint8_t)(next_octet(play) - '0');
}

static struct slice next_octets(struct play *play, size_t n)
{
	n = MIN(n, play->script.len);
	struct slice octets = slice_make(play->script.at, n);
	play->script = slice_skip(play->script, n);
	return octets;
}

/* ---- the browsers' steps ---- */

static void open_browser(struct play *play)
{
	static const char *const addresses[] = { "10.0.0.1", "10.0.0.2" };
	uint8_t worker = next_number(play);
	if (play->n == BROWSERS_MAX)
		return;
	struct browser *browser = &play->browsers[play->n];
	browser_prepare(browser, &play->stage);
	browser->wire->refuses = play->refuse_next ? -EMFILE : 0;
	play->refuse_next = false;
	browser_come(browser, worker % STAGE_WORKERS, addresses[worker / 2 % COUNT_OF(addresses)]);
	play->current = play->n++;
}

static void ask(struct play *play, struct browser *browser)
{
	uint8_t session = next_number(play), query = next_number(play), header = next_number(play);
	browser_ask(browser, session % SESSION_COUNT, queries[query % COUNT_OF(queries)],
		headers[header % COUNT_OF(headers)]);
}

static void send_frame(struct play *play, struct browser *browser, bool is_compressed)
{
	uint8_t first = firsts[next_number(play) % COUNT_OF(firsts)];
	struct slice payload = next_octets(play, next_number(play));
	if (is_compressed)
		browser_compressed_frame(browser, first | RSV1, payload);
	else
		browser_frame(browser, first, payload);
}

static void send_filled_frame(struct play *play, struct browser *browser, bool is_compressed)
{
	static char fill[COMPRESSED_TIMES * UINT8_MAX * UINT8_MAX];
	uint8_t first = firsts[next_number(play) % COUNT_OF(firsts)], n = next_number(play);
	memset(fill, 'x', sizeof(fill));
	if (is_compressed)
		browser_compressed_frame(
			browser, first | RSV1, slice_make(fill, (size_t)COMPRESSED_TIMES * n * n));
	else
		browser_frame(browser, first, slice_make(fill, (size_t)n * n));
}

static void send_command(struct play *play, struct browser *browser)
{
	static const char *const commands[] = {
		"{\"type\":\"subscribe\",\"id\":1,\"channel\":\"%s\"}",
		"{\"type\":\"unsubscribe\",\"id\":\"x\",\"channel\":\"%s\"}",
		"{\"type\":\"ping\",\"channel\":\"%s\"}", "{\"type\":\"sing\",\"channel\":\"%s\"}",
		"{\"channel\":\"x%s\",\"type\":\"subscribe\"}"
	};
	const char *format = commands[next_number(play) % COUNT_OF(commands)];
	const char *name = browser_channels[next_number(play) % CHANNEL_COUNT].name;
	const char *place = strstr(format, "%s");
	struct buffer text = { 0 };
	allocations_spare();
	fuzz_append(&text, slice_make(format, (size_t)(place - format)));
	fuzz_append(&text, slice_of(name));
	fuzz_append(&text, slice_of(place + 2));
	browser_frame(browser, 0x81, buffer_slice(&text));
	buffer_finish(&text);
	allocations_resume();
}

static void take(struct play *play, struct browser *browser)
{
	size_t n = next_number(play);
	if (n == TAKES_ALL)
		browser->wire->room = WIRE_TAKES_ALL;
	else if (n == 0 || browser->wire->room == WIRE_TAKES_ALL)
		browser->wire->room = n * TAKES_UNIT;
	else
		browser->wire->room += n * TAKES_UNIT;
}

/* False: it is none of these. */
static bool step_of_browser(struct play *play, uint8_t letter)
{
	struct browser *browser = &play->browsers[play->current];
	if (!play->n || !strchr("urfFzZvkex", letter))
		return false;
	switch (letter) {
	case 'u':
		ask(play, browser);
		break;
	case 'r':
		wire_send(browser->wire, next_octets(play, next_number(play)));
		break;
	case 'v':
		send_command(play, browser);
		break;
	case 'k':
		take(play, browser);
		break;
	case 'e':
		browser->wire->peer_ended = true;
		break;
	case 'x':
		browser->wire->error = -ECONNRESET;
		break;
	case 'f':
	case 'z':
		send_frame(play, browser, letter == 'z');
		break;
	default:
		send_filled_frame(play, browser, letter == 'Z');
		break;
	}
	return true;
}

/* ---- other steps ---- */

static void publish(struct play *play)
{
	uint8_t channel = next_number(play);
	size_t n = next_number(play);
	browser_publish(&play->stage, channel % CHANNEL_COUNT, n * n);
}

static void say_raw(struct play *play)
{
	uint8_t link = next_number(play), n = next_number(play);
	machine_keep_out_of_log(NULL); /* the log contains what Redis sends */
	redis_say(&play->stage.redis, link % (2 * STAGE_WORKERS), next_octets(play, n));
}

static const char *key_of(unsigned who, char room[BROWSER_KEY_MAX])
{
	return browser_key(who ? SESSION_BOB : SESSION_ADA, 0, room);
}

static void change_record(struct play *play)
{
	char key[BROWSER_KEY_MAX];
	unsigned who = next_number(play) % COUNT_OF(play->records);
	unsigned row = next_number(play) % COUNT_OF(records);
	redis_change(&play->stage.redis, (struct redis_record){ key_of(who, key),
						 records[row].values[who], records[row].error });
	play->records[who] = row;
	play->changes = play->may_miss = true;
}

static void say_word(struct play *play)
{
	unsigned word = next_number(play) % COUNT_OF(words);
	if (word) {
		machine_keep_out_of_log(NULL);
		redis_invalidate(&play->stage.redis, slice_of(words[word]));
		return;
	}
	redis_flush(&play->stage.redis);
	for (size_t i = 0; i < COUNT_OF(play->records); i++)
		play->records[i] = 1;
	play->changes = play->may_miss = true;
}

static void forget_readers(struct play *play)
{
	char key[BROWSER_KEY_MAX];
	redis_evict(&play->stage.redis, key_of(next_number(play) % COUNT_OF(play->records), key));
}

static void hold(struct play *play)
{
	struct wire *wire = redis_reader(next_number(play) % STAGE_WORKERS);
	if (wire)
		wire->held = !wire->held;
}

static void reload(struct play *play)
{
	stage_reload(&play->stage, settings_get(next_number(play) % SETTINGS_COUNT));
	play->may_miss = true; /* there is a limit for the size of publications, or there was */
}

static void fail_allocation(struct play *play)
{
	allocations_fail_at(next_number(play));
	play->may_miss = play->stage.lacked_memory = true;
}

static void wait(struct play *play)
{
	unsigned n = next_number(play);
	stage_pass(&play->stage, n * n * WAIT_UNIT_MS);
}

static void step_of_others(struct play *play, uint8_t letter)
{
	switch (letter) {
	case 'o':
		open_browser(play);
		break;
	case 'b':
		play->current = play->n ? next_number(play) % play->n : 0;
		break;
	case 'c':
		play->refuse_next = true;
		break;
	case 'p':
		publish(play);
		break;
	case 'm':
		play->stage.redis.mode = next_number(play) % (REDIS_AWAY + 1);
		break;
	case 's':
		say_raw(play);
		break;
	case 'd':
		redis_drop(&play->stage.redis);
		break;
	case 'y':
		if (next_number(play) % 2)
			redis_drop_readers(&play->stage.redis);
		else
			redis_drop_listeners(&play->stage.redis);
		break;
	case 'R':
		change_record(play);
		break;
	case 'i':
		forget_readers(play);
		break;
	case 'n':
		say_word(play);
		break;
	case 'q':
		play->stage.redis.lack = next_number(play) % (REDIS_LACKS_WORDS + 1);
		break;
	case 'h':
		hold(play);
		break;
	case 'w':
		wait(play);
		break;
	case 't':
		stage_turns(&play->stage, next_number(play));
		break;
	case 'a':
		fail_allocation(play);
		break;
	case 'D':
		stage_drain(&play->stage);
		break;
	case 'l':
		reload(play);
		break;
	default:
		break;
	}
}

static void perform(struct play *play)
{
	for (unsigned i = 0; play->script.len && i < STEPS_MAX; i++) {
		uint8_t letter = next_octet(play);
		if (!letter || !step_of_browser(play, letter))
			step_of_others(play, letter);
		if (slice_starts_with(play->script, SLICE("+")))
			next_octet(play);
		else
			stage_turn(&play->stage);
	}
}

/* ---- the end ---- */

/* Lets enough time pass for the sweep to reach every session; connected browsers answer their
 * pings. */
static void sweep(struct play *play)
{
	enum { STEP_MS = 1000 };
	size_t answered[BROWSERS_MAX] = { 0 };
	play->stage.redis.mode = REDIS_ANSWERS;
	LIST_EACH (node, &wires)
		container_of(node, struct wire, link)->held = false;
	unsigned ms = BACK_MS + 2 * play->stage.settings->session.sweep_ms;
	for (unsigned passed = 0; passed < ms; passed += STEP_MS) {
		stage_pass(&play->stage, STEP_MS);
		for (unsigned i = 0; i < play->n; i++) {
			struct browser *browser = &play->browsers[i];
			for (browser_look(browser); answered[i] < browser->pings; answered[i]++)
				browser_frame(browser, 0x8a, SLICE(""));
		}
	}
}

static bool has_session(const struct play *play, const struct browser *browser)
{
	unsigned who = browser_cookies_sent(browser);
	return play->stage.admits_anyone ||
	       (who & 1 << SESSION_ADA && records[play->records[0]].is_session) ||
	       (who & 1 << SESSION_BOB && records[play->records[1]].is_session);
}

static void check_sessions(struct play *play)
{
	if (!play->changes || play->stage.redis.spoke_raw ||
		!play->stage.settings->session.sweep_ms)
		return;
	sweep(play);
	browser_publish(&play->stage, CHANNEL_RED, 0);
	stage_turns(&play->stage, 4);
	for (unsigned i = 0; i < play->n; i++) {
		struct browser *browser = &play->browsers[i];
		browser_look(browser);
		MUST(!browser_is_open(browser) || has_session(play, browser));
		MUST(browser->last[CHANNEL_RED] < play->stage.published[CHANNEL_RED] ||
			records[play->records[0]].is_red);
	}
}

static void check_channels(const struct stage *stage)
{
	static const char *const names[] = { "news", "user:ada", "team:red", "public:a" };
	for (size_t i = 0; i < COUNT_OF(names) && !stage->redis.spoke_raw; i++)
		MUST(redis_subscribers(slice_of(names[i])) <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play play;
	uint8_t chunking = size ? data[0] : FUZZ_WHOLE;
	play = (struct play){ .script = fuzz_rest(data, size) };
	uint8_t settings = next_number(&play) % SETTINGS_COUNT;
	play.may_miss = settings == SETTINGS_TIGHT;
	stage_open(&play.stage, settings_get(settings), chunking, browser_records);
	machine_keep_out_of_log(BROWSER_SECRET);
	perform(&play);
	allocations_fail_at(0);
	check_channels(&play.stage);
	check_sessions(&play);
	play.may_miss |=
		play.stage.redis.spoke_raw || play.stage.redis.connects > 2 * STAGE_WORKERS;
	stage_close(&play.stage);
	for (unsigned i = 0; i < play.n; i++) {
		browser_look(&play.browsers[i]);
		MUST(play.may_miss || !play.browsers[i].missed);
		browser_finish(&play.browsers[i]);
	}
	return 0;
}
