/* Writes JSON piece by piece: session records that other codecs have read, and messages of
 * sluice.v1. A value of a record that JSON cannot express becomes null or {}; the rest of the
 * record stays.
 *
 * Every function that prints has the result 0; -EMSGSIZE: `out` would become longer than `max`; or
 * -ENOMEM. */
#ifndef SLUICE_PROTO_TEXT_JSON_PRINT_H
#define SLUICE_PROTO_TEXT_JSON_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

struct json_printer {
	struct buffer *out;
	size_t max;     /* bytes in `out` */
	unsigned muted; /* while it is not 0, nothing is printed and nothing fails */
};

/* Prints JSON as it is. */
MUST_CHECK int json_print(struct json_printer *printer, struct slice json);

/* Can `text` be a member's name or a string of a session record? Valid UTF-8 without NUL. */
bool json_print_can_hold(struct slice text);

/* Prints a string; `text` is valid UTF-8 and may contain NUL. */
MUST_CHECK int json_print_string(struct json_printer *printer, struct slice text);

/* Prints a string, or {} if json_print_can_hold refuses it. */
MUST_CHECK int json_print_text(struct json_printer *printer, struct slice text);

/* Prints a member's name and colon, after a comma if `more` (it is not the first member). The name
 * passes json_print_can_hold. */
MUST_CHECK int json_print_name(struct json_printer *printer, bool more, struct slice name);

/* Prints the shortest decimal that reads back as `number`; null for NaN and infinities. */
MUST_CHECK int json_print_double(struct json_printer *printer, double number);

#endif
