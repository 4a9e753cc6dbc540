#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exact.h"
#include "sluice/base/defs.h"
#include "sluice/proto/http/cookie.h"

static ssize_t find_and_decode(struct slice header, struct slice name, char *value, size_t size)
{
	struct slice raw = cookie_find(header, name);
	return raw.at ? cookie_decode(raw, value, size) : -ENOENT;
}

static void check_cookie(struct slice header, const char *expected)
{
	char value[64];
	char *copy = exact_copy(header);
	ssize_t len =
		find_and_decode(slice_make(copy, header.len), SLICE("sid"), value, sizeof(value));
	free(copy);
	if (!expected) {
		assert_int_equal(len, -ENOENT);
		return;
	}
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(value, expected, strlen(expected));
}

/* The expected values are what the npm package `cookie` 0.7.2 gives. */
static void reads_the_header_as_npm_cookie_does(void **state)
{
	(void)state;
	static const struct {
		const char *header, *value;
	} cases[] = {
		{ "sid=abc", "abc" },
		{ "sid=", "" },
		{ "sid", NULL },
		{ "", NULL },
		{ ";", NULL },
		{ ";;sid=1;;", "1" },
		{ "=", NULL },
		{ "=sid", NULL },
		{ "SID=abc", NULL },
		{ "Sid=abc", NULL },
		{ "xsid=abc", NULL },
		{ "sidx=abc", NULL },
		{ "a=1; sid=abc; b=2", "abc" },
		{ "a=1;sid=abc;b=2", "abc" },
		{ "a; sid=abc; b", "abc" },
		{ "sid; sid=abc", "abc" },
		{ "sid=first; sid=second", "first" },
		{ "sid=; sid=second", "" },
		{ "sid=%; sid=second", "%" },
		{ "  sid  =  abc  ", "abc" },
		{ "\tsid\t=\tabc\t;x=1", "abc" },
		{ "sid=a b", "a b" },
		{ "sid=a=b==", "a=b==" },
		{ "sid=\"abc\"", "abc" },
		{ "sid= \"abc\" ", "abc" },
		{ "sid=\" abc \"", " abc " },
		{ "sid=\"abc", "\"abc" },
		{ "sid=abc\"", "abc\"" },
		{ "sid=\"\"abc\"\"", "\"abc\"" },
		{ "sid=\"\"", "" },
		{ "sid=\"", "" },
		{ "sid=\"a;b\"", "\"a" },
		{ "sid=\"%41\"", "A" },
		{ "sid=%22a%22", "\"a\"" },
		{ "sid=s%3Aabc%2Edef", "s:abc.def" },
		{ "sid=%3b%3B%20", ";; " },
		{ "sid=a+b", "a+b" },
		{ "sid=%F0%9F%94%91", "\xF0\x9F\x94\x91" },
		{ "sid=%41%", "%41%" },
		{ "sid=%41%4", "%41%4" },
		{ "sid=%4g", "%4g" },
		{ "sid=%FF", "%FF" },
		{ "sid=%C3", "%C3" },
		{ "sid=%C0%80", "%C0%80" },
		{ "sid=%ED%A0%80", "%ED%A0%80" },
		{ "sid=%F4%90%80%80", "%F4%90%80%80" },
		{ "sid=%2541", "%41" },
		{ "%73id=abc", NULL },
		{ "a=\"; sid=abc; \"", "abc" },
		{ "$Version=1; sid=abc; $Path=/", "abc" },
		{ "a=1, sid=abc", NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check_cookie(slice_of(cases[i].header), cases[i].value);
	check_cookie((struct slice){ NULL, 0 }, NULL);
	check_cookie(SLICE("a=\0; sid=abc"), "abc");
}

static void compares_names_exactly(void **state)
{
	(void)state;
	char value[8];
	struct slice header = SLICE("__Host-sid=1; connect.sid=2; =3");
	assert_int_equal(find_and_decode(header, SLICE("__Host-sid"), value, sizeof(value)), 1);
	assert_int_equal(value[0], '1');
	assert_int_equal(find_and_decode(header, SLICE("connect.sid"), value, sizeof(value)), 1);
	assert_int_equal(value[0], '2');
	assert_int_equal(find_and_decode(header, SLICE("connect"), value, sizeof(value)), -ENOENT);
	assert_int_equal(find_and_decode(header, SLICE("sid"), value, sizeof(value)), -ENOENT);
}

static void refuses_a_value_that_does_not_fit(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		ssize_t result;
	} cases[] = {
		{ "sid=1234", 4 },
		{ "sid=12345", -EMSGSIZE },
		{ "sid=%31%32%33%34", 4 },
		{ "sid=%31%32%33%34%35", -EMSGSIZE },
		{ "sid=%31%32%33%", -EMSGSIZE },
		{ "sid=%31%", 4 },
		{ "sid=\"1234\"", 4 },
		{ "sid=     1234     ", 4 },
		{ "sid=", 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *value = malloc(4);
		assert_non_null(value);
		assert_int_equal(find_and_decode(slice_of(cases[i].header), SLICE("sid"), value, 4),
			cases[i].result);
		free(value);
	}
	assert_int_equal(find_and_decode(SLICE("sid="), SLICE("sid"), NULL, 0), 0);
	assert_int_equal(find_and_decode(SLICE("sid=1"), SLICE("sid"), NULL, 0), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_header_as_npm_cookie_does),
		cmocka_unit_test(compares_names_exactly),
		cmocka_unit_test(refuses_a_value_that_does_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
