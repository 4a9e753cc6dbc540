#include <errno.h>

#include "sluice/proto/envelope.h"
#include "sluice/proto/envelope_read.h"
#include "sluice/proto/text/json_text.h"
#include "sluice/proto/text/utf8.h"
#include "unit.h"

enum { SUB = ENVELOPE_SUBSCRIBE, UNSUB = ENVELOPE_UNSUBSCRIBE, PING = ENVELOPE_PING, BAD = -1 };

#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Of a refused command only the id may be set. */
static const struct command_case {
	const char *text;
	int type;
	const char *id, *channel; /* NULL: absent */
} commands[] = {
	{ "{\"type\":\"ping\"}", PING, NULL, NULL },
	{ " \t\r\n{ \"type\" : \"ping\" , \"id\" : 3 } ", PING, "3", NULL },
	{ "{\"type\":\"subscribe\",\"id\":1,\"channel\":\"team:7\"}", SUB, "1", "team:7" },
	{ "{\"channel\":\"a\",\"id\":\"x\",\"type\":\"unsubscribe\"}", UNSUB, "\"x\"", "a" },
	{ "{\"type\":\"subscribe\",\"channel\":\"\"}", SUB, NULL, "" },
	{ "{\"type\":\"ping\",\"channel\":7}", PING, NULL, NULL },
	/* other members, nested, with braces and brackets in their strings */
	{ "{\"x\":{\"type\":\"}\",\"y\":[[],{},\"]\\\"\"]},\"type\":\"ping\",\"id\":1}", PING, "1",
		NULL },
	{ "{\"a\":-1.5e+3,\"b\":true,\"c\":null,\"d\":\"\\\\\",\"type\":\"ping\"}", PING, NULL,
		NULL },
	{ "{\"a\":1 ,\"a\":2 ,\"type\":\"ping\"}", PING, NULL, NULL },
	{ "{\"\":[[[[[[[]]]]]]],\"type\":\"ping\"}", PING, NULL, NULL },
	/* escapes */
	{ "{\"\\u0074ype\":\"subscri\\u0062e\",\"channel\":\"\\u0061\\/\\\\\\\"\"}", SUB, NULL,
		"a/\\\"" },
	{ "{\"type\":\"subscribe\",\"channel\":\"\\b\\f\\n\\r\\t\"}", SUB, NULL, "\b\f\n\r\t" },
	{ "{\"type\":\"subscribe\",\"channel\":\"\\u00e9\\u20AC\\ud83d\\uDE00\"}", SUB, NULL,
		"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "{\"type\":\"subscribe\",\"channel\":\"\xc3\xa9\"}", SUB, NULL, "\xc3\xa9" },
	{ "{\"type\":\"ping\",\"id\":\"\\ud800\\\"\"}", PING, "\"\\ud800\\\"\"", NULL },
	/* ids */
	{ "{\"type\":\"ping\",\"id\":\"\"}", PING, "\"\"", NULL },
	{ "{\"type\":\"ping\",\"id\":0}", PING, "0", NULL },
	{ "{\"type\":\"ping\",\"id\":-1}", PING, "-1", NULL },
	{ "{\"type\":\"ping\",\"id\":9007199254740991}", PING, "9007199254740991", NULL },
	{ "{\"type\":\"ping\",\"id\":-9007199254740991}", PING, "-9007199254740991", NULL },
	{ "{\"type\":\"ping\",\"id\":\"" ID64 "\"}", PING, "\"" ID64 "\"", NULL },
	{ "{\"type\":\"ping\",\"id\":\"" ID64 "0\"}", BAD, NULL, NULL },
	{ "{\"type\":\"ping\",\"id\":9007199254740992}", BAD, NULL, NULL },
	{ "{\"type\":\"ping\",\"id\":10000000000000000}", BAD, NULL, NULL },
	{ "{\"type\":\"ping\",\"id\":99999999999999999999}", BAD, NULL, NULL },
	{ "{\"type\":\"ping\",\"id\":1.0}", BAD, NULL, NULL },
	{ "{\"type\":\"ping\",\"id\":1e3}", BAD, NULL, NULL },
	{ "{\"type\":\"ping\",\"id\":null}", BAD, NULL, NULL },
	{ "{\"type\":\"ping\",\"id\":[1]}", BAD, NULL, NULL },
	/* missing or wrong */
	{ "{}", BAD, NULL, NULL },
	{ "{\"id\":1}", BAD, "1", NULL },
	{ "{\"id\":1,\"type\":7}", BAD, "1", NULL },
	{ "{\"id\":1,\"type\":\"publish\"}", BAD, "1", NULL },
	{ "{\"id\":1,\"type\":\"Ping\"}", BAD, "1", NULL },
	{ "{\"id\":1,\"type\":\"pin\\u0067\\u0000\"}", BAD, "1", NULL },
	{ "{\"id\":1,\"type\":\"subscribe\"}", BAD, "1", NULL },
	{ "{\"id\":1,\"type\":\"unsubscribe\",\"channel\":[\"a\"]}", BAD, "1", NULL },
	/* duplicates */
	{ "{\"id\":1,\"type\":\"ping\",\"type\":\"ping\"}", BAD, NULL, NULL },
	{ "{\"id\":1,\"type\":\"ping\",\"id\":1}", BAD, NULL, NULL },
	{ "{\"type\":\"subscribe\",\"channel\":\"a\",\"\\u0063hannel\":\"b\"}", BAD, NULL, NULL },
	/* not a JSON object */
	{ "", BAD, NULL, NULL },
	{ "ping", BAD, NULL, NULL },
	{ "\"ping\"", BAD, NULL, NULL },
	{ "[{\"type\":\"ping\"}]", BAD, NULL, NULL },
	{ "{\"type\":\"ping\"}{}", BAD, NULL, NULL },
	{ "{'type':'ping'}", BAD, NULL, NULL },
	{ "{\"type\":\"ping\",}", BAD, NULL, NULL },
	{ "{\"\":[[[[[[[[]]]]]]]],\"type\":\"ping\"}", BAD, NULL, NULL },
};

static void assert_slice(struct slice slice, const char *wanted)
{
	assert_int_equal(slice.at == NULL, wanted == NULL);
	assert_true(slice_equal(slice, slice_of(wanted)));
}

static void check_command(const struct command_case *one)
{
	/* in a block of its exact size, so that a sanitizer sees a read beyond it */
	size_t len = strlen(one->text);
	char *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, one->text, len);
	struct envelope_command command;
	const char *problem;
	int error = envelope_read(slice_make(copy, len), &command, &problem);
	if ((error != 0) != (one->type == BAD))
		fail_msg("%d: %s", error, one->text);
	assert_int_equal(problem == NULL, error == 0);
	if (!error)
		assert_int_equal(command.type, one->type);
	assert_slice(command.id, one->id);
	assert_slice(command.channel, one->channel);
	free(copy);
}

static void reads_commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		check_command(&commands[i]);
}

static void refuses_truncated_commands(void **state)
{
	(void)state;
	struct envelope_command command;
	const char *problem;
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		struct slice text = slice_trim(slice_of(commands[i].text));
		for (size_t len = 0; len + 1 < text.len && commands[i].type != BAD; len++)
			assert_int_equal(
				envelope_read(slice_make(text.at, len), &command, &problem),
				-EINVAL);
	}
}

/* A name that is too long, or ends with half a character. */
static void does_not_truncate_names_to_valid_ones(void **state)
{
	(void)state;
	static const char *const escapes[] = { "x", "\\u20ac", "\\ud83d\\ude00", "\\ud83d",
		"\\ude00", "\\ud83d\\u0061", "\\ud83dx", "\\u0000" };
	for (size_t i = 0; i < COUNT_OF(escapes); i++) {
		for (size_t n = 1; n < 300; n++) {
			struct envelope_command command;
			struct buffer text = { 0 };
			const char *problem;
			assert_int_equal(buffer_append_slice(&text,
						 SLICE("{\"type\":\"subscribe\",\"channel\":\"")),
				0);
			for (size_t j = 0; j < n; j++)
				assert_int_equal(
					buffer_append_slice(&text, slice_of(escapes[i])), 0);
			assert_int_equal(buffer_append_slice(&text, SLICE("\"}")), 0);
			assert_int_equal(envelope_read(buffer_slice(&text), &command, &problem), 0);
			static const size_t lens[] = { 1, 3, 4 };
			bool good = i < COUNT_OF(lens) && n * lens[i] <= CHANNEL_NAME_MAX;
			assert_int_equal(channel_name_is_valid(command.channel), good);
			if (good)
				assert_int_equal(command.channel.len, n * lens[i]);
			buffer_finish(&text);
		}
	}
}

/* ---- written ---- */

static struct buffer out;

static void assert_out(int error, const char *wanted)
{
	assert_int_equal(error, 0);
	if (!slice_equal(buffer_slice(&out), slice_of(wanted)))
		fail_msg("%.*s, not %s", SLICE_ARGS(buffer_slice(&out)), wanted);
	assert_true(json_text_is_valid(buffer_slice(&out), 200));
	buffer_finish(&out);
}

static void writes_messages(void **state)
{
	(void)state;
	const struct slice none = { 0 };
	assert_out(envelope_welcome(&out, SLICE("0a"), SLICE("u\"1"), SLICE("\"a\",\"b\""), 25000),
		"{\"type\":\"welcome\",\"connection\":\"0a\",\"user\":\"u\\\"1\",\"channels\":["
		"\"a\",\"b\"],"
		"\"heartbeat\":25}");
	assert_out(envelope_welcome(&out, SLICE("0a"), none, none, 0),
		"{\"type\":\"welcome\",\"connection\":\"0a\",\"user\":null,\"channels\":[],"
		"\"heartbeat\":0}");
	assert_out(envelope_welcome(&out, SLICE("0a"), none, none, 1250),
		"{\"type\":\"welcome\",\"connection\":\"0a\",\"user\":null,\"channels\":[],"
		"\"heartbeat\":1.25}");
	assert_out(envelope_welcome(&out, SLICE("0a"), none, none, 20),
		"{\"type\":\"welcome\",\"connection\":\"0a\",\"user\":null,\"channels\":[],"
		"\"heartbeat\":0.02}");
	assert_out(envelope_answer(&out, "subscribed", SLICE("1"), SLICE("team:7"), NULL),
		"{\"type\":\"subscribed\",\"id\":1,\"channel\":\"team:7\"}");
	assert_out(envelope_answer(&out, "unsubscribed", none, SLICE("team:7"), "revoked"),
		"{\"type\":\"unsubscribed\",\"channel\":\"team:7\",\"reason\":\"revoked\"}");
	assert_out(envelope_answer(&out, "pong", SLICE("\"x\""), none, NULL),
		"{\"type\":\"pong\",\"id\":\"x\"}");
	assert_out(envelope_answer(&out, "pong", none, none, NULL), "{\"type\":\"pong\"}");
	assert_out(envelope_error(&out, SLICE("1"), "forbidden", "no"),
		"{\"type\":\"error\",\"id\":1,\"code\":\"forbidden\",\"message\":\"no\"}");
	assert_out(envelope_error(&out, none, "limit", "no"),
		"{\"type\":\"error\",\"code\":\"limit\",\"message\":\"no\"}");
	assert_out(envelope_gap(&out, none), "{\"type\":\"gap\"}");
	assert_out(envelope_gap(&out, SLICE("n")), "{\"type\":\"gap\",\"channel\":\"n\"}");
	assert_out(envelope_heartbeat(&out), "{\"type\":\"heartbeat\"}");
}

static void writes_lists(void **state)
{
	(void)state;
	assert_int_equal(envelope_list(&out, SLICE("a")), 0);
	assert_int_equal(envelope_list(&out, SLICE("\"")), 0);
	assert_true(slice_equal(buffer_slice(&out), SLICE("\"a\",\"\\\"\"")));
	buffer_finish(&out);
}

#define PUBLICATION(data) "{\"type\":\"publication\",\"channel\":\"n\"," data "}"

static void writes_publications(void **state)
{
	(void)state;
	static const struct {
		const char *payload, *wanted;
	} rows[] = {
		{ "{\"id\":1}", PUBLICATION("\"data\":{\"id\":1}") },
		{ " [1, 2]\n", PUBLICATION("\"data\": [1, 2]\n") },
		{ "\"x\"", PUBLICATION("\"data\":\"x\"") },
		{ "12e3", PUBLICATION("\"data\":12e3") },
		{ "null", PUBLICATION("\"data\":null") },
		{ "", PUBLICATION("\"data\":\"\"") },
		{ "hello", PUBLICATION("\"data\":\"hello\"") },
		{ "01", PUBLICATION("\"data\":\"01\"") },
		{ "{\"id\":1}}", PUBLICATION("\"data\":\"{\\\"id\\\":1}}\"") },
		{ "\"", PUBLICATION("\"data\":\"\\\"\"") },
		{ "a\\b\n\t\x01\x1f\x7f",
			PUBLICATION("\"data\":\"a\\\\b\\u000a\\u0009\\u0001\\u001f\x7f\"") },
		{ "\xc3\xa9\xe2\x80\xa8", PUBLICATION("\"data\":\"\xc3\xa9\xe2\x80\xa8\"") },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_out(envelope_publication(&out, SLICE("n"), slice_of(rows[i].payload), true),
			rows[i].wanted);
	assert_out(envelope_publication(&out, SLICE("n"), SLICE("\0"), true),
		PUBLICATION("\"data\":\"\\u0000\""));
}

/* RFC 4648 §10, and the last two characters of the alphabet. */
static void writes_base64(void **state)
{
	(void)state;
	static const char *const rows[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" }, { "\xff\xfe\xfb\xf0", "//778A==" } };
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char wanted[128];
		snprintf(wanted, sizeof(wanted), PUBLICATION("\"base64\":\"%s\""), rows[i][1]);
		assert_out(envelope_publication(&out, SLICE("n"), slice_of(rows[i][0]), false),
			wanted);
	}
}

static void writes_deeply_nested_payloads_as_strings(void **state)
{
	(void)state;
	for (size_t depth = ENVELOPE_DATA_DEPTH; depth <= ENVELOPE_DATA_DEPTH + 1; depth++) {
		char payload[2 * (ENVELOPE_DATA_DEPTH + 1)], wanted[sizeof(payload) + 100];
		memset(payload, '[', depth);
		memset(payload + depth, ']', depth);
		snprintf(wanted, sizeof(wanted),
			depth <= ENVELOPE_DATA_DEPTH ? PUBLICATION("\"data\":%.*s")
						     : PUBLICATION("\"data\":\"%.*s\""),
			(int)(2 * depth), payload);
		assert_out(envelope_publication(
				   &out, SLICE("n"), slice_make(payload, 2 * depth), true),
			wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_commands),
		cmocka_unit_test(refuses_truncated_commands),
		cmocka_unit_test(does_not_truncate_names_to_valid_ones),
		cmocka_unit_test(writes_messages),
		cmocka_unit_test(writes_lists),
		cmocka_unit_test(writes_publications),
		cmocka_unit_test(writes_base64),
		cmocka_unit_test(writes_deeply_nested_payloads_as_strings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
