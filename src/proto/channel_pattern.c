/* Patterns of channel names.
 *
 *	team:{teams}:*      a pattern
 *	^literal
 *	     ^path          any of the strings at that path of the session
 *	            ^rest   the rest of the name, whatever it is
 *
 * The path "user" is no path: it stands for the session's user, whatever its field is called.
 *
 * Patterns come from the operator, names from browsers, and strings from the backend. Only patterns
 * have special characters: a name or a string that contains "*" or "{" is compared byte by byte
 * like any other.
 *
 * In an array, one string may be a prefix of another ("a", "ab"), so a name can match by one
 * element and fail by the element that is tried first. Trying all combinations takes exponential
 * time, and users may influence their arrays. So all combinations are followed at once: the state
 * is the set of offsets in the name at which a match of the pattern so far may end. The name
 * matches if the set contains its end. Each part reads its strings once (channel_match.h), so the
 * time is linear in the pattern and in the strings at its paths; if these are many, it is that of
 * looking at the name.
 *
 * In the other direction, channel_pattern_each generates every name. There the arrays of one
 * pattern multiply, so the number of steps is limited. */
#include "sluice/proto/channel_pattern.h"

#include <string.h>

#include "sluice/proto/channel_name.h"

enum part_kind { PART_LITERAL, PART_PATH, PART_REST };

struct part {
	enum part_kind kind;
	struct slice text; /* the literal, or the path without its braces */
};

/* Takes the first part off the front of a pattern that is not empty. */
static struct part take_part(struct slice *pattern)
{
	if (pattern->at[0] == '*') {
		*pattern = slice_skip(*pattern, 1);
		return (struct part){ .kind = PART_REST };
	}
	if (pattern->at[0] == '{') {
		struct slice path = slice_cut(pattern, '}');
		return (struct part){ PART_PATH, slice_skip(path, 1) };
	}
	size_t len = 0;
	while (len < pattern->len && pattern->at[len] != '{' && pattern->at[len] != '*')
		len++;
	struct slice literal = slice_make(pattern->at, len);
	*pattern = slice_skip(*pattern, len);
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
		if (record_path_problem(path))
			return "'{}' needs {user}, or a path such as {teams} or {profile.team}";
	}
	return NULL;
}

static struct identity_texts texts_of(const struct identity *identity, struct slice path)
{
	return slice_equal(path, SLICE("user")) ? identity_user_texts(identity)
						: identity_texts(identity, path);
}

bool channel_pattern_is_open(struct slice pattern)
{
	return pattern.len && pattern.at[pattern.len - 1] == '*';
}

const char *channel_pattern_problem(struct slice pattern)
{
	if (pattern.len == 0)
		return "'match' is empty";
	const char *problem = channel_name_problem(pattern);
	if (problem)
		return problem;
	const char *star = memchr(pattern.at, '*', pattern.len);
	if (star && star != pattern.at + pattern.len - 1)
		return "'*' is allowed only at the end";
	return braces_problem(pattern);
}

bool channel_pattern_next_field(struct slice *pattern, struct slice *ret_path)
{
	while (pattern->len) {
		struct part part = take_part(pattern);
		if (part.kind != PART_PATH || slice_equal(part.text, SLICE("user")))
			continue;
		*ret_path = part.text;
		return true;
	}
	return false;
}

/* ---- matching ---- */

static const struct text_set *set_of(const struct identity *identity, struct slice path)
{
	return slice_equal(path, SLICE("user")) ? NULL : identity_text_set(identity, path);
}

static void advance_by_path(struct channel_match *match, const struct channel_offsets *from,
	struct channel_offsets *to, const struct identity *identity, struct slice path)
{
	if (!identity)
		return;
	const struct text_set *set = set_of(identity, path);
	if (set && channel_match_advance_by_set(match, from, to, set))
		return;
	struct identity_texts texts = texts_of(identity, path);
	struct slice text;
	while ((text = identity_texts_next(&texts)).at)
		channel_match_advance(match, from, to, text);
}

/* A path is looked up only if the parts before it match. */
bool channel_pattern_matches(
	struct slice pattern, const struct identity *identity, struct channel_match *match)
{
	struct channel_offsets reached = { .words[0] = 1 };
	while (pattern.len && channel_offsets_any(&reached)) {
		struct part part = take_part(&pattern);
		struct channel_offsets next = { 0 };
		if (part.kind == PART_REST)
			return true;
		if (part.kind == PART_PATH)
			advance_by_path(match, &reached, &next, identity, part.text);
		else
			channel_match_advance(match, &reached, &next, part.text);
		reached = next;
	}
	return channel_match_is_complete(match, &reached);
}

/* Parts that stand for any string match as little as possible. If the rest fails, the last of these
 * parts matches one byte more. That is enough, because it can match whatever an earlier one
 * could. */
bool channel_pattern_could_match(struct slice pattern, struct slice name)
{
	struct slice retry_pattern = { NULL, 0 }, retry_name = { NULL, 0 };
	while (pattern.len || name.len) {
		struct slice rest = pattern;
		struct part part = { 0 };
		if (pattern.len)
			part = take_part(&rest);
		if (pattern.len && part.kind != PART_LITERAL) {
			retry_pattern = pattern = rest;
			retry_name = name;
		} else if (pattern.len && slice_starts_with(name, part.text)) {
			pattern = rest;
			name = slice_skip(name, part.text.len);
		} else if (retry_name.len) {
			pattern = retry_pattern;
			retry_name = name = slice_skip(retry_name, 1);
		} else {
			return false;
		}
	}
	return true;
}

/* ---- generating names ---- */

struct expansion {
	const struct identity *identity;
	size_t *steps;
	int (*each)(void *context, struct slice name);
	void *context;
	char name[CHANNEL_NAME_MAX];
};

static int expand(struct expansion *expansion, struct slice pattern, size_t len);

/* Continues with `text` behind the first `len` bytes of the name. */
static int expand_with(
	struct expansion *expansion, struct slice pattern, size_t len, struct slice text)
{
	if (*expansion->steps == 0)
		return 0;
	--*expansion->steps;
	if (text.len > sizeof(expansion->name) - len)
		return 0;
	memcpy(expansion->name + len, text.at, text.len);
	return expand(expansion, pattern, len + text.len);
}

static int expand(struct expansion *expansion, struct slice pattern, size_t len)
{
	if (pattern.len == 0)
		return expansion->each(expansion->context, slice_make(expansion->name, len));
	struct part part = take_part(&pattern);
	if (part.kind == PART_LITERAL)
		return expand_with(expansion, pattern, len, part.text);
	if (part.kind == PART_REST || !expansion->identity)
		return 0;
	struct identity_texts texts = texts_of(expansion->identity, part.text);
	struct slice text;
	int result = 0;
	while (result == 0 && (text = identity_texts_next(&texts)).at)
		result = expand_with(expansion, pattern, len, text);
	return result;
}

int channel_pattern_each(struct slice pattern, const struct identity *identity, size_t *steps,
	int (*each)(void *context, struct slice name), void *context)
{
	struct expansion expansion = { identity, steps, each, context, { 0 } };
	return expand(&expansion, pattern, 0);
}
