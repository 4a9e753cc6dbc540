/* Base64 (RFC 4648 §4), read as it is written and no other way: what decodes to some octets is the
 * one text that they are encoded as, with its "=", without blanks, and without bits left over. */
#ifndef SLUICE_PROTO_TEXT_BASE64_H
#define SLUICE_PROTO_TEXT_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sluice/base/slice.h"

/* Gives the number of octets; -EINVAL: it is not base64; -EMSGSIZE: they do not fit. */
ssize_t base64_decode(struct slice text, uint8_t *octets, size_t size);

#endif
