/* PHP's serialized records: php_to_json and php_laravel_to_json. */
#include "fuzz_record.h"

#include "sluice/proto/record/php_value.h"

/* Wrapped as Laravel does. */
static void check_wrapped(struct slice record, bool taken)
{
	struct buffer wrapped = { 0 };
	bool serialized = slice_starts_with(record, SLICE("a:")) && record.len > 2 &&
			  record.at[2] >= '0' && record.at[2] <= '9';
	fuzz_printf(&wrapped, "s:%zu:\"", record.len);
	fuzz_append(&wrapped, record);
	fuzz_printf(&wrapped, "\";");
	if (serialized && wrapped.len <= SESSION_VALUE_BYTES_MAX)
		MUST(fuzz_record(php_laravel_to_json, buffer_slice(&wrapped)) == taken);
	buffer_finish(&wrapped);
}

/* JSON is handed on unchanged, and checked when it is read. */
static bool holds_json(struct slice record)
{
	slice_cut(&record, '"');
	return slice_starts_with(record, SLICE("{"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice record = fuzz_rest(data, size);
	bool taken = fuzz_record(php_to_json, record);
	/* Some of the variables are a record too. */
	if (taken && slice_starts_with(record, SLICE("a:0")))
		fuzz_record_ends(php_to_json, record);
	check_wrapped(record, taken);
	if (!holds_json(record) && fuzz_record(php_laravel_to_json, record))
		fuzz_record_ends(php_laravel_to_json, record);
	return 0;
}
