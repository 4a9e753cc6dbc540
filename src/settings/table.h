/* The table of settings: one row describes everything about one setting. */
#ifndef SLUICE_SETTINGS_TABLE_H
#define SLUICE_SETTINGS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/slice.h"
#include "sluice/settings/settings.h"

enum {
	SETTINGS_MAX = 80,
	SETTING_STRING_MAX = 4096, /* bytes of one string, or of a file that holds a secret */
	SETTING_LIST_MAX = 1024,   /* elements of a list */
	SETTING_SECRETS_MAX = 16,  /* each cookie is verified with every secret */
};

/* What a setting takes, and what it becomes in struct settings. */
enum setting_type {
	SETTING_STRING,  /* const char * */
	SETTING_SLICE,   /* a string too: struct slice, absent if empty */
	SETTING_NUMBER,  /* unsigned */
	SETTING_SECONDS, /* unsigned, milliseconds */
	SETTING_SWITCH,  /* bool */
	SETTING_CHOICE,  /* an enum: the position in `choices` */
	SETTING_EITHER,  /* bool: is it the second of two `choices`? */
	SETTING_STRINGS, /* const struct slice *, then size_t */
	SETTING_RULES,   /* const struct channel_rule *, then size_t */
	SETTING_URL,     /* struct redis_url */
};

struct setting {
	const char *key; /* "listen", or "group.name" */
	enum setting_type type;
	size_t offset;              /* in struct settings */
	const char *initial;        /* the default, as an environment variable would give it */
	const char *help;           /* what it does: one sentence, without the final period */
	double min, max;            /* of a number */
	const char *const *choices; /* up to NULL */
	const char *takes;          /* what a string must be, or each string of a list */
	/* NULL: any string will do. Else returns NULL if the string is good, or what is wrong with
	 * it, in words for the operator, or "" if `takes` says enough. */
	const char *(*check)(struct slice string);
	size_t list_max;
	bool secret;        /* never shown */
	const char *flag;   /* "--listen", or NULL */
	size_t flag_offset; /* in struct settings_flags */
};

/* In the order in which they are printed; the settings of a group stand together. */
extern const struct setting settings_table[];
extern const size_t settings_count;

/* What is wrong with a string by the setting's row, as its `check` says it, or by its length or
 * encoding; NULL: nothing. */
const char *setting_string_problem(const struct setting *setting, struct slice string);

#define SETTINGS_EACH(setting) \
	for (const struct setting *setting = settings_table; \
		setting < settings_table + settings_count; setting++)

#endif
