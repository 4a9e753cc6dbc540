/* Where values come from: the table, the file, the environment, the flags.
 *
 * The file is an object of settings and of groups of settings. A whole group may also be given by a
 * variable of its name (SLUICE_LIMITS, JSON), and one of its settings by a longer one
 * (SLUICE_LIMITS_QUEUE_BYTES), which says more and so wins.
 *
 * A name that is not in the table is refused everywhere: a setting that silently does nothing is
 * the worst of all errors in a configuration. One kind of variable is let through: Kubernetes tells
 * every pod about a service called "sluice" by variables such as SLUICE_SERVICE_HOST and
 * SLUICE_PORT_8080_TCP, and a pod must not fail because of its own service. */
#include "settings_internal.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>

#include "sluice/base/file.h"

void loading_take_defaults(struct loading *loading)
{
	SETTINGS_EACH(setting)
	setting_take_text(loading, setting, (struct place){ NULL }, setting->initial);
}

static void refuse_key(struct loading *loading, struct place place, const char *key)
{
	char nearest[SETTING_NAME_MAX];
	setting_nearest_key(slice_of(key), nearest);
	if (*nearest)
		loading_problem(
			loading, place, "%s: unknown key; did you mean \"%s\"?", key, nearest);
	else
		loading_problem(
			loading, place, "%.*s: unknown key", (int)settings_shown_length(key), key);
}

/* "limits.queue_bytes" is how messages and people name a key, but in the file it is two. */
static void refuse_dotted_key(struct loading *loading, struct place place, const char *key)
{
	const char *dot = strchr(key, '.');
	if (setting_find(slice_of(key)))
		loading_problem(loading, place, "%s: is written \"%.*s\": { \"%s\": … }", key,
			(int)(dot - key), key, dot + 1);
	else
		refuse_key(loading, place, key);
}

/* Is there a member of the same name before this one? */
static bool is_twice(struct loading *loading, struct place place, const char *key,
	const cJSON *object, const cJSON *member)
{
	const cJSON *first = object->child;
	while (strcmp(first->string, member->string) != 0)
		first = first->next;
	if (first == member)
		return false;
	loading_problem(loading, place, "%s: is set twice, first on line %u", key,
		settings_json_line(first));
	return true;
}

static void take_setting(struct loading *loading, struct place place, const char *key,
	const cJSON *object, const cJSON *member)
{
	const struct setting *setting = setting_find(slice_of(key));
	if (!setting)
		refuse_key(loading, place, key);
	else if (!is_twice(loading, place, key, object, member))
		setting_take(loading, setting, place, member);
}

static void take_group(
	struct loading *loading, struct place place, const char *group, const cJSON *object)
{
	if (!cJSON_IsObject(object)) {
		setting_refuse(loading, place, group, "an object, such as { … }", object, true, "");
		return;
	}
	for (const cJSON *member = object->child; member && !loading_is_full(loading);
		member = member->next) {
		char key[2 * SETTING_NAME_MAX];
		snprintf(key, sizeof(key), "%s.%s", group, member->string);
		place.line = settings_json_line(member);
		take_setting(loading, place, key, object, member);
	}
}

static void take_file_object(struct loading *loading, const char *path, const cJSON *object)
{
	for (const cJSON *member = object->child; member && !loading_is_full(loading);
		member = member->next) {
		struct place place = { path, settings_json_line(member) };
		if (strchr(member->string, '.'))
			refuse_dotted_key(loading, place, member->string);
		else if (!setting_is_group(slice_of(member->string)))
			take_setting(loading, place, member->string, object, member);
		else if (!is_twice(loading, place, member->string, object, member))
			take_group(loading, place, member->string, member);
	}
}

bool loading_take_file(struct loading *loading, const char *path)
{
	struct buffer text;
	int error = file_read(path, SETTINGS_FILE_MAX, &text);
	if (error) {
		loading_problem(loading, (struct place){ path }, "cannot be read: %s",
			error == -EFBIG ? "it is larger than 1 MiB" : strerror(-error));
		return false;
	}
	cJSON *root = settings_json_parse(loading, path, buffer_slice(&text));
	buffer_finish(&text);
	if (cJSON_IsObject(root))
		take_file_object(loading, path, root);
	else if (root)
		loading_problem(loading, (struct place){ path, settings_json_line(root) },
			"the configuration must be an object, such as { … }");
	bool has_been_read = root != NULL;
	cJSON_Delete(root);
	return has_been_read;
}

/* ---- the environment ---- */

struct variable {
	struct slice name;
	const char *value;
};

/* False: it is none of ours. */
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

static void refuse_variable(struct loading *loading, struct place place, const char *value)
{
	if (is_kubernetes(place.name, value))
		return;
	char nearest[SETTING_NAME_MAX];
	setting_nearest_variable(slice_of(place.name), nearest);
	if (*nearest)
		loading_problem(loading, place, "unknown variable; did you mean %s?", nearest);
	else
		loading_problem(loading, place,
			"unknown variable; those that begin with SLUICE_ are settings");
}

static const struct setting *setting_of_variable(struct slice variable)
{
	SETTINGS_EACH(setting)
	{
		char name[SETTING_NAME_MAX];
		setting_variable(slice_of(setting->key), name);
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
	struct loading *loading, struct place place, const char *group, const char *value)
{
	cJSON *object = settings_json_parse(loading, place.name, slice_of(value));
	if (object)
		take_group(loading, place, group, object);
	cJSON_Delete(object);
}

/* In the first pass groups, in the second single settings, which may say more. */
static void take_variable(struct loading *loading, const struct variable *variable, bool first_pass)
{
	char group[SETTING_NAME_MAX];
	bool is_group = group_of_variable(variable->name, group);
	if (is_group != first_pass)
		return;
	struct place place = { loading_keep(loading, variable->name).at, 0 };
	if (!place.name)
		return;
	const struct setting *setting = setting_of_variable(variable->name);
	if (is_group)
		take_group_variable(loading, place, group, variable->value);
	else if (setting)
		setting_take_text(loading, setting, place, variable->value);
	else
		refuse_variable(loading, place, variable->value);
}

void loading_take_environment(struct loading *loading, char **environment)
{
	for (int pass = 1; pass <= 2; pass++) {
		for (char **entry = environment; *entry; entry++) {
			struct variable variable;
			if (split_variable(*entry, &variable))
				take_variable(loading, &variable, pass == 1);
		}
	}
}

void loading_take_flags(struct loading *loading, const struct settings_flags *flags)
{
	SETTINGS_EACH(setting)
	{
		const char *value = NULL;
		if (setting->flag)
			memcpy(&value, (const char *)flags + setting->flag_offset, sizeof(value));
		if (value)
			setting_take_text(loading, setting, (struct place){ setting->flag }, value);
	}
}
