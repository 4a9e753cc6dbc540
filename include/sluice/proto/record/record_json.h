/* Session records in JSON. */
#ifndef SLUICE_PROTO_RECORD_RECORD_JSON_H
#define SLUICE_PROTO_RECORD_RECORD_JSON_H

#include "sluice/proto/record/record_scan.h"

/* JSON as all that write records write it: the grammar of RFC 8259, and Python's NaN, Infinity and
 * -Infinity. What strings contain matters only where they count: a string that is not UTF-8, or has
 * an escaped NUL or half a surrogate pair in it, is void there. A record_step_fn. */
int record_json_step(struct record_scan *scan);

/* The same without what only Python writes. */
int record_json_strict_step(struct record_scan *scan);

#endif
