/* Writes JSON piece by piece, for the messages of sluice.v1.
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
	size_t max; /* bytes in `out` */
};

/* Prints JSON as it is. */
MUST_CHECK int json_print(struct json_printer *printer, struct slice json);

/* Prints a string; `text` is valid UTF-8 and may contain NUL. */
MUST_CHECK int json_print_string(struct json_printer *printer, struct slice text);

#endif
