#include "lists.h"

#include <stdio.h>

#include "sluice/base/defs.h"

enum { ELEMENT_NAME_MAX = SETTING_NAME_MAX + 32 };

/* A list that is being taken. */
struct list {
	struct draft *draft;
	const struct setting *setting;
	size_t n;
	void *elements;
};

/* A string may stand for a list of one string. False: there is nothing to take, and the problem has been added. */
static bool begin(struct list *list, struct place place, const struct json_value *value,
	const char *takes, size_t element_size)
{
	const struct setting *setting = list->setting;
	struct problems *problems = &list->draft->problems;
	if (json_is_string(value) && setting->type == SETTING_STRINGS) {
		list->n = 1;
	} else if (value->kind != JSON_LIST) {
		json_refuse(value, setting->secret, problems, place, setting->key, takes, "");
		return false;
	}
	JSON_EACH(element, value)
	list->n++;
	if (list->n > setting->list_max) {
		problems_add(problems, place, "%s: must be a list of at most %zu elements, not %zu",
			setting->key, setting->list_max, list->n);
		return false;
	}
	list->elements = draft_take(list->draft, MAX(1, list->n) * element_size);
	return list->elements != NULL;
}

#define IS_BEFORE_ITS_COUNT(list, count) \
	(offsetof(struct settings, count) - offsetof(struct settings, list) == sizeof(void *))
_Static_assert(IS_BEFORE_ITS_COUNT(origins, n_origins), "land() writes both");
_Static_assert(IS_BEFORE_ITS_COUNT(rules, n_rules), "land() writes both");
_Static_assert(IS_BEFORE_ITS_COUNT(session.secrets, session.n_secrets), "land() writes both");
_Static_assert(IS_BEFORE_ITS_COUNT(tls_ticket_secrets, n_tls_ticket_secrets), "land() writes both");

static void land(const struct list *list)
{
	void **field = draft_field(list->draft, list->setting);
	*field = list->elements;
	*(size_t *)(void *)(field + 1) = list->n;
}

/* ---- strings ---- */

static struct slice take_string(
	const struct list *list, struct place place, size_t i, const struct json_value *element)
{
	const struct setting *setting = list->setting;
	const char *why = "";
	if (json_is_string(element))
		why = setting_string_problem(setting, slice_of(element->string));
	if (!why)
		return draft_copy(list->draft, slice_of(element->string));
	char name[ELEMENT_NAME_MAX];
	snprintf(name, sizeof(name), "%s[%zu]", setting->key, i);
	json_refuse(
		element, setting->secret, &list->draft->problems, place, name, setting->takes, why);
	return (struct slice){ NULL, 0 };
}

void lists_take_strings(struct draft *draft, const struct setting *setting, struct place place,
	const struct json_value *value)
{
	struct list list = { draft, setting };
	if (!begin(&list, place, value, "a list of strings, such as [\"…\"]", sizeof(struct slice)))
		return;
	struct slice *strings = list.elements;
	size_t i = 0;
	if (json_is_string(value))
		strings[0] = take_string(&list, place, 0, value);
	JSON_EACH(element, value)
	{
		place.line = element->line;
		strings[i] = take_string(&list, place, i, element);
		i++;
	}
	land(&list);
}

/* ---- channel rules ---- */

static const char rule_takes[] =
	"{ \"match\": …, \"allow\": \"session\" or \"anyone\", \"auto\": true or false }";
static const char match_takes[] = "a channel's name, such as \"news\"";
static const char allow_takes[] = "\"session\" or \"anyone\"";

/* A rule that is being taken, and which of its members have been seen. */
struct rule_taking {
	struct draft *draft;
	struct place place;
	const char *name; /* "channels[0]" */
	struct channel_rule *rule;
	bool match, allow, automatic, batch;
};

/* Each returns NULL, or what the member must be. */

static const char *take_match(struct rule_taking *taking, const struct json_value *value)
{
	if (!json_is_string(value))
		return match_takes;
	taking->rule->match = draft_copy(taking->draft, slice_of(value->string));
	return NULL;
}

static const char *take_allow(struct rule_taking *taking, const struct json_value *value)
{
	const char *allow = json_is_string(value) ? value->string : "";
	bool anyone = strcmp(allow, "anyone") == 0;
	if (!anyone && strcmp(allow, "session") != 0)
		return allow_takes;
	taking->rule->allow = anyone ? CHANNEL_ALLOW_ANYONE : CHANNEL_ALLOW_SESSION;
	return NULL;
}

static const char *take_auto(struct rule_taking *taking, const struct json_value *value)
{
	if (value->kind != JSON_TRUE && value->kind != JSON_FALSE)
		return "true or false";
	taking->rule->automatic = value->kind == JSON_TRUE;
	return NULL;
}

static const char *take_batch(struct rule_taking *taking, const struct json_value *value)
{
	double ms = value->number;
	if (value->kind != JSON_NUMBER || ms < 0 || ms > SETTINGS_BATCH_MS_MAX || ms != (int)ms)
		return "a whole number from 0 to 10000";
	taking->rule->batch_ms = (int)ms;
	return NULL;
}

/* As above. */
static const char *take_member(
	struct rule_taking *taking, const struct json_value *member, bool *ret_twice)
{
	const struct {
		const char *name;
		bool *seen;
		const char *(*take)(struct rule_taking *taking, const struct json_value *value);
	} members[] = {
		{ "match", &taking->match, take_match },
		{ "allow", &taking->allow, take_allow },
		{ "auto", &taking->automatic, take_auto },
		{ "batch_milliseconds", &taking->batch, take_batch },
	};
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		if (strcmp(member->key, members[i].name) != 0)
			continue;
		*ret_twice = *members[i].seen;
		*members[i].seen = true;
		return members[i].take(taking, member);
	}
	problems_add(&taking->draft->problems, taking->place,
		"%s.%.*s: unknown key; a rule has \"match\", \"allow\", \"auto\" and "
		"\"batch_milliseconds\"",
		taking->name, (int)problems_shown_length(member->key), member->key);
	return NULL;
}

static void take_members(struct rule_taking *taking, const struct json_value *object)
{
	struct problems *problems = &taking->draft->problems;
	JSON_EACH(member, object)
	{
		char name[ELEMENT_NAME_MAX];
		bool twice = false;
		taking->place.line = member->line;
		const char *takes = take_member(taking, member, &twice);
		snprintf(name, sizeof(name), "%s.%.18s", taking->name, member->key);
		if (twice)
			problems_add(problems, taking->place, "%s: is set twice", name);
		else if (takes)
			json_refuse(member, false, problems, taking->place, name, takes, "");
	}
}

/* Checks the members together, unless one of them has a problem of its own. */
static void check_rule(struct rule_taking *taking, unsigned problems_before)
{
	struct problems *problems = &taking->draft->problems;
	const struct channel_rule *rule = taking->rule;
	if (!taking->match)
		problems_add(problems, taking->place, "%s: needs \"match\": %s", taking->name,
			match_takes);
	else if (!taking->allow)
		problems_add(problems, taking->place, "%s: needs \"allow\": %s", taking->name,
			allow_takes);
	else if (problems->n == problems_before && rule->match.at) {
		const char *why = channel_rule_problem(rule);
		if (why)
			problems_add(problems, taking->place, "%s.match: \"%.*s\": %s",
				taking->name, (int)problems_shown_length(rule->match.at),
				rule->match.at, why);
	}
}

static void take_rule(struct draft *draft, struct place place, const char *name,
	struct channel_rule *rule, const struct json_value *value)
{
	if (value->kind != JSON_OBJECT) {
		json_refuse(value, false, &draft->problems, place, name, rule_takes, "");
		return;
	}
	unsigned problems_before = draft->problems.n;
	rule->batch_ms = -1;
	struct rule_taking taking = { draft, place, name, rule };
	take_members(&taking, value);
	taking.place = place;
	check_rule(&taking, problems_before);
}

void lists_take_rules(struct draft *draft, const struct setting *setting, struct place place,
	const struct json_value *value)
{
	struct list list = { draft, setting };
	if (!begin(&list, place, value, "a list of rules, such as [{ \"match\": \"news\", … }]",
		    sizeof(struct channel_rule)))
		return;
	struct channel_rule *rules = list.elements;
	size_t i = 0;
	JSON_EACH(element, value)
	{
		char name[ELEMENT_NAME_MAX];
		snprintf(name, sizeof(name), "%s[%zu]", setting->key, i);
		place.line = element->line;
		take_rule(draft, place, name, &rules[i], element);
		i++;
	}
	land(&list);
}
