/* For the targets of the formats of records. Each record is read token by token and at once; both
 * must end alike, and take steps in proportion to its length. */
#ifndef SLUICE_TESTS_FUZZ_RECORD_H
#define SLUICE_TESTS_FUZZ_RECORD_H

#include <errno.h>

#include "fuzz.h"
#include "sluice/proto/record/session_value.h"
#include "utf8_reference.h"

enum { FUZZ_DEPTH = 16 };

static inline void fuzz_check_texts(const struct identity *identity, struct slice path)
{
	struct identity_texts texts = identity_texts(identity, path);
	size_t bytes = 0;
	for (struct slice text; (text = identity_texts_next(&texts)).at; bytes += text.len + 1)
		MUST(text.len > 0 && utf8_reference(text) == UTF8_VALID &&
			!memchr(text.at, 0, text.len));
	MUST(bytes <= RECORD_VALUE_BYTES_MAX);
}

static inline int fuzz_read(struct identity *identity,
	const struct session_value_settings *settings, enum record_format format,
	struct slice record, size_t work)
{
	struct slice copy = fuzz_copy(record);
	MUST(identity_begin(identity, settings, format, copy, FUZZ_DEPTH) == 0);
	int result = identity_go_on(identity, settings, work);
	for (size_t left = 3 * record.len + 8; result == 1; left--) {
		MUST(left);
		result = identity_go_on(identity, settings, work);
	}
	fuzz_free(copy);
	return result;
}

/* 0: a log-in; else why not. */
static inline int fuzz_record(const struct session_value_settings *settings,
	enum record_format format, struct slice record)
{
	struct identity slowly, at_once;
	int result = fuzz_read(&slowly, settings, format, record, 1);
	MUST(result == 0 || result == -EACCES || result == -EINVAL || result == -E2BIG);
	MUST(fuzz_read(&at_once, settings, format, record, SIZE_MAX) == result);
	if (result)
		return result;
	MUST(slice_equal(slowly.user, at_once.user) && slowly.expires_ms == at_once.expires_ms);
	for (size_t i = 0; i < settings->n_fields; i++)
		fuzz_check_texts(&slowly, settings->fields[i]);
	identity_finish(&slowly);
	identity_finish(&at_once);
	return 0;
}

/* The first line of the input is a path, the rest the record; the first byte chooses what is
 * required of it. Returns what fuzz_record returns if nothing is required. */
static inline int fuzz_record_and_path(
	enum record_format format, struct slice path, struct slice record, unsigned wants)
{
	const struct slice fields[] = { path, SLICE("a"), SLICE("/a/0"), SLICE("/a/1/b") };
	const struct session_value_settings lenient = {
		.user = path, .fields = fields, .n_fields = COUNT_OF(fields)
	};
	struct session_value_settings strict = lenient;
	strict.authenticated = wants & 2 ? SLICE("authenticated") : SLICE("");
	strict.present = wants & 4 ? path : SLICE("");
	strict.expires = wants & 8 ? path : SLICE("");
	int result = fuzz_record(&lenient, format, record);
	int strictly = fuzz_record(&strict, format, record);
	MUST(result == -EACCES || strictly == result || (!result && strictly == -EACCES));
	return result;
}

/* No byte may follow a record, and no record is the beginning of another. */
static inline void fuzz_record_ends(enum record_format format, struct slice record)
{
	const struct session_value_settings nothing = { .user = SLICE("a") };
	struct buffer more = { 0 };
	fuzz_append(&more, record);
	fuzz_append(&more, SLICE("\1"));
	MUST(fuzz_record(&nothing, format, buffer_slice(&more)) == -EINVAL);
	buffer_finish(&more);
	record.len--;
	MUST(fuzz_record(&nothing, format, record) != 0);
}

#endif
