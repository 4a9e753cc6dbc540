#include "unit.h"

#include <errno.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/record/session_hash.h"

#define FIELD(text) \
	{ \
		text, sizeof(text) - 1 \
	}

static void prints_fields_as_members(void **state)
{
	(void)state;
	static const struct {
		struct slice name, value;
		const char *json; /* the member */
	} cases[] = {
		{ FIELD("a"), FIELD("{\"b\":[1,2]}"), "\"a\":{\"b\":[1,2]}" },
		{ FIELD("a"), FIELD(" 42 "), "\"a\": 42 " },
		{ FIELD("a"), FIELD("true"), "\"a\":true" },
		{ FIELD("a"), FIELD("\"text\""), "\"a\":\"text\"" },
		{ FIELD("a"), FIELD("text"), "\"a\":\"text\"" },
		{ FIELD("a"), FIELD("{\"b\":"), "\"a\":\"{\\\"b\\\":\"" },
		{ FIELD("a"), FIELD(""), "\"a\":\"\"" },
		{ FIELD("a"), FIELD("\xff"), "\"a\":{}" },
		{ FIELD("a"), FIELD("a\0b"), "\"a\":{}" },
		{ FIELD("sessionAttr:userId"), FIELD("\xac\xed\x00\x05t\x00\x07user-42"),
			"\"sessionAttr:userId\":\"user-42\"" },
		{ FIELD("a"), FIELD("\xac\xed\x00\x05t\x00\x00"), "\"a\":\"\"" },
		{ FIELD("a"),
			FIELD("\xac\xed\x00\x05t\x00\x02"
			      "42"),
			"\"a\":\"42\"" },
		{ FIELD("a"), FIELD("\xac\xed\x00\x05t\x00\x02\xc0\x80"), "\"a\":{}" },
		{ FIELD("a"), FIELD("\xac\xed\x00\x05t\x00\x08user-42"), "\"a\":{}" },
		{ FIELD("a"), FIELD("\xac\xed\x00\x05t\x00\x06user-42"), "\"a\":{}" },
		{ FIELD("a"), FIELD("\xac\xed\x00\x05t\x00"), "\"a\":{}" },
		{ FIELD("a"), FIELD("\xac\xed\x00\x05sr\x00\x11java.lang.Integer"), "\"a\":{}" },
		{ FIELD("a"), FIELD("[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]"),
			"\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]" },
		{ FIELD("a"), FIELD("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"),
			"\"a\":\"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]\"" },
		{ FIELD("\xff"), FIELD("1"), "" },
		{ FIELD("a\0"), FIELD("1"), "" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (unsigned more = 0; more < 2; more++) {
			char expected[128];
			struct buffer out = { 0 };
			struct json_printer printer = { .out = &out, .max = 100 };
			bool flag = more;
			snprintf(expected, sizeof(expected), "%s%s",
				more && *cases[i].json ? "," : "", cases[i].json);
			assert_int_equal(
				session_hash_field(&printer, &flag, cases[i].name, cases[i].value),
				0);
			if (!slice_equal(buffer_slice(&out), slice_of(expected)))
				fail_msg("%s: %.*s", expected, SLICE_ARGS(buffer_slice(&out)));
			assert_int_equal(flag, more || *cases[i].json);
			buffer_finish(&out);
		}
	}
}

static void keeps_to_the_maximum_length(void **state)
{
	(void)state;
	for (size_t max = 0; max <= 8; max++) {
		struct buffer out = { 0 };
		struct json_printer printer = { .out = &out, .max = max };
		bool more = true;
		assert_int_equal(session_hash_field(&printer, &more, SLICE("a"), SLICE("x")),
			max < 8 ? -EMSGSIZE : 0);
		buffer_finish(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_fields_as_members),
		cmocka_unit_test(keeps_to_the_maximum_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
