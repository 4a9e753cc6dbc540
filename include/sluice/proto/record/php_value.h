/* PHP's sessions: the format of serialize(), and the two kinds of records that
 * session.serialize_handler makes of it.
 *
 *	php             authenticated|b:1;userId|s:7:"user-42";
 *	php_serialize   a:2:{s:13:"authenticated";b:1;s:6:"userId";s:7:"user-42";} */
#ifndef SLUICE_PROTO_RECORD_PHP_VALUE_H
#define SLUICE_PROTO_RECORD_PHP_VALUE_H

#include "sluice/proto/record/record_scan.h"

/* An array whose keys are 0, 1, 2, … is an array as well as an object with these names. Numbers
 * keep their digits. Of objects, enumerations and strings that are not text only the existence is
 * known; references, INF and NAN are null. A record_step_fn. */
int php_step(struct record_scan *scan);

/* Laravel's cache store serializes a record once more, as a string: its bytes are an array, or JSON
 * (session.serialization). Replaces `record` by them. 0; -EINVAL: it is something else. */
MUST_CHECK int php_unwrap(struct slice *record);

#endif
