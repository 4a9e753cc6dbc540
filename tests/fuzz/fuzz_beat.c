/* Beats: what a stranger makes up is refused; what is read can be written again, and is then the same
 * bytes. An odd first byte has the numbers of the input signed, so that they are read, too. */
#include <errno.h>

#include "fuzz.h"
#include "sluice/proto/beat.h"

enum { NUMBERS_AT = 3 };

static const struct slice channel = { "__sluice:beat", 13 };

static void check_read(const struct beat_keys *keys, struct slice message)
{
	struct beat beat;
	char again[BEAT_BYTES];
	int error = beat_read(&beat, keys, channel, message);
	MUST(error == 0 || error == -EBADMSG);
	if (error)
		return;
	MUST(beat_write(&beat, keys, channel, again) == 0);
	MUST(slice_equal(message, slice_make(again, BEAT_BYTES)));
}

static uint64_t number(struct slice bytes, size_t i)
{
	uint64_t number = 0;
	for (size_t at = NUMBERS_AT + 8 * i; at < NUMBERS_AT + 8 * (i + 1); at++)
		number = number << 8 | (at < bytes.len ? (uint8_t)bytes.at[at] : 0);
	return number;
}

static void check_signed(const struct beat_keys *keys, struct slice bytes)
{
	char written[BEAT_BYTES];
	struct beat read, beat = { .mark = number(bytes, 0) >> (64 - BEAT_MARK_BITS),
		.run_id = number(bytes, 1),
		.stamp = number(bytes, 2) };
	MUST(beat_write(&beat, keys, channel, written) == 0);
	struct slice message = fuzz_copy(slice_make(written, BEAT_BYTES));
	MUST(beat_read(&read, keys, channel, message) == 0);
	MUST(read.mark == beat.mark && read.run_id == beat.run_id && read.stamp == beat.stamp);
	fuzz_free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct beat_keys keys;
	const struct slice secret = SLICE("keyboard cat");
	MUST(beat_keys_make(&keys, &secret, 1) == 0);
	struct slice bytes = fuzz_copy(fuzz_rest(data, size));
	check_read(&keys, bytes);
	if (size && data[0] & 1)
		check_signed(&keys, bytes);
	fuzz_free(bytes);
	return 0;
}
