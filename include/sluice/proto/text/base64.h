/* Base64 (RFC 4648), both ways. The code is ours: mbedTLS decodes too leniently for cookies (see
 * base64.c). */
#ifndef SLUICE_PROTO_TEXT_BASE64_H
#define SLUICE_PROTO_TEXT_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sluice/base/slice.h"

enum base64_form {
	BASE64,              /* §4, with "=" */
	BASE64_UNPADDED,     /* §4, without "=" */
	BASE64_URL_UNPADDED, /* §5: "-" and "_" for "+" and "/"; without "=" */
};

/* The room that `n` encoded bytes need in any form. */
#define BASE64_ROOM(n) (((n) + 2) / 3 * 4)

/* Writes at most BASE64_ROOM(bytes.len) characters, without a NUL. Returns how many. */
size_t base64_encode(enum base64_form form, struct slice bytes, char *text);

/* Decodes the form BASE64, and accepts only what base64_encode would write: every string of bytes
 * has exactly one encoding. Returns the number of bytes; -EINVAL: `text` is not such an encoding;
 * -EMSGSIZE: the result does not fit in `size` bytes. */
ssize_t base64_decode(struct slice text, uint8_t *bytes, size_t size);

#endif
