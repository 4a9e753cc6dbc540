/* A field of a hash: session_hash_field. The first line of the input is the name, the rest the
 * value; the first byte is the maximum length. */
#include "fuzz.h"

#include <errno.h>

#include "sluice/proto/record/session_hash.h"
#include "sluice/proto/record/session_value.h"
#include "sluice/proto/text/json_text.h"

static void check(struct slice name, struct slice value, size_t max)
{
	struct buffer json = { 0 };
	struct json_printer printer = { .out = &json, .max = max };
	bool more = false;
	int error = json_print(&printer, SLICE("{"));
	for (int i = 0; i < 2 && !error; i++)
		error = session_hash_field(&printer, &more, name, value);
	if (!error)
		error = json_print(&printer, SLICE("}"));
	MUST(error == 0 || error == -EMSGSIZE);
	MUST(json.len <= max);
	if (!error)
		MUST(json_text_is_valid(buffer_slice(&json), SESSION_VALUE_DEPTH_MAX));
	buffer_finish(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = fuzz_rest(data, size), first = slice_cut(&rest, '\n');
	struct slice name = fuzz_copy(first), value = fuzz_copy(rest);
	check(name, value, SESSION_VALUE_BYTES_MAX);
	check(name, value, size ? data[0] : 0);
	fuzz_free(name);
	fuzz_free(value);
	return 0;
}
