/* The names of channels. */
#ifndef SLUICE_PROTO_CHANNEL_NAME_H
#define SLUICE_PROTO_CHANNEL_NAME_H

#include <stdbool.h>

#include "sluice/base/slice.h"

enum { CHANNEL_NAME_MAX = 256 };

/* May a client ask for this channel? 1 to 256 bytes of valid UTF-8, without control characters,
 * that do not begin with "__". */
bool channel_name_is_valid(struct slice name);

/* What to tell whoever asks for another name. */
#define CHANNEL_NAME_PROBLEM \
	"a channel's name is 1 to 256 bytes of UTF-8 without control characters, and does not " \
	"begin with __"

/* Why no channel's name can begin with `text` (of any length), as a literal for the operator; or
 * NULL. */
const char *channel_name_problem(struct slice text);

#endif
