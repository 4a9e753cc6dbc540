/* Channel rules for one session, compared with a matcher that tries all ways. The last line of the
 * input is a channel, the lines before are rules, each behind a letter: s(ession) or a(nyone),
 * upper case with "auto". The first byte is ignored. */
#include "fuzz.h"
#include "sluice/proto/channel_rules.h"
#include "utf8_reference.h"

enum { RULES_MAX = 16, PATHS_MAX = 4 /* trying all ways takes long */ };

/* Four times seventeen: more than RECORD_SET_TEXTS. */
#define TEXT(x) "\"" x "\","
#define FEW(x)  TEXT(x "a") TEXT(x "b") TEXT(x "ab") TEXT(x "ba")
#define MANY(x) FEW(x) FEW(x "a") FEW(x "1") FEW(x ":") TEXT(x "team")

static const struct slice RECORD =
	SLICE("{\"userId\":42,\"name\":\"a\",\"admin\":true,\"none\":null,\"empty\":\"\",\"odd\":"
	      "\"{x}*\","
	      "\"user\":\"field\",\"teams\":[\"a\",\"ab\",\"\",7],\"passport\":{\"user\":\"u:1\"},"
	      "\"many\":[" MANY("") MANY("a") MANY("b") MANY("u:") "\"ab:\"]}");

struct rules {
	struct channel_rule at[RULES_MAX];
	size_t n;
};

static void check_good_rule(const struct channel_rule *rule)
{
	size_t n_open = 0, n_close = 0;
	MUST(rule->match.len > 0 && utf8_reference(rule->match) == UTF8_VALID);
	for (size_t i = 0; i < rule->match.len; i++) {
		char c = rule->match.at[i];
		n_open += c == '{';
		n_close += c == '}';
		MUST(n_open == n_close || n_open == n_close + 1);
		MUST(c != '*' || (i + 1 == rule->match.len && !rule->automatic));
	}
	MUST(n_open == n_close);
}

static void add_rule(struct rules *rules, struct slice line)
{
	if (line.len == 0 || rules->n == RULES_MAX)
		return;
	char letter = line.at[0];
	struct channel_rule rule = {
		.match = slice_skip(line, 1),
		.allow = letter == 'a' || letter == 'A' ? CHANNEL_ALLOW_ANYONE
							: CHANNEL_ALLOW_SESSION,
		.automatic = letter == 'A' || letter == 'S',
	};
	if (channel_rule_problem(&rule))
		return;
	check_good_rule(&rule);
	rules->at[rules->n++] = rule;
}

/* ---- the matcher that tries all ways ---- */

static bool matches(struct slice rule, const struct identity *identity, struct slice name);

static bool matches_path(
	struct slice path, struct slice rule, const struct identity *identity, struct slice name)
{
	if (!identity)
		return false;
	struct identity_texts texts = slice_equal(path, SLICE("user"))
					      ? identity_user_texts(identity)
					      : identity_texts(identity, path);
	for (struct slice text; (text = identity_texts_next(&texts)).at;) {
		if (slice_starts_with(name, text) &&
			matches(rule, identity, slice_skip(name, text.len)))
			return true;
	}
	return false;
}

static bool matches(struct slice rule, const struct identity *identity, struct slice name)
{
	if (rule.len == 0)
		return name.len == 0;
	if (rule.at[0] == '*')
		return true;
	if (rule.at[0] == '{') {
		struct slice rest = slice_skip(rule, 1), path = slice_cut(&rest, '}');
		return matches_path(path, rest, identity, name);
	}
	return name.len > 0 && name.at[0] == rule.at[0] &&
	       matches(slice_skip(rule, 1), identity, slice_skip(name, 1));
}

static bool is_short(const struct rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		size_t n_paths = 0;
		for (size_t k = 0; k < rules->at[i].match.len; k++)
			n_paths += rules->at[i].match.at[k] == '{';
		if (n_paths > PATHS_MAX)
			return false;
	}
	return true;
}

static bool expected(const struct rules *rules, const struct identity *identity, struct slice name)
{
	if (!channel_name_is_valid(name))
		return false;
	for (size_t i = 0; i < rules->n; i++) {
		if (matches(rules->at[i].match, identity, name))
			return identity || rules->at[i].allow == CHANNEL_ALLOW_ANYONE;
	}
	return false;
}

/* ---- checks ---- */

struct automatic {
	const struct rules *rules;
	const struct identity *identity;
};

static int check_automatic(void *context, struct slice name)
{
	const struct automatic *automatic = context;
	MUST(channel_name_is_valid(name));
	MUST(channel_rules_allow(
		automatic->rules->at, automatic->rules->n, automatic->identity, name));
	return 0;
}

static void check(const struct rules *rules, const struct identity *identity, struct slice name)
{
	bool allowed = channel_rules_allow(rules->at, rules->n, identity, name);
	MUST(!allowed || (name.len > 0 && name.len <= CHANNEL_NAME_MAX &&
				 utf8_reference(name) == UTF8_VALID));
	struct automatic automatic = { rules, identity };
	if (!is_short(rules))
		return;
	MUST(allowed == expected(rules, identity, name));
	MUST(channel_rules_each_automatic(
		     rules->at, rules->n, identity, check_automatic, &automatic) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct slice fields[] = { { "name", 4 }, { "admin", 5 }, { "none", 4 },
		{ "empty", 5 }, { "odd", 3 }, { "/user", 5 }, { "teams", 5 },
		{ "passport.user", 13 }, { "many", 4 } };
	static const struct session_value_settings settings = {
		.user = { "userId", 6 }, .fields = fields, .n_fields = COUNT_OF(fields)
	};
	struct slice text = fuzz_copy(fuzz_rest(data, size)), rest = text, line;
	struct identity identity;
	struct rules rules = { .n = 0 };
	MUST(identity_parse(&identity, &settings, RECORD) == 0);
	for (line = slice_cut(&rest, '\n'); rest.at; line = slice_cut(&rest, '\n'))
		add_rule(&rules, line);
	check(&rules, &identity, line);
	check(&rules, NULL, line);
	identity_finish(&identity);
	fuzz_free(text);
	return 0;
}
