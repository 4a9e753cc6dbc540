/* Which channels an identity may see.
 *
 *	team:{teams}:*      a rule
 *	^literal
 *	     ^path          any of the texts that the session has there
 *	            ^rest   whatever is left of the name
 *
 * A rule is the operator's, a name is a browser's, a text is the backend's, and the three never
 *change places: a name or a text with "*" or "{" in it is compared octet by octet, like any other.
 *Only the rule is ever taken apart.
 *
 * An array may hold a text that begins another of its texts ("a", "ab"), so a name can match by one
 * element and fail by the one tried first. Trying all ways one after another takes exponential
 *time, and users may have a say in their arrays. So all ways are gone at once: what is kept is the
 *set of offsets in the name that some way through the rule's parts so far ends at; the name matches
 *when the set holds its end. A name has at most CHANNEL_NAME_MAX octets, so the set is small, and
 *the time is bounded by parts × offsets × elements.
 *
 * The other way round, "auto" writes out every name that a rule stands for. There the arrays of one
 *rule multiply, so the number of names that are formed is limited.
 *
 * What is not allowed by a rule is refused, and so is every name that no channel should have:
 *control characters, bad UTF-8, and "__", which begins the keyspace notifications of Redis, where
 *session ids show. */
#include "sluice/proto/channel_rules.h"

#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/utf8.h"

/* More than any limit on channels; an identity that would have more is not told of the rest. */
enum { AUTOMATIC_NAMES_MAX = 16384 };

enum part_kind { PART_LITERAL, PART_PATH, PART_REST };

struct part {
	enum part_kind kind;
	struct slice text; /* the literal, or the path without its braces */
};

/* Cuts the first part off the front of a good rule that is not empty. */
static struct part cut_part(struct slice *rule)
{
	if (rule->at[0] == '*') {
		*rule = slice_skip(*rule, 1);
		return (struct part){ .kind = PART_REST };
	}
	if (rule->at[0] == '{') {
		struct slice path = slice_cut(rule, '}');
		return (struct part){ PART_PATH, slice_skip(path, 1) };
	}
	size_t len = 0;
	while (len < rule->len && rule->at[len] != '{' && rule->at[len] != '*')
		len++;
	struct slice literal = slice_make(rule->at, len);
	*rule = slice_skip(*rule, len);
	return (struct part){ PART_LITERAL, literal };
}

static const char *braces_problem(struct slice match)
{
	while (match.at) {
		struct slice literal = slice_cut(&match, '{');
		if (literal.len && memchr(literal.at, '}', literal.len))
			return "unbalanced '}'";
		if (!match.at)
			return NULL;
		struct slice path = slice_cut(&match, '}');
		if (!match.at || (path.len && memchr(path.at, '{', path.len)))
			return "unbalanced '{'";
		if (!identity_path_is_valid(path))
			return "'{}' needs a path such as {userId} or {passport.user}";
	}
	return NULL;
}

static bool has_control_character(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
			return true;
	}
	return false;
}

const char *channel_rule_problem(const struct channel_rule *rule)
{
	struct slice match = rule->match;
	const char *star = match.len ? memchr(match.at, '*', match.len) : NULL;
	if (match.len == 0)
		return "'match' is empty";
	if (has_control_character(match) || !utf8_is_valid(match))
		return "control characters and bad UTF-8 are in no channel's name";
	if (slice_starts_with(match, SLICE("__")))
		return "channels that begin with '__' are Redis' own and are never delivered";
	if (star && star != match.at + match.len - 1)
		return "'*' is allowed only at the end";
	if (star && rule->automatic)
		return "'auto' needs a rule without '*'";
	return braces_problem(match);
}

bool channel_name_is_valid(struct slice name)
{
	return name.len > 0 && name.len <= CHANNEL_NAME_MAX && !has_control_character(name) &&
	       utf8_is_valid(name) && !slice_starts_with(name, SLICE("__"));
}

/* The offsets in a name that a rule has come to. */
struct offsets {
	bool has[CHANNEL_NAME_MAX + 1];
};

/* Adds to `to` where `text` ends in the name if it begins at one of `from`. */
static void advance(
	const struct offsets *from, struct offsets *to, struct slice name, struct slice text)
{
	for (size_t at = 0; at + text.len <= name.len; at++) {
		if (from->has[at] && slice_starts_with(slice_skip(name, at), text))
			to->has[at + text.len] = true;
	}
}

static void advance_by_path(const struct offsets *from, struct offsets *to, struct slice name,
	const struct identity *identity, struct slice path)
{
	if (!identity)
		return;
	struct identity_texts texts = identity_texts(identity, path);
	struct slice text;
	while ((text = identity_texts_next(&texts)).at)
		advance(from, to, name, text);
}

static bool rule_matches(struct slice rule, const struct identity *identity, struct slice name)
{
	struct offsets reached = { .has[0] = true };
	while (rule.len) {
		struct part part = cut_part(&rule);
		struct offsets next = { 0 };
		if (part.kind == PART_REST)
			return memchr(reached.has, true, name.len + 1) != NULL;
		if (part.kind == PART_PATH)
			advance_by_path(&reached, &next, name, identity, part.text);
		else
			advance(&reached, &next, name, part.text);
		reached = next;
	}
	return reached.has[name.len];
}

bool channel_rules_allow(const struct channel_rule *rules, size_t n_rules,
	const struct identity *identity, struct slice channel)
{
	if (!channel_name_is_valid(channel))
		return false;
	for (size_t i = 0; i < n_rules; i++) {
		if (rule_matches(rules[i].match, identity, channel))
			return identity || rules[i].allow == CHANNEL_ALLOW_ANYONE;
	}
	return false;
}

struct automatic {
	const struct channel_rule *rules;
	size_t n_rules;
	const struct identity *identity;
	int (*each)(void *context, struct slice channel);
	void *context;
	size_t n_formed;
	char name[CHANNEL_NAME_MAX];
};

/* An identity may see whatever one of its rules matches; only without one does the order matter. */
static int offer(struct automatic *automatic, struct slice name)
{
	if (!channel_name_is_valid(name))
		return 0;
	if (!automatic->identity &&
		!channel_rules_allow(automatic->rules, automatic->n_rules, NULL, name))
		return 0;
	return automatic->each(automatic->context, name);
}

static int expand(struct automatic *automatic, struct slice rule, size_t len);

/* Goes on with `text` written behind the first `len` octets of the name. */
static int expand_with(
	struct automatic *automatic, struct slice rule, size_t len, struct slice text)
{
	if (automatic->n_formed >= AUTOMATIC_NAMES_MAX)
		return 0;
	automatic->n_formed++;
	if (text.len > sizeof(automatic->name) - len)
		return 0;
	memcpy(automatic->name + len, text.at, text.len);
	return expand(automatic, rule, len + text.len);
}

static int expand(struct automatic *automatic, struct slice rule, size_t len)
{
	if (rule.len == 0)
		return offer(automatic, slice_make(automatic->name, len));
	struct part part = cut_part(&rule);
	if (part.kind == PART_LITERAL)
		return expand_with(automatic, rule, len, part.text);
	if (part.kind == PART_REST || !automatic->identity)
		return 0;
	struct identity_texts texts = identity_texts(automatic->identity, part.text);
	struct slice text;
	int result = 0;
	while (result == 0 && (text = identity_texts_next(&texts)).at)
		result = expand_with(automatic, rule, len, text);
	return result;
}

int channel_rules_each_automatic(const struct channel_rule *rules, size_t n_rules,
	const struct identity *identity, int (*each)(void *context, struct slice channel),
	void *context)
{
	struct automatic automatic = { rules, n_rules, identity, each, context, 0, { 0 } };
	int result = 0;
	for (size_t i = 0; i < n_rules && result == 0; i++) {
		if (rules[i].automatic)
			result = expand(&automatic, rules[i].match, 0);
	}
	return result;
}

/* Could the rule match the name for somebody? Parts that stand for any text swallow as little as will
 * do; when what follows fails, the last of them swallows one octet more, which is enough, as whatever
 * an earlier one could swallow it can too. */
static bool rule_could_match(struct slice rule, struct slice name)
{
	struct slice retry_rule = { NULL, 0 }, retry_name = { NULL, 0 };
	while (rule.len || name.len) {
		struct slice rest = rule;
		struct part part = { 0 };
		if (rule.len)
			part = cut_part(&rest);
		if (rule.len && part.kind != PART_LITERAL) {
			retry_rule = rule = rest;
			retry_name = name;
		} else if (rule.len && slice_starts_with(name, part.text)) {
			rule = rest;
			name = slice_skip(name, part.text.len);
		} else if (retry_name.len) {
			rule = retry_rule;
			retry_name = name = slice_skip(retry_name, 1);
		} else {
			return false;
		}
	}
	return true;
}

unsigned channel_rules_batch_ms(
	const struct channel_rule *rules, size_t n_rules, struct slice channel, unsigned otherwise)
{
	for (size_t i = 0; i < n_rules; i++)
		if (rule_could_match(rules[i].match, channel))
			return rules[i].batch_ms < 0 ? otherwise : (unsigned)rules[i].batch_ms;
	return otherwise;
}
