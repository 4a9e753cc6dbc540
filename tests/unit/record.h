/* For the tests of codecs that turn records into JSON. */
#ifndef SLUICE_TESTS_RECORD_H
#define SLUICE_TESTS_RECORD_H

#include <errno.h>

#include "exact.h"
#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "unit.h"

typedef int (*record_fn)(struct slice record, struct buffer *json);

/* Converts from a block of the exact size; the result is appended to `json`. */
static inline int convert_exactly(record_fn convert, struct slice record, struct buffer *json)
{
	char *exact = exact_copy(record);
	int error = convert(slice_make(exact, record.len), json);
	free(exact);
	return error;
}

/* `json` NULL: the record must be refused. */
static inline void assert_converted(record_fn convert, struct slice record, const char *json)
{
	struct buffer out = { 0 };
	assert_int_equal(buffer_append(&out, ">", 1), 0);
	int error = convert_exactly(convert, record, &out);
	if (error != (json ? 0 : -EINVAL))
		fail_msg("%d for %s", error, json ? json : "a record to refuse");
	if (json && !slice_equal(slice_skip(buffer_slice(&out), 1), slice_of(json)))
		fail_msg("%.*s\nfor %s", SLICE_ARGS(buffer_slice(&out)), json);
	buffer_finish(&out);
}

static inline void assert_refused_when_cut(record_fn convert, struct slice record)
{
	for (size_t len = 0; len < record.len; len++)
		assert_converted(convert, slice_make(record.at, len), NULL);
}

#endif
