#include <errno.h>

#include "sluice/base/buffer.h"
#include "sluice/base/chunk.h"
#include "unit.h"

static void grows(void **state)
{
	(void)state;
	struct buffer buffer = { 0 };
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buffer_append(&buffer, "abc", 3), 0);
	assert_int_equal(buffer.len, 3000);
	assert_memory_equal(buffer.bytes + 2997, "abc", 3);
	buffer_finish(&buffer);
	assert_null(buffer.bytes);
}

static void prints(void **state)
{
	(void)state;
	struct buffer buffer = { 0 };
	assert_int_equal(buffer_append_slice(&buffer, SLICE("head ")), 0);
	assert_int_equal(buffer_printf(&buffer, "%d-%s", 42, "x"), 0);
	assert_true(slice_equal(buffer_slice(&buffer), SLICE("head 42-x")));
	buffer_finish(&buffer);
}

static void rejects_an_impossible_size(void **state)
{
	(void)state;
	struct buffer buffer = { 0 };
	assert_int_equal(buffer_reserve(&buffer, SIZE_MAX / 2), -ENOMEM);
	assert_int_equal(buffer_append(&buffer, NULL, 0), 0);
	assert_null(buffer.bytes);
}

static void chunk_lives_until_the_last_reference(void **state)
{
	(void)state;
	struct chunk *chunk = chunk_create("payload", 7);
	assert_non_null(chunk);
	assert_ptr_equal(chunk_ref(chunk), chunk);
	chunk_unref(chunk);
	assert_int_equal(chunk->len, 7);
	assert_memory_equal(chunk->bytes, "payload", 7);
	chunk_unref(chunk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows),
		cmocka_unit_test(prints),
		cmocka_unit_test(rejects_an_impossible_size),
		cmocka_unit_test(chunk_lives_until_the_last_reference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
