#include "names.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>

#include "sluice/base/defs.h"

const struct setting *setting_find(struct slice key)
{
	SETTINGS_EACH(setting)
	{
		if (slice_equal(key, slice_of(setting->key)))
			return setting;
	}
	return NULL;
}

size_t setting_group_length(const struct setting *setting)
{
	const char *dot = strchr(setting->key, '.');
	return dot ? (size_t)(dot - setting->key) : 0;
}

bool setting_is_group(struct slice name)
{
	SETTINGS_EACH(setting)
	{
		size_t len = setting_group_length(setting);
		if (len && slice_equal(name, slice_make(setting->key, len)))
			return true;
	}
	return false;
}

const char *setting_own_name(const struct setting *setting)
{
	const char *dot = strchr(setting->key, '.');
	return dot ? dot + 1 : setting->key;
}

void setting_variable(const struct setting *setting, char variable[SETTING_NAME_MAX])
{
	snprintf(variable, SETTING_NAME_MAX, "SLUICE_%s", setting->key);
	for (char *c = variable; *c; c++)
		*c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
}

/* Levenshtein's: how many bytes have to be inserted, removed or changed. Row by row, in one row. */
static unsigned distance(struct slice a, struct slice b)
{
	uint8_t row[SETTING_NAME_MAX + 1];
	for (size_t j = 0; j <= b.len; j++)
		row[j] = (uint8_t)j;
	for (size_t i = 0; i < a.len; i++) {
		uint8_t diagonal = row[0];
		row[0] = (uint8_t)(i + 1);
		for (size_t j = 0; j < b.len; j++) {
			uint8_t changed = (uint8_t)(diagonal + (a.at[i] != b.at[j]));
			uint8_t moved = (uint8_t)(MIN(row[j], row[j + 1]) + 1);
			diagonal = row[j + 1];
			row[j + 1] = MIN(changed, moved);
		}
	}
	return row[b.len];
}

static struct slice last_name(struct slice key)
{
	const char *dot = key.len ? memrchr(key.at, '.', key.len) : NULL;
	return dot ? slice_skip(key, (size_t)(dot + 1 - key.at)) : key;
}

/* The whole key is misspelt, or a correct name is in the wrong group. */
static unsigned key_distance(struct slice meant, struct slice given)
{
	unsigned whole = distance(meant, given);
	unsigned last = distance(last_name(meant), last_name(given)) + 1;
	return MIN(whole, last);
}

struct search {
	unsigned distance; /* of the name in `nearest`; only a nearer name replaces it */
	char *nearest;
};

static struct search search_start(struct slice given, char *nearest)
{
	nearest[0] = 0;
	size_t most = MIN(4, MAX(1, given.len / 3));
	return (struct search){ (unsigned)most + 1, nearest };
}

static void search_offer(struct search *search, struct slice name, unsigned away)
{
	if (away >= search->distance)
		return;
	search->distance = away;
	snprintf(search->nearest, SETTING_NAME_MAX, "%.*s", SLICE_ARGS(name));
}

void setting_nearest_key(struct slice key, char nearest[SETTING_NAME_MAX])
{
	struct search search = search_start(key, nearest);
	if (key.len > SETTING_NAME_MAX)
		return;
	SETTINGS_EACH(setting)
	{
		struct slice group = slice_make(setting->key, setting_group_length(setting));
		search_offer(
			&search, slice_of(setting->key), key_distance(slice_of(setting->key), key));
		if (group.len)
			search_offer(&search, group, distance(group, key));
	}
}

void setting_nearest_variable(struct slice variable, char nearest[SETTING_NAME_MAX])
{
	struct search search = search_start(variable, nearest);
	if (variable.len > SETTING_NAME_MAX)
		return;
	SETTINGS_EACH(setting)
	{
		char name[SETTING_NAME_MAX];
		setting_variable(setting, name);
		search_offer(&search, slice_of(name), distance(slice_of(name), variable));
	}
}

/* By its letters, "django" is far from "django-json", but it is a prefix. */
void setting_nearest_choice(
	const struct setting *setting, struct slice choice, char nearest[SETTING_NAME_MAX])
{
	struct search search = search_start(choice, nearest);
	if (choice.len > SETTING_NAME_MAX)
		return;
	for (size_t i = 0; setting->choices[i]; i++) {
		struct slice name = slice_of(setting->choices[i]);
		bool begins = choice.len > 1 && slice_starts_with(name, choice);
		search_offer(&search, name, begins ? 1 : distance(name, choice));
	}
}
