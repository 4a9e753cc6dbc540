/* A hash of two fields: the first line of the input is the name, the rest the value. */
#include "fuzz_record.h"

#include "sluice/proto/record/session_hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice value = fuzz_rest(data, size), name = slice_cut(&value, '\n');
	unsigned wants = size ? data[0] : 0;
	struct buffer record = { 0 };
	MUST(session_hash_add(&record, name, value) == 0);
	MUST(session_hash_add(&record, SLICE("a"), value) == 0);
	int result = fuzz_record_and_path(RECORD_FORMAT_HASH, name, buffer_slice(&record), wants);
	/* Whatever a value is, it is one. */
	MUST(result == 0 || result == -E2BIG);
	buffer_finish(&record);
	return 0;
}
