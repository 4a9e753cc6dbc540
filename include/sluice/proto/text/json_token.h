/* The tokens of JSON (RFC 8259), each taken off the front of a text. */
#ifndef SLUICE_PROTO_TEXT_JSON_TOKEN_H
#define SLUICE_PROTO_TEXT_JSON_TOKEN_H

#include <stdbool.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

void json_skip_whitespace(struct slice *rest);

/* Takes the rest of a string whose first quotation mark has been taken, and its last one. `ret_raw`
 * is what stands between them, escapes and all. Its escapes are well-formed, but it need not be
 * UTF-8. False: this is no string, and `rest` is anywhere. */
bool json_take_string(struct slice *rest, struct slice *ret_raw);

/* Takes a number. False: this is none, and `rest` is anywhere. A digit after a leading zero stays
 * in `rest`, where no rule of JSON accepts it. */
bool json_take_number(struct slice *rest, struct slice *ret_text);

/* The string that `raw`, taken by json_take_string, stands for. `room` is as long as `raw`. Returns
 * the length; -EILSEQ: it is not a text of Unicode, or has a NUL in it: bytes that are not UTF-8,
 * half a surrogate pair (§8.2), \u0000. */
MUST_CHECK ssize_t json_decode_string(struct slice raw, char *room);

#endif
