/* UTF-8 validation (RFC 3629), byte by byte and across any split: no overlong forms, no surrogates,
 * nothing above U+10FFFF. */
#ifndef SLUICE_PROTO_TEXT_UTF8_H
#define SLUICE_PROTO_TEXT_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/slice.h"

/* A zeroed struct is ready to use. */
struct utf8 {
	uint8_t state;
};

/* Feeds more bytes. False as soon as no continuation can make the text valid, to the byte. */
bool utf8_feed(struct utf8 *utf8, struct slice bytes);

/* May the text end here? False in the middle of a character. */
bool utf8_is_complete(const struct utf8 *utf8);

/* Is the whole of `bytes` valid UTF-8? */
bool utf8_is_valid(struct slice bytes);

#endif
