#include "record.h"

#include "sluice/proto/record/msgpack.h"

#define OCTETS(literal) SLICE(literal)

/* As msgpack-python writes it for Flask-Session. */
static const char golden[] = "\x83\xaa_permanent\xc3\xad"
			     "authenticated\xc3\xa6userId\xa7user-42";

static void reads_a_record_of_flask_session(void **state)
{
	(void)state;
	struct slice record = slice_make(golden, sizeof(golden) - 1);
	assert_reads(msgpack_step, record,
		"{\"_permanent\":true,\"authenticated\":true,\"userId\":\"user-42\"}");
	assert_refused_when_cut(msgpack_step, record);
}

/* The value of the member "v". */
static void assert_reads_value(struct slice value, const char *json)
{
	struct buffer record = { 0 };
	char like[128];
	snprintf(like, sizeof(like), "{\"v\":%s}", json ? json : "");
	assert_int_equal(buffer_append(&record, "\x81\xa1v", 3), 0);
	assert_int_equal(buffer_append_slice(&record, value), 0);
	assert_reads(msgpack_step, buffer_slice(&record), json ? like : NULL);
	assert_refused_when_cut(msgpack_step, buffer_slice(&record));
	buffer_finish(&record);
}

static void reads_every_type(void **state)
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
		assert_reads_value(cases[i].record, cases[i].json);
	}
	assert_reads(msgpack_step, (struct slice){ NULL, 0 }, NULL);
	assert_reads(msgpack_step, SLICE("\x80\x80"), NULL);
	assert_reads(msgpack_step, SLICE("{\"a\":1}"), NULL);
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
		assert_reads_value(cases[i].record, cases[i].json);
	}
}

static void limits_the_depth(void **state)
{
	(void)state;
	static const char heads[][4] = { "\x81\xa1v\x91", "\x81\xa1v\x81", "\x81\x91\x81\x81" };
	char record[TEST_DEPTH + 4];
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		memset(record, i ? '\x81' : '\x91', sizeof(record));
		memcpy(record, heads[i], i == 2 ? 1 : 3);
		record[sizeof(record) - 1] = '\xc0';
		assert_int_equal(
			read_error(msgpack_step, slice_make(record, sizeof(record))), -E2BIG);
	}
	memset(record, '\x91', sizeof(record));
	memcpy(record, heads[0], 3);
	for (size_t n = 0; n < TEST_DEPTH; n++) {
		record[n + 3] = '\xc0';
		assert_int_equal(read_error(msgpack_step, slice_make(record, n + 4)), 0);
		record[n + 3] = '\x91';
	}
	/* a record is a map */
	assert_int_equal(read_error(msgpack_step, SLICE("\x91\x01")), -EACCES);
	assert_int_equal(read_error(msgpack_step, SLICE("\x01")), -EACCES);
	assert_int_equal(read_error(msgpack_step, SLICE("\xc0")), -EACCES);
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
		assert_reads(msgpack_step, records[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_record_of_flask_session),
		cmocka_unit_test(reads_every_type),
		cmocka_unit_test(leaves_out_members_without_a_name),
		cmocka_unit_test(limits_the_depth),
		cmocka_unit_test(announced_lengths_cost_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
