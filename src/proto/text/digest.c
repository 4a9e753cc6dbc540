/* mbedTLS' digests behind slices. HMAC(key, text) = H(key ^ opad, H(key ^ ipad, text)): a digest_key
 * holds the contexts after those first blocks, and each text continues with copies. Only memory can
 * run out: the kinds are built in, and no input is too long. */
#include "sluice/proto/text/digest.h"

#include <errno.h>
#include <mbedtls/md.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <string.h>

#include "sluice/base/mbed.h"
#include "sluice/base/secret.h"
#include "sluice/proto/text/base64.h"
#include "sluice/proto/text/hex.h"

static const mbedtls_md_info_t *info_of(enum digest_kind kind)
{
	return mbedtls_md_info_from_type(kind == DIGEST_SHA1 ? MBEDTLS_MD_SHA1 : MBEDTLS_MD_SHA256);
}

static size_t size_of(enum digest_kind kind)
{
	return kind == DIGEST_SHA1 ? DIGEST_SHA1_BYTES : DIGEST_SHA256_BYTES;
}

static const unsigned char *bytes_of(struct slice slice)
{
	return (const unsigned char *)(slice.len ? slice.at : "");
}

int digest_make(enum digest_kind kind, struct slice text, struct digest *ret_digest)
{
	ret_digest->len = size_of(kind);
	if (mbedtls_md(info_of(kind), bytes_of(text), text.len, ret_digest->bytes) != 0)
		return -ENOMEM;
	return 0;
}

int digest_make_keyed(
	enum digest_kind kind, struct slice key, struct slice text, struct digest *ret_digest)
{
	ret_digest->len = size_of(kind);
	if (mbedtls_md_hmac(info_of(kind), bytes_of(key), key.len, bytes_of(text), text.len,
		    ret_digest->bytes) != 0)
		return -ENOMEM;
	return 0;
}

/* ---- prepared keys ---- */

enum { BLOCK = 64, INNER_PAD = 0x36, OUTER_PAD = 0x5c };

union hash {
	mbedtls_sha1_context sha1;
	mbedtls_sha256_context sha256;
};

_Static_assert(sizeof(union hash) <= DIGEST_STATE_BYTES, "a state has room for a context");

/* Both: 0, or an error of mbedTLS. */
static int hash_begin(enum digest_kind kind, union hash *hash, const unsigned char block[BLOCK])
{
	if (kind == DIGEST_SHA1) {
		mbedtls_sha1_init(&hash->sha1);
		int error = mbed_sha1_starts(&hash->sha1);
		return error ? error : mbed_sha1_update(&hash->sha1, block, BLOCK);
	}
	mbedtls_sha256_init(&hash->sha256);
	int error = mbed_sha256_starts(&hash->sha256);
	return error ? error : mbed_sha256_update(&hash->sha256, block, BLOCK);
}

static int hash_go_on(enum digest_kind kind, const unsigned char *state, struct slice text,
	unsigned char digest[DIGEST_BYTES_MAX])
{
	const union hash *from = (const void *)state;
	union hash hash;
	int error;
	if (kind == DIGEST_SHA1) {
		mbedtls_sha1_init(&hash.sha1);
		mbedtls_sha1_clone(&hash.sha1, &from->sha1);
		error = mbed_sha1_update(&hash.sha1, bytes_of(text), text.len);
		error = error ? error : mbed_sha1_finish(&hash.sha1, digest);
		mbedtls_sha1_free(&hash.sha1);
	} else {
		mbedtls_sha256_init(&hash.sha256);
		mbedtls_sha256_clone(&hash.sha256, &from->sha256);
		error = mbed_sha256_update(&hash.sha256, bytes_of(text), text.len);
		error = error ? error : mbed_sha256_finish(&hash.sha256, digest);
		mbedtls_sha256_free(&hash.sha256);
	}
	return error;
}

static void pad(unsigned char block[BLOCK], unsigned char with)
{
	for (size_t i = 0; i < BLOCK; i++)
		block[i] ^= with;
}

int digest_key_make(enum digest_kind kind, struct slice key, struct digest_key *ret_key)
{
	unsigned char block[BLOCK] = { 0 };
	struct digest shorter = { 0 };
	int error = key.len > BLOCK ? digest_make(kind, key, &shorter) : 0;
	if (key.len > BLOCK)
		memcpy(block, shorter.bytes, shorter.len);
	else if (key.len)
		memcpy(block, key.at, key.len);
	ret_key->kind = kind;
	pad(block, INNER_PAD);
	if (!error)
		error = hash_begin(kind, (void *)ret_key->inner, block);
	pad(block, INNER_PAD ^ OUTER_PAD);
	if (!error)
		error = hash_begin(kind, (void *)ret_key->outer, block);
	secret_wipe(block, sizeof(block));
	secret_wipe(&shorter, sizeof(shorter));
	return error ? -ENOMEM : 0;
}

int digest_make_with(const struct digest_key *key, struct slice text, struct digest *ret_digest)
{
	unsigned char inner[DIGEST_BYTES_MAX];
	size_t len = ret_digest->len = size_of(key->kind);
	int error = hash_go_on(key->kind, key->inner, text, inner);
	if (!error)
		error = hash_go_on(key->kind, key->outer, slice_make((const char *)inner, len),
			ret_digest->bytes);
	return error ? -ENOMEM : 0;
}

/* ---- printing ---- */

size_t digest_print_hex(const struct digest *digest, char text[DIGEST_HEX_MAX])
{
	hex_print(digest->bytes, digest->len, text);
	return 2 * digest->len;
}

size_t digest_print_base64(const struct digest *digest, bool url, char text[DIGEST_BASE64_MAX])
{
	return base64_encode(url ? BASE64_URL_UNPADDED : BASE64_UNPADDED,
		slice_make((const char *)digest->bytes, digest->len), text);
}

bool digest_texts_are_equal(const char *a, const char *b, size_t len)
{
	volatile uint8_t found = 0;
	for (size_t i = 0; i < len; i++)
		found = (uint8_t)(found | ((uint8_t)a[i] ^ (uint8_t)b[i]));
	return found == 0;
}
