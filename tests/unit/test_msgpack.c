#include "record.h"

#include "sluice/proto/record/msgpack.h"
#include "sluice/proto/record/session_value.h"
#include "sluice/proto/text/json_text.h"

#define OCTETS(literal) SLICE(literal)

/* As msgpack-python writes it for Flask-Session. */
static const char golden[] = "\x83\xaa_permanent\xc3\xad"
			     "authenticated\xc3\xa6userId\xa7user-42";

static void converts_a_record_of_flask_session(void **state)
{
	(void)state;
	struct slice record = slice_make(golden, sizeof(golden) - 1);
	assert_converted(msgpack_to_json, record,
		"{\"_permanent\":true,\"authenticated\":true,\"userId\":\"user-42\"}");
	assert_refused_when_cut(msgpack_to_json, record);
}

static void converts_every_type(void **state)
{
	(void)state;
	static const struct {
		struct slice record;
		const char *json; /* NULL: refused */
	} cases[] = {
		{ OCTETS("\xc0"), "null" },
		{ OCTETS("\xc1"), NULL },
		{ OCTETS("\xc2"), "false" },
		{ OCTETS("\xc3"), "true" },
		{ OCTETS("\x00"), "0" },
		{ OCTETS("\x7f"), "127" },
		{ OCTETS("\xe0"), "-32" },
		{ OCTETS("\xff"), "-1" },
		{ OCTETS("\xcc\xff"), "255" },
		{ OCTETS("\xcd\xff\xfe"), "65534" },
		{ OCTETS("\xce\xff\xff\xff\xfe"), "4294967294" },
		{ OCTETS("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615" },
		{ OCTETS("\xcf\x00\x20\x00\x00\x00\x00\x00\x01"), "9007199254740993" },
		{ OCTETS("\xd0\x80"), "-128" },
		{ OCTETS("\xd0\x7f"), "127" },
		{ OCTETS("\xd1\x80\x00"), "-32768" },
		{ OCTETS("\xd2\x80\x00\x00\x00"), "-2147483648" },
		{ OCTETS("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), "-9223372036854775808" },
		{ OCTETS("\xca\x3f\x00\x00\x00"), "0.5" },
		{ OCTETS("\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a"), "0.1" },
		{ OCTETS("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"), "null" },
		{ OCTETS("\xca\x7f\xc0\x00\x00"), "null" },
		{ OCTETS("\xa0"), "\"\"" },
		{ OCTETS("\xa3"
			 "a\"b"),
			"\"a\\\"b\"" },
		{ OCTETS("\xd9\x02hi"), "\"hi\"" },
		{ OCTETS("\xda\x00\x02hi"), "\"hi\"" },
		{ OCTETS("\xdb\x00\x00\x00\x02hi"), "\"hi\"" },
		{ OCTETS("\xa1\xff"), "{}" },
		{ OCTETS("\xa1\x00"), "{}" },
		{ OCTETS("\xc4\x02hi"), "{}" },
		{ OCTETS("\xc5\x00\x02hi"), "{}" },
		{ OCTETS("\xc6\x00\x00\x00\x02hi"), "{}" },
		{ OCTETS("\xc7\x02\x01hi"), "{}" },
		{ OCTETS("\xc8\x00\x02\x01hi"), "{}" },
		{ OCTETS("\xc9\x00\x00\x00\x02\x01hi"), "{}" },
		{ OCTETS("\xd4\x01h"), "{}" },
		{ OCTETS("\xd5\x01hi"), "{}" },
		{ OCTETS("\xd6\xff"
			 "four"),
			"{}" },
		{ OCTETS("\xd7\xff"
			 "fourfour"),
			"{}" },
		{ OCTETS("\xd8\xff"
			 "fourfourfourfour"),
			"{}" },
		{ OCTETS("\x90"), "[]" },
		{ OCTETS("\x92\x01\xa1"
			 "b"),
			"[1,\"b\"]" },
		{ OCTETS("\xdc\x00\x01\xc3"), "[true]" },
		{ OCTETS("\xdd\x00\x00\x00\x01\xc3"), "[true]" },
		{ OCTETS("\x80"), "{}" },
		{ OCTETS("\xde\x00\x01\xa1"
			 "a\x01"),
			"{\"a\":1}" },
		{ OCTETS("\xdf\x00\x00\x00\x01\xa1"
			 "a\x01"),
			"{\"a\":1}" },
		{ OCTETS("\x81\xa1"
			 "a\x91\x81\xa1"
			 "b\xc0"),
			"{\"a\":[{\"b\":null}]}" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_converted(msgpack_to_json, cases[i].record, cases[i].json);
		assert_refused_when_cut(msgpack_to_json, cases[i].record);
	}
	assert_converted(msgpack_to_json, (struct slice){ NULL, 0 }, NULL);
	assert_converted(msgpack_to_json, SLICE("\x80\x80"), NULL);
	assert_converted(msgpack_to_json, SLICE("{\"a\":1}"), NULL);
}

/* An integer becomes a name; a member with any other key is left out, wherever it stands. */
static void leaves_out_members_without_a_name(void **state)
{
	(void)state;
	static const struct {
		struct slice record;
		const char *json;
	} cases[] = {
		{ OCTETS("\x82\x07\x01\xff\x02"), "{\"7\":1,\"-1\":2}" },
		{ OCTETS("\x83\xc0\x01\xa1"
			 "a\x02\xa1"
			 "b\x03"),
			"{\"a\":2,\"b\":3}" },
		{ OCTETS("\x83\xa1"
			 "a\x02\xc3\x91\xa1x\xa1"
			 "b\x03"),
			"{\"a\":2,\"b\":3}" },
		{ OCTETS("\x82\x92\x01\x02\x81\x01\x02\xa1"
			 "b\x03"),
			"{\"b\":3}" },
		{ OCTETS("\x82\xa1\xff\x05\xa1"
			 "b\x03"),
			"{\"b\":3}" },
		{ OCTETS("\x82\xa1\x00\x05\xa1"
			 "b\x03"),
			"{\"b\":3}" },
		{ OCTETS("\x81\xca\x3f\x00\x00\x00\x05"), "{}" },
		{ OCTETS("\x81\xc4\x01x\x05"), "{}" },
		{ OCTETS("\x81\xc0\xc1"), NULL },
		{ OCTETS("\x81\xc1\xc0"), NULL },
		{ OCTETS("\x81\x91\xc1\xc0"), NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_converted(msgpack_to_json, cases[i].record, cases[i].json);
		assert_refused_when_cut(msgpack_to_json, cases[i].record);
	}
}

static void deepest_value_may_be_opaque(void **state)
{
	(void)state;
	char record[SESSION_VALUE_DEPTH_MAX_CONVERTED + 3];
	struct buffer json = { 0 };
	memset(record, '\x91', sizeof(record));
	memcpy(record + SESSION_VALUE_DEPTH_MAX_CONVERTED, "\xc4\x01x", 3);
	assert_int_equal(
		convert_exactly(msgpack_to_json, slice_make(record, sizeof(record)), &json), 0);
	assert_true(json_text_is_valid(buffer_slice(&json), SESSION_VALUE_DEPTH_MAX));
	buffer_finish(&json);
}

static void limits_the_depth(void **state)
{
	(void)state;
	char record[SESSION_VALUE_DEPTH_MAX + 2];
	memset(record, '\x91', sizeof(record));
	for (size_t n = 0; n < sizeof(record); n++) {
		struct buffer json = { 0 };
		record[n] = '\xc0';
		assert_int_equal(convert_exactly(msgpack_to_json, slice_make(record, n + 1), &json),
			n <= SESSION_VALUE_DEPTH_MAX_CONVERTED ? 0 : -EINVAL);
		record[n] = '\x91';
		buffer_finish(&json);
	}
}

static void announced_lengths_cost_nothing(void **state)
{
	(void)state;
	static const struct slice records[] = {
		OCTETS("\xdf\xff\xff\xff\xff"),
		OCTETS("\xdd\xff\xff\xff\xff\xc0"),
		OCTETS("\xdb\xff\xff\xff\xff"),
		OCTETS("\xc6\xff\xff\xff\xff"),
		OCTETS("\xc9\xff\xff\xff\xff\x01"),
		OCTETS("\x81\xdd\xff\xff\xff\xff\xc0"),
	};
	for (size_t i = 0; i < COUNT_OF(records); i++)
		assert_converted(msgpack_to_json, records[i], NULL);
}

/* As many nulls, of four characters and a comma each, as fit in a record. */
static void limits_the_length(void **state)
{
	(void)state;
	enum { FIT = (SESSION_VALUE_BYTES_MAX - 1) / 5 };
	char *record = malloc(SESSION_VALUE_BYTES_MAX + 1);
	assert_non_null(record);
	for (unsigned n = FIT - 1; n <= FIT + 1; n++) {
		struct buffer json = { 0 };
		record[0] = '\xdc';
		record[1] = (char)(n >> 8);
		record[2] = (char)n;
		memset(record + 3, '\xc0', n);
		assert_int_equal(convert_exactly(msgpack_to_json, slice_make(record, n + 3), &json),
			n <= FIT ? 0 : -EINVAL);
		assert_true(json.len <= SESSION_VALUE_BYTES_MAX);
		buffer_finish(&json);
	}
	memset(record, 0, SESSION_VALUE_BYTES_MAX + 1);
	memcpy(record, "\xc5\xff\xfd", 3);
	assert_converted(msgpack_to_json, slice_make(record, SESSION_VALUE_BYTES_MAX), "{}");
	memcpy(record, "\xc6\x00\x00\xff\xfc", 5);
	assert_converted(msgpack_to_json, slice_make(record, SESSION_VALUE_BYTES_MAX + 1), NULL);
	free(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converts_a_record_of_flask_session),
		cmocka_unit_test(converts_every_type),
		cmocka_unit_test(leaves_out_members_without_a_name),
		cmocka_unit_test(deepest_value_may_be_opaque),
		cmocka_unit_test(limits_the_depth),
		cmocka_unit_test(announced_lengths_cost_nothing),
		cmocka_unit_test(limits_the_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
