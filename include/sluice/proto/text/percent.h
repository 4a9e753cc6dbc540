/* Percent-encoding (RFC 3986 §2.1). */
#ifndef SLUICE_PROTO_TEXT_PERCENT_H
#define SLUICE_PROTO_TEXT_PERCENT_H

#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/slice.h"

/* Decodes `text` into `decoded`, which never needs more than text.len bytes. Returns the length;
 * -EINVAL: a '%' without two hex digits; -EMSGSIZE: the result does not fit in `size` bytes. */
ssize_t percent_decode(struct slice text, char *decoded, size_t size);

#endif
