/* Messages are all of one form, which names what the setting takes and what was given:
 *
 *	limits.queue_bytes: must be a whole number from 1024 to 1073741824, not "1M"
 */
#include "value.h"

#include <stdio.h>

#include "lists.h"
#include "sluice/base/defs.h"

/* ---- what a setting takes ---- */

/* "a", "b" or "c" */
static void list_choices(const char *const *choices, char takes[VALUE_TAKES_MAX])
{
	size_t len = 0;
	for (size_t i = 0; choices[i]; i++) {
		const char *before = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
		len += (size_t)snprintf(
			takes + len, VALUE_TAKES_MAX - len, "%s\"%s\"", before, choices[i]);
	}
}

void value_takes(const struct setting *setting, char takes[VALUE_TAKES_MAX])
{
	if (setting->type == SETTING_NUMBER)
		snprintf(takes, VALUE_TAKES_MAX, "a whole number from %.0f to %.0f", setting->min,
			setting->max);
	else if (setting->type == SETTING_SECONDS)
		snprintf(takes, VALUE_TAKES_MAX, "a number of seconds from %.10g to %.10g",
			setting->min, setting->max);
	else if (setting->choices)
		list_choices(setting->choices, takes);
	else
		snprintf(takes, VALUE_TAKES_MAX, "%s",
			setting->takes ? setting->takes : "true or false");
}

/* ---- each type: NULL if the value is taken; else what is wrong, "" if that is obvious ---- */

static const char *take_string(
	struct draft *draft, const struct setting *setting, const struct json_value *value)
{
	if (!json_is_string(value))
		return "";
	struct slice string = slice_of(value->string);
	const char *why = setting_string_problem(setting, string);
	if (why)
		return why;
	struct slice copy = draft_copy(draft, string);
	void *field = draft_field(draft, setting);
	if (setting->type == SETTING_STRING)
		*(const char **)field = copy.at;
	else
		*(struct slice *)field = string.len ? copy : (struct slice){ NULL, 0 };
	return NULL;
}

static const char *take_url(
	struct draft *draft, const struct setting *setting, const struct json_value *value)
{
	if (!json_is_string(value))
		return "";
	struct slice string = slice_of(value->string);
	const char *why = setting_string_problem(setting, string);
	return why ? why : redis_url_parse(draft_field(draft, setting), string);
}

static bool is_in_range(const struct setting *setting, const struct json_value *value)
{
	return value->kind == JSON_NUMBER && value->number >= setting->min &&
	       value->number <= setting->max;
}

static const char *take_number(
	struct draft *draft, const struct setting *setting, const struct json_value *value)
{
	if (!is_in_range(setting, value) || value->number != (unsigned)value->number)
		return "";
	*(unsigned *)draft_field(draft, setting) = (unsigned)value->number;
	return NULL;
}

/* A time above 0 is at least a millisecond: 0 would turn the thing off. */
static const char *take_seconds(
	struct draft *draft, const struct setting *setting, const struct json_value *value)
{
	if (!is_in_range(setting, value))
		return "";
	unsigned ms = (unsigned)(value->number * 1000 + 0.5);
	*(unsigned *)draft_field(draft, setting) = ms == 0 && value->number > 0 ? 1 : ms;
	return NULL;
}

static const char *take_switch(
	struct draft *draft, const struct setting *setting, const struct json_value *value)
{
	if (value->kind != JSON_TRUE && value->kind != JSON_FALSE)
		return "";
	*(bool *)draft_field(draft, setting) = value->kind == JSON_TRUE;
	return NULL;
}

static const char *take_choice(
	struct draft *draft, const struct setting *setting, const struct json_value *value)
{
	unsigned i = 0;
	if (!json_is_string(value))
		return "";
	while (setting->choices[i] && strcmp(setting->choices[i], value->string) != 0)
		i++;
	if (!setting->choices[i])
		return "";
	void *field = draft_field(draft, setting);
	if (setting->type == SETTING_EITHER)
		*(bool *)field = i == 1;
	else
		*(unsigned *)field = i;
	return NULL;
}

static const char *take_list(struct draft *draft, const struct setting *setting, struct place place,
	const struct json_value *value)
{
	if (setting->type == SETTING_STRINGS)
		lists_take_strings(draft, setting, place, value);
	else
		lists_take_rules(draft, setting, place, value);
	return NULL;
}

static const char *take(struct draft *draft, const struct setting *setting, struct place place,
	const struct json_value *value)
{
	switch (setting->type) {
	case SETTING_STRING:
	case SETTING_SLICE:
		return take_string(draft, setting, value);
	case SETTING_NUMBER:
		return take_number(draft, setting, value);
	case SETTING_SECONDS:
		return take_seconds(draft, setting, value);
	case SETTING_SWITCH:
		return take_switch(draft, setting, value);
	case SETTING_CHOICE:
	case SETTING_EITHER:
		return take_choice(draft, setting, value);
	case SETTING_STRINGS:
	case SETTING_RULES:
		return take_list(draft, setting, place, value);
	case SETTING_URL:
		return take_url(draft, setting, value);
	}
	return "";
}

/* The reason, or what somebody may have meant by a choice that does not exist. */
static void refuse(struct draft *draft, const struct setting *setting, struct place place,
	const struct json_value *value, const char *why)
{
	char takes[VALUE_TAKES_MAX], nearest[SETTING_NAME_MAX] = "";
	char question[SETTING_NAME_MAX + 24];
	value_takes(setting, takes);
	if (setting->choices && json_is_string(value))
		setting_nearest_choice(setting, slice_of(value->string), nearest);
	snprintf(question, sizeof(question), "did you mean \"%s\"?", nearest);
	json_refuse(value, setting->secret, &draft->problems, place, setting->key, takes,
		*nearest ? question : why);
}

void value_take(struct draft *draft, const struct setting *setting, struct place place,
	const struct json_value *value)
{
	const char *why = take(draft, setting, place, value);
	if (why)
		refuse(draft, setting, place, value, why);
	draft->given[setting - settings_table] = place;
}

/* ---- values that come as text ---- */

static bool is_list(const struct setting *setting)
{
	return setting->type == SETTING_STRINGS || setting->type == SETTING_RULES;
}

static bool is_literal(const struct setting *setting)
{
	return setting->type == SETTING_NUMBER || setting->type == SETTING_SECONDS ||
	       setting->type == SETTING_SWITCH;
}

static void take_list_text(
	struct draft *draft, const struct setting *setting, struct place place, struct slice text)
{
	struct json_document document;
	if (!json_read(&document, place.name, text, &draft->problems))
		return;
	place.line = place.name ? document.root->line : 0;
	value_take(draft, setting, place, document.root);
	json_finish(&document);
}

/* Text that should be JSON, but is not, is taken as a string, so that the message says what the
 * setting takes. */
void value_take_text(
	struct draft *draft, const struct setting *setting, struct place place, const char *text)
{
	struct slice trimmed = slice_trim(slice_of(text));
	struct json_value value = { .kind = JSON_STRING, .size = 1, .string = text };
	if (is_list(setting) && slice_starts_with(trimmed, SLICE("["))) {
		take_list_text(draft, setting, place, trimmed);
		return;
	}
	if (is_list(setting) || is_literal(setting))
		value = json_literal(text);
	value_take(draft, setting, place, &value);
}
