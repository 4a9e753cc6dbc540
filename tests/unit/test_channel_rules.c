#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/channel_pattern.h"
#include "sluice/proto/channel_rules.h"

static const char record[] =
	"{\"userId\":\"u1\",\"user\":\"field\",\"id\":42,\"admin\":true,\"empty\":\"\",\"none\":[],"
	"\"nil\":null,"
	"\"passport\":{\"user\":{\"name\":\"ann\"}},\"teams\":[\"red\",7,\"blue:sky\",null,\"\"],"
	"\"star\":\"*\",\"brace\":\"{userId}\",\"steps\":[\"a\",\"ab\",\"b\"],"
	"\"odd\":[\"ok\",\"bad\\nline\",\"__x\",\"\\u007f\"]}";

static struct identity parse(struct slice json)
{
	/* those that the rules below name */
	static const struct slice fields[] = { { "UserId", 6 }, { "/user", 5 }, { "admin", 5 },
		{ "brace", 5 }, { "empty", 5 }, { "id", 2 }, { "list", 4 }, { "nil", 3 },
		{ "none", 4 }, { "nowhere", 7 }, { "odd", 3 }, { "passport.user.name", 18 },
		{ "passport.user", 13 }, { "star", 4 }, { "steps", 5 }, { "teams", 5 },
		{ "userId", 6 }, { "a", 1 }, { "b", 1 }, { "c", 1 }, { "d", 1 }, { "a.b.c", 5 },
		{ "user.x", 6 }, { "User", 4 } };
	static const struct session_value_settings settings = {
		.user = { "userId", 6 }, .fields = fields, .n_fields = COUNT_OF(fields)
	};
	struct identity identity;
	assert_int_equal(identity_parse(&identity, &settings, json), 0);
	return identity;
}

static void matches_one_rule(void **state)
{
	(void)state;
	struct identity identity = parse(slice_of(record));
	static const struct {
		const char *match, *channel;
		bool allowed;
	} cases[] = {
		{ "news", "news", true },
		{ "news", "new", false },
		{ "news", "newsx", false },
		{ "news", "xnews", false },
		{ "news", "NEWS", false },
		{ "news", "", false },
		{ "news", "news*", false },
		{ "news", "*", false },
		{ "n?ws", "news", false },
		{ "n[e]ws", "news", false },
		{ "public:*", "public:", true },
		{ "public:*", "public:a", true },
		{ "public:*", "public:a:b:*", true },
		{ "public:*", "public", false },
		{ "public:*", "publicx", false },
		{ "public:*", "xpublic:a", false },
		{ "public:*", "public:*", true },
		{ "*", "x", true },
		{ "*", "__x", false },
		{ "*", "__keyspace@0__:sess:abc", false },
		{ "_*", "__keyevent@0__:del", false },
		{ "_*", "_x", true },
		{ "*", "", false },
		{ "user:{userId}", "user:u1", true },
		{ "user:{userId}", "user:u2", false },
		{ "user:{userId}", "user:u", false },
		{ "user:{userId}", "user:u11", false },
		{ "user:{userId}", "user:", false },
		{ "user:{userId}", "user:{userId}", false },
		{ "user:{userId}", "user:*", false },
		{ "user:{userId}:*", "user:u1:inbox", true },
		{ "user:{userId}:*", "user:u1", false },
		{ "user:{userId}:*", "user:u1x:inbox", false },
		{ "user:{userId}*", "user:u1x", true },
		{ "{userId}", "u1", true },
		{ "user:{user}", "user:u1", true },
		{ "user:{user}", "user:field", false },
		{ "user:{/user}", "user:field", true },
		{ "user:{/user}", "user:u1", false },
		{ "user:{user}:*", "user:u1:inbox", true },
		{ "{user}:{user}", "u1:u1", true },
		{ "{User}", "u1", false },
		{ "{user.x}", "u1", false },
		{ "{userId}:{id}", "u1:42", true },
		{ "{userId}{id}", "u142", true },
		{ "{userId}{id}", "u1", false },
		{ "id:{id}", "id:42", true },
		{ "id:{id}", "id:042", false },
		{ "admin:{admin}", "admin:true", true },
		{ "admin:{admin}", "admin:false", false },
		{ "x:{passport.user.name}", "x:ann", true },
		{ "x:{passport.user}", "x:ann", false },
		{ "x:{passport.user}", "x:", false },
		{ "x:{nowhere}", "x:", false },
		{ "x:{nowhere}", "x:{nowhere}", false },
		{ "x:{nowhere}", "x:undefined", false },
		{ "x:{nowhere}*", "x:anything", false },
		{ "x:{nil}", "x:null", false },
		{ "x:{nil}", "x:", false },
		{ "x:{empty}", "x:", false },
		{ "x:{empty}*", "x:anything", false },
		{ "x:{none}*", "x:anything", false },
		{ "x:{UserId}", "x:u1", false },
		{ "team:{teams}", "team:red", true },
		{ "team:{teams}", "team:7", true },
		{ "team:{teams}", "team:blue:sky", true },
		{ "team:{teams}", "team:blue", false },
		{ "team:{teams}", "team:", false },
		{ "team:{teams}", "team:null", false },
		{ "team:{teams}", "team:red,7", false },
		{ "team:{teams}", "team:rednews", false },
		{ "team:{teams}:*", "team:red:x", true },
		{ "team:{teams}:*", "team:blue:x", false },
		{ "team:{teams}:{id}", "team:7:42", true },
		{ "s:{star}", "s:*", true },
		{ "s:{star}", "s:anything", false },
		{ "s:{star}", "s:", false },
		{ "s:{brace}", "s:{userId}", true },
		{ "s:{brace}", "s:u1", false },
		/* one element begins another: every way through the pattern is tried */
		{ "{steps}", "ab", true },
		{ "{steps}b", "ab", true },
		{ "{steps}b", "abb", true },
		{ "{steps}{steps}", "aba", true },
		{ "{steps}{steps}", "abb", true },
		{ "{steps}{steps}x", "abbx", true },
		{ "{steps}{steps}x", "abbbx", false },
		{ "{steps}-{steps}", "ab-a", true },
		{ "{steps}-{steps}", "ab-", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct channel_rule rule = { .match = slice_of(cases[i].match) };
		assert_null(channel_rule_problem(&rule));
		bool allowed = channel_rules_allow(&rule, 1, &identity, slice_of(cases[i].channel));
		if (allowed != cases[i].allowed)
			fail_msg("%s for %s", cases[i].match, cases[i].channel);
	}
	identity_finish(&identity);
}

static void names_the_user_whatever_its_field_is_called(void **state)
{
	(void)state;
	static const struct {
		const char *path, *json, *user; /* NULL: nobody */
	} cases[] = {
		{ "_auth_user_id", "{\"_auth_user_id\":\"7\",\"user\":\"x\"}", "7" },
		{ "passport.user", "{\"passport\":{\"user\":7}}", "7" },
		{ "user", "{\"user\":\"7\"}", "7" },
		{ "userId", "{\"user\":\"7\"}", NULL },
		{ "userId", "{\"user\":\"7\",\"userId\":[\"7\"]}", NULL },
		{ "userId", "{\"user\":\"7\",\"userId\":true}", NULL },
		{ "", "{\"user\":\"7\"}", NULL },
	};
	const struct channel_rule rule = { .match = SLICE("user:{user}") };
	const struct channel_rule open = { .match = SLICE("user:{user}*") };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct session_value_settings settings = { .user = slice_of(cases[i].path) };
		struct identity identity;
		assert_int_equal(identity_parse(&identity, &settings, slice_of(cases[i].json)), 0);
		assert_int_equal(channel_rules_allow(&rule, 1, &identity, SLICE("user:7")),
			cases[i].user != NULL);
		assert_int_equal(channel_rules_allow(&open, 1, &identity, SLICE("user:7x")),
			cases[i].user != NULL);
		assert_false(channel_rules_allow(&open, 1, &identity, SLICE("user:true")));
		assert_false(channel_rules_allow(&rule, 1, NULL, SLICE("user:7")));
		assert_false(channel_rules_allow(&open, 1, NULL, SLICE("user:")));
		identity_finish(&identity);
	}
}

static void first_matching_rule_decides(void **state)
{
	(void)state;
	struct identity identity = parse(slice_of(record));
	static const struct channel_rule rules[] = {
		{ .match = { "news", 4 }, .allow = CHANNEL_ALLOW_SESSION },
		{ .match = { "user:{userId}", 13 }, .allow = CHANNEL_ALLOW_SESSION },
		{ .match = { "public:secret", 13 }, .allow = CHANNEL_ALLOW_SESSION },
		{ .match = { "public:*", 8 }, .allow = CHANNEL_ALLOW_ANYONE },
		{ .match = { "n*", 2 }, .allow = CHANNEL_ALLOW_ANYONE },
	};
	static const struct {
		const char *channel;
		bool session, anyone;
	} cases[] = {
		{ "news", true, false },
		{ "news2", true, true },
		{ "user:u1", true, false },
		{ "user:", false, false },
		{ "user:{userId}", false, false },
		{ "public:secret", true, false },
		{ "public:other", true, true },
		{ "private", false, false },
		{ "", false, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct slice channel = slice_of(cases[i].channel);
		assert_int_equal(channel_rules_allow(rules, COUNT_OF(rules), &identity, channel),
			cases[i].session);
		assert_int_equal(channel_rules_allow(rules, COUNT_OF(rules), NULL, channel),
			cases[i].anyone);
		assert_false(channel_rules_allow(NULL, 0, &identity, channel));
		assert_false(channel_rules_allow(NULL, 0, NULL, channel));
	}
	identity_finish(&identity);
}

static void accepts_valid_names_only(void **state)
{
	(void)state;
	char long_name[CHANNEL_NAME_MAX + 1];
	memset(long_name, 'a', sizeof(long_name));
	static const struct {
		struct slice name;
		bool valid;
	} cases[] = {
		{ { "a", 1 }, true },
		{ { "_a", 2 }, true },
		{ { "a__", 3 }, true },
		{ { "_", 1 }, true },
		{ { " ", 1 }, true },
		{ { "a b*{c}[d]?", 11 }, true },
		{ { "\xc3\xa9\xf0\x9f\x94\x91", 6 }, true },
		{ { "", 0 }, false },
		{ { NULL, 0 }, false },
		{ { "__", 2 }, false },
		{ { "__a", 3 }, false },
		{ { "a\0b", 3 }, false },
		{ { "a\n", 2 }, false },
		{ { "a\r\nPUBLISH", 10 }, false },
		{ { "\x1f", 1 }, false },
		{ { "\x7f", 1 }, false },
		{ { "\xff", 1 }, false },
		{ { "a\xc3", 2 }, false },
		{ { "\xc0\x80", 2 }, false },
		{ { "\xed\xa0\x80", 3 }, false },
	};
	struct channel_rule all = { .match = SLICE("*"), .allow = CHANNEL_ALLOW_ANYONE };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(channel_name_is_valid(cases[i].name), cases[i].valid);
		assert_int_equal(channel_rules_allow(&all, 1, NULL, cases[i].name), cases[i].valid);
	}
	for (size_t len = 1; len <= sizeof(long_name); len++) {
		struct slice name = slice_make(long_name, len);
		assert_int_equal(channel_name_is_valid(name), len <= CHANNEL_NAME_MAX);
		assert_int_equal(channel_rules_allow(&all, 1, NULL, name), len <= CHANNEL_NAME_MAX);
	}
}

static void describes_each_mistake_in_a_rule(void **state)
{
	(void)state;
	static const struct {
		const char *match;
		bool automatic;
		const char *problem; /* a part of it; NULL: none */
	} cases[] = {
		{ "news", true, NULL },
		{ "user:{userId}", true, NULL },
		{ "{a.b.c}:{d}", true, NULL },
		{ "public:*", false, NULL },
		{ "*", false, NULL },
		{ "{a}*", false, NULL },
		{ "\xc3\xa9", false, NULL },
		{ "", false, "empty" },
		{ "public:*", true, "'auto'" },
		{ "a*b", false, "'*'" },
		{ "**", false, "'*'" },
		{ "*a", true, "'*'" },
		{ "{*}", false, "'*'" },
		{ "{a*", false, "unbalanced '{'" },
		{ "user:{userId", false, "unbalanced '{'" },
		{ "user:{", false, "unbalanced '{'" },
		{ "user:{{userId}}", false, "unbalanced '{'" },
		{ "user:{a{b}", false, "unbalanced '{'" },
		{ "user:userId}", false, "unbalanced '}'" },
		{ "user:{userId}}", false, "unbalanced '}'" },
		{ "}{", false, "unbalanced '}'" },
		{ "user:{}", false, "path" },
		{ "user:{.a}", false, "path" },
		{ "user:{a.}", false, "path" },
		{ "user:{a..b}", false, "path" },
		{ "{a}{}", false, "path" },
		{ "__keyspace", false, "'__'" },
		{ "a\nb", false, "control" },
		{ "a\xff", false, "UTF-8" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct channel_rule rule = { .match = slice_of(cases[i].match),
			.automatic = cases[i].automatic };
		const char *problem = channel_rule_problem(&rule);
		if (!problem != !cases[i].problem ||
			(problem && !strstr(problem, cases[i].problem)))
			fail_msg("%s: %s", cases[i].match, problem ? problem : "no problem");
	}
}

/* Collects the names, each followed by a space, and stops after a number of them. */
struct names {
	char text[1024];
	size_t n, stop_after;
};

static int collect(void *context, struct slice channel)
{
	struct names *seen = context;
	assert_true(channel_name_is_valid(channel));
	size_t len = strlen(seen->text);
	snprintf(seen->text + len, sizeof(seen->text) - len, "%.*s ", SLICE_ARGS(channel));
	return ++seen->n == seen->stop_after ? -ENOSPC : 0;
}

static void lists_automatic_channels(void **state)
{
	(void)state;
	struct identity identity = parse(slice_of(record));
	static const struct {
		const char *match, *names;
	} cases[] = {
		{ "news", "news " },
		{ "user:{userId}", "user:u1 " },
		{ "{userId}:{id}", "u1:42 " },
		{ "user:{user}", "user:u1 " },
		{ "user:{/user}", "user:field " },
		{ "team:{teams}", "team:red team:7 team:blue:sky " },
		{ "{steps}{steps}", "aa aab ab aba abab abb ba bab bb " },
		{ "x:{nowhere}", "" },
		{ "x:{none}", "" },
		{ "x:{empty}:y", "" },
		{ "s:{star}", "s:* " },
		{ "s:{brace}", "s:{userId} " },
		{ "{odd}", "ok " },
		{ "x{odd}", "xok x__x " },
		{ "_{odd}", "_ok " },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct channel_rule rule = { .match = slice_of(cases[i].match), .automatic = true };
		struct names seen = { 0 };
		assert_int_equal(
			channel_rules_each_automatic(&rule, 1, &identity, collect, &seen), 0);
		if (strcmp(seen.text, cases[i].names) != 0)
			fail_msg("%s: %s", cases[i].match, seen.text);
		rule.automatic = false;
		seen = (struct names){ 0 };
		assert_int_equal(
			channel_rules_each_automatic(&rule, 1, &identity, collect, &seen), 0);
		assert_int_equal(seen.n, 0);
	}
	identity_finish(&identity);
}

static void lists_automatic_channels_of_several_rules(void **state)
{
	(void)state;
	struct identity identity = parse(slice_of(record));
	static const struct channel_rule rules[] = {
		{ .match = { "open:private", 12 }, .allow = CHANNEL_ALLOW_SESSION },
		{ .match = { "news", 4 }, .allow = CHANNEL_ALLOW_SESSION, .automatic = true },
		{ .match = { "open:private", 12 },
			.allow = CHANNEL_ALLOW_ANYONE,
			.automatic = true },
		{ .match = { "open", 4 }, .allow = CHANNEL_ALLOW_ANYONE, .automatic = true },
		{ .match = { "user:{userId}", 13 },
			.allow = CHANNEL_ALLOW_ANYONE,
			.automatic = true },
		{ .match = { "quiet", 5 }, .allow = CHANNEL_ALLOW_ANYONE },
	};
	struct names seen = { 0 };
	assert_int_equal(
		channel_rules_each_automatic(rules, COUNT_OF(rules), &identity, collect, &seen), 0);
	assert_string_equal(seen.text, "news open:private open user:u1 ");
	seen = (struct names){ 0 };
	assert_int_equal(
		channel_rules_each_automatic(rules, COUNT_OF(rules), NULL, collect, &seen), 0);
	assert_string_equal(seen.text, "open ");
	for (size_t stop = 1; stop <= 4; stop++) {
		seen = (struct names){ .stop_after = stop };
		assert_int_equal(channel_rules_each_automatic(
					 rules, COUNT_OF(rules), &identity, collect, &seen),
			-ENOSPC);
		assert_int_equal(seen.n, stop);
	}
	identity_finish(&identity);
}

static void limits_the_length_of_names(void **state)
{
	(void)state;
	char json[1024], text[CHANNEL_NAME_MAX + 1];
	memset(text, 'a', sizeof(text));
	static const struct channel_rule rule = { .match = { "x:{list}", 8 }, .automatic = true };
	for (size_t len = CHANNEL_NAME_MAX - 3; len <= CHANNEL_NAME_MAX; len++) {
		snprintf(json, sizeof(json), "{\"list\":[\"%.*s\",\"b\"]}", (int)len, text);
		struct identity identity = parse(slice_of(json));
		struct names seen = { 0 };
		assert_int_equal(
			channel_rules_each_automatic(&rule, 1, &identity, collect, &seen), 0);
		assert_int_equal(seen.n, len + 2 <= CHANNEL_NAME_MAX ? 2 : 1);
		assert_true(channel_rules_allow(&rule, 1, &identity, SLICE("x:b")));
		identity_finish(&identity);
	}
}

static int count(void *context, struct slice channel)
{
	(void)channel;
	++*(size_t *)context;
	return 0;
}

/* A thousand equal elements, four times in a pattern, are 10^12 ways and as many names. */
static void large_arrays_take_bounded_time(void **state)
{
	(void)state;
	enum { ELEMENTS = 1000 };
	char json[ELEMENTS * 4 + 32];
	size_t len = (size_t)snprintf(json, sizeof(json), "{\"list\":[\"a\"");
	for (size_t i = 1; i < ELEMENTS; i++)
		len += (size_t)snprintf(json + len, sizeof(json) - len, ",\"a\"");
	snprintf(json + len, sizeof(json) - len, "]}");
	struct identity identity = parse(slice_of(json));
	static const struct channel_rule rule = { .match = { "{list}{list}{list}{list}b", 25 },
		.automatic = true };
	assert_false(channel_rules_allow(&rule, 1, &identity, SLICE("aaaac")));
	assert_true(channel_rules_allow(&rule, 1, &identity, SLICE("aaaab")));
	size_t n = 0;
	assert_int_equal(channel_rules_each_automatic(&rule, 1, &identity, count, &n), 0);
	assert_true(n > 5000 && n < 20000);
	identity_finish(&identity);
}

/* Whatever the name and the rule: each part reads each byte of its strings once, so that the worst
 * strings for one name (all of them a part of it, ending at all its offsets) cost no more than
 * others. */
static void matching_is_linear_in_the_strings(void **state)
{
	(void)state;
	enum { STRINGS = 240, ROUNDS = 2, PARTS = 6 };
	char json[STRINGS * (STRINGS / 2 + 8) * ROUNDS], name[CHANNEL_NAME_MAX];
	size_t len = (size_t)snprintf(json, sizeof(json), "{\"list\":[\"x\""), bytes = 1;
	memset(name, 'a', sizeof(name));
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 1; i <= STRINGS; i++, bytes += (size_t)i - 1)
			len += (size_t)snprintf(
				json + len, sizeof(json) - len, ",\"%.*s\"", i, name);
	snprintf(json + len, sizeof(json) - len, "]}");
	struct identity identity = parse(slice_of(json));
	static const struct {
		const char *match;
		uint64_t paths;
		bool matches;
	} cases[] = {
		{ "{list}{list}", 2, true },
		{ "{list}{list}{list}{list}{list}{list}b", PARTS, false },
		{ "a{list}a{list}a{list}a{list}a{list}a{list}ab", PARTS, false },
		{ "{list}b{list}{list}{list}{list}{list}", 1, false },
		{ "b{list}{list}{list}{list}{list}{list}", 0, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct channel_match match;
		channel_match_init(&match, slice_make(name, sizeof(name)));
		assert_int_equal(
			channel_pattern_matches(slice_of(cases[i].match), &identity, &match),
			cases[i].matches);
		uint64_t strings = bytes + STRINGS * ROUNDS + 1;
		assert_in_range(match.steps, cases[i].paths * sizeof(name) / 2,
			cases[i].paths * strings + 2 * strlen(cases[i].match));
	}
	identity_finish(&identity);
}

/* As many as a path may have: they are in a set. */
static struct identity parse_many(void)
{
	enum { STRINGS = 10000 };
	struct buffer json = { 0 };
	assert_int_equal(buffer_printf(&json, "{\"list\":[\"ab\""), 0);
	for (int i = 0; i < STRINGS; i++)
		assert_int_equal(buffer_printf(&json, ",\"%04x\"", 7 * i), 0);
	assert_int_equal(buffer_printf(&json, "]}"), 0);
	struct identity identity = parse(buffer_slice(&json));
	buffer_finish(&json);
	return identity;
}

/* Whatever a record holds, a page that asks for all the channels it may have costs no long turn. */
static void many_strings_cost_no_more_than_the_name(void **state)
{
	(void)state;
	static const struct {
		const char *match, *channel;
		bool matches;
	} cases[] = {
		{ "team:{list}", "team:0000", true },
		{ "team:{list}", "team:0007", true },
		{ "team:{list}", "team:11169", true },
		{ "team:{list}", "team:ab", true },
		{ "team:{list}", "team:0001", false },
		{ "team:{list}", "team:a", false },
		{ "team:{list}", "team:abc", false },
		{ "team:{list}", "team:", false },
		{ "team:{list}:*", "team:000e:board:1", true },
		{ "team:{list}:*", "team:000f:board:1", false },
		{ "{list}-{list}", "0007-ab", true },
		{ "{list}{list}", "abab", true },
		{ "{list}{list}", "ab0001", false },
		{ "{list}", "a team with a name that is longer than any of the strings", false },
	};
	struct identity identity = parse_many();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct channel_match match;
		struct slice pattern = slice_of(cases[i].match), name = slice_of(cases[i].channel);
		channel_match_init(&match, name);
		assert_int_equal(
			channel_pattern_matches(pattern, &identity, &match), cases[i].matches);
		assert_in_range(match.steps, 0, 2 * (pattern.len + name.len));
	}
	identity_finish(&identity);
}

/* The next of a fixed sequence, below `bound`. */
static size_t draw(uint64_t *sequence, size_t bound)
{
	*sequence = *sequence * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (size_t)(*sequence >> 33) % bound;
}

static void add_letter(struct buffer *texts, uint64_t *sequence)
{
	assert_int_equal(buffer_append(texts, &"ab"[draw(sequence, 2)], 1), 0);
}

/* A set does what its texts do one by one. */
static void a_set_matches_as_its_texts_do(void **state)
{
	(void)state;
	enum { TEXTS = 100, LEN_MAX = 12, NAME = 150 };
	uint64_t sequence = 1;
	for (int round = 0; round < 200; round++) {
		struct buffer texts = { 0 };
		struct text_set *set = text_set_create(&texts);
		struct channel_offsets from = { 0 }, expected = { 0 }, got = { 0 };
		struct channel_match match;
		size_t offsets[TEXTS + 1];
		char name[NAME];
		assert_non_null(set);
		for (size_t i = 0; i < NAME; i++)
			name[i] = "ab"[draw(&sequence, 2)];
		channel_match_init(&match, slice_make(name, NAME));
		for (int i = 0; i < 8; i++)
			from.words[i % 2] |= UINT64_C(1) << draw(&sequence, 64);
		for (size_t i = 0; i < TEXTS; i++) {
			size_t len = 1 + draw(&sequence, LEN_MAX);
			offsets[i] = texts.len;
			while (texts.len < offsets[i] + len)
				add_letter(&texts, &sequence);
			assert_int_equal(text_set_add(set, offsets[i], len), 0);
		}
		offsets[TEXTS] = texts.len;
		for (size_t i = 0; i < TEXTS; i++)
			channel_match_advance(&match, &from, &expected,
				slice_make(texts.bytes + offsets[i], offsets[i + 1] - offsets[i]));
		assert_true(channel_match_advance_by_set(&match, &from, &got, set));
		assert_memory_equal(&got, &expected, sizeof(got));
		text_set_destroy(set);
		buffer_finish(&texts);
	}
}

static void finds_the_batch_time_of_a_channel(void **state)
{
	(void)state;
	static const struct {
		const char *match;
		int ms;
	} rows[] = {
		{ "user:{userId}:mail", 5 },
		{ "user:{userId}", -1 },
		{ "{a}-{b}-x", 7 },
		{ "price:{teams}:*", 50 },
		{ "news", 0 },
		{ "*", 9 },
	};
	struct channel_rule rules[COUNT_OF(rows)];
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		rules[i] = (struct channel_rule){ .match = slice_of(rows[i].match),
			.batch_ms = rows[i].ms };
	static const struct {
		const char *name;
		unsigned ms;
	} names[] = {
		{ "user:1:mail", 5 },
		{ "user::mail", 5 },
		{ "user:1:mail:mail", 5 },
		{ "user:1:mails", 100 },
		{ "user:1", 100 },
		{ "1-2-x", 7 },
		{ "-x--x-x", 7 },
		{ "1-x", 9 },
		{ "price:a:b", 50 },
		{ "price::", 50 },
		{ "price:", 9 },
		{ "news", 0 },
		{ "newsy", 9 },
	};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(
			channel_rules_batch_ms(rules, COUNT_OF(rows), slice_of(names[i].name), 100),
			names[i].ms);
	assert_int_equal(channel_rules_batch_ms(rules, 1, SLICE("other"), 100), 100);
	assert_int_equal(channel_rules_batch_ms(rules, 0, SLICE("other"), 100), 100);
}

/* The paths of the session that a pattern needs. */
static void lists_the_fields_of_a_pattern(void **state)
{
	(void)state;
	static const struct {
		const char *match, *fields;
	} cases[] = {
		{ "news", "" },
		{ "public:*", "" },
		{ "{teams}", "teams," },
		{ "user:{user}", "" },
		{ "{user}:{/user}:{a.b}{user}x{teams}*", "/user,a.b,teams," },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char found[64] = "";
		struct slice rest = slice_of(cases[i].match), field;
		while (channel_pattern_next_field(&rest, &field))
			snprintf(found + strlen(found), sizeof(found) - strlen(found), "%.*s,",
				SLICE_ARGS(field));
		assert_string_equal(found, cases[i].fields);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_the_fields_of_a_pattern),
		cmocka_unit_test(matches_one_rule),
		cmocka_unit_test(names_the_user_whatever_its_field_is_called),
		cmocka_unit_test(first_matching_rule_decides),
		cmocka_unit_test(accepts_valid_names_only),
		cmocka_unit_test(describes_each_mistake_in_a_rule),
		cmocka_unit_test(lists_automatic_channels),
		cmocka_unit_test(lists_automatic_channels_of_several_rules),
		cmocka_unit_test(limits_the_length_of_names),
		cmocka_unit_test(large_arrays_take_bounded_time),
		cmocka_unit_test(matching_is_linear_in_the_strings),
		cmocka_unit_test(many_strings_cost_no_more_than_the_name),
		cmocka_unit_test(a_set_matches_as_its_texts_do),
		cmocka_unit_test(finds_the_batch_time_of_a_channel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
