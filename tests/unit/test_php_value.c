#include "record.h"

#include "sluice/proto/record/php_value.h"

#define LOGGED_IN "{\"authenticated\":true,\"userId\":\"user-42\"}"

static void reads_records_of_php(void **state)
{
	(void)state;
	static const struct slice records[] = {
		{ "authenticated|b:1;userId|s:7:\"user-42\";", 39 },
		{ "a:2:{s:13:\"authenticated\";b:1;s:6:\"userId\";s:7:\"user-42\";}", 58 },
	};
	for (size_t i = 0; i < COUNT_OF(records); i++)
		assert_reads(php_step, records[i], LOGGED_IN);
	for (size_t len = 1; len < records[1].len; len++)
		assert_reads(php_step, slice_make(records[1].at, len), NULL);
	/* Any number of whole variables is a record. */
	for (size_t len = 0; len < records[0].len; len++)
		assert_reads(php_step, slice_make(records[0].at, len),
			len == 0    ? "{}"
			: len == 18 ? "{\"authenticated\":true}"
				    : NULL);
}

/* What Laravel's records contain. */
static void unwraps_records_of_laravel(void **state)
{
	(void)state;
	static const struct {
		const char *record, *inner; /* NULL: refused */
	} cases[] = {
		{ "s:58:\"a:2:{s:13:\"authenticated\";b:1;s:6:\"userId\";s:7:\"user-42\";}\";",
			"a:2:{s:13:\"authenticated\";b:1;s:6:\"userId\";s:7:\"user-42\";}" },
		{ "s:41:\"" LOGGED_IN "\";", LOGGED_IN },
		{ "s:6:\"a:0:{}\";", "a:0:{}" },
		{ "s:2:\"[]\";", NULL },
		{ "s:0:\"\";", NULL },
		{ "s:2:\"N;\";", NULL },
		{ "s:6:\"a|b:1;\";", NULL },
		{ "s:6:\"a:0:{}\"", NULL },
		{ "s:6:\"a:0:{}\";;", NULL },
		{ "s:7:\"a:0:{}\";", NULL },
		{ "s:5:\"a:0:{}\";", NULL },
		{ "a:0:{}", NULL },
		{ "{}", NULL },
		{ "", NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct slice record = slice_of(cases[i].record);
		assert_int_equal(php_unwrap(&record), cases[i].inner ? 0 : -EINVAL);
		if (cases[i].inner)
			assert_true(slice_equal(record, slice_of(cases[i].inner)));
		for (size_t len = 0; len < strlen(cases[i].record); len++) {
			struct slice cut = slice_make(cases[i].record, len);
			assert_int_equal(php_unwrap(&cut),
				len + 1 == strlen(cases[i].record) && cases[i].record[len] == ';' &&
						cases[i].record[len - 1] == ';'
					? 0
					: -EINVAL);
		}
	}
}

/* The value of a variable. */
static void reads_every_type(void **state)
{
	(void)state;
	static const struct {
		struct slice value;
		const char *json; /* NULL: refused */
	} cases[] = {
#define CASE(text, json) { { text, sizeof(text) - 1 }, json }
		CASE("N;", "null"),
		CASE("b:1;", "true"),
		CASE("b:0;", "false"),
		CASE("b:2;", NULL),
		CASE("b:;", NULL),
		CASE("i:0;", "0"),
		CASE("i:-42;", "-42"),
		CASE("i:9223372036854775807;", "9223372036854775807"),
		CASE("i:;", NULL),
		CASE("i:+1;", NULL),
		CASE("i:007;", NULL),
		CASE("i:1,\"a\":2;", NULL),
		CASE("i:1", NULL),
		CASE("i:true;", NULL),
		CASE("i:\"1\";", NULL),
		CASE("d:0.5;", "0.5"),
		CASE("d:1.0E+25;", "1.0E+25"),
		CASE("d:-0;", "-0"),
		CASE("d:INF;", "null"),
		CASE("d:-INF;", "null"),
		CASE("d:NAN;", "null"),
		CASE("d:.5;", NULL),
		CASE("d:x;", NULL),
		CASE("s:0:\"\";", "\"\""),
		CASE("s:7:\"a\";b:1;\";", "\"a\\\";b:1;\""),
		CASE("s:2:\"\xc3\xa9\";", "\"\xc3\xa9\""),
		CASE("s:1:\"\xc3\";", "{}"),
		CASE("s:3:\"a\0b\";", "{}"),
		CASE("s:2:\"a\";", NULL),
		CASE("s:0:\"a\";", NULL),
		CASE("s:1:'a';", NULL),
		CASE("s:1:\"a\"", NULL),
		CASE("s:-1:\"\";", NULL),
		CASE("s::\"\";", NULL),
		CASE("s:9999999999:\"\";", NULL),
		CASE("s:999999999:\"\";", NULL),
		CASE("S:1:\"a\";", NULL),
		CASE("a:0:{}", "[]"),
		CASE("a:2:{i:0;s:1:\"x\";i:1;N;}", "[\"x\",null]"),
		CASE("a:2:{i:1;i:5;i:0;i:6;}", "{\"1\":5,\"0\":6}"),
		CASE("a:2:{i:0;i:5;i:2;i:6;}", "{\"0\":5,\"2\":6}"),
		CASE("a:2:{i:0;i:5;s:1:\"1\";i:6;}", "{\"0\":5,\"1\":6}"),
		CASE("a:1:{i:-1;i:5;}", "{\"-1\":5}"),
		CASE("a:2:{s:1:\"b\";i:1;s:1:\"a\";a:1:{i:0;b:0;}}", "{\"b\":1,\"a\":[false]}"),
		CASE("a:1:{i:0;a:1:{i:0;a:0:{}}}", "[[[]]]"),
		CASE("a:1:{s:1:\"\xff\";i:1;}", "{}"),
		CASE("a:2:{s:1:\"\xff\";a:1:{i:0;i:1;}s:1:\"a\";i:2;}", "{\"a\":2}"),
		CASE("a:1:{N;i:1;}", NULL),
		CASE("a:1:{b:1;i:1;}", NULL),
		CASE("a:1:{i:x;i:1;}", NULL),
		CASE("a:2:{i:0;i:1;}", NULL),
		CASE("a:0:{i:0;i:1;}", NULL),
		CASE("a:1:{i:0;i:1;", NULL),
		CASE("a:1:{i:0;i:1;];", NULL),
		CASE("a:x:{}", NULL),
		CASE("a:0[]", NULL),
		CASE("a:999999999:{}", NULL),
		CASE("O:3:\"Foo\":1:{s:1:\"a\";i:1;}", "{}"),
		CASE("O:3:\"Foo\":1:{s:6:\"\0Foo\0a\";a:1:{i:0;i:1;}}", "{}"),
		CASE("O:3:\"Foo\":2:{s:1:\"a\";i:1;}", NULL),
		CASE("O:3:\"Foo\";", NULL),
		CASE("O:3:\"Foo\":x", NULL),
		CASE("C:3:\"Foo\":4:{};}x}", "{}"),
		CASE("C:3:\"Foo\":4:{};}x", NULL),
		CASE("C:3:\"Foo\":9:{}", NULL),
		CASE("C:3:\"Foo\":x:{}", NULL),
		CASE("E:5:\"A:One\";", "{}"),
		CASE("E:5:\"A:One\"", NULL),
		CASE("R:2;", "null"),
		CASE("r:12;", "null"),
		CASE("R:;", NULL),
		CASE("r:x;", NULL),
		CASE("a:3:{i:0;O:1:\"A\":0:{}i:1;r:2;i:2;i:3;}", "[{},null,3]"),
		CASE("x:1;", NULL),
		CASE("N:", NULL),
		CASE(";", NULL),
		CASE("", NULL),
#undef CASE
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer record = { 0 }, json = { 0 };
		assert_int_equal(buffer_append(&record, "v|", 2), 0);
		assert_int_equal(buffer_append_slice(&record, cases[i].value), 0);
		assert_int_equal(buffer_printf(&json, "{\"v\":%s}", cases[i].json), 0);
		assert_int_equal(buffer_append(&json, "", 1), 0);
		assert_reads(php_step, buffer_slice(&record), cases[i].json ? json.bytes : NULL);
		for (size_t len = 1; len < record.len; len++)
			assert_reads(php_step, slice_make(record.bytes, len), NULL);
		buffer_finish(&record);
		buffer_finish(&json);
	}
}

static void reads_variables(void **state)
{
	(void)state;
	static const struct {
		const char *record, *json; /* NULL: refused */
	} cases[] = {
		{ "", "{}" },
		{ "a:0:{}", "{}" },
		{ "a:1:{i:0;i:7;}", "{\"0\":7}" },
		{ "a:0:{}x", NULL },
		{ "a:b|i:1;", "{\"a:b\":1}" },
		{ "_sf2_attributes|a:1:{s:1:\"a\";i:1;}_sf2_meta|a:0:{}",
			"{\"_sf2_attributes\":{\"a\":1},\"_sf2_meta\":[]}" },
		{ "!gone|a|i:1;", "{\"a\":1}" },
		{ "\xff|i:1;a|i:2;", "{\"a\":2}" },
		{ "|i:1;", "{\"\":1}" },
		{ "a|", NULL },
		{ "a", NULL },
		{ "i:1;", NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_reads(php_step, slice_of(cases[i].record), cases[i].json);
}

static int read_nested(const char *head, const char *open, const char *close, size_t n)
{
	struct buffer record = { 0 };
	assert_int_equal(buffer_append_slice(&record, slice_of(head)), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buffer_append_slice(&record, slice_of(open)), 0);
	assert_int_equal(buffer_append(&record, "N;", 2), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buffer_append_slice(&record, slice_of(close)), 0);
	int error = read_error(php_step, buffer_slice(&record));
	buffer_finish(&record);
	return error;
}

static void limits_the_depth(void **state)
{
	(void)state;
	for (size_t n = 1; n < 64; n++) {
		int variables = n < TEST_DEPTH ? 0 : -E2BIG;
		assert_int_equal(read_nested("v|", "a:1:{i:0;", "}", n), variables);
		assert_int_equal(read_nested("v|", "a:1:{s:1:\"a\";", "}", n), variables);
		assert_int_equal(read_nested("v|", "O:1:\"A\":1:{s:1:\"a\";", "}", n), variables);
		assert_int_equal(
			read_nested("", "a:1:{i:0;", "}", n), n <= TEST_DEPTH ? 0 : -E2BIG);
	}
}

/* Of an array it is known at its end whether it is a list. Each byte is read once all the same. */
static void nested_lists_take_linear_time(void **state)
{
	(void)state;
	enum { ELEMENTS = 4000 };
	struct test_paths none = { .n = 0 };
	struct buffer record = { 0 };
	struct record_pick *pick;
	assert_int_equal(buffer_printf(&record, "v|"), 0);
	for (int i = 2; i < TEST_DEPTH; i++)
		assert_int_equal(buffer_printf(&record, "a:1:{i:0;"), 0);
	assert_int_equal(buffer_printf(&record, "a:%d:{", ELEMENTS), 0);
	for (int i = 0; i < ELEMENTS; i++)
		assert_int_equal(buffer_printf(&record, "i:%d;N;", i), 0);
	for (int i = 1; i < TEST_DEPTH; i++)
		assert_int_equal(buffer_append(&record, "}", 1), 0);
	assert_int_equal(read_exactly(php_step, buffer_slice(&record), &none, &pick), 0);
	assert_in_range(pick->work, record.len,
		record.len + RECORD_TOKEN_WORK * (ELEMENTS + 2 * TEST_DEPTH + 2));
	record_pick_destroy(pick);
	buffer_finish(&record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_records_of_php),
		cmocka_unit_test(unwraps_records_of_laravel),
		cmocka_unit_test(reads_every_type),
		cmocka_unit_test(reads_variables),
		cmocka_unit_test(limits_the_depth),
		cmocka_unit_test(nested_lists_take_linear_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
