/* From a Cookie header to a session id, by way of a signature.
 *
 *	header  connect.sid=s%3ABWmObiKx.tQLhHL…    found by `cookie`, under the first of its names
 *	                                            that is there; of several cookies of that name,
 *	                                            the one that the framework takes
 *	value   s:BWmObiKx.tQLhHLBnkTmyKt…          decoded
 *	        ^ ^sid     ^base64(HMAC-SHA256(secret, sid)), 43 characters without the "="
 *
 * A peer chooses every byte of it, so nothing is believed before the signature is verified, and the
 * check reveals only "no". It does the same work for every value: it signs the id with every
 * secret, and compares all characters with each signature, without a branch on the result; a
 * signature of another length is compared too, and fails for its length. The time does not show
 * which secret is the right one, or how far a guess was right.
 *
 * Signatures are compared as text. Base64 has several encodings for the same bytes (unused bits of
 * the last character), and the libraries that sign accept only one.
 *
 * The forms differ in digest, alphabet, and the place of the signature; see `forms`. */
#include "sluice/proto/record/session_cookie.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/base/secret.h"
#include "sluice/proto/http/cookie.h"
#include "sluice/proto/record/laravel_cookie.h"
#include "sluice/proto/record/session_key.h"
#include "sluice/proto/text/base64.h"
#include "sluice/proto/text/digest.h"

static const struct form {
	enum digest_kind digest;
	bool url;          /* base64url */
	size_t len;        /* of the signature */
	struct slice salt; /* to derive the key from the secret; absent: the secret is the key */
} forms[] = {
	[SESSION_SIGNATURE_CONNECT] = { DIGEST_SHA256, false, 43 },
	[SESSION_SIGNATURE_DOT_HMAC_SHA256] = { DIGEST_SHA256, false, 43 },
	[SESSION_SIGNATURE_KEYGRIP] = { DIGEST_SHA1, true, 27 },
	[SESSION_SIGNATURE_ITSDANGEROUS] = { DIGEST_SHA1, true, 27, { "flask-session", 13 } },
};

/* ---- signatures ---- */

static int make_key(const struct form *form, struct slice secret, struct digest_key *key)
{
	struct digest derived = { 0 };
	int error = 0;
	if (form->salt.at) {
		error = digest_make_keyed(form->digest, secret, form->salt, &derived);
		secret = slice_make((const char *)derived.bytes, derived.len);
	}
	if (!error)
		error = digest_key_make(form->digest, secret, key);
	secret_wipe(&derived, sizeof(derived));
	return error;
}

/* Writes the form's `len` characters of signature for `text`. */
static int sign_with(const struct form *form, const struct digest_key *key, struct slice text,
	char signature[DIGEST_BASE64_MAX])
{
	struct digest digest;
	int error = digest_make_with(key, text, &digest);
	if (!error)
		MUST(digest_print_base64(&digest, form->url, signature) == form->len);
	return error;
}

static int sign(const struct form *form, struct slice secret, struct slice text,
	char signature[DIGEST_BASE64_MAX])
{
	struct digest_key key;
	int error = make_key(form, secret, &key);
	if (!error)
		error = sign_with(form, &key, text, signature);
	secret_wipe(&key, sizeof(key));
	return error;
}

int session_cookie_make_keys(enum session_signature signature, const struct slice *secrets,
	size_t n_secrets, struct digest_key *ret_keys)
{
	int error = 0;
	MUST(session_signature_has_keys(signature));
	for (size_t i = 0; i < n_secrets && !error; i++)
		error = make_key(&forms[signature], secrets[i], &ret_keys[i]);
	return error;
}

/* What signatures are checked with. */
struct secrets {
	const struct slice *all;
	size_t n;
	const struct digest_key *keys; /* NULL: they are made each time */
};

static struct secrets secrets_of(const struct session_cookie_settings *settings)
{
	return (struct secrets){ settings->secrets, settings->n_secrets, settings->keys };
}

/* 0; -EACCES: no secret made this signature; or -ENOMEM: unknown. */
static int check_signature(const struct form *form, const struct secrets *secrets,
	struct slice text, struct slice signature)
{
	char presented[DIGEST_BASE64_MAX] = { 0 }, expected[DIGEST_BASE64_MAX] = { 0 };
	bool good = false;
	int failure = 0;
	if (signature.len)
		memcpy(presented, signature.at, MIN(signature.len, form->len));
	for (size_t i = 0; i < secrets->n; i++) {
		/* An empty secret is no secret: it signs nothing. */
		int error = !secrets->all[i].len ? -EACCES
			    : secrets->keys ? sign_with(form, &secrets->keys[i], text, expected)
					    : sign(form, secrets->all[i], text, expected);
		if (error == -ENOMEM)
			failure = error;
		good |= !error & digest_texts_are_equal(presented, expected, form->len);
	}
	if (failure)
		return failure;
	return (good & (signature.len == form->len)) ? 0 : -EACCES;
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

static int verify(enum session_signature form, const struct secrets *secrets, struct slice value,
	struct slice *ret_sid)
{
	struct slice sid = value, signature;
	if (value.len > SESSION_COOKIE_MAX || form == SESSION_SIGNATURE_KEYGRIP ||
		form == SESSION_SIGNATURE_LARAVEL)
		return -EACCES;
	if (form == SESSION_SIGNATURE_CONNECT) {
		if (!slice_starts_with(value, SLICE("s:")))
			return -EACCES;
		value = slice_skip(value, 2);
	}
	if (form != SESSION_SIGNATURE_NONE) {
		if (!split(value, &sid, &signature))
			return -EACCES;
		size_t len = forms[form].len;
		if (form == SESSION_SIGNATURE_DOT_HMAC_SHA256 && signature.len == len + 1 &&
			signature.at[len] == '=')
			signature.len--;
		int error = check_signature(&forms[form], secrets, sid, signature);
		if (error)
			return error;
	}
	bool good = form == SESSION_SIGNATURE_NONE ? session_id_is_plain(sid)
						   : session_id_is_plain_or_parts(sid);
	if (!good)
		return -EACCES;
	*ret_sid = sid;
	return 0;
}

int session_cookie_verify(enum session_signature form, const struct slice *secrets,
	size_t n_secrets, struct slice value, struct slice *ret_sid)
{
	return verify(form, &(struct secrets){ secrets, n_secrets, NULL }, value, ret_sid);
}

/* ---- the header ---- */

enum { FULL_NAME_MAX = sizeof("__Secure-") + SESSION_COOKIE_NAME_MAX };

/* The cookie in the header. */
struct found {
	char room[FULL_NAME_MAX];
	struct slice name; /* in the room */
	struct slice raw;  /* not decoded */
};

/* The cookie of this name that counts, or, if each does, the first one. Takes the header up to it
 * off. */
static struct slice choose(
	const struct session_cookie_settings *settings, struct slice *header, struct slice name)
{
	struct slice raw = cookie_next(header, name);
	if (!raw.at || settings->duplicates == SESSION_DUPLICATES_EACH)
		return raw;
	struct slice rest = *header, next = raw;
	*header = (struct slice){ NULL, 0 };
	while (settings->duplicates == SESSION_DUPLICATES_LAST && next.at) {
		raw = next;
		next = cookie_next(&rest, name);
	}
	return raw;
}

/* Finds the cookie's name, the first that is in the header. */
static bool find_name(
	const struct session_cookie_settings *settings, struct slice header, struct found *found)
{
	static const char *const prefixes[] = { "__Host-", "__Secure-", "" };
	struct slice name = settings->name;
	MUST(name.len <= SESSION_COOKIE_NAME_MAX);
	for (size_t i = settings->prefixes ? 0 : 2; i < COUNT_OF(prefixes); i++) {
		size_t len = strlen(prefixes[i]);
		memcpy(found->room, prefixes[i], len);
		memcpy(found->room + len, name.at, name.len);
		found->name = slice_make(found->room, len + name.len);
		if (cookie_find(header, found->name).at)
			return true;
	}
	return false;
}

/* Finds the cookie at or behind `at`, and moves `at` behind it. */
static bool find(const struct session_cookie_settings *settings, struct slice header, size_t *at,
	struct found *found)
{
	if (*at >= header.len)
		return false;
	struct slice rest = slice_skip(header, *at);
	found->raw = choose(settings, &rest, found->name);
	*at = rest.at ? (size_t)(rest.at - header.at) : header.len;
	return found->raw.at != NULL;
}

static ssize_t decode_plain(struct slice raw, char *room)
{
	if (raw.len > SESSION_COOKIE_MAX)
		return -EMSGSIZE;
	memcpy(room, raw.at, raw.len);
	return (ssize_t)raw.len;
}

/* Returns the length, or a negative errno. */
static ssize_t decode(const struct session_cookie_settings *settings, struct slice raw, char *room)
{
	if (settings->encoding == SESSION_COOKIE_PERCENT)
		return cookie_decode(raw, room, SESSION_COOKIE_MAX);
	if (settings->encoding == SESSION_COOKIE_PLAIN)
		return decode_plain(raw, room);
	ssize_t len = base64_decode(raw, (uint8_t *)room, SESSION_COOKIE_MAX);
	const char *dot = len > 0 ? memrchr(room, '.', (size_t)len) : NULL;
	return dot && settings->signature == SESSION_SIGNATURE_NONE ? dot - room : len;
}

/* The signature is over the pair as it is in the header. */
static int verify_keygrip(const struct session_cookie_settings *settings, struct slice header,
	const struct found *found, struct slice value)
{
	char name[FULL_NAME_MAX + 4], pair[FULL_NAME_MAX + 1 + SESSION_COOKIE_MAX];
	size_t len = found->name.len;
	memcpy(name, found->name.at, len);
	memcpy(name + len, ".sig", 4);
	memcpy(pair, found->name.at, len);
	pair[len] = '=';
	memcpy(pair + len + 1, value.at, value.len);
	struct slice signature = choose(settings, &header, slice_make(name, len + 4));
	struct secrets secrets = secrets_of(settings);
	int error = check_signature(&forms[SESSION_SIGNATURE_KEYGRIP], &secrets,
		slice_make(pair, len + 1 + value.len), signature);
	return error ? error : session_id_is_plain_or_parts(value) ? 0 : -EACCES;
}

/* The decrypted text replaces the value in `room`, which has been read by then. */
static int verify_laravel(const struct session_cookie_settings *settings, const struct found *found,
	struct slice value, char *room, struct slice *ret_sid)
{
	_Static_assert((int)LARAVEL_COOKIE_MAX == (int)SESSION_COOKIE_MAX, "one room for both");
	int error = laravel_cookie_open(
		settings->secrets, settings->n_secrets, found->name, value, room, ret_sid);
	return error ? error : session_id_is_plain_or_parts(*ret_sid) ? 0 : -EACCES;
}

static int verify_found(const struct session_cookie_settings *settings, struct slice header,
	const struct found *found, char room[SESSION_COOKIE_MAX], struct slice *ret_sid)
{
	ssize_t len = decode(settings, found->raw, room);
	if (len < 0)
		return len == -EMSGSIZE ? -ENOENT : -EACCES;
	struct slice value = slice_make(room, (size_t)len);
	if (settings->signature == SESSION_SIGNATURE_LARAVEL)
		return verify_laravel(settings, found, value, room, ret_sid);
	if (settings->signature == SESSION_SIGNATURE_KEYGRIP) {
		*ret_sid = value;
		return verify_keygrip(settings, header, found, value);
	}
	struct secrets secrets = secrets_of(settings);
	return verify(settings->signature, &secrets, value, ret_sid);
}

static int read_found(const struct session_cookie_settings *settings, struct slice header,
	const struct found *found, char room[SESSION_COOKIE_MAX], struct slice *ret_sid)
{
	int error = verify_found(settings, header, found, room, ret_sid);
	return error || !settings->plain || session_id_is_plain(*ret_sid) ? error : -EACCES;
}

/* Of several that are refused, the bad signature is what the caller should hear of. */
int session_cookie_read(const struct session_cookie_settings *settings, struct slice header,
	size_t *at, char room[SESSION_COOKIE_MAX], struct slice *ret_sid)
{
	struct found found;
	int result = -ENOENT;
	if (!settings->name.len || !find_name(settings, header, &found))
		return result;
	for (unsigned i = 0; i < SESSION_COOKIE_TRIES && find(settings, header, at, &found); i++) {
		int error = read_found(settings, header, &found, room, ret_sid);
		if (error != -ENOENT && error != -EACCES)
			return error;
		if (error == -EACCES)
			result = error;
	}
	return result;
}

/* ---- for --dev and tests ---- */

ssize_t session_cookie_sign(enum session_signature form, struct slice secret, struct slice sid,
	char *value, size_t size)
{
	char signature[DIGEST_BASE64_MAX];
	struct slice mark = form == SESSION_SIGNATURE_CONNECT ? SLICE("s:") : SLICE("");
	struct slice parts[4] = { mark, sid };
	if (form == SESSION_SIGNATURE_KEYGRIP || form == SESSION_SIGNATURE_LARAVEL)
		return -ENOTSUP;
	if (form != SESSION_SIGNATURE_NONE) {
		int error = sign(&forms[form], secret, sid, signature);
		if (error)
			return error;
		parts[2] = SLICE(".");
		parts[3] = slice_make(signature, forms[form].len);
	}
	return slice_join(parts, COUNT_OF(parts), value, size);
}
