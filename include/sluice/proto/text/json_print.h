/* Writes JSON piece by piece: the records of other codecs, and the messages of sluice.v1. What of a record
 * a JSON text cannot hold becomes null or {}, and takes nothing else with it.
 *
 * All of these: 0; -EMSGSIZE: the text would be longer than `max`; -ENOMEM. */
#ifndef SLUICE_PROTO_TEXT_JSON_PRINT_H
#define SLUICE_PROTO_TEXT_JSON_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

struct json_printer {
	struct buffer *out;
	size_t max;     /* length of `out` */
	unsigned muted; /* more than 0: nothing is written, and nothing fails */
};

/* As it is. */
MUST_CHECK int json_print(struct json_printer *printer, struct slice json);

/* May it be a name, or a text? Valid UTF-8 without a NUL, which records must not hold. */
bool json_print_can_hold(struct slice text);

/* A string of valid UTF-8, which may hold a NUL. */
MUST_CHECK int json_print_string(struct json_printer *printer, struct slice text);

/* A string; what json_print_can_hold refuses is {}. */
MUST_CHECK int json_print_text(struct json_printer *printer, struct slice text);

/* What stands before a member's value; the name can be held. `more`: it is not the first. */
MUST_CHECK int json_print_name(struct json_printer *printer, bool more, struct slice name);

/* With as many digits as tell it from its neighbours; null: it is no number, or infinite. */
MUST_CHECK int json_print_double(struct json_printer *printer, double number);

#endif
