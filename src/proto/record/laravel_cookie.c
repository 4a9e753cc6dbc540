/* Opens an encrypted cookie, from the outside in:
 *
 *	value (base64) -> JSON -> iv, value, mac -> is the MAC valid? -> decrypt -> is it for this name?
 *
 * Until the MAC is verified, everything is chosen by a stranger, so it is parsed as narrowly as
 * possible: base64 only as PHP's base64_encode() writes it, and JSON only as json_encode() writes
 * these four members, in their order. A more general JSON parser would only let one cookie be
 * written in more ways. Nothing is decrypted before the MAC is verified, so a forger cannot learn
 * whether the padding is valid (RFC 7366 has the history of that attack).
 *
 * Behind a valid MAC is what the application wrote. It is checked all the same: a key may be used
 * for more than one thing. */
#include "sluice/proto/record/laravel_cookie.h"

#include <errno.h>
#include <mbedtls/aes.h>
#include <string.h>

#include "sluice/proto/text/base64.h"
#include "sluice/proto/text/digest.h"

enum {
	BLOCK = 16,
	IV_LEN = 24, /* of the base64 of a block */
	MAC_LEN = 2 * DIGEST_SHA256_BYTES,
	PREFIX_LEN = 2 * DIGEST_SHA1_BYTES,
	BYTES_MAX = LARAVEL_COOKIE_MAX / 4 * 3,
};

/* The members, in base64 and hex. */
struct payload {
	struct slice iv, value, mac;
};

int laravel_key_parse(struct slice text, uint8_t key[LARAVEL_KEY_BYTES])
{
	struct slice mark = SLICE("base64:");
	if (slice_starts_with(text, mark)) {
		ssize_t len = base64_decode(slice_skip(text, mark.len), key, LARAVEL_KEY_BYTES);
		return len == LARAVEL_KEY_BYTES ? 0 : -EINVAL;
	}
	if (text.len != LARAVEL_KEY_BYTES)
		return -EINVAL;
	memcpy(key, text.at, LARAVEL_KEY_BYTES);
	return 0;
}

/* ---- chosen by a stranger ---- */

/* Takes `"name":"text"`, where `head` is everything before the text. None of these strings has
 * escapes. */
static bool take_member(struct slice *rest, struct slice head, struct slice *text)
{
	if (!slice_take(rest, head))
		return false;
	*text = slice_cut(rest, '"');
	return rest->at && !(text->len && memchr(text->at, '\\', text->len));
}

/* Laravel up to version 7 writes no tag. */
static bool read_payload(struct slice json, struct payload *payload)
{
	return take_member(&json, SLICE("{\"iv\":\""), &payload->iv) && payload->iv.len == IV_LEN &&
	       take_member(&json, SLICE(",\"value\":\""), &payload->value) &&
	       take_member(&json, SLICE(",\"mac\":\""), &payload->mac) &&
	       payload->mac.len == MAC_LEN &&
	       (slice_equal(json, SLICE(",\"tag\":\"\"}")) || slice_equal(json, SLICE("}")));
}

/* Finds the key that the MAC was made with. 0, -EACCES or -ENOMEM. */
static int find_key(const struct slice *keys, size_t n_keys, const struct payload *payload,
	struct slice *ret_key)
{
	char signed_text[BYTES_MAX], expected[DIGEST_HEX_MAX];
	struct digest digest;
	struct slice found = { NULL, 0 };
	size_t len = payload->iv.len + payload->value.len;
	int failure = 0;
	MUST(len <= sizeof(signed_text));
	memcpy(signed_text, payload->iv.at, payload->iv.len);
	memcpy(signed_text + payload->iv.len, payload->value.at, payload->value.len);
	for (size_t i = 0; i < n_keys; i++) {
		if (keys[i].len != LARAVEL_KEY_BYTES)
			continue;
		if (digest_make_keyed(
			    DIGEST_SHA256, keys[i], slice_make(signed_text, len), &digest) != 0)
			failure = -ENOMEM;
		digest_print_hex(&digest, expected);
		if (digest_texts_are_equal(expected, payload->mac.at, MAC_LEN))
			found = keys[i];
	}
	*ret_key = found;
	return failure ? failure : found.at ? 0 : -EACCES;
}

/* ---- written by the application ---- */

/* Removes the padding (RFC 5652 §6.3). */
static int unpad(struct slice *text)
{
	size_t n = (unsigned char)text->at[text->len - 1];
	if (n == 0 || n > BLOCK)
		return -EACCES;
	for (size_t i = 1; i <= n; i++) {
		if ((unsigned char)text->at[text->len - i] != n)
			return -EACCES;
	}
	text->len -= n;
	return 0;
}

static int decrypt(struct slice key, const struct payload *payload, uint8_t text[BYTES_MAX],
	struct slice *ret_text)
{
	uint8_t iv[BLOCK], encrypted[BYTES_MAX];
	mbedtls_aes_context aes;
	ssize_t iv_len = base64_decode(payload->iv, iv, sizeof(iv));
	ssize_t len = base64_decode(payload->value, encrypted, sizeof(encrypted));
	if (iv_len != BLOCK || len <= 0 || len % BLOCK != 0)
		return -EACCES;
	mbedtls_aes_init(&aes);
	int error =
		mbedtls_aes_setkey_dec(&aes, (const unsigned char *)key.at, LARAVEL_KEY_BYTES * 8);
	if (!error)
		error = mbedtls_aes_crypt_cbc(
			&aes, MBEDTLS_AES_DECRYPT, (size_t)len, iv, encrypted, text);
	mbedtls_aes_free(&aes);
	*ret_text = slice_make((const char *)text, (size_t)len);
	return error ? -ENOMEM : unpad(ret_text);
}

/* Removes the prefix that ties the cookie to its name. 0, -EACCES or -ENOMEM. */
static int take_prefix(struct slice key, struct slice name, struct slice *text)
{
	char salted[256 + 32], expected[DIGEST_HEX_MAX];
	struct digest digest;
	if (name.len + 2 > sizeof(salted))
		return -EACCES;
	memcpy(salted, name.at, name.len);
	memcpy(salted + name.len, "v2", 2);
	if (digest_make_keyed(DIGEST_SHA1, key, slice_make(salted, name.len + 2), &digest) != 0)
		return -ENOMEM;
	size_t len = digest_print_hex(&digest, expected);
	bool good = slice_take(text, slice_make(expected, len)) && slice_take_char(text, '|');
	return good ? 0 : -EACCES;
}

int laravel_cookie_open(const struct slice *keys, size_t n_keys, struct slice name,
	struct slice value, char room[LARAVEL_COOKIE_MAX], struct slice *ret_text)
{
	uint8_t json[BYTES_MAX], plain[BYTES_MAX];
	struct payload payload;
	struct slice key, text;
	ssize_t len = base64_decode(value, json, sizeof(json));
	if (len < 0 || !read_payload(slice_make((const char *)json, (size_t)len), &payload))
		return -EACCES;
	int error = find_key(keys, n_keys, &payload, &key);
	if (!error)
		error = decrypt(key, &payload, plain, &text);
	if (!error)
		error = take_prefix(key, name, &text);
	if (error)
		return error;
	memcpy(room, text.at, text.len);
	*ret_text = slice_make(room, text.len);
	return 0;
}
