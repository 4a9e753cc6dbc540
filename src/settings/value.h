/* One setting's value: checked by the setting's row, and put where the row says. */
#ifndef SLUICE_SETTINGS_VALUE_H
#define SLUICE_SETTINGS_VALUE_H

#include "draft.h"
#include "json.h"

enum { VALUE_TAKES_MAX = 256 };

/* Takes the value over the one from a lower source, or adds the problem with it. */
void value_take(struct draft *draft, const struct setting *setting, struct place place,
	const struct json_value *value);

/* The same for a value from a variable, a flag or the table. A string stands for itself; every
 * other type is JSON. */
void value_take_text(
	struct draft *draft, const struct setting *setting, struct place place, const char *text);

/* What the setting takes, in words: "a whole number from 0 to 64". */
void value_takes(const struct setting *setting, char takes[VALUE_TAKES_MAX]);

#endif
