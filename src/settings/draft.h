/* A configuration that is being loaded: the state that sources, values and the last checks
 * share. */
#ifndef SLUICE_SETTINGS_DRAFT_H
#define SLUICE_SETTINGS_DRAFT_H

#include <errno.h>
#include <unistd.h>

#include "names.h"
#include "problems.h"
#include "sluice/base/arena.h"
#include "sluice/settings/settings.h"
#include "table.h"

/* What --print-config shows in place of a secret. It is refused as a secret: with it, anybody could
 * sign sessions. */
#define SETTLE_MASK "***"

struct draft {
	struct settings *settings;
	struct problems problems;
	struct place given[SETTINGS_MAX]; /* where each row's value was given: the highest source */
};

/* Zeroed memory that lives as long as the settings. NULL: out of memory, which is recorded. */
static inline void *draft_take(struct draft *draft, size_t size)
{
	void *memory = arena_take(&draft->settings->memory, size);
	draft->problems.no_memory |= !memory;
	return memory;
}

/* A copy with a NUL behind it, that lives as long as the settings. Absent: no memory, as above. */
static inline struct slice draft_copy(struct draft *draft, struct slice string)
{
	struct slice copy = arena_copy(&draft->settings->memory, string);
	draft->problems.no_memory |= !copy.at;
	return copy;
}

/* Notes a file that the settings are read from, or name. */
static inline void draft_note_file(struct draft *draft, const char *path)
{
	struct settings_file *file = draft_take(draft, sizeof(*file));
	struct slice copy = draft_copy(draft, slice_of(path));
	if (!file || !copy.at)
		return;
	*file = (struct settings_file){ copy.at, draft->settings->files };
	draft->settings->files = file;
}

/* The same, and it must be there; "" is no file. `place`: where it was given. */
static inline void draft_check_file_at(
	struct draft *draft, struct place place, const char *key, const char *path)
{
	if (!*path)
		return;
	draft_note_file(draft, path);
	if (access(path, R_OK) != 0)
		problems_add(&draft->problems, place, "%s: cannot read %s: %s", key, path,
			strerror(errno));
}

/* Where a setting of the table was given. */
static inline struct place draft_given(const struct draft *draft, const char *key)
{
	return draft->given[setting_find(slice_of(key)) - settings_table];
}

/* Adds a problem with one setting, where that setting was given. */
static inline void draft_refuse(struct draft *draft, const char *key, const char *problem)
{
	problems_add(&draft->problems, draft_given(draft, key), "%s: %s", key, problem);
}

static inline void draft_check_file(struct draft *draft, const char *key, const char *path)
{
	draft_check_file_at(draft, draft_given(draft, key), key, path);
}

/* The place of a setting in struct settings. */
static inline void *draft_field(struct draft *draft, const struct setting *setting)
{
	return (char *)draft->settings + setting->offset;
}

#endif
