/* The names of settings: finding them, the environment variables that follow from them, and what
 * somebody may have meant by a name that does not exist. */
#ifndef SLUICE_SETTINGS_NAMES_H
#define SLUICE_SETTINGS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/slice.h"
#include "table.h"

enum { SETTING_NAME_MAX = 64 }; /* of a key or a variable, with its NUL */

/* NULL: there is none. */
const struct setting *setting_find(struct slice key);

/* The length of "limits" in "limits.queue_bytes"; 0: the setting is in no group. */
size_t setting_group_length(const struct setting *setting);
bool setting_is_group(struct slice name);

/* "queue_bytes" of "limits.queue_bytes". */
const char *setting_own_name(const struct setting *setting);

/* "limits.queue_bytes" as SLUICE_LIMITS_QUEUE_BYTES. */
void setting_variable(const struct setting *setting, char variable[SETTING_NAME_MAX]);

/* What somebody may have meant by a key, a variable, or a choice of the setting; "" if nothing
 * comes near. */
void setting_nearest_key(struct slice key, char nearest[SETTING_NAME_MAX]);
void setting_nearest_variable(struct slice variable, char nearest[SETTING_NAME_MAX]);
void setting_nearest_choice(
	const struct setting *setting, struct slice choice, char nearest[SETTING_NAME_MAX]);

#endif
