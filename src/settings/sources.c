/* The file is an object of settings and of groups of settings. A variable may give a whole group
 * (SLUICE_LIMITS, as JSON) or one setting (SLUICE_LIMITS_QUEUE_BYTES). The latter wins, because it
 * is more specific.
 *
 * An unknown name is refused in every source: the worst mistake in a configuration is a setting
 * that silently does nothing. Some variables are let through: Kubernetes describes a service called
 * "sluice" to every pod in variables such as SLUICE_SERVICE_HOST and SLUICE_PORT_8080_TCP, and a
 * pod must not fail because of its own service. */
#include "sources.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#include "json.h"
#include "sluice/base/file.h"
#include "sluice/base/secret.h"
#include "value.h"

enum { FILE_MAX = 1 << 20 };

void sources_take_defaults(struct draft *draft)
{
	SETTINGS_EACH(setting)
	value_take_text(draft, setting, (struct place){ NULL }, setting->initial);
}

static void refuse_key(struct draft *draft, struct place place, const char *key)
{
	char nearest[SETTING_NAME_MAX];
	setting_nearest_key(slice_of(key), nearest);
	if (*nearest)
		problems_add(&draft->problems, place, "%s: unknown key; did you mean \"%s\"?", key,
			nearest);
	else
		problems_add(&draft->problems, place, "%.*s: unknown key",
			(int)problems_shown_length(key), key);
}

/* Messages name a key as "limits.queue_bytes", but in the file these are two keys. */
static void refuse_dotted_key(struct draft *draft, struct place place, const char *key)
{
	const char *dot = strchr(key, '.');
	if (setting_find(slice_of(key)))
		problems_add(&draft->problems, place,
			"%s: must be written as \"%.*s\": { \"%s\": … }", key, (int)(dot - key),
			key, dot + 1);
	else
		refuse_key(draft, place, key);
}

/* Does the object have an earlier member of the same name? */
static bool is_twice(struct draft *draft, struct place place, const char *key,
	const struct json_value *object, const struct json_value *member)
{
	const struct json_value *first = object + 1;
	while (strcmp(first->key, member->key) != 0)
		first += first->size;
	if (first == member)
		return false;
	problems_add(
		&draft->problems, place, "%s: is set twice, first on line %u", key, first->line);
	return true;
}

static void take_setting(struct draft *draft, struct place place, const char *key,
	const struct json_value *object, const struct json_value *member)
{
	const struct setting *setting = setting_find(slice_of(key));
	if (!setting)
		refuse_key(draft, place, key);
	else if (!is_twice(draft, place, key, object, member))
		value_take(draft, setting, place, member);
}

static void take_group(
	struct draft *draft, struct place place, const char *group, const struct json_value *object)
{
	if (object->kind != JSON_OBJECT) {
		json_refuse(object, true, &draft->problems, place, group,
			"an object, such as { … }", "");
		return;
	}
	JSON_EACH(member, object)
	{
		char key[2 * SETTING_NAME_MAX];
		if (problems_are_many(&draft->problems))
			return;
		snprintf(key, sizeof(key), "%s.%s", group, member->key);
		place.line = member->line;
		take_setting(draft, place, key, object, member);
	}
}

static void take_member(struct draft *draft, const char *path, const struct json_value *object,
	const struct json_value *member)
{
	struct place place = { path, member->line };
	if (strchr(member->key, '.'))
		refuse_dotted_key(draft, place, member->key);
	else if (!setting_is_group(slice_of(member->key)))
		take_setting(draft, place, member->key, object, member);
	else if (!is_twice(draft, place, member->key, object, member))
		take_group(draft, place, member->key, member);
}

static void take_members(struct draft *draft, const char *path, const struct json_value *object)
{
	JSON_EACH(member, object)
	{
		if (problems_are_many(&draft->problems))
			return;
		take_member(draft, path, object, member);
	}
}

static bool take_file_text(struct draft *draft, const char *path, struct slice text)
{
	struct json_document document;
	if (!json_read(&document, path, text, &draft->problems))
		return false;
	if (document.root->kind == JSON_OBJECT)
		take_members(draft, path, document.root);
	else
		problems_add(&draft->problems, (struct place){ path, document.root->line },
			"the configuration must be an object, such as { … }");
	json_finish(&document);
	return true;
}

bool sources_take_file(struct draft *draft, const char *path)
{
	struct buffer text;
	draft_note_file(draft, path);
	int error = file_read(path, FILE_MAX, &text);
	if (error) {
		problems_add(&draft->problems, (struct place){ path }, "cannot be read: %s",
			error == -EFBIG ? "it is larger than 1 MiB" : strerror(-error));
		return false;
	}
	bool good = take_file_text(draft, path, buffer_slice(&text));
	secret_finish(&text);
	return good;
}

/* ---- the environment ---- */

struct variable {
	struct slice name;
	const char *value;
};

/* False: the variable is not for Sluice. */
static bool split_variable(const char *entry, struct variable *ret_variable)
{
	struct slice rest = slice_of(entry);
	if (!slice_starts_with(rest, SLICE("SLUICE_")))
		return false;
	ret_variable->name = slice_cut(&rest, '=');
	ret_variable->value = rest.at;
	return rest.at != NULL;
}

static bool is_kubernetes(const char *name, const char *value)
{
	return fnmatch("*_SERVICE_HOST", name, 0) == 0 ||
	       fnmatch("*_SERVICE_PORT*", name, 0) == 0 ||
	       fnmatch("*_PORT_[0-9]*_*", name, 0) == 0 ||
	       (fnmatch("*_PORT", name, 0) == 0 && strstr(value, "://"));
}

static void refuse_variable(struct draft *draft, struct place place, const char *value)
{
	if (is_kubernetes(place.name, value))
		return;
	char nearest[SETTING_NAME_MAX];
	setting_nearest_variable(slice_of(place.name), nearest);
	if (*nearest)
		problems_add(
			&draft->problems, place, "unknown variable; did you mean %s?", nearest);
	else
		problems_add(&draft->problems, place,
			"unknown variable; every variable that begins with SLUICE_ must be a "
			"setting");
}

static const struct setting *setting_of_variable(struct slice variable)
{
	SETTINGS_EACH(setting)
	{
		char name[SETTING_NAME_MAX];
		setting_variable(setting, name);
		if (slice_equal(variable, slice_of(name)))
			return setting;
	}
	return NULL;
}

/* "limits" of SLUICE_LIMITS; false: there is no such group. */
static bool group_of_variable(struct slice variable, char group[SETTING_NAME_MAX])
{
	struct slice name = slice_skip(variable, sizeof("SLUICE_") - 1);
	if (name.len >= SETTING_NAME_MAX)
		return false;
	size_t i = 0;
	for (; i < name.len && isupper((unsigned char)name.at[i]); i++)
		group[i] = (char)tolower((unsigned char)name.at[i]);
	group[i] = 0;
	return i == name.len && setting_is_group(slice_of(group));
}

static void take_group_variable(
	struct draft *draft, struct place place, const char *group, const char *value)
{
	struct json_document document;
	if (!json_read(&document, place.name, slice_of(value), &draft->problems))
		return;
	take_group(draft, place, group, document.root);
	json_finish(&document);
}

/* Groups in the first pass, single settings in the second, so that these win. */
static void take_variable(struct draft *draft, const struct variable *variable, bool first_pass)
{
	char group[SETTING_NAME_MAX];
	bool is_group = group_of_variable(variable->name, group);
	if (is_group != first_pass)
		return;
	struct place place = { draft_copy(draft, variable->name).at, 0 };
	if (!place.name)
		return;
	const struct setting *setting = setting_of_variable(variable->name);
	if (is_group)
		take_group_variable(draft, place, group, variable->value);
	else if (setting)
		value_take_text(draft, setting, place, variable->value);
	else
		refuse_variable(draft, place, variable->value);
}

void sources_take_environment(struct draft *draft, char **environment)
{
	for (int pass = 1; pass <= 2; pass++) {
		for (char **entry = environment; *entry; entry++) {
			struct variable variable;
			if (split_variable(*entry, &variable))
				take_variable(draft, &variable, pass == 1);
		}
	}
}

void sources_take_flags(struct draft *draft, const struct settings_flags *flags)
{
	SETTINGS_EACH(setting)
	{
		const char *value = NULL;
		if (setting->flag)
			memcpy(&value, (const char *)flags + setting->flag_offset, sizeof(value));
		if (value)
			value_take_text(draft, setting, (struct place){ setting->flag }, value);
	}
}
