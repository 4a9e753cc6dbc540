/* UTF-8 validation (RFC 3629), octet by octet across any split: no overlong forms, no surrogates,
 * nothing above U+10FFFF. */
#ifndef SLUICE_PROTO_TEXT_UTF8_H
#define SLUICE_PROTO_TEXT_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/slice.h"

/* Zero is the start of a character, so a zeroed struct is ready. */
struct utf8 {
	uint8_t state;
};

/* Feeds more bytes. False from the very octet on after which no continuation can be valid. */
bool utf8_feed(struct utf8 *utf8, struct slice bytes);

/* May the text end here? False within a character. */
bool utf8_is_complete(const struct utf8 *utf8);

/* Is this, whole, valid UTF-8? */
bool utf8_is_valid(struct slice bytes);

#endif
