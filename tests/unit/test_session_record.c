/* What Redis' replies, as bytes on the wire, say about a session. */
#include "unit.h"

#include <string.h>

#include "sluice/auth/record/session_record.h"
#include "sluice/base/defs.h"
#include "sluice/redis/resp.h"

#define TEXT(text) \
	{ \
		text, sizeof(text) - 1 \
	}

/* Requires nothing of a record until a test sets it. */
static struct settings make_settings(void)
{
	struct settings settings = { 0 };
	settings.session.key = SLICE("sess:{sid}");
	settings.session.codec = SESSION_CODEC_JSON;
	settings.session.lookup = SESSION_LOOKUP_STRING;
	settings.limits.record_bytes = 4 << 20;
	settings.limits.record_depth = 64;
	return settings;
}

/* A reader as that of a link, whose command takes the elements of its reply. */
struct link {
	struct resp_reader reader;
	struct session_reading *reading;
	const struct settings *settings;
};

static bool wants_elements(struct resp_reader *reader)
{
	(void)reader;
	return true;
}

static void take_element(struct resp_reader *reader, struct slice text)
{
	struct link *link = container_of(reader, struct link, reader);
	session_reading_take_element(link->reading, link->settings, text);
}

static void take(struct session_reading *reading, const struct settings *settings, size_t i,
	struct slice answer)
{
	static const struct resp_taker taker = { .wants = wants_elements, .take = take_element };
	struct link link = { .reading = reading, .settings = settings };
	struct redisReply *reply;
	if (!answer.at) {
		session_reading_take(reading, settings, i, NULL);
		return;
	}
	assert_int_equal(resp_reader_init(&link.reader, 4 << 20), 0);
	link.reader.taker = &taker;
	assert_int_equal(resp_reader_feed(&link.reader, answer.at, answer.len), 0);
	assert_int_equal(resp_reader_next(&link.reader, &reply), 1);
	session_reading_take(reading, settings, i, reply);
	freeReplyObject(reply);
	resp_reader_finish(&link.reader);
}

static bool is_missing(const struct session_reading *reading)
{
	return reading->answers & SESSION_ANSWER_MISSING;
}

static bool is_malformed(const struct session_reading *reading)
{
	return reading->answers & SESSION_ANSWER_MALFORMED;
}

/* Takes the record as the reply to GET. */
static void take_record(
	struct session_reading *reading, const struct settings *settings, struct slice record)
{
	struct buffer answer = { 0 };
	assert_int_equal(buffer_printf(&answer, "$%zu\r\n", record.len), 0);
	assert_int_equal(buffer_append_slice(&answer, record), 0);
	assert_int_equal(buffer_append(&answer, "\r\n", 2), 0);
	take(reading, settings, 0, buffer_slice(&answer));
	buffer_finish(&answer);
}

/* `user` is NULL if the record has none. */
static void assert_read(const struct settings *settings, struct slice record,
	enum session_result result, const char *user)
{
	struct session_reading reading = { 0 };
	take_record(&reading, settings, record);
	if (session_reading_result(&reading) != result)
		fail_msg("%d for %.*s", (int)session_reading_result(&reading), SLICE_ARGS(record));
	if (result == SESSION_GOOD &&
		!slice_equal(reading.identity.user, slice_of(user ? user : "")))
		fail_msg("%.*s", SLICE_ARGS(reading.identity.user));
	assert_false(is_malformed(&reading));
	assert_false(is_missing(&reading));
	session_reading_finish(&reading);
	assert_int_equal(session_reading_result(&reading), SESSION_UNAVAILABLE);
}

static void assert_commands(const struct settings *settings, const char *key, const char *expected)
{
	struct session_commands commands;
	char text[256] = "";
	session_record_commands(settings, slice_of(key), &commands);
	for (size_t i = 0; i < commands.n; i++) {
		assert_int_equal(commands.all[i].n_words, 2);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s %.*s",
			i ? ", " : "", SLICE_ARGS(commands.all[i].words[0]),
			SLICE_ARGS(commands.all[i].words[1]));
	}
	assert_string_equal(text, expected);
}

/* ---- commands ---- */

static void picks_the_commands_for_each_lookup(void **state)
{
	(void)state;
	struct settings settings = make_settings();
	assert_commands(&settings, "sess:a", "GET sess:a");
	settings.session.lookup = SESSION_LOOKUP_HASH;
	assert_commands(&settings, "sess:a", "HGETALL sess:a");
	settings.session.must_exist = SLICE("live:{sid}");
	assert_commands(&settings, "sess:a", "HGETALL sess:a, EXISTS live:a");
	/* a ticket may name a key that session.key does not make: no second key */
	assert_commands(&settings, "other:a", "HGETALL other:a");
	settings.session.codec = SESSION_CODEC_NONE;
	assert_commands(&settings, "sess:a", "EXISTS sess:a, EXISTS live:a");
	settings.session.codec = SESSION_CODEC_JSON;
	settings.session.lookup = SESSION_LOOKUP_EXISTS;
	assert_commands(&settings, "sess:a", "EXISTS sess:a, EXISTS live:a");
}

static void maps_a_changed_key_to_its_record(void **state)
{
	(void)state;
	struct settings settings = make_settings();
	char room[SESSION_KEY_MAX];
	static const struct {
		const char *changed, *record;
	} cases[] = {
		{ "spring:session:sessions:0-1", "spring:session:sessions:0-1" },
		{ "spring:session:sessions:expires:0-1", "spring:session:sessions:0-1" },
		{ "spring:session:sessions:expires:", "spring:session:sessions:expires:" },
		{ "other", "other" },
	};
	assert_true(slice_equal(
		session_record_key_of(&settings, SLICE("live:a"), room), SLICE("live:a")));
	settings.session.key = SLICE("spring:session:sessions:{sid}");
	settings.session.must_exist = SLICE("spring:session:sessions:expires:{sid}");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct slice key =
			session_record_key_of(&settings, slice_of(cases[i].changed), room);
		assert_true(slice_equal(key, slice_of(cases[i].record)));
	}
}

/* ---- records ---- */

static const struct record {
	const char *framework;
	enum session_codec codec;
	struct slice record;
} records[] = {
	{ "json", SESSION_CODEC_JSON, TEXT("{\"authenticated\":true,\"userId\":\"user-42\"}") },
	{ "flask", SESSION_CODEC_MSGPACK,
		TEXT("\x83\xaa_permanent\xc3\xad"
		     "authenticated\xc3\xa6userId\xa7user-42") },
	{ "flask in json", SESSION_CODEC_MSGPACK,
		TEXT("{\"authenticated\":true,\"userId\":\"user-42\"}") },
	{ "php", SESSION_CODEC_PHP, TEXT("authenticated|b:1;userId|s:7:\"user-42\";") },
	{ "php_serialize", SESSION_CODEC_PHP,
		TEXT("a:2:{s:13:\"authenticated\";b:1;s:6:\"userId\";s:7:\"user-42\";}") },
	{ "laravel", SESSION_CODEC_LARAVEL,
		TEXT("s:58:\"a:2:{s:13:\"authenticated\";b:1;s:6:\"userId\";s:7:\"user-42\";}"
		     "\";") },
	{ "laravel in json", SESSION_CODEC_LARAVEL,
		TEXT("s:41:\"{\"authenticated\":true,\"userId\":\"user-42\"}\";") },
};

static void reads_the_records_of_each_codec(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(records); i++) {
		struct settings settings = make_settings();
		settings.session.codec = records[i].codec;
		settings.session.user = SLICE("userId");
		settings.session.authenticated = SLICE("authenticated");
		assert_read(&settings, records[i].record, SESSION_GOOD, "user-42");
		settings.session.authenticated = SLICE("userId");
		assert_read(&settings, records[i].record, SESSION_NONE, NULL);
		settings.session.authenticated = SLICE("");
		settings.session.present = SLICE("userId");
		assert_read(&settings, records[i].record, SESSION_GOOD, "user-42");
		settings.session.present = SLICE("_permanen");
		assert_read(&settings, records[i].record, SESSION_NONE, NULL);
		/* a truncated record is rejected, unless nothing is required of it */
		struct slice cut = records[i].record;
		cut.len -= 3;
		settings.session.present = SLICE("authenticated");
		assert_read(&settings, cut, SESSION_NONE, NULL);
		settings.session.present = SLICE("");
		assert_read(&settings, cut, SESSION_GOOD, NULL);
		settings.session.expires = SLICE("end");
		assert_read(&settings, cut, SESSION_NONE, NULL);
		assert_read(&settings, records[i].record, SESSION_GOOD, "user-42");
	}
}

static void rejects_a_record_that_has_expired(void **state)
{
	(void)state;
	struct settings settings = make_settings();
	settings.session.expires = SLICE("cookie.expires");
	static const struct {
		const char *record;
		enum session_result result;
	} cases[] = {
		{ "{\"cookie\":{\"expires\":null}}", SESSION_GOOD },
		{ "{\"cookie\":{}}", SESSION_GOOD },
		{ "{\"cookie\":{\"expires\":\"2001-01-01T00:00:00.000Z\"}}", SESSION_NONE },
		{ "{\"cookie\":{\"expires\":\"9999-01-01T00:00:00.000Z\"}}", SESSION_GOOD },
		{ "{\"cookie\":{\"expires\":978307200000}}", SESSION_NONE },
		{ "{\"cookie\":{\"expires\":253370764800000}}", SESSION_GOOD },
		{ "{\"cookie\":{\"expires\":\"soon\"}}", SESSION_NONE },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_read(&settings, slice_of(cases[i].record), cases[i].result, NULL);
}

/* ---- answers ---- */

static const struct answer_case {
	struct slice answer;
	enum session_result result[3]; /* after GET, HGETALL, EXISTS */
	bool missing[3];
} answers[] = {
	{ { NULL, 0 }, { SESSION_UNAVAILABLE, SESSION_UNAVAILABLE, SESSION_UNAVAILABLE } },
	{ TEXT("$2\r\n{}\r\n"), { SESSION_GOOD, SESSION_UNAVAILABLE, SESSION_UNAVAILABLE } },
	{ TEXT("$-1\r\n"), { SESSION_NONE, SESSION_UNAVAILABLE, SESSION_UNAVAILABLE }, { true } },
	{ TEXT("*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
		{ SESSION_UNAVAILABLE, SESSION_GOOD, SESSION_UNAVAILABLE } },
	{ TEXT("*0\r\n"), { SESSION_UNAVAILABLE, SESSION_NONE, SESSION_UNAVAILABLE },
		{ false, true } },
	{ TEXT(":1\r\n"), { SESSION_UNAVAILABLE, SESSION_UNAVAILABLE, SESSION_GOOD } },
	{ TEXT(":0\r\n"), { SESSION_UNAVAILABLE, SESSION_UNAVAILABLE, SESSION_NONE },
		{ false, false, true } },
	{ TEXT("-WRONGTYPE x\r\n"), { SESSION_NONE, SESSION_NONE, SESSION_NONE } },
	{ TEXT("-LOADING x\r\n"),
		{ SESSION_UNAVAILABLE, SESSION_UNAVAILABLE, SESSION_UNAVAILABLE } },
	{ TEXT("+OK\r\n"), { SESSION_UNAVAILABLE, SESSION_UNAVAILABLE, SESSION_UNAVAILABLE } },
};

static void judges_each_reply_to_each_command(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3 * COUNT_OF(answers); i++) {
		const struct answer_case *answer = &answers[i / 3];
		struct settings settings = make_settings();
		struct session_reading reading = { 0 };
		settings.session.lookup = (enum session_lookup)(i % 3);
		take(&reading, &settings, 0, answer->answer);
		assert_int_equal(session_reading_result(&reading), answer->result[i % 3]);
		assert_int_equal(is_missing(&reading), answer->missing[i % 3]);
		bool error = answer->answer.at && answer->answer.at[0] == '-';
		assert_int_equal(is_malformed(&reading),
			answer->answer.at && !error &&
				session_reading_result(&reading) == SESSION_UNAVAILABLE);
		session_reading_finish(&reading);
	}
}

static const char spring_hash[] =
	"*8\r\n$12\r\ncreationTime\r\n$3\r\n\xac\xed\x01\r\n"
	"$35\r\nsessionAttr:SPRING_SECURITY_CONTEXT\r\n$5\r\n\xac\xed\x00\x05s\r\n"
	"$18\r\nsessionAttr:userId\r\n$14\r\n\xac\xed\x00\x05t\x00\x07user-42\r\n"
	"$17\r\nsessionAttr:teams\r\n$12\r\n[\"red\",\"bl\"]\r\n";

static void reads_a_hash_as_a_record(void **state)
{
	(void)state;
	struct settings settings = make_settings();
	struct session_reading reading = { 0 };
	settings.session.lookup = SESSION_LOOKUP_HASH;
	settings.session.present = SLICE("/sessionAttr:SPRING_SECURITY_CONTEXT");
	settings.session.user = SLICE("/sessionAttr:userId");
	const struct slice fields[] = { SLICE("/sessionAttr:teams") };
	settings.session.fields = fields;
	settings.session.n_fields = COUNT_OF(fields);
	take(&reading, &settings, 0, slice_make(spring_hash, sizeof(spring_hash) - 1));
	assert_int_equal(session_reading_result(&reading), SESSION_GOOD);
	assert_true(slice_equal(reading.identity.user, SLICE("user-42")));
	struct identity_texts teams =
		identity_texts(&reading.identity, SLICE("/sessionAttr:teams"));
	assert_true(slice_equal(identity_texts_next(&teams), SLICE("red")));
	assert_true(slice_equal(identity_texts_next(&teams), SLICE("bl")));
	session_reading_finish(&reading);

	settings.session.present = SLICE("/sessionAttr:SPRING_SECURITY");
	take(&reading, &settings, 0, slice_make(spring_hash, sizeof(spring_hash) - 1));
	assert_int_equal(session_reading_result(&reading), SESSION_NONE);
	session_reading_finish(&reading);
}

/* Redis answers HGETALL with pairs. */
static void does_not_read_half_a_field(void **state)
{
	(void)state;
	struct settings settings = make_settings();
	struct session_reading reading = { 0 };
	settings.session.lookup = SESSION_LOOKUP_HASH;
	settings.session.user = SLICE("a");
	take(&reading, &settings, 0, SLICE("*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\na\r\n"));
	assert_true(is_malformed(&reading));
	session_reading_finish(&reading);
}

/* ---- limits ---- */

/* A record of so many bytes, of which most do not count. */
static void take_long(struct session_reading *reading, const struct settings *settings, size_t len)
{
	struct buffer record = { 0 };
	const char *head = "{\"user\":\"ada\",\"cart\":\"", *end = "\"}";
	assert_int_equal(buffer_printf(&record, "%s", head), 0);
	while (record.len < len - strlen(end))
		assert_int_equal(buffer_append(&record, "x", 1), 0);
	assert_int_equal(buffer_printf(&record, "%s", end), 0);
	take_record(reading, settings, buffer_slice(&record));
	buffer_finish(&record);
}

static void reads_a_long_record_in_pieces(void **state)
{
	(void)state;
	struct settings settings = make_settings();
	settings.session.present = settings.session.user = SLICE("user");
	settings.limits.record_bytes = 1 << 20;
	for (size_t len = SESSION_PIECE_WORK; len <= (1 << 20) + 1;
		len = len == 1 << 20 ? len + 1 : 4 * len) {
		struct session_reading reading = { .room = 1 << 20 };
		take_long(&reading, &settings, len);
		assert_int_equal(reading.unfinished, len > SESSION_PIECE_WORK && len <= 1 << 20);
		if (reading.unfinished) {
			assert_int_equal(session_reading_result(&reading), SESSION_UNAVAILABLE);
			while (session_reading_go_on(&reading, &settings))
				assert_true(reading.unfinished);
		}
		assert_false(reading.unfinished);
		assert_null(reading.record.bytes);
		if (len <= 1 << 20) {
			assert_int_equal(session_reading_result(&reading), SESSION_GOOD);
			assert_true(slice_equal(reading.identity.user, SLICE("ada")));
			assert_null(reading.problem);
		} else {
			assert_int_equal(session_reading_result(&reading), SESSION_NONE);
			assert_string_equal(reading.problem,
				"the session's record is larger than limits.record_bytes");
		}
		session_reading_finish(&reading);
	}
}

static void keeps_no_record_beyond_the_room(void **state)
{
	(void)state;
	struct settings settings = make_settings();
	struct session_reading reading = { .room = 99999 };
	settings.session.present = SLICE("user");
	take_long(&reading, &settings, 100000);
	assert_false(reading.unfinished);
	assert_null(reading.record.bytes);
	assert_int_equal(session_reading_result(&reading), SESSION_UNAVAILABLE);
	session_reading_finish(&reading);
}

static void may_end_between_two_pieces(void **state)
{
	(void)state;
	struct settings settings = make_settings();
	struct session_reading reading = { .room = 1 << 20 };
	struct buffer record = { 0 };
	settings.session.present = SLICE("user");
	assert_int_equal(buffer_printf(&record, "{\"a\":["), 0);
	while (record.len < 1 << 19)
		assert_int_equal(buffer_printf(&record, "1,"), 0);
	take_record(&reading, &settings, buffer_slice(&record));
	assert_true(reading.unfinished);
	assert_true(session_reading_go_on(&reading, &settings));
	session_reading_finish(&reading);
	buffer_finish(&record);
}

static void refuses_a_record_nested_too_deeply(void **state)
{
	(void)state;
	struct settings settings = make_settings();
	settings.session.present = SLICE("user");
	settings.limits.record_depth = 4;
	static const struct slice good = TEXT("{\"x\":[[[]]],\"user\":1}"),
				  bad = TEXT("{\"x\":[[[[]]]],\"user\":1}");
	assert_read(&settings, good, SESSION_GOOD, NULL);
	struct session_reading reading = { 0 };
	take_record(&reading, &settings, bad);
	assert_int_equal(session_reading_result(&reading), SESSION_NONE);
	assert_string_equal(
		reading.problem, "the session's record is nested deeper than limits.record_depth");
	session_reading_finish(&reading);
}

/* All fields of a hash together are the record, also those that do not count. */
static void rejects_a_hash_longer_than_a_record(void **state)
{
	(void)state;
	struct settings settings = make_settings();
	settings.session.lookup = SESSION_LOOKUP_HASH;
	settings.session.user = settings.session.present = SLICE("a");
	settings.limits.record_bytes = 1024;
	for (int n = 1000; n < 1030; n++) {
		struct session_reading reading = { 0 };
		struct buffer answer = { 0 };
		assert_int_equal(
			buffer_printf(&answer,
				"*4\r\n$1\r\na\r\n$1\r\nx\r\n$1\r\nb\r\n$%d\r\n%*s\r\n", n, n, "x"),
			0);
		take(&reading, &settings, 0, buffer_slice(&answer));
		assert_int_equal(session_reading_result(&reading),
			n + 3 <= 1024 ? SESSION_GOOD : SESSION_NONE);
		assert_int_equal(reading.problem != NULL, n + 3 > 1024);
		session_reading_finish(&reading);
		buffer_finish(&answer);
	}
}

/* session.must_exist: both keys have to exist. A command that cannot be sent is taken before the replies to
 * those that were, and changes nothing about what they say. */
static void requires_both_keys(void **state)
{
	(void)state;
	static const struct {
		struct slice first, second;
		enum session_result result;
		bool missing;
	} cases[] = {
		{ TEXT("$2\r\n{}\r\n"), TEXT(":1\r\n"), SESSION_GOOD, false },
		{ TEXT("$2\r\n{}\r\n"), TEXT(":0\r\n"), SESSION_NONE, true },
		{ TEXT("$2\r\n{}\r\n"), TEXT("-ERR\r\n"), SESSION_UNAVAILABLE, false },
		{ TEXT("$2\r\n{}\r\n"), { NULL, 0 }, SESSION_UNAVAILABLE, false },
		{ TEXT("$2\r\n{}\r\n"), TEXT("$1\r\n1\r\n"), SESSION_UNAVAILABLE, false },
		{ TEXT("$-1\r\n"), TEXT(":1\r\n"), SESSION_NONE, true },
		{ TEXT("$-1\r\n"), TEXT("-ERR\r\n"), SESSION_NONE, true },
		{ TEXT("-ERR\r\n"), TEXT(":1\r\n"), SESSION_UNAVAILABLE, false },
		{ TEXT("-ERR\r\n"), TEXT(":0\r\n"), SESSION_NONE, true },
		{ { NULL, 0 }, { NULL, 0 }, SESSION_UNAVAILABLE, false },
	};
	for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
		const size_t of = i / 2, first = i % 2;
		struct settings settings = make_settings();
		struct session_reading reading = { 0 };
		settings.session.must_exist = SLICE("live:{sid}");
		take(&reading, &settings, first, first ? cases[of].second : cases[of].first);
		take(&reading, &settings, !first, first ? cases[of].first : cases[of].second);
		assert_int_equal(session_reading_result(&reading), cases[of].result);
		assert_int_equal(is_missing(&reading), cases[of].missing);
		session_reading_finish(&reading);
	}
}

static void gives_a_changed_record_another_digest(void **state)
{
	(void)state;
	struct settings settings = make_settings();
	struct session_reading a = { 0 }, b = { 0 }, c = { 0 };
	take_record(&a, &settings, SLICE("{\"a\":1}"));
	take_record(&b, &settings, SLICE("{\"a\":2}"));
	take_record(&c, &settings, SLICE("{\"a\":1}"));
	assert_true(a.digest != b.digest);
	assert_true(a.digest == c.digest);
	session_reading_finish(&a);
	session_reading_finish(&b);
	session_reading_finish(&c);
	settings.session.lookup = SESSION_LOOKUP_HASH;
	settings.session.user = SLICE("a");
	take(&a, &settings, 0, SLICE("*2\r\n$1\r\na\r\n$1\r\nb\r\n"));
	take(&b, &settings, 0, SLICE("*2\r\n$1\r\na\r\n$1\r\nc\r\n"));
	assert_true(a.digest != b.digest);
	session_reading_finish(&a);
	session_reading_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(picks_the_commands_for_each_lookup),
		cmocka_unit_test(maps_a_changed_key_to_its_record),
		cmocka_unit_test(reads_the_records_of_each_codec),
		cmocka_unit_test(rejects_a_record_that_has_expired),
		cmocka_unit_test(judges_each_reply_to_each_command),
		cmocka_unit_test(reads_a_hash_as_a_record),
		cmocka_unit_test(does_not_read_half_a_field),
		cmocka_unit_test(reads_a_long_record_in_pieces),
		cmocka_unit_test(keeps_no_record_beyond_the_room),
		cmocka_unit_test(may_end_between_two_pieces),
		cmocka_unit_test(refuses_a_record_nested_too_deeply),
		cmocka_unit_test(rejects_a_hash_longer_than_a_record),
		cmocka_unit_test(requires_both_keys),
		cmocka_unit_test(gives_a_changed_record_another_digest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
