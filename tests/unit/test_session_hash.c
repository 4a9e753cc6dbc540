#include "record.h"

#define FIELD(text) \
	{ \
		text, sizeof(text) - 1 \
	}

static void reads_fields_as_members(void **state)
{
	(void)state;
	static const struct {
		struct slice name, value;
		const char *json; /* the member */
	} cases[] = {
		{ FIELD("a"), FIELD("{\"b\":[1,2]}"), "\"a\":{\"b\":[1,2]}" },
		{ FIELD("a"), FIELD(" 42 "), "\"a\":42" },
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
		{ FIELD("a"), FIELD("NaN"), "\"a\":\"NaN\"" },
		{ FIELD("a"), FIELD("{\"b\":1}{"), "\"a\":\"{\\\"b\\\":1}{\"" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char json[128];
		struct buffer record = { 0 };
		snprintf(json, sizeof(json), "{%s,\"z\":7}", cases[i].json);
		assert_int_equal(session_hash_add(&record, cases[i].name, cases[i].value), 0);
		assert_int_equal(session_hash_add(&record, SLICE("b"), SLICE("[[")), 0);
		assert_int_equal(session_hash_add(&record, SLICE("z"), SLICE("7")), 0);
		assert_reads(session_hash_step, buffer_slice(&record), json);
		buffer_finish(&record);
	}
}

/* Where it counts: any other field is not looked at. */
static void limits_the_depth(void **state)
{
	(void)state;
	struct test_paths paths = { .all = { "/a" }, .n = 1 };
	for (size_t n = 1; n < 2 * TEST_DEPTH; n++) {
		char value[2 * TEST_DEPTH];
		struct record_pick *pick;
		struct buffer record = { 0 };
		memset(value, '[', sizeof(value));
		assert_int_equal(
			session_hash_add(&record, SLICE("b"), slice_make(value, sizeof(value))), 0);
		assert_int_equal(session_hash_add(&record, SLICE("a"), slice_make(value, n)), 0);
		assert_int_equal(
			read_exactly(session_hash_step, buffer_slice(&record), &paths, &pick),
			n < TEST_DEPTH ? 0 : -E2BIG);
		/* It was never closed. */
		if (n < TEST_DEPTH)
			assert_int_equal(record_pick_kind(pick, SLICE("/a")), RECORD_TEXT);
		record_pick_destroy(pick);
		buffer_finish(&record);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_fields_as_members),
		cmocka_unit_test(limits_the_depth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
