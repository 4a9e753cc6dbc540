#include "unit.h"

#include "sluice/base/defs.h"
#include "sluice/proto/record/compression.h"

/* Each was made by the tool of that name from `{}`; zlib's by its four levels. */
static void names_the_compression_of_a_record(void **state)
{
	(void)state;
	static const struct {
		struct slice record;
		const char *name; /* NULL: none */
	} cases[] = {
#define CASE(bytes, name) { { bytes, sizeof(bytes) - 1 }, name }
		CASE("\x78\x9c\xab\xae\x05\x00\x01\x75\x00\xf9", "zlib"),
		CASE("\x78\x01\xab\xae\x05\x00\x01\x75\x00\xf9", "zlib"),
		CASE("\x78\x5e\xab\xae\x05\x00\x01\x75\x00\xf9", "zlib"),
		CASE("\x78\xda\xab\xae\x05\x00\x01\x75\x00\xf9", "zlib"),
		CASE("\x1f\x8b\x08\x00", "gzip"),
		CASE("\x28\xb5\x2f\xfd\x20\x02\x11\x00\x00{}", "zstd"),
		CASE("\x04\x22\x4d\x18\x64\x40\xa7", "lz4"),
		CASE("\xfd"
		     "7zXZ\0",
			"xz"),
		CASE("\x78\x9d", NULL),
		CASE("\x78", NULL),
		CASE("", NULL),
		CASE("\x28\xb5\x2f", NULL),
		CASE("xa|i:1;", NULL),
		CASE("{\"authenticated\":true}", NULL),
		CASE("a:0:{}", NULL),
		CASE("\x80", NULL),
#undef CASE
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *name = record_compression(cases[i].record);
		if (!cases[i].name)
			assert_null(name);
		else
			assert_string_equal(name, cases[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_compression_of_a_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
