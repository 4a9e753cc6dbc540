/* The configuration in force has the shape of the file: once the secrets are filled in, it can be
 * loaded. The table of settings is for the manual. Both follow from the rows, so neither can miss a
 * setting. */
#include <errno.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "names.h"
#include "presets.h"
#include "settle.h"
#include "sluice/base/defs.h"
#include "value.h"

/* ---- --print-config ---- */

static const void *field(const struct settings *settings, const struct setting *setting)
{
	return (const char *)settings + setting->offset;
}

static cJSON *make_string(struct slice string)
{
	return cJSON_CreateString(string.len ? string.at : "");
}

static cJSON *make_secret(struct slice string)
{
	return cJSON_CreateString(string.len ? SETTLE_MASK : "");
}

/* The list and its count, as in struct settings. */
static cJSON *make_strings(const struct settings *settings, const struct setting *setting)
{
	const struct slice *const *strings = field(settings, setting);
	size_t n = *(const size_t *)(const void *)(strings + 1);
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < n; i++) {
		cJSON *string = setting->secret ? cJSON_CreateString(SETTLE_MASK)
						: make_string((*strings)[i]);
		if (!cJSON_AddItemToArray(list, string)) {
			cJSON_Delete(string);
			cJSON_Delete(list);
			return NULL;
		}
	}
	return list;
}

static cJSON *make_rule(const struct channel_rule *rule)
{
	const char *allow = rule->allow == CHANNEL_ALLOW_ANYONE ? "anyone" : "session";
	cJSON *object = cJSON_CreateObject();
	if (cJSON_AddStringToObject(object, "match", rule->match.at) &&
		cJSON_AddStringToObject(object, "allow", allow) &&
		cJSON_AddBoolToObject(object, "auto", rule->automatic) &&
		(rule->batch_ms < 0 ||
			cJSON_AddNumberToObject(object, "batch_milliseconds", rule->batch_ms)))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static cJSON *make_rules(const struct settings *settings)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < settings->n_rules; i++) {
		cJSON *rule = make_rule(&settings->rules[i]);
		if (!cJSON_AddItemToArray(list, rule)) {
			cJSON_Delete(rule);
			cJSON_Delete(list);
			return NULL;
		}
	}
	return list;
}

static cJSON *make_url(const struct redis_url *url)
{
	char text[REDIS_URL_MASKED_MAX];
	return cJSON_CreateString(redis_url_mask(url, text, sizeof(text)));
}

static cJSON *make_value(const struct settings *settings, const struct setting *setting)
{
	const void *value = field(settings, setting);
	switch (setting->type) {
	case SETTING_STRING:
		return cJSON_CreateString(*(const char *const *)value);
	case SETTING_SLICE:
		return setting->secret ? make_secret(*(const struct slice *)value)
				       : make_string(*(const struct slice *)value);
	case SETTING_NUMBER:
		return cJSON_CreateNumber(*(const unsigned *)value);
	case SETTING_SECONDS:
		return cJSON_CreateNumber(*(const unsigned *)value / 1000.0);
	case SETTING_SWITCH:
		return cJSON_CreateBool(*(const bool *)value);
	case SETTING_CHOICE:
		return cJSON_CreateString(setting->choices[*(const unsigned *)value]);
	case SETTING_EITHER:
		return cJSON_CreateString(setting->choices[*(const bool *)value]);
	case SETTING_STRINGS:
		return make_strings(settings, setting);
	case SETTING_RULES:
		return make_rules(settings);
	case SETTING_URL:
		return make_url(value);
	}
	return NULL;
}

/* The object of the setting's group; NULL: no memory. */
static cJSON *group_of(cJSON *root, const struct setting *setting)
{
	char group[SETTING_NAME_MAX];
	int len = (int)setting_group_length(setting);
	if (!len)
		return root;
	snprintf(group, sizeof(group), "%.*s", len, setting->key);
	cJSON *object = cJSON_GetObjectItemCaseSensitive(root, group);
	return object ? object : cJSON_AddObjectToObject(root, group);
}

static bool add_all(cJSON *root, const struct settings *settings)
{
	SETTINGS_EACH(setting)
	{
		const char *name = setting_own_name(setting);
		cJSON *value = make_value(settings, setting);
		if (!cJSON_AddItemToObject(group_of(root, setting), name, value)) {
			cJSON_Delete(value);
			return false;
		}
	}
	return true;
}

int settings_print(const struct settings *settings, struct buffer *out)
{
	cJSON *root = cJSON_CreateObject();
	char *text = add_all(root, settings) ? cJSON_Print(root) : NULL;
	cJSON_Delete(root);
	int error = text ? buffer_printf(out, "%s\n", text) : -ENOMEM;
	cJSON_free(text);
	return error;
}

/* ---- --print-settings ---- */

/* One cell of a Markdown table, with the characters in `special` escaped. */
static bool put_cell(struct buffer *out, const char *text, const char *special)
{
	bool good = true;
	for (; *text && good; text++) {
		if (strchr(special, *text))
			good = buffer_append(out, "\\", 1) == 0;
		good = good && buffer_append(out, text, 1) == 0;
	}
	return good;
}

static bool put_text(struct buffer *out, const char *text)
{
	return put_cell(out, text, "\\`*_<|");
}

/* In a code span only a pipe needs an escape: it would end the cell. */
static bool put_code(struct buffer *out, const char *text)
{
	return buffer_append(out, "`", 1) == 0 && put_cell(out, text, "|") &&
	       buffer_append(out, "`", 1) == 0;
}

static bool put_takes(struct buffer *out, const struct setting *setting)
{
	char takes[VALUE_TAKES_MAX];
	if (setting->type == SETTING_RULES)
		return put_text(out, "a list of rules");
	value_takes(setting, takes);
	return (setting->type != SETTING_STRINGS || put_text(out, "a list of strings, each ")) &&
	       put_text(out, takes);
}

static bool is_string(const struct setting *setting)
{
	return setting->type == SETTING_STRING || setting->type == SETTING_SLICE ||
	       setting->type == SETTING_URL || setting->choices;
}

/* As the file would give it. */
static bool put_default(struct buffer *out, const struct setting *setting)
{
	const char *by_preset = preset_value(SESSION_PRESET_EXPRESS, setting->key);
	const char *quote = is_string(setting) ? "\"" : "";
	char text[VALUE_TAKES_MAX];
	snprintf(text, sizeof(text), "%s%s%s", quote, by_preset ? by_preset : setting->initial,
		quote);
	return (!presets_set(setting->key) || put_text(out, "by preset: ")) && put_code(out, text);
}

static bool put_row(struct buffer *out, const struct setting *setting)
{
	char variable[SETTING_NAME_MAX];
	setting_variable(setting, variable);
	return buffer_append(out, "| ", 2) == 0 && put_code(out, setting->key) &&
	       buffer_append(out, " | ", 3) == 0 && put_takes(out, setting) &&
	       buffer_append(out, " | ", 3) == 0 && put_default(out, setting) &&
	       buffer_append(out, " | ", 3) == 0 && put_code(out, variable) &&
	       buffer_append(out, " | ", 3) == 0 && put_text(out, setting->help) &&
	       buffer_append(out, " |\n", 3) == 0;
}

static bool put_heading(struct buffer *out, const char *before, struct slice title)
{
	return buffer_printf(out,
		       "%s### %.*s\n\n"
		       "| Key | Value | Default | Variable | What it does |\n"
		       "|---|---|---|---|---|\n",
		       before, SLICE_ARGS(title)) == 0;
}

static bool put_group(struct buffer *out, struct slice group)
{
	SETTINGS_EACH(setting)
	{
		struct slice own = slice_make(setting->key, setting_group_length(setting));
		if (slice_equal(own, group) && !put_row(out, setting))
			return false;
	}
	return true;
}

int settings_print_table(struct buffer *out)
{
	struct slice group = { NULL, 0 };
	bool good = put_heading(out, "", SLICE("Top level")) && put_group(out, group);
	SETTINGS_EACH(setting)
	{
		struct slice own = slice_make(setting->key, setting_group_length(setting));
		if (own.len && !slice_equal(own, group)) {
			group = own;
			good = good && put_heading(out, "\n", group) && put_group(out, group);
		}
	}
	return good ? 0 : -ENOMEM;
}
