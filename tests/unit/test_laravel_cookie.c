/* Cookies as Laravel's Encrypter makes them, and forged ones. */
#include "unit.h"

#include <errno.h>
#include <mbedtls/aes.h>
#include <mbedtls/base64.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/proto/record/laravel_cookie.h"
#include "sluice/proto/text/digest.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define SID "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcd"
/* hex(HMAC-SHA1(KEY, "laravel_sessionv2")) */
#define PREFIX "502fe6a0af0bde61b4bc3b9227006d26ab0fc746|"

static const struct slice key = { KEY, 32 }, name = { "laravel_session", 15 };

static struct slice encode(struct slice bytes, char text[1024])
{
	size_t len;
	assert_int_equal(mbedtls_base64_encode((unsigned char *)text, 1024, &len,
				 (const unsigned char *)bytes.at, bytes.len),
		0);
	return slice_make(text, len);
}

/* `plain` includes its padding. */
static struct slice encrypt(struct slice plain, char text[1024])
{
	unsigned char iv[16], encrypted[512];
	mbedtls_aes_context aes;
	memset(iv, 7, sizeof(iv));
	mbedtls_aes_init(&aes);
	assert_int_equal(mbedtls_aes_setkey_enc(&aes, (const unsigned char *)key.at, 256), 0);
	assert_int_equal(mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_ENCRYPT, plain.len, iv,
				 (const unsigned char *)plain.at, encrypted),
		0);
	mbedtls_aes_free(&aes);
	return encode(slice_make((const char *)encrypted, plain.len), text);
}

/* iv "": the one that encrypt() used. `format` takes IV, value and MAC. */
static struct slice seal(const char *format, struct slice iv, struct slice value, char text[1024])
{
	char both[1024], mac[DIGEST_HEX_MAX], iv_text[1024];
	struct buffer json = { 0 };
	struct digest digest;
	if (!iv.len)
		iv = encode(SLICE("\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7"), iv_text);
	int len = snprintf(both, sizeof(both), "%.*s%.*s", SLICE_ARGS(iv), SLICE_ARGS(value));
	assert_int_equal(
		digest_make_keyed(DIGEST_SHA256, key, slice_make(both, (size_t)len), &digest), 0);
	struct slice mac_text = slice_make(mac, digest_print_hex(&digest, mac));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	assert_int_equal(buffer_printf(&json, format, SLICE_ARGS(iv), SLICE_ARGS(value),
				 SLICE_ARGS(mac_text)),
		0);
#pragma GCC diagnostic pop
	struct slice cookie = encode(buffer_slice(&json), text);
	buffer_finish(&json);
	return cookie;
}

static const char as_laravel[] =
	"{\"iv\":\"%.*s\",\"value\":\"%.*s\",\"mac\":\"%.*s\",\"tag\":\"\"}";

/* The text; NULL: refused. */
static const char *open_by(const struct slice *keys, size_t n_keys, struct slice cookie)
{
	static char text[LARAVEL_COOKIE_MAX + 1];
	struct slice found;
	char *exact = malloc(cookie.len ? cookie.len : 1), *room = malloc(LARAVEL_COOKIE_MAX);
	assert_non_null(exact);
	assert_non_null(room);
	memcpy(exact, cookie.at, cookie.len);
	int error = laravel_cookie_open(
		keys, n_keys, name, slice_make(exact, cookie.len), room, &found);
	assert_true(error == 0 || error == -EACCES);
	if (!error)
		snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(found));
	free(exact);
	free(room);
	return error ? NULL : text;
}

static const char *open_cookie(struct slice cookie)
{
	return open_by(&key, 1, cookie);
}

static void opens_a_cookie(void **state)
{
	(void)state;
	char value[1024], text[1024];
	struct slice sealed = seal(as_laravel, SLICE(""),
		encrypt(SLICE(PREFIX SID
				"\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f"),
			value),
		text);
	assert_string_equal(open_cookie(sealed), SID);
	for (size_t len = 0; len < sealed.len; len++)
		assert_null(open_cookie(slice_make(sealed.at, len)));
	for (size_t i = 0; i < sealed.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			text[i] = (char)(text[i] ^ (1 << bit));
			assert_null(open_cookie(sealed));
			text[i] = (char)(text[i] ^ (1 << bit));
		}
	}
	assert_string_equal(open_cookie(sealed), SID);
}

static void opens_with_any_key(void **state)
{
	(void)state;
	char value[1024], text[1024];
	struct slice sealed =
		seal(as_laravel, SLICE(""), encrypt(SLICE(PREFIX "abcdef\x01"), value), text);
	const struct slice keys[] = { SLICE("0123456789abcdef0123456789abcdeF"), key, SLICE(""),
		SLICE("short"), SLICE(KEY "x") };
	assert_string_equal(open_by(keys, COUNT_OF(keys), sealed), "abcdef");
	assert_null(open_by(keys, 1, sealed));
	assert_null(open_by(keys + 2, 3, sealed));
	assert_null(open_by(NULL, 0, sealed));
}

/* All of them have a valid MAC. */
static void checks_padding_and_prefix(void **state)
{
	(void)state;
	static const struct {
		struct slice plain;
		const char *text; /* NULL: refused */
	} cases[] = {
		{ { PREFIX "abcdef\x01", 48 }, "abcdef" },
		{ { PREFIX "\x07\x07\x07\x07\x07\x07\x07", 48 }, "" },
		{ { PREFIX "abcdef\x00", 48 }, NULL },
		{ { PREFIX "abcdef\x02", 48 }, NULL },
		{ { PREFIX "abcdef\x11", 48 }, NULL },
		{ { PREFIX "abcdefg", 48 }, NULL },
		{ { "502fe6a0af0bde61b4bc3b9227006d26ab0fc747|abcdef\x01", 48 }, NULL },
		{ { "502fe6a0af0bde61b4bc3b9227006d26ab0fc746:abcdef\x01", 48 }, NULL },
		{ { "502FE6a0af0bde61b4bc3b9227006d26ab0fc746|abcdef\x01", 48 }, NULL },
		{ { "abcdefabcdefabc\x01", 16 }, NULL },
		{ { "\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10", 16 },
			NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char value[1024], text[1024];
		const char *opened = open_cookie(
			seal(as_laravel, SLICE(""), encrypt(cases[i].plain, value), text));
		if (!cases[i].text)
			assert_null(opened);
		else
			assert_string_equal(opened, cases[i].text);
	}
}

static void accepts_one_form_of_json(void **state)
{
	(void)state;
	static const struct {
		const char *format;
		bool good;
	} cases[] = {
		{ as_laravel, true },
		{ "{\"iv\":\"%.*s\",\"value\":\"%.*s\",\"mac\":\"%.*s\"}", true },
		{ "{\"iv\":\"%.*s\",\"value\":\"%.*s\",\"mac\":\"%.*s\",\"tag\":\"x\"}", false },
		{ "{\"iv\":\"%.*s\",\"value\":\"%.*s\",\"mac\":\"%.*s\",\"tag\":null}", false },
		{ "{\"iv\":\"%.*s\",\"value\":\"%.*s\",\"mac\":\"%.*s\",\"tag\":\"\"} ", false },
		{ "{\"iv\": \"%.*s\",\"value\":\"%.*s\",\"mac\":\"%.*s\",\"tag\":\"\"}", false },
		{ "{\"IV\":\"%.*s\",\"value\":\"%.*s\",\"mac\":\"%.*s\",\"tag\":\"\"}", false },
		{ "{\"iv\":\"%.*s\",\"value\":\"%.*s\\\",\"mac\":\"%.*s\",\"tag\":\"\"}", false },
		{ "{\"iv\":\"%.*s\",\"value\":\"%.*s\",\"mac\":\"%.*s0\",\"tag\":\"\"}", false },
		{ "{\"iv\":\"%.*s\",\"value\":\"%.*s\",\"mac\":\"%.*s", false },
		{ "[\"%.*s\",\"%.*s\",\"%.*s\"]", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char value[1024], text[1024];
		struct slice sealed = seal(cases[i].format, SLICE(""),
			encrypt(SLICE(PREFIX "abcdef\x01"), value), text);
		if (cases[i].good)
			assert_string_equal(open_cookie(sealed), "abcdef");
		else
			assert_null(open_cookie(sealed));
	}
	assert_null(open_cookie(SLICE("")));
	assert_null(open_cookie(SLICE("e30=")));
}

/* Each with a valid MAC. */
static void refuses_values_that_are_not_ciphertext(void **state)
{
	(void)state;
	static const char *const ivs[] = { "BwcHBwcHBwcHBwcHBwcHBwc=", "BwcHBwcHBwcHBwcHBwcHBwcH",
		"BwcHBwcHBwcHBwcHBwcHBx==", "BwcHBwcHBwcHBwcHBwcHB!==" };
	static const char *const values[] = { "", "AAAA",
		"AAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAB==" };
	char value[1024], text[1024];
	struct slice good = encrypt(SLICE(PREFIX "abcdef\x01"), value);
	for (size_t i = 0; i < COUNT_OF(ivs); i++)
		assert_null(open_cookie(seal(as_laravel, slice_of(ivs[i]), good, text)));
	for (size_t i = 0; i < COUNT_OF(values); i++)
		assert_null(open_cookie(seal(as_laravel, SLICE(""), slice_of(values[i]), text)));
}

static void limits_the_length_of_a_cookie(void **state)
{
	(void)state;
	size_t n_good = 0;
	for (size_t blocks = 3; blocks < 20; blocks++) {
		char plain[512], value[1024], text[1024];
		memset(plain, 'a', sizeof(plain));
		memcpy(plain, PREFIX, 41);
		plain[16 * blocks - 1] = 1;
		struct slice sealed = seal(as_laravel, SLICE(""),
			encrypt(slice_make(plain, 16 * blocks), value), text);
		const char *opened = open_cookie(sealed);
		if (sealed.len <= LARAVEL_COOKIE_MAX)
			assert_int_equal(strlen(opened), 16 * blocks - 42);
		else
			assert_null(opened);
		n_good += opened != NULL;
	}
	assert_true(n_good > 5 && n_good < 17);
}

static void limits_the_length_of_a_name(void **state)
{
	(void)state;
	char value[1024], text[1024], room[LARAVEL_COOKIE_MAX], long_name[400];
	struct slice sealed = seal(as_laravel, SLICE(""),
			     encrypt(SLICE(PREFIX "abcdef\x01"), value), text),
		     found;
	memset(long_name, 'n', sizeof(long_name));
	for (size_t len = 250; len < sizeof(long_name); len++)
		assert_int_equal(laravel_cookie_open(
					 &key, 1, slice_make(long_name, len), sealed, room, &found),
			-EACCES);
}

static void parses_keys(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{ "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", 0 },
		{ KEY, 0 },
		{ "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", -EINVAL },
		{ "base64:MDEyMzQ1Njc4OWFiY2RlZg==", -EINVAL },
		{ "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZn", -EINVAL },
		{ "base64:", -EINVAL },
		{ KEY "x", -EINVAL },
		{ "", -EINVAL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t bytes[LARAVEL_KEY_BYTES];
		assert_int_equal(
			laravel_key_parse(slice_of(cases[i].text), bytes), cases[i].result);
		if (!cases[i].result)
			assert_memory_equal(bytes, KEY, LARAVEL_KEY_BYTES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_a_cookie),
		cmocka_unit_test(opens_with_any_key),
		cmocka_unit_test(checks_padding_and_prefix),
		cmocka_unit_test(accepts_one_form_of_json),
		cmocka_unit_test(refuses_values_that_are_not_ciphertext),
		cmocka_unit_test(limits_the_length_of_a_cookie),
		cmocka_unit_test(limits_the_length_of_a_name),
		cmocka_unit_test(parses_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
