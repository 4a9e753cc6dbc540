#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/base64.h"

static ssize_t decode(struct slice text, char *octets, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	assert_non_null(exact);
	ssize_t len = base64_decode(text, exact, size);
	if (len > 0)
		memcpy(octets, exact, (size_t)len);
	free(exact);
	return len;
}

/* RFC 4648 §10, and what some readers let pass. */
static void texts(void **state)
{
	(void)state;
	static const struct {
		const char *text, *octets; /* NULL: refused */
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
		char octets[16];
		ssize_t len = decode(slice_of(cases[i].text), octets, sizeof(octets));
		if (len != (cases[i].octets ? (ssize_t)strlen(cases[i].octets) : -EINVAL))
			fail_msg("%s: %zd", cases[i].text, len);
		if (len > 0)
			assert_memory_equal(octets, cases[i].octets, (size_t)len);
	}
}

static void room(void **state)
{
	(void)state;
	char octets[8];
	for (size_t size = 0; size <= 6; size++) {
		assert_int_equal(decode(SLICE("Zm9vYmFy"), octets, size), size < 6 ? -EMSGSIZE : 6);
		assert_int_equal(decode(SLICE("Zm9vYg=="), octets, size), size < 4 ? -EMSGSIZE : 4);
	}
}

/* Of all the texts of four characters that differ in the last one, 64 are read. */
static void no_two_texts_mean_the_same(void **state)
{
	(void)state;
	static const char *const texts[] = { "AAAA", "AAA=", "AA==" };
	static const size_t good[] = { 64, 16, 4 };
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		size_t n = 0;
		for (unsigned c = 0; c < 256; c++) {
			char text[4], octets[4];
			memcpy(text, texts[i], sizeof(text));
			text[3 - i] = (char)c;
			n += decode(slice_make(text, 4), octets, 4) == (ssize_t)(3 - i);
		}
		assert_int_equal(n, good[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(room),
		cmocka_unit_test(no_two_texts_mean_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
