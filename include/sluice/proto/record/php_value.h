/* Converts PHP's sessions to JSON: the format of serialize(), and the two kinds of records that
 * session.serialize_handler makes of it.
 *
 *	php             authenticated|b:1;userId|s:7:"user-42";
 *	php_serialize   a:2:{s:13:"authenticated";b:1;s:6:"userId";s:7:"user-42";} */
#ifndef SLUICE_PROTO_RECORD_PHP_VALUE_H
#define SLUICE_PROTO_RECORD_PHP_VALUE_H

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

/* Appends a record of either kind as JSON for session_value, within its limits of length and depth.
 * An array whose keys are 0, 1, 2, … becomes a JSON array, any other an object. Numbers keep their
 * digits. Objects, enumerations and strings that are not UTF-8 become {}; references, and numbers
 * that JSON does not have, become null. 0; -EINVAL: not such a record, or beyond the limits;
 * -ENOMEM. After an error `json` is to be discarded. */
MUST_CHECK int php_to_json(struct slice record, struct buffer *json);

/* The same for the records of Laravel's cache store: a serialized string that contains a serialized
 * array, or JSON (session.serialization). */
MUST_CHECK int php_laravel_to_json(struct slice record, struct buffer *json);

#endif
