#include "unit.h"

#include <errno.h>
#include <malloc.h>

#include "sluice/proto/ws/ws_held.h"

static void does_not_copy_a_whole_payload(void **state)
{
	(void)state;
	struct ws_held *held = NULL, *block;
	struct slice text = SLICE("whole"), piece = text;
	assert_int_equal(ws_held_add(&held, SLICE(""), 5), 0);
	assert_null(held);
	assert_int_equal(ws_held_complete(&held, &piece, 5, &block), 0);
	assert_ptr_equal(piece.at, text.at);
	assert_null(block);
	ws_held_free(block);
}

static void joins_the_pieces(void **state)
{
	(void)state;
	for (size_t step = 1; step < 37; step++) {
		struct ws_held *held = NULL, *block;
		struct slice text = SLICE("many pieces, of one length or another");
		struct slice rest = text;
		while (rest.len > step) {
			assert_int_equal(
				ws_held_add(&held, slice_make(rest.at, step), text.len), 0);
			rest = slice_skip(rest, step);
		}
		assert_int_equal(ws_held_complete(&held, &rest, text.len, &block), 0);
		assert_null(held);
		assert_true(slice_equal(rest, text));
		if (block)
			assert_in_range(ws_held_size(block), text.len, text.len + 300);
		ws_held_free(block);
	}
}

/* It doubles, then grows to the limit and no further. */
static void grows_with_the_bytes_that_arrived(void **state)
{
	(void)state;
	enum { LIMIT = 1500, MALLOC_ROUNDS = 64 };
	struct ws_held *held = NULL;
	for (size_t len = 1; len <= LIMIT; len++) {
		assert_int_equal(ws_held_add(&held, SLICE("x"), LIMIT), 0);
		size_t most = len <= 128 ? 128 : MIN(2 * len, LIMIT);
		assert_in_range(malloc_usable_size(held), len, most + MALLOC_ROUNDS);
		assert_in_range(ws_held_size(held), len, malloc_usable_size(held));
	}
	ws_held_drop(&held);
	assert_null(held);
	assert_int_equal(ws_held_size(held), 0);
	ws_held_drop(&held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_not_copy_a_whole_payload),
		cmocka_unit_test(joins_the_pieces),
		cmocka_unit_test(grows_with_the_bytes_that_arrived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
