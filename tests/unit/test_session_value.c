#include "unit.h"

#include <cjson/cJSON.h>
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

/* Parses a copy of the exact size, which is freed afterwards. */
static int parse(
	struct identity *identity, const struct session_value_settings *settings, struct slice json)
{
	char *copy = exact_copy(json);
	int result = identity_parse(identity, settings, slice_make(copy, json.len));
	free(copy);
	return result;
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

static void refuses_what_cjson_and_javascript_read_differently(void **state)
{
	(void)state;
	static const struct session_value_settings any = { .user = { "u", 1 } };
	static const struct {
		struct slice json;
		int result;
		const char *user;
	} cases[] = {
		{ SLICE("{}"), 0, NULL },
		{ SLICE(" \t\r\n{ \"u\" : \"a\" }\n"), 0, "a" },
		{ SLICE("{}{}"), -EACCES, NULL },
		{ SLICE("{}x"), -EACCES, NULL },
		{ SLICE("{}\0"), -EACCES, NULL },
		{ SLICE("{\"u\":\"a\"}\0{}"), -EACCES, NULL },
		{ SLICE("\xef\xbb\xbf{}"), -EACCES, NULL },
		{ SLICE("\v{}"), -EACCES, NULL },
		{ SLICE("{\x01}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\xff\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\xc3\"}"), -EACCES, NULL },
		{ SLICE("{\"\xc0\xaf\":1}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"a\nb\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"a\0b\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"a\\u0000b\"}"), -EACCES, NULL },
		{ SLICE("{\"u\\u0000\":1}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\\\u0000\"}"), 0, "\\u0000" },
		{ SLICE("{\"u\":\"\\\\\\u0000\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\uZZZZ\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\u12\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\u00e9\\ud83d\\uDD11\\u0001\"}"), 0,
			"\xc3\xa9\xf0\x9f\x94\x91\x01" },
		{ SLICE("{\"u\":\"\\ud83d\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\ud83dx\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\ud83d\\n\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\ud83d\\u0041\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\ud83d\\\\udd11\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\ud83d\\ud83d\\udd11\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\udd11\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\udd11\\ud83d\"}"), -EACCES, NULL },
		{ SLICE("{\"\\ud800\":1}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\udbff\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\udc00\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\udfff\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\ud800\\udbff\"}"), -EACCES, NULL },
		{ SLICE("{\"u\":\"\\ud800\\udc00\\udbff\\udfff\"}"), 0,
			"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ SLICE("{\"u\":\"\\ud7ff\\ue000\"}"), 0, "\xed\x9f\xbf\xee\x80\x80" },
		{ SLICE("{\"u\":\"\\\"\\/\\b\\f\\n\\r\\t\"}"), 0, "\"/\b\f\n\r\t" },
		{ SLICE("{\"a\":1,\"a\":1}"), -EACCES, NULL },
		{ SLICE("{\"a\":1,\"\\u0061\":1}"), -EACCES, NULL },
		{ SLICE("{\"a\":1,\"b\":2,\"c\":3,\"a\":4}"), -EACCES, NULL },
		{ SLICE("{\"x\":{\"a\":1,\"a\":1}}"), -EACCES, NULL },
		{ SLICE("{\"x\":[1,{\"y\":[{\"a\":1,\"a\":1}]}]}"), -EACCES, NULL },
		{ SLICE("{\"\":1,\"\":1}"), -EACCES, NULL },
		{ SLICE("{\"a\":1,\"A\":1}"), 0, NULL },
		{ SLICE("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"), 0, NULL },
		{ SLICE("{\"u\":01}"), -EACCES, NULL },
		{ SLICE("{\"u\":+1}"), -EACCES, NULL },
		{ SLICE("{\"u\":1.}"), -EACCES, NULL },
		{ SLICE("{\"u\":-}"), -EACCES, NULL },
		{ SLICE("{\"u\":0x10}"), -EACCES, NULL },
		{ SLICE("{\"u\":NaN}"), -EACCES, NULL },
		{ SLICE("{\"u\":1,}"), -EACCES, NULL },
		{ SLICE("{/**/}"), -EACCES, NULL },
		{ SLICE("{u:1}"), -EACCES, NULL },
		{ SLICE("{'u':1}"), -EACCES, NULL },
		{ SLICE("null"), -EACCES, NULL },
		{ SLICE("true"), -EACCES, NULL },
		{ SLICE("\"u\""), -EACCES, NULL },
		{ SLICE("42"), -EACCES, NULL },
		{ SLICE("[{\"u\":1}]"), -EACCES, NULL },
		{ { NULL, 0 }, -EACCES, NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check(&any, cases[i].json, cases[i].result, cases[i].user);
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
		{ "/a~/b", false }, { "a~", true } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (identity_path_is_valid(slice_of(cases[i].path)) != cases[i].valid)
			fail_msg("%s", cases[i].path);
	}
	assert_false(identity_path_is_valid((struct slice){ NULL, 0 }));
}

static void limits_length_and_depth(void **state)
{
	(void)state;
	static const struct session_value_settings any = { .user = { "u", 1 } };
	char *text = malloc(SESSION_VALUE_BYTES_MAX + 1);
	assert_non_null(text);
	memset(text, ' ', SESSION_VALUE_BYTES_MAX + 1);
	memcpy(text, "{\"u\":7}", 7);
	check(&any, slice_make(text, SESSION_VALUE_BYTES_MAX), 0, "7");
	check(&any, slice_make(text, SESSION_VALUE_BYTES_MAX + 1), -EACCES, NULL);
	free(text);
	check(&any, SLICE("{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"), 0, NULL);
	check(&any, SLICE("{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"), -EACCES, NULL);
}

/* Seven thousand members; the last one has the name of the first, or another one. */
static void finds_duplicates_among_thousands_of_members(void **state)
{
	(void)state;
	static const struct session_value_settings last = { .user = { "6999", 4 } };
	char *text = malloc(SESSION_VALUE_BYTES_MAX);
	assert_non_null(text);
	size_t len = 0;
	for (unsigned i = 0; i < 7000; i++)
		len += (size_t)snprintf(text + len, 16, "%c\"%04u\":1", i ? ',' : '{', i % 6999);
	text[len++] = '}';
	check(&last, slice_make(text, len), -EACCES, NULL);
	memcpy(text + len - strlen("0000\":1}"), "6999", 4);
	check(&last, slice_make(text, len), 0, "1");
	free(text);
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
				  "1E2],\"empty\":[],\"o\":{\"p\":{\"q\":[\"deep\"]},\"n\":70}}");
	static const struct session_value_settings any = { .user = { "n", 1 } };
	struct identity identity;
	assert_int_equal(parse(&identity, &any, json), 0);
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

/* cJSON's allocator, which fails after a number of allocations. */
static size_t allocations_left;

static void *scarce_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(size);
}

static void reports_failed_allocations(void **state)
{
	(void)state;
	struct slice json = SLICE("{\"cookie\":{\"a\":[1,2,{\"b\":-3}]},\"authenticated\":true,"
				  "\"userId\":42}");
	struct identity identity;
	cJSON_Hooks hooks = { scarce_malloc, free };
	cJSON_InitHooks(&hooks);
	int result = -ENOMEM;
	size_t n = 0;
	for (; result == -ENOMEM && n < 1000; n++) {
		allocations_left = n;
		result = parse(&identity, &express, json);
	}
	cJSON_InitHooks(NULL);
	assert_int_equal(result, 0);
	assert_true(n > 10);
	assert_true(slice_equal(identity.user, SLICE("42")));
	identity_finish(&identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_records_of_express_session),
		cmocka_unit_test(refuses_a_part_of_a_record),
		cmocka_unit_test(refuses_what_cjson_and_javascript_read_differently),
		cmocka_unit_test(finds_the_user),
		cmocka_unit_test(authenticated_by_path),
		cmocka_unit_test(checks_that_a_value_is_present),
		cmocka_unit_test(all_conditions_must_hold),
		cmocka_unit_test(reads_the_end_of_a_session),
		cmocka_unit_test(recognizes_valid_paths),
		cmocka_unit_test(limits_length_and_depth),
		cmocka_unit_test(finds_duplicates_among_thousands_of_members),
		cmocka_unit_test(lists_the_strings_at_a_path),
		cmocka_unit_test(reports_failed_allocations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
