#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exact.h"
#include "sluice/base/defs.h"
#include "sluice/proto/record/session_value.h"

#define COOKIE \
	"\"cookie\":{\"originalMaxAge\":null,\"expires\":null,\"httpOnly\":true,\"path\":\"/\"}"
#define EXPRESS "{" COOKIE ",\"authenticated\":true,\"userId\":\"user-42\"}"

static const struct session_value_settings express = {
	.authenticated = { "authenticated", 13 },
	.user = { "userId", 6 },
};

static int read_by(struct identity *identity, const struct session_value_settings *settings,
	struct slice json, size_t work)
{
	char *copy = exact_copy(json);
	int result = identity_begin(identity, settings, RECORD_FORMAT_JSON,
		slice_make(copy, json.len), SESSION_VALUE_DEPTH_DEFAULT);
	assert_int_equal(result, 0);
	do {
		result = identity_go_on(identity, settings, work);
	} while (result == 1);
	free(copy);
	return result;
}

/* Parses a copy of the exact size, which is freed afterwards: first token by token, then at once.
 * -EACCES: it is refused, whatever the reason. */
static int parse(
	struct identity *identity, const struct session_value_settings *settings, struct slice json)
{
	int slowly = read_by(identity, settings, json, 1);
	if (slowly == 0)
		identity_finish(identity);
	assert_null(identity->record);
	assert_int_equal(read_by(identity, settings, json, SIZE_MAX), slowly);
	return slowly == -EINVAL ? -EACCES : slowly;
}

static void check(const struct session_value_settings *settings, struct slice json, int expected,
	const char *user)
{
	struct identity identity;
	int result = parse(&identity, settings, json);
	if (result != expected)
		fail_msg("%.*s gives %d", SLICE_ARGS(json), result);
	if (result)
		return;
	if (!user)
		assert_null(identity.user.at);
	else if (!slice_equal(identity.user, slice_of(user)))
		fail_msg("%.*s: user %.*s", SLICE_ARGS(json), SLICE_ARGS(identity.user));
	identity_finish(&identity);
	assert_null(identity.record);
}

/* Each was the session of a real upgrade through express-session. */
static void reads_records_of_express_session(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		int result;
		const char *user;
	} cases[] = {
		{ EXPRESS, 0, "user-42" },
		{ "{\"cookie\":{\"originalMaxAge\":3600000,\"expires\":\"2026-11-22T20:09:33."
		  "192Z\","
		  "\"httpOnly\":true,\"path\":\"/\",\"sameSite\":\"lax\"},\"authenticated\":true,"
		  "\"userId\":\"user-42\"}",
			0, "user-42" },
		{ "{\"cookie\":{},\"authenticated\":true}", 0, NULL },
		{ "{\"cookie\":{\"expires\":\"2001-01-01T00:00:00.000Z\"},\"authenticated\":true}",
			0, NULL },
		{ "{bad json", -EACCES, NULL },
		{ "{\"authenticated\":true}", 0, NULL },
		{ "{\"authenticated\":true,\"userId\":\"ada\"}", 0, "ada" },
		{ "{\"cookie\":{},\"authenticated\":\"true\"}", -EACCES, NULL },
		{ "{\"cookie\":{},\"authenticated\":1}", -EACCES, NULL },
		{ "[]", -EACCES, NULL },
		{ "null", -EACCES, NULL },
		{ "", -EACCES, NULL },
		{ "{\"cookie\":{},\"authenticated\":true,\"authenticated\":false}", -EACCES, NULL },
		{ "{\"cookie\":{},\"__proto__\":{\"authenticated\":true}}", -EACCES, NULL },
		{ "{\"cookie\":{},\"authenticated\":false}", -EACCES, NULL },
		{ "{\"cookie\":{},\"authenticated\":null}", -EACCES, NULL },
		{ "{\"cookie\":{},\"authenticated\":[true]}", -EACCES, NULL },
		{ "{\"cookie\":{},\"authenticated\":{}}", -EACCES, NULL },
		{ "{\"cookie\":{}}", -EACCES, NULL },
		{ "{\"cookie\":{},\"Authenticated\":true}", -EACCES, NULL },
		{ "{\"cookie\":{},\"AUTHENTICATED\":true,\"authenticated\":false}", -EACCES, NULL },
		{ "{\"cookie\":{},\"user\":{\"authenticated\":true}}", -EACCES, NULL },
		{ "{\"Cookie\":{},\"authenticated\":true}", 0, NULL },
		{ "{\"cookie\":null,\"authenticated\":true}", 0, NULL },
		{ "{\"cookie\":[],\"authenticated\":true}", 0, NULL },
		{ "{\"cookie\":\"{}\",\"authenticated\":true}", 0, NULL },
		{ "[{\"cookie\":{},\"authenticated\":true}]", -EACCES, NULL },
		{ "\"{\\\"cookie\\\":{},\\\"authenticated\\\":true}\"", -EACCES, NULL },
		{ "{\"cookie\":{},\"\\u0061uthenticated\":true}", 0, NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check(&express, slice_of(cases[i].json), cases[i].result, cases[i].user);
}

static void refuses_a_part_of_a_record(void **state)
{
	(void)state;
	struct slice json = SLICE(EXPRESS);
	for (size_t len = 0; len < json.len; len++)
		check(&express, slice_make(json.at, len), -EACCES, NULL);
	for (size_t skip = 1; skip < json.len; skip++)
		check(&express, slice_skip(json, skip), -EACCES, NULL);
}

static const struct session_value_settings any = { .user = { "u", 1 } };

/* What no reader takes for JSON. */
static void refuses_what_is_not_json(void **state)
{
	(void)state;
	static const struct slice cases[] = {
#define TEXT(text) { text, sizeof(text) - 1 }
		TEXT("{}{}"),
		TEXT("{}x"),
		TEXT("{}\0"),
		TEXT("{\"u\":\"a\"}\0{}"),
		TEXT("\xef\xbb\xbf{}"),
		TEXT("\v{}"),
		TEXT("{\x01}"),
		TEXT("{\"x\":\"a\nb\"}"),
		TEXT("{\"x\":\"a\0b\"}"),
		TEXT("{\"x\":\"\\uZZZZ\"}"),
		TEXT("{\"x\":\"\\u12\"}"),
		TEXT("{\"x\":\"\\x\"}"),
		TEXT("{\"x\":\"\\"),
		TEXT("{\"x\":01}"),
		TEXT("{\"x\":+1}"),
		TEXT("{\"x\":1.}"),
		TEXT("{\"x\":-}"),
		TEXT("{\"x\":0x10}"),
		TEXT("{\"x\":nan}"),
		TEXT("{\"x\":+Infinity}"),
		TEXT("{\"x\":-NaN}"),
		TEXT("{\"x\":NaNa}"),
		TEXT("{\"x\":1,}"),
		TEXT("{,\"x\":1}"),
		TEXT("{\"x\" 1}"),
		TEXT("{\"x\":[1,]}"),
		TEXT("{\"x\":[1}"),
		TEXT("{\"x\":{\"y\":1]}"),
		TEXT("{\"x\":[}]"),
		TEXT("{\"x\"}"),
		TEXT("{\"x\":}"),
		TEXT("{/**/}"),
		TEXT("{u:1}"),
		TEXT("{'u':1}"),
		TEXT("null"),
		TEXT("true"),
		TEXT("\"u\""),
		TEXT("42"),
		TEXT("[{\"u\":1}]"),
		{ NULL, 0 },
#undef TEXT
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check(&any, cases[i], -EACCES, NULL);
}

/* Strings and numbers that readers do not agree on: `x` never counts, so it does no harm; as the
 * user it is absent. */
static void what_readers_disagree_on_counts_as_absent(void **state)
{
	(void)state;
	static const struct slice values[] = {
#define TEXT(text) { text, sizeof(text) - 1 }
		TEXT("\"caf\\ud83d\""),
		TEXT("\"\\ud83dx\""),
		TEXT("\"\\ud83d\\n\""),
		TEXT("\"\\ud83d\\u0041\""),
		TEXT("\"\\ud83d\\\\udd11\""),
		TEXT("\"\\ud83d\\ud83d\\udd11\""),
		TEXT("\"\\udd11\""),
		TEXT("\"\\udd11\\ud83d\""),
		TEXT("\"\\udbff\""),
		TEXT("\"\\udc00\""),
		TEXT("\"\\udfff\""),
		TEXT("\"\\ud800\\udbff\""),
		TEXT("\"\\u0000\""),
		TEXT("\"a\\u0000b\""),
		TEXT("\"\\\\\\u0000\""),
		TEXT("\"\xff\""),
		TEXT("\"\xc3\""),
		TEXT("\"\xc0\xaf\""),
		TEXT("\"\xed\xa0\x80\""),
		TEXT("\"\\n\xff\""),
		TEXT("NaN"),
		TEXT("Infinity"),
		TEXT("-Infinity"),
		TEXT("1,\"u\":1"),
		TEXT("1,\"\\u0075\":2"),
		TEXT("{\"a\":1},\"x\":{},\"u\":3"),
#undef TEXT
	};
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		static const char *const around[] = { "{\"u\":%s}", "{\"a\":[],\"u\":%s,\"b\":{}}",
			"{\"u\":\"ada\",\"x\":{\"u\":%s}}", "{\"x\":[{\"u\":%s}],\"u\":\"ada\"}" };
		for (size_t j = 0; j < COUNT_OF(around); j++) {
			struct buffer json = { 0 };
			struct slice rest = slice_of(around[j]), before = slice_cut(&rest, '%');
			assert_int_equal(buffer_append_slice(&json, before), 0);
			assert_int_equal(buffer_append_slice(&json, values[i]), 0);
			assert_int_equal(buffer_append_slice(&json, slice_skip(rest, 1)), 0);
			check(&any, buffer_slice(&json), 0, j < 2 ? NULL : "ada");
			buffer_finish(&json);
		}
	}
}

/* A name that is no text is the name of nothing that counts. */
static void skips_names_that_are_no_text(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"{\"u\":\"ada\",\"u\\u0000\":1,\"u\\u0000\":1}",
		"{\"u\\ud83d\":1,\"u\":\"ada\",\"\\ud800\":{\"u\":2}}",
		"{\"\xff\":1,\"u\":\"ada\",\"u\xff\":1}",
		"{\"U\":1,\"u\":\"ada\",\"uu\":2,\"\":3,\"\":4}",
		"{\"a\":1,\"a\":1,\"u\":\"ada\",\"b\":{\"u\":1,\"u\":2}}",
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check(&any, slice_of(cases[i]), 0, "ada");
}

static void reads_escapes(void **state)
{
	(void)state;
	static const struct {
		const char *json, *user;
	} cases[] = {
		{ "{}", NULL },
		{ " \t\r\n{ \"u\" : \"a\" }\n", "a" },
		{ "{\"u\":\"\\\\u0000\"}", "\\u0000" },
		{ "{\"u\":\"\\u00e9\\ud83d\\uDD11\\u0001\"}", "\xc3\xa9\xf0\x9f\x94\x91\x01" },
		{ "{\"u\":\"\\ud800\\udc00\\udbff\\udfff\"}", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ "{\"u\":\"\\ud7ff\\ue000\"}", "\xed\x9f\xbf\xee\x80\x80" },
		{ "{\"u\":\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"}",
			"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf" },
		{ "{\"u\":\"\\\"\\/\\b\\f\\n\\r\\t\"}", "\"/\b\f\n\r\t" },
		{ "{\"a\":1,\"A\":1}", NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check(&any, slice_of(cases[i].json), 0, cases[i].user);
}

/* Of an end of the session that readers disagree on, the later one may be wrong. */
static void refuses_an_end_that_readers_disagree_on(void **state)
{
	(void)state;
	static const struct session_value_settings ends = { .expires = { "a.end", 5 } };
	static const char *const cases[] = {
		"{\"a\":{\"end\":1,\"end\":9999999999999}}",
		"{\"a\":{\"end\":null,\"end\":null}}",
		"{\"a\":{\"end\":1},\"a\":{}}",
		"{\"a\":{},\"a\":1}",
		"{\"a\":{\"end\":NaN}}",
		"{\"a\":{\"end\":\"2026-11-22T20:09:33.192Z\\ud83d\"}}",
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check(&ends, slice_of(cases[i]), -EACCES, NULL);
}

/* JSON.parse takes the last of two, others the first. */
static void two_values_are_no_login(void **state)
{
	(void)state;
	static const struct session_value_settings nested = { .authenticated = { "auth.ok", 7 } };
	static const struct session_value_settings present = { .present = { "auth", 4 } };
	static const char *const cases[] = {
		"{\"auth\":{\"ok\":true,\"ok\":true}}",
		"{\"auth\":{\"ok\":false,\"\\u006fk\":true}}",
		"{\"auth\":{\"ok\":true},\"auth\":{}}",
		"{\"auth\":{},\"auth\":{\"ok\":true}}",
		"{\"auth\":1,\"auth\":{\"ok\":true}}",
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		check(&nested, slice_of(cases[i]), -EACCES, NULL);
		check(&present, slice_of(cases[i]), i < 2 ? 0 : -EACCES, NULL);
	}
	check(&nested, SLICE("{\"auth\":{\"x\":1,\"x\":2,\"ok\":true}}"), 0, NULL);
}

static void finds_the_user(void **state)
{
	(void)state;
	static const struct {
		const char *path, *json, *user;
	} cases[] = {
		{ "userId", "{\"userId\":\"u1\"}", "u1" },
		{ "userId", "{\"userId\":42}", "42" },
		{ "userId", "{\"userId\":0}", "0" },
		{ "userId", "{\"userId\":9007199254740993}", "9007199254740993" },
		{ "userId", "{\"userId\":123456789012345678901234567890}",
			"123456789012345678901234567890" },
		{ "userId", "{\"userId\":-1.50E+3}", "-1.50E+3" },
		{ "userId", "{\"userId\":1e999}", "1e999" },
		{ "userId", "{\"userId\":\"\"}", NULL },
		{ "userId", "{\"userId\":null}", NULL },
		{ "userId", "{\"userId\":true}", NULL },
		{ "userId", "{\"userId\":false}", NULL },
		{ "userId", "{\"userId\":[\"u1\"]}", NULL },
		{ "userId", "{\"userId\":{\"id\":1}}", NULL },
		{ "userId", "{\"userid\":\"u1\"}", NULL },
		{ "userId", "{}", NULL },
		{ "", "{\"\":\"u1\"}", NULL },
		{ "passport.user", "{\"passport\":{\"user\":7}}", "7" },
		{ "passport.user", "{\"passport.user\":7}", NULL },
		{ "passport.user", "{\"passport\":7}", NULL },
		{ "passport.user", "{\"Passport\":{\"user\":7}}", NULL },
		{ "passport.user", "{\"passport\":{\"User\":7}}", NULL },
		{ "passport.", "{\"passport\":{\"user\":7}}", NULL },
		{ ".passport", "{\"passport\":7}", NULL },
		{ "passport", "{\"passport\":{\"user\":7}}", NULL },
		{ "a.b.c.d", "{\"a\":{\"b\":{\"x\":1,\"c\":{\"d\":\"e\"}}}}", "e" },
		{ "list.0", "{\"list\":[\"u1\"]}", NULL },
		{ "\xc3\xa9", "{\"\\u00e9\":\"u1\"}", "u1" },
		/* RFC 6901 */
		{ "/userId", "{\"userId\":\"u1\"}", "u1" },
		{ "/a/b", "{\"a\":{\"b\":7}}", "7" },
		{ "/a.b", "{\"a.b\":7}", "7" },
		{ "/a.b", "{\"a\":{\"b\":7}}", NULL },
		{ "/a~1b", "{\"a/b\":7}", "7" },
		{ "/a~0b", "{\"a~b\":7}", "7" },
		{ "/a~01b", "{\"a~1b\":7}", "7" },
		{ "/a~01b", "{\"a/b\":7}", NULL },
		{ "/a~0", "{\"a\":7}", NULL },
		{ "/a", "{\"ab\":7}", NULL },
		{ "/ab", "{\"a\":7}", NULL },
		{ "/", "{\"\":7}", "7" },
		{ "/a/", "{\"a\":{\"\":7}}", "7" },
		{ "//a", "{\"\":{\"a\":7}}", "7" },
		{ "/a/0", "{\"a\":[7,8]}", "7" },
		{ "/a/1", "{\"a\":[7,8]}", "8" },
		{ "/a/2", "{\"a\":[7,8]}", NULL },
		{ "/a/01", "{\"a\":[7,8]}", NULL },
		{ "/a/-", "{\"a\":[7,8]}", NULL },
		{ "/a/-1", "{\"a\":[7,8]}", NULL },
		{ "/a/", "{\"a\":[7,8]}", NULL },
		{ "/a/1e0", "{\"a\":[7,8]}", NULL },
		{ "/a/4294967296", "{\"a\":[7,8]}", NULL },
		{ "/a/0", "{\"a\":{\"0\":7}}", "7" },
		{ "/a/01", "{\"a\":{\"01\":7}}", "7" },
		{ "/a/0/0", "{\"a\":[[7]]}", "7" },
		{ "/a/0/0", "{\"a\":[7]}", NULL },
		{ "/warden.user.user.key/0/0", "{\"warden.user.user.key\":[[42],\"x\"]}", "42" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct session_value_settings settings = { .user = slice_of(cases[i].path) };
		check(&settings, slice_of(cases[i].json), 0, cases[i].user);
	}
}

static void authenticated_by_path(void **state)
{
	(void)state;
	struct session_value_settings settings = { .authenticated = SLICE("auth.ok") };
	check(&settings, SLICE("{\"auth\":{\"ok\":true}}"), 0, NULL);
	check(&settings, SLICE("{\"auth\":{\"ok\":false}}"), -EACCES, NULL);
	check(&settings, SLICE("{\"auth\":true}"), -EACCES, NULL);
	check(&settings, SLICE("{\"auth.ok\":true}"), -EACCES, NULL);
	check(&settings, SLICE("{}"), -EACCES, NULL);
	settings.authenticated = SLICE("");
	check(&settings, SLICE("{}"), 0, NULL);
}

static void checks_that_a_value_is_present(void **state)
{
	(void)state;
	const struct session_value_settings settings = { .present = SLICE("a.b") };
	static const struct {
		const char *json;
		int result;
	} cases[] = {
		{ "{\"a\":{\"b\":true}}", 0 },
		{ "{\"a\":{\"b\":\"x\"}}", 0 },
		{ "{\"a\":{\"b\":0}}", 0 },
		{ "{\"a\":{\"b\":{}}}", 0 },
		{ "{\"a\":{\"b\":[]}}", 0 },
		{ "{\"a\":{\"b\":null}}", -EACCES },
		{ "{\"a\":{\"b\":false}}", -EACCES },
		{ "{\"a\":{\"b\":\"\"}}", -EACCES },
		{ "{\"a\":{}}", -EACCES },
		{ "{\"a\":true}", -EACCES },
		{ "{\"a.b\":true}", -EACCES },
		{ "{}", -EACCES },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check(&settings, slice_of(cases[i].json), cases[i].result, NULL);
}

static void all_conditions_must_hold(void **state)
{
	(void)state;
	const struct session_value_settings settings = { .authenticated = SLICE("ok"),
		.present = SLICE("who") };
	check(&settings, SLICE("{\"cookie\":{},\"ok\":true,\"who\":1}"), 0, NULL);
	check(&settings, SLICE("{\"ok\":true,\"who\":1}"), 0, NULL);
	check(&settings, SLICE("{\"cookie\":{},\"who\":1}"), -EACCES, NULL);
	check(&settings, SLICE("{\"cookie\":{},\"ok\":true}"), -EACCES, NULL);
}

static void reads_the_end_of_a_session(void **state)
{
	(void)state;
	const struct session_value_settings settings = { .expires = SLICE("/a/end") };
	static const struct {
		const char *end; /* as JSON; NULL: missing */
		int result;
		int64_t ms;
	} cases[] = {
		{ NULL, 0, INT64_MAX },
		{ "null", 0, INT64_MAX },
		{ "0", 0, 0 },
		{ "-1", 0, 0 },
		{ "1795378173192", 0, 1795378173192 },
		{ "1795378173192.75", 0, 1795378173192 },
		/* seconds, as PHP's and Python's time() */
		{ "1", 0, 1000 },
		{ "1795378173", 0, 1795378173000 },
		{ "1795378173.5", 0, 1795378173500 },
		{ "1.795378173E9", 0, 1795378173000 },
		{ "99999999999", 0, 99999999999000 },
		{ "100000000000", 0, 100000000000 },
		{ "978307200000", 0, 978307200000 },
		{ "1.795378173192E12", 0, 1795378173192 },
		{ "9007199254740991", 0, 9007199254740991 },
		{ "9007199254740992", 0, INT64_MAX },
		{ "1e999", 0, INT64_MAX },
		{ "-1e999", 0, 0 },
		{ "\"2026-11-22T20:09:33.192Z\"", 0, 1795378173192 },
		{ "\"1795378173192\"", -EACCES, 0 },
		{ "\"\"", -EACCES, 0 },
		{ "\"tomorrow\"", -EACCES, 0 },
		{ "true", -EACCES, 0 },
		{ "false", -EACCES, 0 },
		{ "{}", -EACCES, 0 },
		{ "[1795378173192]", -EACCES, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char json[128];
		struct identity identity;
		snprintf(json, sizeof(json), "{\"a\":{\"%s\":%s}}", cases[i].end ? "end" : "no",
			cases[i].end ? cases[i].end : "1");
		int result = parse(&identity, &settings, slice_of(json));
		if (result != cases[i].result)
			fail_msg("%s gives %d", json, result);
		if (result)
			continue;
		if (identity.expires_ms != cases[i].ms)
			fail_msg("%s: %lld", json, (long long)identity.expires_ms);
		identity_finish(&identity);
	}
}

static void recognizes_valid_paths(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		bool valid;
	} cases[] = { { "a", true }, { "a.b", true }, { "", false }, { ".", false },
		{ "a.", false }, { ".a", false }, { "a..b", false }, { "/", true }, { "/a", true },
		{ "/a..b/", true }, { "/a~0~1", true }, { "/a~", false }, { "/a~2", false },
		{ "/a~/b", false }, { "a~", true }, { "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", true },
		{ "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", false } };
	char name[RECORD_NAME_MAX + 1];
	memset(name, 'n', sizeof(name));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (!record_path_problem(slice_of(cases[i].path)) != cases[i].valid)
			fail_msg("%s", cases[i].path);
	}
	assert_non_null(record_path_problem((struct slice){ NULL, 0 }));
	assert_null(record_path_problem(slice_make(name, RECORD_NAME_MAX)));
	assert_non_null(record_path_problem(slice_make(name, RECORD_NAME_MAX + 1)));
}

static void finds_names_of_any_length(void **state)
{
	(void)state;
	for (size_t len = RECORD_NAME_MAX - 1; len <= RECORD_NAME_MAX + 1; len++) {
		char name[RECORD_NAME_MAX + 2], json[4 * RECORD_NAME_MAX];
		memset(name, 'n', len);
		name[len] = '\0';
		struct session_value_settings settings = { .user = slice_of(name) };
		snprintf(json, sizeof(json), "{\"n%s\":1,\"%s\":7,\"%s\":2}", name, name, name + 1);
		check(&settings, slice_of(json), 0, len <= RECORD_NAME_MAX ? "7" : NULL);
	}
}

static void limits_the_depth(void **state)
{
	(void)state;
	for (size_t n = 1; n < 2 * SESSION_VALUE_DEPTH_DEFAULT; n++) {
		struct buffer json = { 0 };
		assert_int_equal(buffer_printf(&json, "{\"a\":"), 0);
		for (size_t i = 1; i < n; i++)
			assert_int_equal(buffer_printf(&json, i % 2 ? "[" : "{\"u\":"), 0);
		assert_int_equal(buffer_printf(&json, "1"), 0);
		for (size_t i = n; --i;)
			assert_int_equal(buffer_printf(&json, i % 2 ? "]" : "}"), 0);
		assert_int_equal(buffer_printf(&json, ",\"u\":7}"), 0);
		check(&any, buffer_slice(&json), n <= SESSION_VALUE_DEPTH_DEFAULT ? 0 : -E2BIG,
			"7");
		buffer_finish(&json);
	}
}

/* A value of more than 64 KiB exists, but says nothing. */
static void limits_the_length_of_a_value(void **state)
{
	(void)state;
	static const struct session_value_settings as_present = { .present = { "u", 1 } };
	for (size_t len = RECORD_VALUE_BYTES_MAX - 2; len <= RECORD_VALUE_BYTES_MAX + 1; len++) {
		bool fits = len < RECORD_VALUE_BYTES_MAX;
		struct identity identity;
		struct buffer json = { 0 };
		assert_int_equal(buffer_printf(&json, "{\"u\":\"%0*d\"}", (int)len, 0), 0);
		assert_int_equal(parse(&identity, &any, buffer_slice(&json)), 0);
		assert_int_equal(identity.user.len, fits ? len : 0);
		identity_finish(&identity);
		check(&as_present, buffer_slice(&json), 0, NULL);
		buffer_finish(&json);
	}
}

/* What is there in a million of tokens is read once: the steps are counted, not the time. */
static void takes_linear_time(void **state)
{
	(void)state;
	enum { BYTES = 1 << 20, PIECE = 65536 };
	static const struct slice fields[] = { { "a", 1 }, { "b.c", 3 }, { "/d/7", 4 },
		{ "e", 1 } };
	static const struct session_value_settings settings = {
		.user = { "u", 1 }, .fields = fields, .n_fields = COUNT_OF(fields)
	};
	static const char *const parts[] = { "1,", "\"\",", "\"\\ud83d\",", "[],", "{\"a\":1},",
		"[[[[]]]],", "   ", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"," };
	static const char *const heads[] = { "{\"x\":[", "{\"a\":[", "{\"d\":[", "{\"u\":[" };
	for (size_t i = 0; i < COUNT_OF(parts) * COUNT_OF(heads); i++) {
		struct identity identity;
		struct buffer json = { 0 };
		struct slice part = slice_of(parts[i / COUNT_OF(heads)]);
		assert_int_equal(buffer_printf(&json, "%s", heads[i % COUNT_OF(heads)]), 0);
		while (json.len < BYTES)
			assert_int_equal(buffer_append_slice(&json, part), 0);
		assert_int_equal(buffer_printf(&json, "0]}"), 0);
		assert_int_equal(identity_begin(&identity, &settings, RECORD_FORMAT_JSON,
					 buffer_slice(&json), 8),
			0);
		size_t pieces = 1;
		while (identity_go_on(&identity, &settings, PIECE) == 1)
			pieces++;
		/* a token of two bytes counts six, and a name or an element two for each path */
		assert_true(pieces <= 8 * BYTES / PIECE);
		/* whitespace is a part of the next token */
		assert_true(pieces >= BYTES / PIECE || part.at[0] == ' ');
		identity_finish(&identity);
		buffer_finish(&json);
	}
}

static void check_texts(
	const struct identity *identity, const char *path, const char *const *expected)
{
	struct identity_texts texts = identity_texts(identity, slice_of(path));
	for (; *expected; expected++) {
		struct slice text = identity_texts_next(&texts);
		if (!text.at || !slice_equal(text, slice_of(*expected)))
			fail_msg("%s: %.*s for %s", path, SLICE_ARGS(text), *expected);
	}
	assert_null(identity_texts_next(&texts).at);
	assert_null(identity_texts_next(&texts).at);
}

static void lists_the_strings_at_a_path(void **state)
{
	(void)state;
	struct slice json = SLICE("{\"s\":\"text\",\"-1\":\"2 "
				  "\\\"-3\\\\\",\"n\":-4.50,\"t\":true,\"f\":false,\"z\":null,"
				  "\"e\":\"\",\"list\":[\"a\",12345678901234567890,null,\"\",true,{"
				  "\"x\":5},[6],\"*\","
				  "1E2,\"\\ud83d\",NaN],\"bad\":[\"\\u0000\",\"g\",\"\xff\"],"
				  "\"empty\":[],\"o\":{\"p\":{\"q\":[\"deep\"]},\"n\":70}}");
	static const struct slice fields[] = { { "s", 1 }, { "n", 1 }, { "t", 1 }, { "f", 1 },
		{ "z", 1 }, { "e", 1 }, { "-1", 2 }, { "list", 4 }, { "empty", 5 }, { "o", 1 },
		{ "o.p.q", 5 }, { "o.n", 3 }, { "list.x", 6 }, { "list.0", 6 }, { "S", 1 },
		{ "/list/0", 7 }, { "/list/5/x", 9 }, { "/list", 5 }, { "bad", 3 } };
	static const struct session_value_settings all = {
		.user = { "n", 1 }, .fields = fields, .n_fields = COUNT_OF(fields)
	};
	struct identity identity;
	assert_int_equal(parse(&identity, &all, json), 0);
	static const struct {
		const char *path, *texts[6];
	} cases[] = {
		{ "s", { "text" } },
		{ "n", { "-4.50" } },
		{ "t", { "true" } },
		{ "f", { "false" } },
		{ "z", { NULL } },
		{ "e", { NULL } },
		{ "-1", { "2 \"-3\\" } },
		{ "list", { "a", "12345678901234567890", "true", "*", "1E2" } },
		{ "/list", { "a", "12345678901234567890", "true", "*", "1E2" } },
		{ "/list/0", { "a" } },
		{ "/list/5/x", { "5" } },
		{ "bad", { "g" } },
		{ "empty", { NULL } },
		{ "o", { NULL } },
		{ "o.p.q", { "deep" } },
		{ "o.n", { "70" } },
		{ "list.x", { NULL } },
		{ "list.0", { NULL } },
		{ "S", { NULL } },
		{ "nothing", { NULL } },
		{ "", { NULL } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check_texts(&identity, cases[i].path, cases[i].texts);
	identity_finish(&identity);
	identity_finish(&identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_records_of_express_session),
		cmocka_unit_test(refuses_a_part_of_a_record),
		cmocka_unit_test(refuses_what_is_not_json),
		cmocka_unit_test(what_readers_disagree_on_counts_as_absent),
		cmocka_unit_test(skips_names_that_are_no_text),
		cmocka_unit_test(reads_escapes),
		cmocka_unit_test(refuses_an_end_that_readers_disagree_on),
		cmocka_unit_test(two_values_are_no_login),
		cmocka_unit_test(finds_the_user),
		cmocka_unit_test(authenticated_by_path),
		cmocka_unit_test(checks_that_a_value_is_present),
		cmocka_unit_test(all_conditions_must_hold),
		cmocka_unit_test(reads_the_end_of_a_session),
		cmocka_unit_test(recognizes_valid_paths),
		cmocka_unit_test(finds_names_of_any_length),
		cmocka_unit_test(limits_the_depth),
		cmocka_unit_test(limits_the_length_of_a_value),
		cmocka_unit_test(takes_linear_time),
		cmocka_unit_test(lists_the_strings_at_a_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
