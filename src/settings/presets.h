/* Whose sessions these are: what each framework writes, as values for the keys of "session". */
#ifndef SLUICE_SETTINGS_PRESETS_H
#define SLUICE_SETTINGS_PRESETS_H

#include <stdbool.h>

#include "sluice/settings/settings.h"

/* By enum session_preset, up to NULL. */
extern const char *const preset_names[];

/* The preset's value for a key such as "session.cookie", as an environment variable would give it;
 * NULL: the preset leaves the key alone. */
const char *preset_value(enum session_preset preset, const char *key);

/* Is there any preset with a value for the key? */
bool presets_set(const char *key);

#endif
