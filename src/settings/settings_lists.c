/* Lists: of texts (origins, secrets) and of channel rules. Each element is checked by itself and
 * named by its place in the list, "origins[2]", so that a long list with one error in it is easy to
 * mend. */
#include "settings_internal.h"

#include <stdint.h>

enum { ELEMENT_NAME_MAX = SETTING_NAME_MAX + 32 };

/* An array, and where it will lie. */
struct list_taking {
	struct loading *loading;
	const struct setting *setting;
	size_t n;
	void *elements;
};

/* False: it is no list, or too long a one, and that has been told. */
static bool begin(struct list_taking *list, struct place place, const cJSON *value,
	const char *takes, size_t element_size)
{
	if (!cJSON_IsArray(value)) {
		setting_refuse(list->loading, place, list->setting->key, takes, value,
			list->setting->secret, "");
		return false;
	}
	list->n = (size_t)cJSON_GetArraySize(value);
	if (list->n > list->setting->list_max) {
		loading_problem(list->loading, place, "%s: must be a list of at most %zu, not %zu",
			list->setting->key, list->setting->list_max, list->n);
		return false;
	}
	list->elements = loading_allocate(list->loading, MAX(1, list->n) * element_size);
	return list->elements != NULL;
}

#define IS_BEFORE_ITS_COUNT(list, count) \
	(offsetof(struct settings, count) - offsetof(struct settings, list) == sizeof(void *))
_Static_assert(IS_BEFORE_ITS_COUNT(origins, n_origins), "land() writes both");
_Static_assert(IS_BEFORE_ITS_COUNT(rules, n_rules), "land() writes both");
_Static_assert(IS_BEFORE_ITS_COUNT(session.secrets, session.n_secrets), "land() writes both");

/* The list takes the place of the one from a lower source. */
static void land(const struct list_taking *list)
{
	void **field = setting_field(list->loading->settings, list->setting);
	*field = list->elements;
	*(size_t *)(void *)(field + 1) = list->n;
}

/* ---- texts ---- */

static struct slice take_element(
	const struct list_taking *list, struct place place, size_t i, const cJSON *element)
{
	const struct setting *setting = list->setting;
	const char *why = "";
	if (cJSON_IsString(element))
		why = setting_text_problem(setting, slice_of(element->valuestring));
	if (!why)
		return loading_keep(list->loading, slice_of(element->valuestring));
	char name[ELEMENT_NAME_MAX];
	snprintf(name, sizeof(name), "%s[%zu]", setting->key, i);
	setting_refuse(list->loading, place, name, setting->takes, element, setting->secret, why);
	return (struct slice){ NULL, 0 };
}

void setting_take_texts(struct loading *loading, const struct setting *setting, struct place place,
	const cJSON *value)
{
	struct list_taking list = { loading, setting };
	if (!begin(&list, place, value, "a list of texts, such as [\"…\"]", sizeof(struct slice)))
		return;
	struct slice *texts = list.elements;
	size_t i = 0;
	for (const cJSON *element = value->child; element; element = element->next, i++) {
		place.line = settings_json_line(element);
		texts[i] = take_element(&list, place, i, element);
	}
	land(&list);
}

/* ---- channel rules ---- */

static const char rule_takes[] =
	"{ \"match\": …, \"allow\": \"session\" or \"anyone\", \"auto\": true or false }";

/* One rule, and which of its members have been there. */
struct rule_taking {
	struct loading *loading;
	struct place place;
	const char *name;
	struct channel_rule *rule;
	bool match, allow, automatic, batch;
};

static const char *take_match(struct rule_taking *taking, const cJSON *value)
{
	if (!cJSON_IsString(value))
		return "a channel's name, such as \"news\"";
	taking->rule->match = loading_keep(taking->loading, slice_of(value->valuestring));
	return NULL;
}

static const char *take_allow(struct rule_taking *taking, const cJSON *value)
{
	const char *allow = cJSON_IsString(value) ? value->valuestring : "";
	bool anyone = strcmp(allow, "anyone") == 0;
	if (!anyone && strcmp(allow, "session") != 0)
		return "\"session\" or \"anyone\"";
	taking->rule->allow = anyone ? CHANNEL_ALLOW_ANYONE : CHANNEL_ALLOW_SESSION;
	return NULL;
}

static const char *take_auto(struct rule_taking *taking, const cJSON *value)
{
	if (!cJSON_IsBool(value))
		return "true or false";
	taking->rule->automatic = cJSON_IsTrue(value);
	return NULL;
}

static const char *take_batch(struct rule_taking *taking, const cJSON *value)
{
	double ms = value->valuedouble;
	if (!cJSON_IsNumber(value) || ms < 0 || ms > SETTINGS_BATCH_MS_MAX || ms != (int)ms)
		return "a whole number from 0 to 10000";
	taking->rule->batch_ms = (int)ms;
	return NULL;
}

/* Gives what the member must be, when it is not. */
static const char *take_member(struct rule_taking *taking, const cJSON *member, bool *ret_twice)
{
	const struct {
		const char *name;
		bool *seen;
		const char *(*take)(struct rule_taking *taking, const cJSON *value);
	} members[] = {
		{ "match", &taking->match, take_match },
		{ "allow", &taking->allow, take_allow },
		{ "auto", &taking->automatic, take_auto },
		{ "batch_milliseconds", &taking->batch, take_batch },
	};
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		if (strcmp(member->string, members[i].name) != 0)
			continue;
		*ret_twice = *members[i].seen;
		*members[i].seen = true;
		return members[i].take(taking, member);
	}
	loading_problem(taking->loading, taking->place,
		"%s.%.*s: unknown key; a rule has \"match\", \"allow\", \"auto\" and "
		"\"batch_milliseconds\"",
		taking->name, (int)settings_shown_length(member->string), member->string);
	return NULL;
}

static void take_members(struct rule_taking *taking, const cJSON *object)
{
	for (const cJSON *member = object->child; member; member = member->next) {
		char name[ELEMENT_NAME_MAX];
		bool twice = false;
		taking->place.line = settings_json_line(member);
		const char *takes = take_member(taking, member, &twice);
		snprintf(name, sizeof(name), "%s.%.18s", taking->name, member->string);
		if (twice)
			loading_problem(taking->loading, taking->place, "%s: is set twice", name);
		else if (takes)
			setting_refuse(
				taking->loading, taking->place, name, takes, member, false, "");
	}
}

/* What the members are to each other; those that are wrong by themselves have been told. */
static void check_rule(struct rule_taking *taking, unsigned problems_before)
{
	struct loading *loading = taking->loading;
	if (!taking->match || !taking->allow)
		loading_problem(loading, taking->place, "%s: has no \"%s\"", taking->name,
			taking->match ? "allow" : "match");
	else if (loading->n_problems == problems_before && taking->rule->match.at) {
		const char *why = channel_rule_problem(taking->rule);
		if (why)
			loading_problem(loading, taking->place, "%s.match: \"%.*s\": %s",
				taking->name, (int)settings_shown_length(taking->rule->match.at),
				taking->rule->match.at, why);
	}
}

static void take_rule(struct loading *loading, struct place place, const char *name,
	struct channel_rule *rule, const cJSON *value)
{
	if (!cJSON_IsObject(value)) {
		setting_refuse(loading, place, name, rule_takes, value, false, "");
		return;
	}
	unsigned problems_before = loading->n_problems;
	rule->batch_ms = -1;
	struct rule_taking taking = { loading, place, name, rule };
	take_members(&taking, value);
	taking.place = place;
	check_rule(&taking, problems_before);
}

void setting_take_rules(struct loading *loading, const struct setting *setting, struct place place,
	const cJSON *value)
{
	struct list_taking list = { loading, setting };
	if (!begin(&list, place, value, "a list of rules, such as [{ \"match\": \"news\", … }]",
		    sizeof(struct channel_rule)))
		return;
	struct channel_rule *rules = list.elements;
	size_t i = 0;
	for (const cJSON *element = value->child; element; element = element->next, i++) {
		char name[ELEMENT_NAME_MAX];
		snprintf(name, sizeof(name), "%s[%zu]", setting->key, i);
		place.line = settings_json_line(element);
		take_rule(loading, place, name, &rules[i], element);
	}
	land(&list);
}
