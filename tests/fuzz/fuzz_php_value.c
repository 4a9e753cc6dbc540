/* PHP's serialized records, alone and as Laravel wraps them. */
#include "fuzz_record.h"

#include "sluice/proto/record/php_value.h"

static bool is_serialized(struct slice record)
{
	return slice_starts_with(record, SLICE("a:")) && record.len > 2 && record.at[2] >= '0' &&
	       record.at[2] <= '9';
}

static void check_wrapped(struct slice record)
{
	struct buffer wrapped = { 0 };
	fuzz_printf(&wrapped, "s:%zu:\"", record.len);
	fuzz_append(&wrapped, record);
	fuzz_printf(&wrapped, "\";");
	struct slice copy = fuzz_copy(buffer_slice(&wrapped)), inner = copy;
	bool unwrapped = php_unwrap(&inner) == 0;
	MUST(unwrapped == (is_serialized(record) || slice_starts_with(record, SLICE("{"))));
	MUST(!unwrapped || slice_equal(inner, record));
	fuzz_free(copy);
	buffer_finish(&wrapped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice record = fuzz_rest(data, size), copy = fuzz_copy(record), inner = copy;
	unsigned wants = size ? data[0] : 0;
	int result = fuzz_record_and_path(RECORD_FORMAT_PHP, SLICE("a.b"), record, wants);
	/* Some of the variables are a record too. */
	if (result == 0 && is_serialized(record))
		fuzz_record_ends(RECORD_FORMAT_PHP, record);
	check_wrapped(record);
	if (php_unwrap(&inner) == 0)
		fuzz_record_and_path(RECORD_FORMAT_PHP, SLICE("a.b"), inner, wants);
	fuzz_free(copy);
	return 0;
}
