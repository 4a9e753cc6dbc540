/* PHP's sessions as JSON: what serialize() writes, and the two ways in which session.serialize_handler
 * makes a record of it.
 *
 *	php             authenticated|b:1;userId|s:7:"user-42";
 *	php_serialize   a:2:{s:13:"authenticated";b:1;s:6:"userId";s:7:"user-42";} */
#ifndef SLUICE_PROTO_RECORD_PHP_VALUE_H
#define SLUICE_PROTO_RECORD_PHP_VALUE_H

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

/* Appends a record, told apart by looking, as JSON for session_value, with its limits of length and
 * depth. An array whose keys are 0, 1, 2, … is a JSON array, any other an object. Numbers keep their
 * digits. Objects, enumerations and texts that are not UTF-8 are {}; references are null, and so are
 * numbers that JSON does not have. 0; -EINVAL: it is no such record, or beyond the limits; -ENOMEM.
 * After an error `json` is to be thrown away. */
MUST_CHECK int php_to_json(struct slice record, struct buffer *json);

/* The same for what Laravel's cache store keeps: a serialized text, which is a serialized array or
 * JSON (session.serialization). */
MUST_CHECK int php_laravel_to_json(struct slice record, struct buffer *json);

#endif
