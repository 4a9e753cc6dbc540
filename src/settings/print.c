/* The configuration in force, in the shape of the file, so that it can be one once the secrets are
 * filled in. It follows from the rows of the table alone. */
#include <errno.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "names.h"
#include "settle.h"
#include "sluice/base/defs.h"

static const void *field(const struct settings *settings, const struct setting *setting)
{
	return (const char *)settings + setting->offset;
}

static cJSON *make_string(struct slice string)
{
	return cJSON_CreateString(string.len ? string.at : "");
}

/* The list and its count, as they lie in struct settings. */
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
	char text[2 * REDIS_URL_MAX];
	return cJSON_CreateString(redis_url_mask(url, text, sizeof(text)));
}

static cJSON *make_value(const struct settings *settings, const struct setting *setting)
{
	const void *value = field(settings, setting);
	switch (setting->type) {
	case SETTING_STRING:
		return cJSON_CreateString(*(const char *const *)value);
	case SETTING_SLICE:
		return make_string(*(const struct slice *)value);
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
