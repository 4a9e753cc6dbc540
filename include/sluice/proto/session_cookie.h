/* The signed cookie that carries the session id, and the Redis key that the id leads to.
 *
 * connect:          "s:" sid "." base64(HMAC-SHA256(secret, sid)) without "="   (express)
 * dot-hmac-sha256:  sid "." base64(HMAC-SHA256(secret, sid)), "=" optional      (fastify)
 * none:             sid
 *
 * The text of the signature is compared, never its decoded bytes, in constant time, against every
 * secret, with no early exit; an empty secret signs nothing. Nothing of the cookie is used before
 * that. The id is what stands before the LAST dot. */
#ifndef SLUICE_PROTO_SESSION_COOKIE_H
#define SLUICE_PROTO_SESSION_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/slice.h"

enum session_signature {
	SESSION_SIGNATURE_CONNECT,
	SESSION_SIGNATURE_DOT_HMAC_SHA256,
	SESSION_SIGNATURE_KEYGRIP,
	SESSION_SIGNATURE_ITSDANGEROUS,
	SESSION_SIGNATURE_LARAVEL,
	SESSION_SIGNATURE_NONE
};

/* How the cookie's value is written. */
enum session_cookie_encoding {
	SESSION_COOKIE_PERCENT,
	SESSION_COOKIE_PLAIN,
	SESSION_COOKIE_BASE64, /* of the id and, behind a dot, the name of a server */
};

enum {
	SESSION_ID_MAX = 256,
	SESSION_COOKIE_MAX = 512, /* longest decoded value that can be good */
	SESSION_KEY_MAX = 1024,
};

/* Verifies a decoded cookie value. 0 and the id (borrowed from `value`; [A-Za-z0-9_.~+/=-]{1,256}),
 * -EACCES, for whatever reason, or -ENOMEM: it could not be looked at. */
int session_cookie_verify(enum session_signature form, const struct slice *secrets,
	size_t n_secrets, struct slice value, struct slice *ret_sid);

/* Signs an id as the backend would ("connect" or "dot-hmac-sha256", not percent-encoded), for --dev
 * and tests. Gives the length; -EMSGSIZE: `size` is too small; -ENOMEM. */
ssize_t session_cookie_sign(enum session_signature form, struct slice secret, struct slice sid,
	char *value, size_t size);

/* Is `template` a key template? It holds {sid} or {sid:sha256hex} exactly once, no other brace. */
bool session_key_template_is_valid(struct slice template);

/* Writes the Redis key of a verified id. Gives the length; -EMSGSIZE: it does not fit; -ENOMEM. */
ssize_t session_key_format(struct slice template, struct slice sid, char *key, size_t size);

#endif
