/* Is a text JSON? RFC 8259 to the letter, which is also what JavaScript's JSON.parse takes, over
 * the bytes alone: nothing is built and nothing is allocated. */
#ifndef SLUICE_PROTO_TEXT_JSON_TEXT_H
#define SLUICE_PROTO_TEXT_JSON_TEXT_H

#include <stdbool.h>

#include "sluice/base/slice.h"

/* One value in valid UTF-8, blanks around it, nothing else; arrays and objects nested at most
 * `depth_max` deep (the recursion is as deep). As in JSON.parse, members may come twice and escapes
 * may be lone surrogates. */
bool json_text_is_valid(struct slice text, unsigned depth_max);

#endif
