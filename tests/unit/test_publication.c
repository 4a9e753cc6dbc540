#include <errno.h>
#include <stdlib.h>

#include "sluice/hub/publication.h"
#include "unit.h"

static void lays_out_consecutive_publications_as_frames(void **state)
{
	(void)state;
	struct publication_run run = { 0 };
	assert_int_equal(publication_run_add(&run, SLICE("news"), SLICE("one")), 0);
	assert_int_equal(publication_run_add(&run, SLICE("news"), SLICE("")), 0);
	assert_int_equal(publication_run_add(&run, SLICE("news"), SLICE("\xff")), 0);
	struct publication *publication = publication_run_take(&run);
	assert_non_null(publication);
	assert_int_equal(publication->count, 3);
	assert_true(slice_equal(publication_channel(publication), SLICE("news")));
	static const char frames[] = "\x81\x03one\x81\x00\x82\x01\xff"; /* text, text, binary */
	assert_int_equal(publication->chunk.len, sizeof(frames) - 1);
	assert_memory_equal(publication->chunk.bytes, frames, sizeof(frames) - 1);
	publication_unref(publication);
}

static void another_channel_ends_the_run(void **state)
{
	(void)state;
	struct publication_run run = { 0 };
	assert_null(publication_run_take(&run));
	assert_int_equal(publication_run_add(&run, SLICE("a"), SLICE("1")), 0);
	assert_int_equal(publication_run_add(&run, SLICE("b"), SLICE("2")), -EAGAIN);
	struct publication *first = publication_run_take(&run);
	assert_int_equal(publication_run_add(&run, SLICE("b"), SLICE("2")), 0);
	struct publication *second = publication_run_take(&run);
	assert_int_equal(first->count, 1);
	assert_true(slice_equal(publication_channel(second), SLICE("b")));
	publication_unref(first);
	publication_unref(second);
}

static void limits_a_run_but_not_a_single_publication(void **state)
{
	(void)state;
	enum { BIG = 600 * 1024, BIGGER = 3 * 1024 * 1024 };
	char *bytes = calloc(1, BIGGER);
	assert_non_null(bytes);
	struct publication_run run = { 0 };
	assert_int_equal(publication_run_add(&run, SLICE("a"), slice_make(bytes, BIG)), 0);
	assert_int_equal(publication_run_add(&run, SLICE("a"), slice_make(bytes, BIG)), -EAGAIN);
	publication_unref(publication_run_take(&run));
	assert_int_equal(publication_run_add(&run, SLICE("a"), slice_make(bytes, BIGGER)), 0);
	struct publication *publication = publication_run_take(&run);
	assert_int_equal(publication->chunk.len, BIGGER + 10);
	publication_unref(publication);
	free(bytes);
}

static void outlives_the_run_by_references(void **state)
{
	(void)state;
	struct publication_run run = { 0 };
	for (int i = 0; i < 1000; i++)
		assert_int_equal(publication_run_add(&run, SLICE("a"), SLICE("payload")), 0);
	struct publication *publication = publication_run_take(&run);
	publication_ref(publication);
	publication_unref(publication);
	assert_int_equal(publication->count, 1000);
	assert_memory_equal(publication->chunk.bytes + 999 * 9, "\x81\x07payload", 9);
	publication_unref(publication);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lays_out_consecutive_publications_as_frames),
		cmocka_unit_test(another_channel_ends_the_run),
		cmocka_unit_test(limits_a_run_but_not_a_single_publication),
		cmocka_unit_test(outlives_the_run_by_references),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
