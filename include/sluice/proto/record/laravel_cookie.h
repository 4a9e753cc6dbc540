/* The cookies of Laravel (Illuminate\Cookie\Middleware\EncryptCookies), which are encrypted:
 *
 *	base64({"iv":IV,"value":VALUE,"mac":MAC,"tag":""})
 *	MAC    hex(HMAC-SHA256(key, IV VALUE)), over both as they are written
 *	VALUE  base64(AES-256-CBC(key, IV, text)), IV itself in base64
 *	text   hex(HMAC-SHA1(key, NAME "v2")) "|" sid
 *
 * So a cookie says which name it was made for. The key is APP_KEY; APP_PREVIOUS_KEYS are more of them. */
#ifndef SLUICE_PROTO_RECORD_LARAVEL_COOKIE_H
#define SLUICE_PROTO_RECORD_LARAVEL_COOKIE_H

#include <stddef.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

enum {
	LARAVEL_KEY_BYTES = 32,
	LARAVEL_COOKIE_MAX = 512, /* longest value that can be good, and more than any is */
};

/* Reads a key as Laravel is given it: "base64:" and the octets in base64, or the octets themselves.
 * 0 or -EINVAL. */
MUST_CHECK int laravel_key_parse(struct slice text, uint8_t key[LARAVEL_KEY_BYTES]);

/* Decrypts the value (percent-decoded) of cookie `name`. 0 and the text behind the "|", written to
 * `room`; -EACCES: it is none of these keys', for whatever reason; -ENOMEM. All keys are tried, and the
 * MAC is compared in constant time, before anything is decrypted. A key that is not LARAVEL_KEY_BYTES
 * long opens nothing. */
MUST_CHECK int laravel_cookie_open(const struct slice *keys, size_t n_keys, struct slice name,
	struct slice value, char room[LARAVEL_COOKIE_MAX], struct slice *ret_text);

#endif
