/* MessagePack. */
#include "fuzz_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice record = fuzz_rest(data, size);
	unsigned wants = size ? data[0] : 0;
	if (fuzz_record_and_path(RECORD_FORMAT_MSGPACK, SLICE("/a/1/b"), record, wants) == 0)
		fuzz_record_ends(RECORD_FORMAT_MSGPACK, record);
	return 0;
}
