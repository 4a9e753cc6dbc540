#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "exact.h"
#include "sluice/base/defs.h"
#include "sluice/proto/text/json_text.h"

static bool is_valid(struct slice text, unsigned depth_max)
{
	char *copy = exact_copy(text);
	bool valid = json_text_is_valid(slice_make(copy, text.len), depth_max);
	free(copy);
	return valid;
}

static const char *const good[] = {
	"null",
	"true",
	"false",
	"0",
	"-0",
	"1",
	"-1",
	"10",
	"1234567890",
	"0.5",
	"-0.5",
	"1.25",
	"1e5",
	"1E5",
	"1e+5",
	"1e-5",
	"0e0",
	"0.0e00",
	"1e400",
	"9007199254740993",
	" 1 ",
	"\t\r\n 1\t\r\n ",
	"\"\"",
	"\"a\"",
	"\" \"",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
	"\"\\u0000\"",
	"\"\\uABCD\\uabcd\\u0123\"",
	"\"\\ud800\"",
	"\"\x7f\"",
	"\"\xc3\xa9\xf0\x9f\x94\x91\"",
	"\"'\"",
	"[]",
	"[ ]",
	"[1]",
	"[1,2]",
	"[ 1 , 2 ]",
	"[[],[]]",
	"[{}]",
	"{}",
	"{ }",
	"{\"a\":1}",
	"{ \"a\" : 1 , \"b\" : [ null , true , false ] }",
	"{\"\":\"\"}",
	"{\"a\":1,\"a\":2}",
	"{\"a\":{\"a\":{}}}",
	"[\"]\",\"}\",\",\"]",
};

static const char *const bad[] = {
	"",
	" ",
	"nul",
	"nulll",
	"Null",
	"NULL",
	"True",
	"undefined",
	"NaN",
	"Infinity",
	"-Infinity",
	"01",
	"-01",
	"00",
	"+1",
	"-",
	"--1",
	"1.",
	".5",
	"-.5",
	"1.e5",
	"1e",
	"1e+",
	"1e-",
	"e5",
	"1e5.5",
	"1e5e5",
	"0x10",
	"1_000",
	"1 2",
	"1-2",
	"1,",
	",1",
	"\"",
	"\"a",
	"a\"",
	"'a'",
	"\"a\"b",
	"\"a\" \"b\"",
	"\"\\\"",
	"\"\\x41\"",
	"\"\\a\"",
	"\"\\'\"",
	"\"\\u\"",
	"\"\\u12\"",
	"\"\\u123\"",
	"\"\\u123g\"",
	"\"\\uZZZZ\"",
	"\"\\U1234\"",
	"\"\n\"",
	"\"\t\"",
	"\"\x1f\"",
	"\"a\x01",
	"\"a\n",
	"\"\\x",
	"\"a\x01true",
	"\"a\x01\"",
	"[",
	"]",
	"[]]",
	"[[]",
	"[1,]",
	"[,1]",
	"[,]",
	"[1,,2]",
	"[1 2]",
	"[1;2]",
	"[1}",
	"{",
	"}",
	"{]",
	"{}}",
	"{1:2}",
	"{a:1}",
	"{'a':1}",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\" 1}",
	"{\"a\"::1}",
	"{:1}",
	"{\"a\":1,}",
	"{,\"a\":1}",
	"{\"a\":1,,\"b\":2}",
	"{\"a\":1 \"b\":2}",
	"{\"a\":1;\"b\":2}",
	"{\"a\":tru}",
	"{\"a\":01}",
	"{} {}",
	"{}x",
	"{},",
	"/**/1",
	"1//",
	"[1]#",
	"\v1",
	"\f1",
	"\xc2\xa0[]",
	"\xef\xbb\xbf{}",
	"\"\xff\"",
	"\"\xc3\"",
	"\"\xc0\x80\"",
	"\"\xed\xa0\x80\"",
	"\"\xf4\x90\x80\x80\"",
	"\xff",
	"(1)",
};

static void accepts_exactly_the_grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		if (!is_valid(slice_of(good[i]), 3))
			fail_msg("refused: %s", good[i]);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (is_valid(slice_of(bad[i]), 3))
			fail_msg("accepted: %s", bad[i]);
	}
	assert_false(json_text_is_valid((struct slice){ NULL, 0 }, 3));
	assert_false(is_valid(SLICE("1\0"), 3));
	assert_false(is_valid(SLICE("\0"
				    "1"),
		3));
	assert_false(is_valid(SLICE("\"\0\""), 3));
	assert_false(is_valid(SLICE("\"\\\0\""), 3));
	assert_false(is_valid(SLICE("\"\\u00\0\0\""), 3));
}

static void refuses_truncated_objects(void **state)
{
	(void)state;
	struct slice text =
		SLICE("{\"a\":[1.5e-3,\"\\u00e9\\n\",{\"b\":null}],\"c\":[true,false]}");
	assert_true(is_valid(text, 3));
	for (size_t len = 0; len < text.len; len++)
		assert_false(is_valid(slice_make(text.at, len), 3));
}

static void limits_the_depth(void **state)
{
	(void)state;
	assert_true(is_valid(SLICE("1"), 0));
	assert_false(is_valid(SLICE("[]"), 0));
	assert_false(is_valid(SLICE("{}"), 0));
	assert_true(is_valid(SLICE("[[],{},[]]"), 2));
	assert_false(is_valid(SLICE("[[],[[]]]"), 2));
	assert_false(is_valid(SLICE("[{\"a\":[]}]"), 2));
	enum { N = 100000 };
	char *text = malloc(N);
	assert_non_null(text);
	memset(text, '[', N);
	assert_false(json_text_is_valid(slice_make(text, N), 16));
	memset(text + 16, ']', 16);
	assert_true(json_text_is_valid(slice_make(text, 32), 16));
	assert_false(json_text_is_valid(slice_make(text, 32), 15));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_exactly_the_grammar),
		cmocka_unit_test(refuses_truncated_objects),
		cmocka_unit_test(limits_the_depth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
