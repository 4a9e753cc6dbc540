/* For the tests of the formats of records. What a format reads is compared with JSON that says the
 * same, at each path of that JSON. */
#ifndef SLUICE_TESTS_RECORD_H
#define SLUICE_TESTS_RECORD_H

#include <errno.h>
#include <stdio.h>

#include "exact.h"
#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/proto/record/record_json.h"
#include "sluice/proto/record/session_hash.h"
#include "sluice/proto/text/json_token.h"
#include "unit.h"

enum { TEST_DEPTH = 16 };

struct test_paths {
	char all[RECORD_PATHS_MAX][64];
	unsigned n;
};

static inline void add_paths_of_members(
	struct test_paths *paths, const char *path, struct slice *json, char end);

/* Adds the pointers to a value and to all values in it. */
static inline void add_paths_of(struct test_paths *paths, const char *path, struct slice *json)
{
	struct slice taken;
	if (*path) {
		assert_true(paths->n < RECORD_PATHS_MAX);
		snprintf(paths->all[paths->n++], sizeof(paths->all[0]), "%s", path);
	}
	if (slice_take_char(json, '{'))
		add_paths_of_members(paths, path, json, '}');
	else if (slice_take_char(json, '['))
		add_paths_of_members(paths, path, json, ']');
	else if (slice_take_char(json, '"'))
		assert_true(json_take_string(json, &taken));
	else if (!slice_take(json, SLICE("true")) && !slice_take(json, SLICE("false")) &&
		 !slice_take(json, SLICE("null")))
		assert_true(json_take_number(json, &taken));
}

static inline void add_paths_of_members(
	struct test_paths *paths, const char *path, struct slice *json, char end)
{
	for (unsigned i = 0; !slice_take_char(json, end); i++) {
		struct slice name;
		char member[64];
		slice_take_char(json, ',');
		if (end == ']') {
			snprintf(member, sizeof(member), "%s/%u", path, i);
		} else {
			assert_true(slice_take_char(json, '"') && json_take_string(json, &name) &&
				    slice_take_char(json, ':'));
			snprintf(member, sizeof(member), "%s/%.*s", path, SLICE_ARGS(name));
		}
		add_paths_of(paths, member, json);
	}
}

/* Reads a record to its end from a block of its exact size. 0, or the error. */
static inline int read_exactly(record_step_fn step, struct slice record,
	const struct test_paths *paths, struct record_pick **ret_pick)
{
	struct record_pick *pick = record_pick_create(TEST_DEPTH);
	char *exact = exact_copy(record);
	assert_non_null(pick);
	for (unsigned i = 0; i < paths->n; i++)
		record_pick_add(pick, slice_of(paths->all[i]));
	struct session_hash hash = {
		.scan = { .pick = pick, .rest = slice_make(exact, record.len) },
	};
	int result = 0;
	while (result == 0) {
		size_t before = pick->work;
		result = step(&hash.scan);
		assert_true(result || pick->work > before);
	}
	assert_true(pick->work <= 64 + RECORD_PATHS_MAX * 16 * record.len);
	free(exact);
	*ret_pick = pick;
	return MIN(result, 0);
}

static inline int read_error(record_step_fn step, struct slice record)
{
	struct test_paths none = { .n = 0 };
	struct record_pick *pick;
	int error = read_exactly(step, record, &none, &pick);
	record_pick_destroy(pick);
	return error;
}

static inline void assert_same_texts(
	const struct record_pick *pick, const struct record_pick *like, struct slice path)
{
	struct record_texts texts = record_pick_texts(pick, path);
	struct record_texts expected = record_pick_texts(like, path);
	for (struct slice text; (text = record_texts_next(&expected)).at;) {
		struct slice found = record_texts_next(&texts);
		if (!slice_equal(found, text))
			fail_msg("%.*s: %.*s", SLICE_ARGS(path), SLICE_ARGS(found));
	}
	assert_null(record_texts_next(&texts).at);
}

/* `json` NULL: the record must be refused. */
static inline void assert_reads(record_step_fn step, struct slice record, const char *json)
{
	struct test_paths paths = { .n = 0 };
	struct record_pick *pick, *like = NULL;
	struct slice rest = slice_of(json);
	if (json)
		add_paths_of(&paths, "", &rest);
	int error = read_exactly(step, record, &paths, &pick);
	if (json ? error : error != -EINVAL && error != -EACCES)
		fail_msg("%d for %s", error, json ? json : "a record to refuse");
	if (json)
		assert_int_equal(read_exactly(record_json_step, slice_of(json), &paths, &like), 0);
	for (unsigned i = 0; i < paths.n; i++) {
		struct slice path = slice_of(paths.all[i]);
		if (record_pick_kind(pick, path) != record_pick_kind(like, path))
			fail_msg("%s in %s is of kind %d", paths.all[i], json,
				(int)record_pick_kind(pick, path));
		assert_same_texts(pick, like, path);
	}
	record_pick_destroy(pick);
	record_pick_destroy(like);
}

static inline void assert_refused_when_cut(record_step_fn step, struct slice record)
{
	for (size_t len = 0; len < record.len; len++)
		assert_reads(step, slice_make(record.at, len), NULL);
}

#endif
