/* Opens an encrypted cookie, from the outside in:
 *
 *	value (base64) -> JSON -> iv, value, mac -> is the mac good? -> decrypt -> is it for this name?
 *
 * Until the MAC is good, everything is what a stranger has sent, so what is read before it is read as
 * narrowly as it can be: base64 only as base64_encode() writes it, and the JSON only as json_encode()
 * writes these four members, in their order. A reader that knows more JSON than that would only let one
 * cookie be written in more ways. And nothing is decrypted before, so whether the padding of a forged
 * text is good is never told (RFC 7366 has the history of that).
 *
 * Behind a good MAC lies what the application wrote. It is looked at as closely all the same: a key may
 * be used by more than one thing. */
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
	OCTETS_MAX = LARAVEL_COOKIE_MAX / 4 * 3,
};

/* As they are written. */
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

/* ---- what a stranger has sent ---- */

static bool take(struct slice *rest, struct slice text)
{
	if (!slice_starts_with(*rest, text))
		return false;
	*rest = slice_skip(*rest, text.len);
	return true;
}

/* Takes `"name":"text"`; what needed an escape is no text of these. */
static bool take_member(struct slice *rest, struct slice head, struct slice *text)
{
	if (!take(rest, head))
		return false;
	*text = slice_cut(rest, '"');
	return rest->at && !(text->len && memchr(text->at, '\\', text->len));
}

/* Laravel up to 7 writes no tag. */
static bool read_payload(struct slice json, struct payload *payload)
{
	return take_member(&json, SLICE("{\"iv\":\""), &payload->iv) && payload->iv.len == IV_LEN &&
	       take_member(&json, SLICE(",\"value\":\""), &payload->value) &&
	       take_member(&json, SLICE(",\"mac\":\""), &payload->mac) &&
	       payload->mac.len == MAC_LEN &&
	       (slice_equal(json, SLICE(",\"tag\":\"\"}")) || slice_equal(json, SLICE("}")));
}

/* Finds the key that has made the MAC. 0, -EACCES or -ENOMEM. */
static int find_key(const struct slice *keys, size_t n_keys, const struct payload *payload,
	struct slice *ret_key)
{
	char signed_text[OCTETS_MAX], expected[DIGEST_HEX_MAX];
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

/* ---- what the application has written ---- */

/* Takes the padding off (RFC 5652 §6.3). */
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

static int decrypt(struct slice key, const struct payload *payload, uint8_t text[OCTETS_MAX],
	struct slice *ret_text)
{
	uint8_t iv[BLOCK], encrypted[OCTETS_MAX];
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

/* Takes off what says that the cookie was made for this name. 0, -EACCES or -ENOMEM. */
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
	return take(text, slice_make(expected, len)) && take(text, SLICE("|")) ? 0 : -EACCES;
}

int laravel_cookie_open(const struct slice *keys, size_t n_keys, struct slice name,
	struct slice value, char room[LARAVEL_COOKIE_MAX], struct slice *ret_text)
{
	uint8_t json[OCTETS_MAX], plain[OCTETS_MAX];
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
