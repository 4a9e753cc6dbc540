/* Where values come from, lowest first: the table's defaults, the file, the environment, the flags.
 * Each value is checked at once, even if a higher source hides it. */
#ifndef SLUICE_SETTINGS_SOURCES_H
#define SLUICE_SETTINGS_SOURCES_H

#include <stdbool.h>

#include "draft.h"

void sources_take_defaults(struct draft *draft);

/* False: the file cannot be read, or is not JSON. */
bool sources_take_file(struct draft *draft, const char *path);

/* `environment` is main's envp. */
void sources_take_environment(struct draft *draft, char **environment);
void sources_take_flags(struct draft *draft, const struct settings_flags *flags);

#endif
