/* For the targets whose codec turns records into JSON. */
#ifndef SLUICE_TESTS_FUZZ_RECORD_H
#define SLUICE_TESTS_FUZZ_RECORD_H

#include <errno.h>

#include "fuzz.h"
#include "sluice/proto/record/session_value.h"
#include "sluice/proto/text/json_text.h"
#include "utf8_reference.h"

typedef int (*fuzz_record_fn)(struct slice record, struct buffer *json);

/* The output is JSON within the limits of records, appended to the buffer. True: there is some. */
static inline bool fuzz_record(fuzz_record_fn convert, struct slice record)
{
	struct buffer json = { 0 };
	struct slice copy = fuzz_copy(record);
	fuzz_printf(&json, ">");
	int error = convert(copy, &json);
	fuzz_free(copy);
	MUST(error == 0 || error == -EINVAL);
	MUST(json.bytes[0] == '>' && json.len <= 1 + SESSION_VALUE_BYTES_MAX);
	struct slice text = slice_skip(buffer_slice(&json), 1);
	if (!error) {
		MUST(json_text_is_valid(text, SESSION_VALUE_DEPTH_MAX));
		MUST(utf8_reference(text) == UTF8_VALID && !memchr(text.at, 0, text.len));
	}
	buffer_finish(&json);
	return error == 0;
}

/* No byte may follow a record, and no record is the beginning of another. */
static inline void fuzz_record_ends(fuzz_record_fn convert, struct slice record)
{
	struct buffer more = { 0 };
	fuzz_append(&more, record);
	fuzz_append(&more, SLICE("\0"));
	MUST(!fuzz_record(convert, buffer_slice(&more)));
	buffer_finish(&more);
	record.len--;
	MUST(!fuzz_record(convert, record));
}

#endif
