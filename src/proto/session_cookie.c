/* From a cookie to a Redis key, by way of a signature.
 *
 *	value   s:BWmObiKx.tQLhHLBnkTmyKt…        as `cookie` decoded it
 *	        ^ ^sid     ^base64(HMAC-SHA256(secret, sid)), 43 characters without the "="
 *	key     sess:BWmObiKx                    the template "sess:{sid}" with the id filled in
 *
 * The peer chooses every octet of the value, so nothing is believed before the signature is good,
 *and the check gives away only "no". It does the same work whatever the value is like: it signs the
 *id with every secret, and compares all 43 characters with each, without a branch on what it finds;
 *a text of another length is compared too, and fails for its length. Which secret is the right one,
 *or how far a guess was right, cannot be seen in the time.
 *
 * It is the text that is compared. Base64 has several texts for the same octets (the last character
 * carries two bits that nobody reads), and the libraries that sign refuse all but one.
 *
 * Only ids of a plain alphabet become keys, even if signed: a backend that signs what a user typed
 * does not thereby let the user name any key in Redis. */
#include "sluice/proto/session_cookie.h"

#include <errno.h>
#include <mbedtls/base64.h>
#include <mbedtls/md.h>
#include <stdint.h>
#include <string.h>

#include "sluice/base/defs.h"

enum {
	DIGEST_BYTES = 32,
	SIGNATURE_LEN = 43, /* of the base64 of a digest, without its one "=" */
};

static const unsigned char *octets(struct slice slice)
{
	return (const unsigned char *)slice.at;
}

/* Writes the SIGNATURE_LEN characters that sign `sid`. */
static int sign(struct slice secret, struct slice sid, char *signature)
{
	const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
	unsigned char digest[DIGEST_BYTES], base64[SIGNATURE_LEN + 2];
	size_t len;
	if (mbedtls_md_hmac(sha256, octets(secret), secret.len, octets(sid), sid.len, digest) != 0)
		return -ENOMEM;
	MUST(mbedtls_base64_encode(base64, sizeof(base64), &len, digest, sizeof(digest)) == 0);
	memcpy(signature, base64, SIGNATURE_LEN);
	return 0;
}

/* 0: equal. The time depends on nothing in either. */
static uint8_t difference(const char *a, const char *b)
{
	volatile uint8_t found = 0;
	for (size_t i = 0; i < SIGNATURE_LEN; i++)
		found = (uint8_t)(found | ((uint8_t)a[i] ^ (uint8_t)b[i]));
	return found;
}

/* 0; -EACCES: it is nobody's; or -ENOMEM: that is not known. */
static int check_signature(
	const struct slice *secrets, size_t n_secrets, struct slice sid, struct slice signature)
{
	char presented[SIGNATURE_LEN] = { 0 }, expected[SIGNATURE_LEN] = { 0 };
	bool good = false;
	int failure = 0;
	if (signature.len)
		memcpy(presented, signature.at, MIN(signature.len, sizeof(presented)));
	for (size_t i = 0; i < n_secrets; i++) {
		/* Whoever knows that a secret is empty can sign: it signs nothing. */
		int error = secrets[i].len ? sign(secrets[i], sid, expected) : -EACCES;
		if (error == -ENOMEM)
			failure = error;
		good |= !error & (difference(presented, expected) == 0);
	}
	if (failure)
		return failure;
	return (good & (signature.len == SIGNATURE_LEN)) ? 0 : -EACCES;
}

static bool id_is_plain(struct slice sid)
{
	if (sid.len == 0 || sid.len > SESSION_ID_MAX)
		return false;
	for (size_t i = 0; i < sid.len; i++) {
		char c = sid.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool digit = c >= '0' && c <= '9';
		if (!letter && !digit && (c == '\0' || !strchr("_.~+/=-", c)))
			return false;
	}
	return true;
}

/* Splits "sid.signature" at the last dot. */
static bool split(struct slice value, struct slice *sid, struct slice *signature)
{
	const char *dot = value.len ? memrchr(value.at, '.', value.len) : NULL;
	if (!dot)
		return false;
	*sid = slice_make(value.at, (size_t)(dot - value.at));
	*signature = slice_skip(value, sid->len + 1);
	return true;
}

int session_cookie_verify(enum session_signature form, const struct slice *secrets,
	size_t n_secrets, struct slice value, struct slice *ret_sid)
{
	struct slice sid = value, signature;
	if (value.len > SESSION_COOKIE_MAX)
		return -EACCES;
	if (form == SESSION_SIGNATURE_CONNECT) {
		if (!slice_starts_with(value, SLICE("s:")))
			return -EACCES;
		value = slice_skip(value, 2);
	}
	if (form == SESSION_SIGNATURE_KEYGRIP || form == SESSION_SIGNATURE_ITSDANGEROUS ||
		form == SESSION_SIGNATURE_LARAVEL)
		return -EACCES;
	if (form != SESSION_SIGNATURE_NONE) {
		if (!split(value, &sid, &signature))
			return -EACCES;
		if (form == SESSION_SIGNATURE_DOT_HMAC_SHA256 &&
			signature.len == SIGNATURE_LEN + 1 && signature.at[SIGNATURE_LEN] == '=')
			signature.len--;
		int error = check_signature(secrets, n_secrets, sid, signature);
		if (error)
			return error;
	}
	if (!id_is_plain(sid))
		return -EACCES;
	*ret_sid = sid;
	return 0;
}

/* Writes the parts one after another. */
static ssize_t join(const struct slice *parts, size_t n, char *text, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].len > size - len)
			return -EMSGSIZE;
		if (parts[i].len)
			memcpy(text + len, parts[i].at, parts[i].len);
		len += parts[i].len;
	}
	return (ssize_t)len;
}

ssize_t session_cookie_sign(enum session_signature form, struct slice secret, struct slice sid,
	char *value, size_t size)
{
	char signature[SIGNATURE_LEN];
	if (form == SESSION_SIGNATURE_NONE)
		return join(&sid, 1, value, size);
	int error = sign(secret, sid, signature);
	if (error)
		return error;
	struct slice mark = form == SESSION_SIGNATURE_CONNECT ? SLICE("s:") : SLICE("");
	struct slice parts[] = { mark, sid, SLICE("."), slice_make(signature, SIGNATURE_LEN) };
	return join(parts, COUNT_OF(parts), value, size);
}

/* Cuts the template in two at its one placeholder. */
static bool cut_template(
	struct slice template, struct slice *before, struct slice *after, bool *hashed)
{
	struct slice rest = template;
	*before = slice_cut(&rest, '{');
	if (!rest.at)
		return false;
	struct slice placeholder = slice_cut(&rest, '}');
	*after = rest;
	*hashed = slice_equal(placeholder, SLICE("sid:sha256hex"));
	return rest.at && (*hashed || slice_equal(placeholder, SLICE("sid")));
}

bool session_key_template_is_valid(struct slice template)
{
	struct slice before, after;
	bool hashed;
	return cut_template(template, &before, &after, &hashed) &&
	       !(before.len && memchr(before.at, '}', before.len)) &&
	       !(after.len &&
		       (memchr(after.at, '{', after.len) || memchr(after.at, '}', after.len)));
}

static int sha256_hex(struct slice text, char *hex)
{
	const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
	unsigned char digest[DIGEST_BYTES];
	if (mbedtls_md(sha256, octets(text), text.len, digest) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(digest); i++) {
		hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	return 0;
}

ssize_t session_key_format(struct slice template, struct slice sid, char *key, size_t size)
{
	char hex[2 * DIGEST_BYTES];
	struct slice before, after;
	bool hashed;
	MUST(cut_template(template, &before, &after, &hashed));
	if (hashed) {
		int error = sha256_hex(sid, hex);
		if (error)
			return error;
		sid = slice_make(hex, sizeof(hex));
	}
	struct slice parts[] = { before, sid, after };
	return join(parts, COUNT_OF(parts), key, size);
}
