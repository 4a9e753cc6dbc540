#include "sluice/base/buffered.h"
#include "sluice/base/chunk.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void holds_a_copy(void **state)
{
	(void)state;
	char bytes[] = "abc";
	struct chunk *chunk = chunk_create(bytes, 3), *empty = chunk_create(NULL, 0);
	bytes[0] = 'x';
	assert_int_equal(chunk->len, 3);
	assert_memory_equal(chunk->bytes, "abc", 3);
	assert_int_equal(empty->len, 0);
	chunk_unref(chunk);
	chunk_unref(empty);
}

/* Once for all references, and until the last one is dropped. */
static void counts_as_buffered_while_it_exists(void **state)
{
	(void)state;
	static char bytes[100000];
	size_t before = buffered_bytes();
	struct chunk *chunk = chunk_create(bytes, sizeof(bytes));
	size_t with = buffered_bytes();
	assert_in_range(with - before, sizeof(bytes) + sizeof(*chunk), sizeof(bytes) + 8192);
	for (int i = 0; i < 1000; i++)
		chunk_ref(chunk);
	assert_int_equal(buffered_bytes(), with);
	for (int i = 0; i < 1000; i++)
		chunk_unref(chunk);
	assert_int_equal(buffered_bytes(), with);
	chunk_unref(chunk);
	assert_int_equal(buffered_bytes(), before);
}

static void appends_as_long_as_there_is_room(void **state)
{
	(void)state;
	static char many[5000];
	struct chunk *chunk = chunk_create_roomy("abc", 3, 100);
	size_t before = buffered_bytes();
	assert_true(chunk_append(chunk, "defg", 4));
	assert_false(chunk_append(chunk, many, sizeof(many)));
	assert_int_equal(chunk->len, 7);
	assert_memory_equal(chunk->bytes, "abcdefg", 7);
	while (chunk_append(chunk, "x", 1))
		assert_in_range(chunk->len, 8, 200);
	assert_true(chunk->len >= 100);
	assert_int_equal(buffered_bytes(), before);
	chunk_unref(chunk);
}

static struct chunk *released;

static void release(struct chunk *chunk)
{
	released = chunk;
}

/* A block laid out by its owner, whose slack is memory too. */
static void counts_the_whole_settled_block(void **state)
{
	(void)state;
	size_t before = buffered_bytes();
	struct chunk *chunk = malloc(sizeof(*chunk) + 50000);
	assert_non_null(chunk);
	*chunk = (struct chunk){ .refs = 1, .len = 3, .bytes = "abc", .release = release };
	chunk_settle(chunk);
	assert_false(chunk_append(chunk, "d", 1)); /* the bytes are not in the block */
	assert_in_range(buffered_bytes() - before, 50000, 60000);
	chunk_unref(chunk);
	assert_true(released == chunk);
	assert_int_equal(buffered_bytes(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_a_copy),
		cmocka_unit_test(counts_as_buffered_while_it_exists),
		cmocka_unit_test(appends_as_long_as_there_is_room),
		cmocka_unit_test(counts_the_whole_settled_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
