/* The cookie with the session id: found in the header, decoded, verified.
 *
 * connect:          "s:" sid "." base64(HMAC-SHA256(secret, sid)) without "="     (express)
 * dot-hmac-sha256:  sid "." base64(HMAC-SHA256(secret, sid)), "=" optional        (fastify)
 * keygrip:          sid, and in a second cookie NAME.sig
 *                   base64url(HMAC-SHA1(secret, NAME "=" sid)) without "="        (koa)
 * itsdangerous:     sid "." base64url(HMAC-SHA1(key, sid)) without "=", where key is
 *                   HMAC-SHA1(secret, "flask-session")                            (Flask-Session)
 * laravel:          encrypted; see laravel_cookie.h
 * none:             sid
 *
 * The signature is compared as text, not decoded, in constant time, with that of every secret and
 * without an early exit; an empty secret signs nothing. Nothing of the cookie is used before that.
 * The id ends at the LAST dot. */
#ifndef SLUICE_PROTO_RECORD_SESSION_COOKIE_H
#define SLUICE_PROTO_RECORD_SESSION_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/slice.h"
#include "sluice/proto/text/digest.h"

enum session_signature {
	SESSION_SIGNATURE_CONNECT,
	SESSION_SIGNATURE_DOT_HMAC_SHA256,
	SESSION_SIGNATURE_KEYGRIP,
	SESSION_SIGNATURE_ITSDANGEROUS,
	SESSION_SIGNATURE_LARAVEL,
	SESSION_SIGNATURE_NONE
};

/* The encoding of the cookie's value. */
enum session_cookie_encoding {
	SESSION_COOKIE_PERCENT,
	SESSION_COOKIE_PLAIN,
	SESSION_COOKIE_BASE64, /* may end with ".NAME" of a server, which is dropped (Spring) */
};

/* Which of several cookies of one name counts. */
enum session_duplicates {
	SESSION_DUPLICATES_FIRST,
	SESSION_DUPLICATES_LAST,
	SESSION_DUPLICATES_EACH, /* all of them, in their order */
};

enum {
	SESSION_COOKIE_MAX = 512,      /* longest decoded value that is accepted */
	SESSION_COOKIE_NAME_MAX = 256, /* longest name */
	SESSION_COOKIE_TRIES = 16,     /* of several cookies, so many are verified by one call */
};

struct session_cookie_settings {
	struct slice name; /* at most SESSION_COOKIE_NAME_MAX */
	bool prefixes;     /* look for __Host-NAME and __Secure-NAME first (RFC 6265bis §4.1.3) */
	enum session_cookie_encoding encoding;
	enum session_signature signature;
	const struct slice *secrets; /* for laravel: keys of LARAVEL_KEY_BYTES */
	size_t n_secrets;
	const struct digest_key *keys; /* of the secrets, by session_cookie_make_keys; or NULL */
	enum session_duplicates duplicates;
	bool plain; /* refuse ids that are not plain, even if they are signed */
};

/* Is it an HMAC alone, so that session_cookie_make_keys saves work? */
static inline bool session_signature_has_keys(enum session_signature signature)
{
	return signature != SESSION_SIGNATURE_NONE && signature != SESSION_SIGNATURE_LARAVEL;
}

/* Prepares a key of each secret, for many cookies. The caller wipes them. 0 or -ENOMEM. */
MUST_CHECK int session_cookie_make_keys(enum session_signature signature,
	const struct slice *secrets, size_t n_secrets, struct digest_key *ret_keys);

/* Finds the cookie in one or several Cookie headers joined with "; ", and verifies it. 0 and the
 * id, plain as in session_key.h (or, if signed, of plain parts), written to `room`; -ENOENT: there
 * is no such cookie, or it is too long; -EACCES: it is refused, for whatever reason; -ENOMEM: it
 * could not be checked.
 *
 * `at`: where to look in the header, 0 at first. Afterwards it is behind the cookie that was read.
 * With SESSION_DUPLICATES_EACH, cookies that are refused are skipped, and calling again with this
 * `at` and the same header reads the next one; otherwise there is no next one. */
int session_cookie_read(const struct session_cookie_settings *settings, struct slice header,
	size_t *at, char room[SESSION_COOKIE_MAX], struct slice *ret_sid);

/* Verifies a decoded value in a form that needs nothing else (others return -EACCES). Results as
 * above; the id is borrowed from `value`. */
int session_cookie_verify(enum session_signature form, const struct slice *secrets,
	size_t n_secrets, struct slice value, struct slice *ret_sid);

/* Signs an id as the backend does, for --dev and tests; not percent-encoded. Returns the length;
 * -EMSGSIZE: `size` is too small; -ENOTSUP: this form is not a single value; -ENOMEM. */
ssize_t session_cookie_sign(enum session_signature form, struct slice secret, struct slice sid,
	char *value, size_t size);

#endif
