/* Laravel's cookies: laravel_cookie_open. The first byte says what the input is: the cookie, the
 * JSON in it, or IV, "\n" and value in that, to which a valid MAC is added. */
#include "fuzz.h"

#include <errno.h>

#include "sluice/proto/record/laravel_cookie.h"
#include "sluice/proto/text/base64.h"
#include "sluice/proto/text/digest.h"

static const struct slice KEYS[] = { { "another key that has 32 bytes...", 32 }, { "", 0 },
	{ "0123456789abcdef0123456789abcdef", 32 } };
static const struct slice NAME = { "laravel_session", 15 };

static void append_base64(struct buffer *out, struct slice bytes)
{
	char *text = malloc(BASE64_ROOM(bytes.len) + 1);
	MUST(text);
	fuzz_append(out, slice_make(text, base64_encode(BASE64, bytes, text)));
	free(text);
}

/* base64_decode reads what base64_encode wrote. */
static void check_base64(struct slice text, struct slice bytes)
{
	uint8_t *room = malloc(bytes.len ? bytes.len : 1);
	MUST(room);
	MUST(base64_decode(text, room, bytes.len) == (ssize_t)bytes.len);
	MUST(bytes.len == 0 || memcmp(room, bytes.at, bytes.len) == 0);
	free(room);
}

static bool opens(struct slice cookie)
{
	char *room = malloc(LARAVEL_COOKIE_MAX);
	struct slice text, copy = fuzz_copy(cookie);
	MUST(room);
	int error = laravel_cookie_open(KEYS, COUNT_OF(KEYS), NAME, copy, room, &text);
	MUST(error == 0 || error == -EACCES);
	if (!error)
		MUST(text.at >= room && text.at + text.len <= room + LARAVEL_COOKIE_MAX);
	fuzz_free(copy);
	free(room);
	return error == 0;
}

static void seal(struct slice iv, struct slice value, struct buffer *json)
{
	struct buffer both = { 0 };
	struct digest digest;
	char mac[DIGEST_HEX_MAX];
	fuzz_append(&both, iv);
	fuzz_append(&both, value);
	MUST(digest_make_keyed(DIGEST_SHA256, KEYS[2], buffer_slice(&both), &digest) == 0);
	fuzz_printf(json, "{\"iv\":\"");
	fuzz_append(json, iv);
	fuzz_printf(json, "\",\"value\":\"");
	fuzz_append(json, value);
	fuzz_printf(json, "\",\"mac\":\"");
	fuzz_append(json, slice_make(mac, digest_print_hex(&digest, mac)));
	fuzz_printf(json, "\",\"tag\":\"\"}");
	buffer_finish(&both);
}

/* No input contains a MAC for another cookie. */
static bool is_by_us(struct slice json)
{
	return json.len &&
	       memmem(json.at, json.len,
		       "b11c25e624b6ada500a8459c638a7227a4ca6b26b9951fb09c39adba5f45b5e7", 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = fuzz_rest(data, size);
	struct buffer json = { 0 }, cookie = { 0 };
	unsigned depth = size ? data[0] % 3 : 0;
	if (depth == 0) {
		opens(rest);
		return 0;
	}
	if (depth == 1) {
		fuzz_append(&json, rest);
	} else {
		struct slice iv = slice_cut(&rest, '\n');
		seal(iv, rest, &json);
	}
	append_base64(&cookie, buffer_slice(&json));
	check_base64(buffer_slice(&cookie), buffer_slice(&json));
	bool opened = opens(buffer_slice(&cookie));
	MUST(!opened || depth == 2 || is_by_us(buffer_slice(&json)));
	buffer_finish(&json);
	buffer_finish(&cookie);
	return 0;
}
