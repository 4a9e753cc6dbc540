/* One value: checked by its setting's row, and put where the row says.
 *
 * Messages are all of one form, which names what is wanted and what was given:
 *
 *	limits.queue_bytes: must be a whole number from 1024 to 1073741824, not "1M"
 */
#include "settings_internal.h"

#include "sluice/proto/text/utf8.h"

enum { SHOWN_MAX = 60, GIVEN_MAX = SHOWN_MAX + 8, TAKES_MAX = 256 };

/* ---- messages ---- */

size_t settings_shown_length(const char *text)
{
	size_t len = strnlen(text, SHOWN_MAX + 1);
	if (len <= SHOWN_MAX)
		return len;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static bool may_be_shown(const char *text)
{
	return utf8_is_valid(slice_of(text)) && !strchr(text, '@');
}

static void describe_text(const char *text, char given[GIVEN_MAX])
{
	size_t len = settings_shown_length(text);
	snprintf(given, GIVEN_MAX, "\"%.*s%s\"", (int)len, text, text[len] ? "…" : "");
}

static void describe(const cJSON *value, bool secret, char given[GIVEN_MAX])
{
	const char *type = cJSON_IsString(value)   ? "this text"
			   : cJSON_IsNumber(value) ? "a number"
			   : cJSON_IsArray(value)  ? "a list"
			   : cJSON_IsObject(value) ? "an object"
			   : cJSON_IsNull(value)   ? "null"
			   : cJSON_IsTrue(value)   ? "true"
						   : "false";
	if (cJSON_IsString(value) && !secret && may_be_shown(value->valuestring))
		describe_text(value->valuestring, given);
	else if (cJSON_IsNumber(value) && !secret)
		snprintf(given, GIVEN_MAX, "%.15g", value->valuedouble);
	else
		snprintf(given, GIVEN_MAX, "%s", type);
}

void setting_refuse(struct loading *loading, struct place place, const char *key, const char *takes,
	const cJSON *value, bool secret, const char *why)
{
	char given[GIVEN_MAX];
	describe(value, secret, given);
	if (*why)
		loading_problem(
			loading, place, "%s: must be %s, not %s (%s)", key, takes, given, why);
	else
		loading_problem(loading, place, "%s: must be %s, not %s", key, takes, given);
}

/* "a", "b" or "c" */
static void list_choices(const char *const *choices, char takes[TAKES_MAX])
{
	size_t len = 0;
	for (size_t i = 0; choices[i]; i++) {
		const char *before = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
		len += (size_t)snprintf(
			takes + len, TAKES_MAX - len, "%s\"%s\"", before, choices[i]);
	}
}

static void describe_takes(const struct setting *setting, char takes[TAKES_MAX])
{
	if (setting->type == SETTING_NUMBER)
		snprintf(takes, TAKES_MAX, "a whole number from %.0f to %.0f", setting->min,
			setting->max);
	else if (setting->type == SETTING_SECONDS)
		snprintf(takes, TAKES_MAX, "a number of seconds from %g to %g", setting->min,
			setting->max);
	else if (setting->choices)
		list_choices(setting->choices, takes);
	else
		snprintf(takes, TAKES_MAX, "%s", setting->takes ? setting->takes : "true or false");
}

/* ---- each type: NULL and it is in its place, or what is wrong with it, "" when that is plain ----
 */

const char *setting_text_problem(const struct setting *setting, struct slice text)
{
	if (text.len > SETTINGS_TEXT_MAX)
		return "it is longer than 4096 bytes";
	if (!utf8_is_valid(text))
		return "it is not UTF-8";
	return setting->problem ? setting->problem(text) : NULL;
}

static const char *take_text(
	struct loading *loading, const struct setting *setting, const cJSON *value)
{
	if (!cJSON_IsString(value))
		return "";
	struct slice text = slice_of(value->valuestring);
	const char *why = setting_text_problem(setting, text);
	if (why)
		return why;
	struct slice kept = loading_keep(loading, text);
	void *field = setting_field(loading->settings, setting);
	if (setting->type == SETTING_TEXT)
		*(const char **)field = kept.at;
	else
		*(struct slice *)field = text.len ? kept : (struct slice){ NULL, 0 };
	return NULL;
}

static const char *take_url(
	struct loading *loading, const struct setting *setting, const cJSON *value)
{
	if (!cJSON_IsString(value))
		return "";
	struct slice text = slice_of(value->valuestring);
	const char *why = setting_text_problem(setting, text);
	if (why)
		return why;
	return redis_url_parse(setting_field(loading->settings, setting), text);
}

static bool is_in_range(const struct setting *setting, const cJSON *value)
{
	return cJSON_IsNumber(value) && value->valuedouble >= setting->min &&
	       value->valuedouble <= setting->max;
}

static const char *take_number(
	struct loading *loading, const struct setting *setting, const cJSON *value)
{
	if (!is_in_range(setting, value) || value->valuedouble != (unsigned)value->valuedouble)
		return "";
	*(unsigned *)setting_field(loading->settings, setting) = (unsigned)value->valuedouble;
	return NULL;
}

/* Rounded up: whatever is more than nothing must not become 0, which turns things off. */
static const char *take_seconds(
	struct loading *loading, const struct setting *setting, const cJSON *value)
{
	if (!is_in_range(setting, value))
		return "";
	unsigned ms = (unsigned)(value->valuedouble * 1000 + 0.5);
	*(unsigned *)setting_field(loading->settings, setting) =
		ms == 0 && value->valuedouble > 0 ? 1 : ms;
	return NULL;
}

static const char *take_switch(
	struct loading *loading, const struct setting *setting, const cJSON *value)
{
	if (!cJSON_IsBool(value))
		return "";
	*(bool *)setting_field(loading->settings, setting) = cJSON_IsTrue(value);
	return NULL;
}

static const char *take_choice(
	struct loading *loading, const struct setting *setting, const cJSON *value)
{
	unsigned i = 0;
	while (setting->choices[i] && cJSON_IsString(value) &&
		strcmp(setting->choices[i], value->valuestring) != 0)
		i++;
	if (!cJSON_IsString(value) || !setting->choices[i])
		return "";
	void *field = setting_field(loading->settings, setting);
	if (setting->type == SETTING_FORMAT)
		*(bool *)field = i == 1;
	else
		*(unsigned *)field = i;
	return NULL;
}

static const char *take_list(struct loading *loading, const struct setting *setting,
	struct place place, const cJSON *value)
{
	if (setting->type == SETTING_TEXTS)
		setting_take_texts(loading, setting, place, value);
	else
		setting_take_rules(loading, setting, place, value);
	return NULL;
}

static const char *take(struct loading *loading, const struct setting *setting, struct place place,
	const cJSON *value)
{
	switch (setting->type) {
	case SETTING_TEXT:
	case SETTING_SLICE:
		return take_text(loading, setting, value);
	case SETTING_NUMBER:
		return take_number(loading, setting, value);
	case SETTING_SECONDS:
		return take_seconds(loading, setting, value);
	case SETTING_SWITCH:
		return take_switch(loading, setting, value);
	case SETTING_CHOICE:
	case SETTING_FORMAT:
		return take_choice(loading, setting, value);
	case SETTING_TEXTS:
	case SETTING_RULES:
		return take_list(loading, setting, place, value);
	case SETTING_URL:
		return take_url(loading, setting, value);
	}
	return "";
}

void setting_take(struct loading *loading, const struct setting *setting, struct place place,
	const cJSON *value)
{
	const char *why = take(loading, setting, place, value);
	char takes[TAKES_MAX];
	describe_takes(setting, takes);
	if (why)
		setting_refuse(loading, place, setting->key, takes, value, setting->secret, why);
	loading->given[setting - settings_rows] = place;
}

/* ---- values that come as text ---- */

static bool is_text(const struct setting *setting)
{
	return setting->type == SETTING_TEXT || setting->type == SETTING_SLICE ||
	       setting->type == SETTING_CHOICE || setting->type == SETTING_FORMAT ||
	       setting->type == SETTING_URL;
}

static bool is_list(const struct setting *setting)
{
	return setting->type == SETTING_TEXTS || setting->type == SETTING_RULES;
}

/* What is not JSON is taken as a text, so that the setting itself says what it takes instead. */
static cJSON *read_text(struct loading *loading, const struct setting *setting, struct place place,
	const char *text)
{
	struct slice trimmed = slice_trim(slice_of(text));
	if (is_list(setting) && slice_starts_with(trimmed, SLICE("[")))
		return settings_json_parse(loading, place.name, trimmed);
	cJSON *value = is_text(setting) ? NULL : cJSON_ParseWithOpts(text, NULL, true);
	if (!value)
		value = cJSON_CreateString(text);
	if (!value)
		loading->no_memory = true;
	return value;
}

void setting_take_text(struct loading *loading, const struct setting *setting, struct place place,
	const char *text)
{
	cJSON *value = read_text(loading, setting, place, text);
	if (value) {
		place.line = is_list(setting) && place.name ? settings_json_line(value) : 0;
		setting_take(loading, setting, place, value);
	}
	cJSON_Delete(value);
}
