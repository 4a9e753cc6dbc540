/* Settings that are lists. An element with a problem is named by its place, such as
 * "origins[2]". */
#ifndef SLUICE_SETTINGS_LISTS_H
#define SLUICE_SETTINGS_LISTS_H

#include "draft.h"
#include "json.h"

/* Both take the list over the one from a lower source, or add the problems with it. */
void lists_take_strings(struct draft *draft, const struct setting *setting, struct place place,
	const struct json_value *value);
void lists_take_rules(struct draft *draft, const struct setting *setting, struct place place,
	const struct json_value *value);

#endif
