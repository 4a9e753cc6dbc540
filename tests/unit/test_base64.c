#include "unit.h"

#include <errno.h>
#include <mbedtls/base64.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/base64.h"

static ssize_t decode(struct slice text, char *bytes, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	assert_non_null(exact);
	ssize_t len = base64_decode(text, exact, size);
	if (len > 0)
		memcpy(bytes, exact, (size_t)len);
	free(exact);
	return len;
}

/* RFC 4648 §10, and what other decoders accept. */
static void decodes_only_what_it_would_encode(void **state)
{
	(void)state;
	static const struct {
		const char *text, *bytes; /* NULL: refused */
	} cases[] = {
		{ "", "" },
		{ "Zg==", "f" },
		{ "Zm8=", "fo" },
		{ "Zm9v", "foo" },
		{ "Zm9vYg==", "foob" },
		{ "Zm9vYmE=", "fooba" },
		{ "Zm9vYmFy", "foobar" },
		{ "+/+/", "\xfb\xff\xbf" },
		{ "Zg", NULL },
		{ "Zg=", NULL },
		{ "Zh==", NULL },
		{ "Zm9=", NULL },
		{ "Z===", NULL },
		{ "====", NULL },
		{ "Zg==Zg==", NULL },
		{ "Zm=v", NULL },
		{ "Zm9v\n", NULL },
		{ "Zm 9v", NULL },
		{ "-_-_", NULL },
		{ "Zm9\xc3", NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char bytes[16];
		ssize_t len = decode(slice_of(cases[i].text), bytes, sizeof(bytes));
		if (len != (cases[i].bytes ? (ssize_t)strlen(cases[i].bytes) : -EINVAL))
			fail_msg("%s: %zd", cases[i].text, len);
		if (len > 0)
			assert_memory_equal(bytes, cases[i].bytes, (size_t)len);
	}
}

static void stops_when_the_room_is_full(void **state)
{
	(void)state;
	char bytes[8];
	for (size_t size = 0; size <= 6; size++) {
		assert_int_equal(decode(SLICE("Zm9vYmFy"), bytes, size), size < 6 ? -EMSGSIZE : 6);
		assert_int_equal(decode(SLICE("Zm9vYg=="), bytes, size), size < 4 ? -EMSGSIZE : 4);
	}
}

/* Whatever the last character before the padding is: 64, 16 or 4 strings are left. */
static void accepts_one_encoding_of_each_string(void **state)
{
	(void)state;
	static const char *const texts[] = { "AAAA", "AAA=", "AA==" };
	static const size_t good[] = { 64, 16, 4 };
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		size_t n = 0;
		for (unsigned c = 0; c < 256; c++) {
			char text[4], bytes[4];
			memcpy(text, texts[i], sizeof(text));
			text[3 - i] = (char)c;
			n += decode(slice_make(text, 4), bytes, 4) == (ssize_t)(3 - i);
		}
		assert_int_equal(n, good[i]);
	}
}

/* RFC 4648 §10; and the characters in which the alphabets differ. */
static void encodes_every_form(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *texts[3]; /* by enum base64_form */
	} cases[] = {
		{ "", { "", "", "" } },
		{ "f", { "Zg==", "Zg", "Zg" } },
		{ "fo", { "Zm8=", "Zm8", "Zm8" } },
		{ "foo", { "Zm9v", "Zm9v", "Zm9v" } },
		{ "foob", { "Zm9vYg==", "Zm9vYg", "Zm9vYg" } },
		{ "fooba", { "Zm9vYmE=", "Zm9vYmE", "Zm9vYmE" } },
		{ "foobar", { "Zm9vYmFy", "Zm9vYmFy", "Zm9vYmFy" } },
		{ "\xfb\xff\xbf", { "+/+/", "+/+/", "-_-_" } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (unsigned form = BASE64; form <= BASE64_URL_UNPADDED; form++) {
			struct slice expected = slice_of(cases[i].texts[form]);
			char *text = malloc(expected.len ? expected.len : 1);
			assert_non_null(text);
			size_t len = base64_encode(
				(enum base64_form)form, slice_of(cases[i].bytes), text);
			assert_true(slice_equal(slice_make(text, len), expected));
			free(text);
		}
	}
}

static void encodes_as_mbedtls_and_decodes_it_again(void **state)
{
	(void)state;
	unsigned char bytes[256], theirs[BASE64_ROOM(256) + 1];
	char ours[BASE64_ROOM(256)], again[256];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 167 + 13);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		size_t len;
		struct slice slice = slice_make((const char *)bytes, n);
		assert_int_equal(mbedtls_base64_encode(theirs, sizeof(theirs), &len, bytes, n), 0);
		assert_int_equal(base64_encode(BASE64, slice, ours), len);
		assert_memory_equal(ours, theirs, len);
		assert_int_equal(decode(slice_make(ours, len), again, n), n);
		assert_memory_equal(again, bytes, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_every_form),
		cmocka_unit_test(encodes_as_mbedtls_and_decodes_it_again),
		cmocka_unit_test(decodes_only_what_it_would_encode),
		cmocka_unit_test(stops_when_the_room_is_full),
		cmocka_unit_test(accepts_one_encoding_of_each_string),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
