/* MessagePack: msgpack_to_json. */
#include "fuzz_record.h"

#include "sluice/proto/record/msgpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice record = fuzz_rest(data, size);
	if (fuzz_record(msgpack_to_json, record))
		fuzz_record_ends(msgpack_to_json, record);
	return 0;
}
