/* Digests and HMACs (FIPS 180-4, RFC 2104), and their printed forms. */
#ifndef SLUICE_PROTO_TEXT_DIGEST_H
#define SLUICE_PROTO_TEXT_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

enum digest_kind { DIGEST_SHA1, DIGEST_SHA256 };

enum {
	DIGEST_SHA1_BYTES = 20,
	DIGEST_SHA256_BYTES = 32,
	DIGEST_BYTES_MAX = DIGEST_SHA256_BYTES,
	DIGEST_HEX_MAX = 2 * DIGEST_BYTES_MAX,
	DIGEST_BASE64_MAX = 43, /* without "=" */
	DIGEST_STATE_BYTES = 128,
};

struct digest {
	uint8_t bytes[DIGEST_BYTES_MAX];
	size_t len;
};

/* Both: 0 or -ENOMEM. */
MUST_CHECK int digest_make(enum digest_kind kind, struct slice text, struct digest *ret_digest);
/* HMAC. */
MUST_CHECK int digest_make_keyed(
	enum digest_kind kind, struct slice key, struct slice text, struct digest *ret_digest);

/* A key of HMAC, prepared: what is left of its two padded blocks. Half of the work for a short text is
 * done then. It is as secret as the key: its owner wipes it. It may be copied. */
struct digest_key {
	enum digest_kind kind;
	_Alignas(8) unsigned char inner[DIGEST_STATE_BYTES],
		outer[DIGEST_STATE_BYTES]; /* private */
};

/* Both: 0 or -ENOMEM. The key of digest_key_make need not outlive it. */
MUST_CHECK int digest_key_make(enum digest_kind kind, struct slice key, struct digest_key *ret_key);
MUST_CHECK int digest_make_with(
	const struct digest_key *key, struct slice text, struct digest *ret_digest);

/* Both return the length and write no NUL. Hex digits are lower case. */
size_t digest_print_hex(const struct digest *digest, char text[DIGEST_HEX_MAX]);
/* Base64 without "="; `url`: base64url (RFC 4648 §5). */
size_t digest_print_base64(const struct digest *digest, bool url, char text[DIGEST_BASE64_MAX]);

/* Compares `len` bytes in a time that does not depend on them. */
bool digest_texts_are_equal(const char *a, const char *b, size_t len);

#endif
