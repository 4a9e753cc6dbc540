/* Checks whether a text is JSON, strictly by RFC 8259, which is what JavaScript's JSON.parse
 * accepts. It builds and allocates nothing. */
#ifndef SLUICE_PROTO_TEXT_JSON_TEXT_H
#define SLUICE_PROTO_TEXT_JSON_TEXT_H

#include <stdbool.h>

#include "sluice/base/slice.h"

/* True: `text` is one value in valid UTF-8, with optional whitespace around it, and nests arrays
 * and objects at most `depth_max` deep (the recursion is as deep). Like JSON.parse, it accepts
 * duplicate names and escaped lone surrogates. */
bool json_text_is_valid(struct slice text, unsigned depth_max);

#endif
