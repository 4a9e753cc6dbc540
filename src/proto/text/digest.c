/* mbedTLS' digests behind slices. Only memory can run out: the kinds are built in, and no input is
 * too long. */
#include "sluice/proto/text/digest.h"

#include <errno.h>
#include <mbedtls/md.h>

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
