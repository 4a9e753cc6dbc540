#include <errno.h>
#include <string.h>

#include "sluice/proto/beat.h"
#include "unit.h"

#define CHANNEL SLICE("__sluice:beat")

static const struct beat beat = { .mark = UINT64_C(0x0000123456789abc),
	.run_id = UINT64_C(0xfedcba9876543210),
	.stamp = UINT64_C(1764547200123) };

static struct beat_keys keys_of(const struct slice *secrets, size_t n)
{
	struct beat_keys keys;
	assert_int_equal(beat_keys_make(&keys, secrets, n), 0);
	return keys;
}

static struct slice write_with(struct slice secret, char bytes[BEAT_BYTES])
{
	struct beat_keys keys = keys_of(&secret, 1);
	assert_int_equal(beat_write(&beat, &keys, CHANNEL, bytes), 0);
	return slice_make(bytes, BEAT_BYTES);
}

static void reads_what_it_wrote(void **state)
{
	(void)state;
	char bytes[BEAT_BYTES];
	struct beat read;
	struct slice secret = SLICE("keyboard cat");
	struct beat_keys keys = keys_of(&secret, 1);
	assert_int_equal(beat_read(&read, &keys, CHANNEL, write_with(secret, bytes)), 0);
	assert_true(read.mark == beat.mark && read.run_id == beat.run_id);
	assert_true(read.stamp == beat.stamp);
}

/* Made with Python's hmac: another implementation must understand it. */
static void writes_the_bytes_of_version_1(void **state)
{
	(void)state;
	char bytes[BEAT_BYTES];
	static const uint8_t expected[BEAT_BYTES] = { 0x53, 0x31, 0x42, 0x00, 0x00, 0x12, 0x34,
		0x56, 0x78, 0x9a, 0xbc, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10, 0x00, 0x00,
		0x01, 0x9a, 0xd7, 0x35, 0x84, 0x7b, 0xc4, 0x85, 0x04, 0x86, 0xaa, 0x7a, 0xb8, 0xa4,
		0x8a, 0x48, 0xf8, 0x83, 0x1a, 0x28, 0x40, 0x2a };
	write_with(SLICE("keyboard cat"), bytes);
	assert_memory_equal(bytes, expected, BEAT_BYTES);
}

static void verifies_with_any_of_the_secrets(void **state)
{
	(void)state;
	char bytes[BEAT_BYTES];
	struct beat read;
	const struct slice secrets[] = { SLICE("new"), SLICE("old") };
	struct beat_keys keys = keys_of(secrets, COUNT_OF(secrets));
	assert_int_equal(beat_read(&read, &keys, CHANNEL, write_with(SLICE("old"), bytes)), 0);
	assert_int_equal(beat_read(&read, &keys, CHANNEL, write_with(SLICE("new"), bytes)), 0);
	assert_int_equal(
		beat_read(&read, &keys, CHANNEL, write_with(SLICE("other"), bytes)), -EBADMSG);
}

static void needs_no_secret(void **state)
{
	(void)state;
	char bytes[BEAT_BYTES];
	struct beat read;
	struct slice secret = SLICE("keyboard cat");
	struct beat_keys none = keys_of(NULL, 0), some = keys_of(&secret, 1);
	assert_int_equal(beat_write(&beat, &none, CHANNEL, bytes), 0);
	struct slice message = slice_make(bytes, BEAT_BYTES);
	assert_int_equal(beat_read(&read, &none, CHANNEL, message), 0);
	assert_int_equal(beat_read(&read, &some, CHANNEL, message), -EBADMSG);
}

static void rejects_a_beat_of_which_any_bit_has_changed(void **state)
{
	(void)state;
	char bytes[BEAT_BYTES];
	struct beat read;
	struct slice secret = SLICE("keyboard cat");
	struct beat_keys keys = keys_of(&secret, 1);
	struct slice message = write_with(secret, bytes);
	for (size_t bit = 0; bit < 8u * BEAT_BYTES; bit++) {
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(beat_read(&read, &keys, CHANNEL, message), -EBADMSG);
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
	}
	assert_int_equal(beat_read(&read, &keys, CHANNEL, message), 0);
}

static void rejects_another_length_and_another_channel(void **state)
{
	(void)state;
	char bytes[BEAT_BYTES + 1] = { 0 };
	struct beat read;
	struct slice secret = SLICE("keyboard cat");
	struct beat_keys keys = keys_of(&secret, 1);
	struct slice message = write_with(secret, bytes);
	for (size_t len = 0; len < BEAT_BYTES; len++)
		assert_int_equal(
			beat_read(&read, &keys, CHANNEL, slice_make(bytes, len)), -EBADMSG);
	assert_int_equal(
		beat_read(&read, &keys, CHANNEL, slice_make(bytes, sizeof(bytes))), -EBADMSG);
	assert_int_equal(beat_read(&read, &keys, SLICE("__sluice:beat:0123"), message), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_wrote),
		cmocka_unit_test(writes_the_bytes_of_version_1),
		cmocka_unit_test(verifies_with_any_of_the_secrets),
		cmocka_unit_test(needs_no_secret),
		cmocka_unit_test(rejects_a_beat_of_which_any_bit_has_changed),
		cmocka_unit_test(rejects_another_length_and_another_channel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
