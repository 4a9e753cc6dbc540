/* Laravel's encrypted cookies (Illuminate\Cookie\Middleware\EncryptCookies):
 *
 *	base64({"iv":IV,"value":VALUE,"mac":MAC,"tag":""})
 *	MAC    hex(HMAC-SHA256(key, IV VALUE)), over both in base64
 *	VALUE  base64(AES-256-CBC(key, IV, text)), IV itself in base64
 *	text   hex(HMAC-SHA1(key, NAME "v2")) "|" sid
 *
 * So a cookie contains the name that it was made for. The keys are APP_KEY and
 * APP_PREVIOUS_KEYS. */
#ifndef SLUICE_PROTO_RECORD_LARAVEL_COOKIE_H
#define SLUICE_PROTO_RECORD_LARAVEL_COOKIE_H

#include <stddef.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

enum {
	LARAVEL_KEY_BYTES = 32,
	LARAVEL_COOKIE_MAX = 512, /* longest value that is accepted; real ones are shorter */
};

/* Reads a key as it is configured in Laravel: "base64:" and the bytes in base64, or the bytes
 * themselves. 0 or -EINVAL. */
MUST_CHECK int laravel_key_parse(struct slice text, uint8_t key[LARAVEL_KEY_BYTES]);

/* Decrypts the value (percent-decoded) of cookie `name`. 0 and the text behind the "|", written to
 * `room`; -EACCES: no key opens it, for whatever reason; -ENOMEM. All keys are tried, and the MAC
 * is compared in constant time, before anything is decrypted. A key that is not LARAVEL_KEY_BYTES
 * long opens nothing. */
MUST_CHECK int laravel_cookie_open(const struct slice *keys, size_t n_keys, struct slice name,
	struct slice value, char room[LARAVEL_COOKIE_MAX], struct slice *ret_text);

#endif
