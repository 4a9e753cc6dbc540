#include "unit.h"

#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/digest.h"

/* FIPS 180-4's example "abc". */
static void makes_digests(void **state)
{
	(void)state;
	static const char *const expected[] = {
		[DIGEST_SHA1] = "a9993e364706816aba3e25717850c26c9cd0d89d",
		[DIGEST_SHA256] =
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	};
	for (unsigned kind = DIGEST_SHA1; kind <= DIGEST_SHA256; kind++) {
		struct digest digest;
		char text[DIGEST_HEX_MAX];
		assert_int_equal(digest_make((enum digest_kind)kind, SLICE("abc"), &digest), 0);
		size_t len = digest_print_hex(&digest, text);
		assert_true(slice_equal(slice_make(text, len), slice_of(expected[kind])));
	}
}

/* RFC 2202 §3, RFC 4231 §4.3: the key "Jefe"; then an empty key and text. */
static void makes_hmacs(void **state)
{
	(void)state;
	static const struct {
		enum digest_kind kind;
		struct slice key, text;
		const char *expected;
	} cases[] = {
		{ DIGEST_SHA1, { "Jefe", 4 }, { "what do ya want for nothing?", 28 },
			"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ DIGEST_SHA256, { "Jefe", 4 }, { "what do ya want for nothing?", 28 },
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ DIGEST_SHA256, { NULL, 0 }, { NULL, 0 },
			"b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct digest digest;
		char text[DIGEST_HEX_MAX];
		assert_int_equal(
			digest_make_keyed(cases[i].kind, cases[i].key, cases[i].text, &digest), 0);
		size_t len = digest_print_hex(&digest, text);
		assert_true(slice_equal(slice_make(text, len), slice_of(cases[i].expected)));
	}
}

/* Keys and texts of every length around a block's, each key for several texts. */
static void a_prepared_key_gives_the_same(void **state)
{
	(void)state;
	static char bytes[200];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 37);
	for (size_t len = 0; len <= 130; len++)
		for (int kind = DIGEST_SHA1; kind <= DIGEST_SHA256; kind++) {
			struct digest_key key;
			struct digest expected = { 0 }, digest = { 0 };
			struct slice secret = slice_make(len ? bytes : NULL, len);
			assert_int_equal(digest_key_make((enum digest_kind)kind, secret, &key), 0);
			for (size_t n = 0; n < sizeof(bytes); n += 13) {
				struct slice text = slice_make(bytes, n);
				assert_int_equal(digest_make_keyed((enum digest_kind)kind, secret,
							 text, &expected),
					0);
				assert_int_equal(digest_make_with(&key, text, &digest), 0);
				assert_int_equal(digest.len, expected.len);
				assert_memory_equal(digest.bytes, expected.bytes, digest.len);
			}
		}
}

static void prints_base64(void **state)
{
	(void)state;
	struct digest digest = { { 0xfb, 0xff, 0xbf }, 3 };
	char text[DIGEST_BASE64_MAX];
	assert_int_equal(digest_print_base64(&digest, false, text), 4);
	assert_memory_equal(text, "+/+/", 4);
	assert_int_equal(digest_print_base64(&digest, true, text), 4);
	assert_memory_equal(text, "-_-_", 4);
	digest.len = DIGEST_SHA1_BYTES;
	assert_int_equal(digest_print_base64(&digest, true, text), 27);
	digest.len = DIGEST_SHA256_BYTES;
	assert_int_equal(digest_print_base64(&digest, true, text), 43);
}

static void compares_bytes(void **state)
{
	(void)state;
	char a[] = "0123456789", b[] = "0123456789";
	assert_true(digest_texts_are_equal(a, b, 0));
	for (size_t i = 0; i < 10; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			b[i] = (char)(a[i] ^ (1 << bit));
			assert_false(digest_texts_are_equal(a, b, 10));
			assert_true(digest_texts_are_equal(a, b, i));
			b[i] = a[i];
		}
	}
	assert_true(digest_texts_are_equal(a, b, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_digests),
		cmocka_unit_test(makes_hmacs),
		cmocka_unit_test(a_prepared_key_gives_the_same),
		cmocka_unit_test(prints_base64),
		cmocka_unit_test(compares_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
