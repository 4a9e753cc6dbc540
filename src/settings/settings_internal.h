/* What the files of settings share: the table of settings, and the loading of one configuration. */
#ifndef SLUICE_SETTINGS_SETTINGS_INTERNAL_H
#define SLUICE_SETTINGS_SETTINGS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"
#include "sluice/settings/settings.h"

enum {
	SETTINGS_MAX = 80,
	SETTING_NAME_MAX = 64, /* of a key or a variable, with its NUL */
	SETTINGS_FILE_MAX = 1 << 20,
	SETTINGS_TEXT_MAX = 4096, /* one text of the configuration, or a file that holds a secret */
	SETTINGS_LIST_MAX = 1024, /* elements of a list */
	SETTINGS_SECRETS_MAX = 16, /* every one is tried for every cookie */
};

/* ---- the table (settings_table.c, settings_names.c, settings_presets.c) ---- */

/* What a setting takes, and what it becomes in struct settings. */
enum setting_type {
	SETTING_TEXT,    /* const char * */
	SETTING_SLICE,   /* struct slice, absent when empty */
	SETTING_NUMBER,  /* unsigned */
	SETTING_SECONDS, /* unsigned, milliseconds */
	SETTING_SWITCH,  /* bool */
	SETTING_CHOICE,  /* an enum: the position in `choices` */
	SETTING_FORMAT,  /* bool: is it the second of `choices`? */
	SETTING_TEXTS,   /* const struct slice *, then size_t */
	SETTING_RULES,   /* const struct channel_rule *, then size_t */
	SETTING_URL,     /* struct redis_url */
};

struct setting {
	const char *key; /* "listen", or "group.name" */
	enum setting_type type;
	size_t offset;       /* in struct settings */
	const char *initial; /* the default, as an environment variable would say it */
	double min, max;
	const char *const *choices; /* up to NULL */
	const char *takes;          /* what a text must be, in words, for messages */
	/* NULL: the text is good; else what is wrong with it, or "" when `takes` says it all */
	const char *(*problem)(struct slice text);
	size_t list_max;
	bool secret;        /* never shown */
	const char *flag;   /* "--listen", or NULL */
	size_t flag_offset; /* in struct settings_flags */
};

extern const struct setting settings_rows[];
extern const size_t n_settings_rows;

/* By enum session_preset, up to NULL (settings_presets.c). */
extern const char *const settings_preset_names[];

#define SETTINGS_EACH(setting) \
	for (const struct setting *setting = settings_rows; \
		setting < settings_rows + n_settings_rows; setting++)

/* NULL: there is none. */
const struct setting *setting_find(struct slice key);

/* The length of "limits" in "limits.queue_bytes"; 0: the setting is in no group. */
size_t setting_group_length(const struct setting *setting);
bool setting_is_group(struct slice name);

/* "limits.queue_bytes" as SLUICE_LIMITS_QUEUE_BYTES. */
void setting_variable(struct slice key, char variable[SETTING_NAME_MAX]);

/* The key, or variable, that somebody may have meant; "" when nothing comes near. */
void setting_nearest_key(struct slice key, char nearest[SETTING_NAME_MAX]);
void setting_nearest_variable(struct slice variable, char nearest[SETTING_NAME_MAX]);

/* ---- loading (settings.c) ---- */

/* What --print-config shows in place of a secret. Whoever runs its output without filling that in
 * would accept sessions that anybody can sign. */
#define SETTINGS_MASK "***"

/* Where a value was given: a file and its line, a variable or a flag (line 0). NULL: nowhere. */
struct place {
	const char *name;
	unsigned line;
};

struct loading {
	struct settings *settings;
	const char *config; /* the file, or NULL */
	struct buffer *problems;
	unsigned n_problems;
	bool no_memory;
	struct place given[SETTINGS_MAX]; /* who had the last word, by position in the table */
};

/* Zeroed; lives as long as the settings. NULL: no memory, and `no_memory` is set. */
void *loading_allocate(struct loading *loading, size_t size);

/* A copy with a NUL behind it. {NULL, 0}: no memory, and `no_memory` is set. */
struct slice loading_keep(struct loading *loading, struct slice text);

/* Writes one line for the user, "place: message". */
void loading_problem(struct loading *loading, struct place place, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* Where a key was given. */
static inline struct place loading_given(const struct loading *loading, const char *key)
{
	return loading->given[setting_find(slice_of(key)) - settings_rows];
}

/* Have so many problems been told that no more are looked for? */
bool loading_is_full(const struct loading *loading);

/* ---- JSON with comments (settings_json.c) ---- */

/* NULL: the problem has been told. To be freed by cJSON_Delete. */
cJSON *settings_json_parse(struct loading *loading, const char *name, struct slice text);

/* The line where a value of that tree, or the key before it, begins. */
static inline unsigned settings_json_line(const cJSON *value)
{
	return (unsigned)value->valueint;
}

/* ---- one value (settings_values.c, settings_lists.c) ---- */

/* Each checks a value and puts it where its setting lands, or tells what is wrong with it. */
void setting_take(struct loading *loading, const struct setting *setting, struct place place,
	const cJSON *value);
void setting_take_texts(struct loading *loading, const struct setting *setting, struct place place,
	const cJSON *value);
void setting_take_rules(struct loading *loading, const struct setting *setting, struct place place,
	const cJSON *value);

/* The same for a value from a variable, a flag, or the table: a text stands for itself, everything
 * else is JSON. */
void setting_take_text(struct loading *loading, const struct setting *setting, struct place place,
	const char *text);

static inline void *setting_field(struct settings *settings, const struct setting *setting)
{
	return (char *)settings + setting->offset;
}

/* How much of a text, which somebody gave, to show in a message: not too much, and whole
 * characters. */
size_t settings_shown_length(const char *text);

/* What is wrong with the text by itself, or NULL. */
const char *setting_text_problem(const struct setting *setting, struct slice text);

/* Tells that `key` "must be <takes>, not <value> (<why>)"; a secret is not shown. `why` may be "".
 */
void setting_refuse(struct loading *loading, struct place place, const char *key, const char *takes,
	const cJSON *value, bool secret, const char *why);

/* ---- the sources, lowest first, and what is decided when all have spoken ---- */

/* settings_sources.c; false: the file cannot be read, or is not JSON */
void loading_take_defaults(struct loading *loading);
bool loading_take_file(struct loading *loading, const char *path);
void loading_take_environment(struct loading *loading, char **environment);
void loading_take_flags(struct loading *loading, const struct settings_flags *flags);

/* settings_presets.c: the preset's values for the keys that nobody has set. */
void loading_take_preset(struct loading *loading);

/* settings_session.c: the settings of sessions, and their secrets */
void loading_settle_session(struct loading *loading);

/* settings_settle.c */
void loading_settle(struct loading *loading);

#endif
