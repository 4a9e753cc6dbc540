#include "sluice/base/buffered.h"
#include "sluice/net/send_queue.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static void push(struct send_queue *queue, const char *text)
{
	struct chunk *chunk = chunk_create(text, strlen(text));
	assert_non_null(chunk);
	assert_int_equal(send_queue_push(queue, chunk), 0);
	chunk_unref(chunk);
}

static void expect_front(const struct send_queue *queue, size_t limit, const char *expected)
{
	char scratch[64];
	struct iovec front = send_queue_front(queue, scratch, limit);
	assert_int_equal(front.iov_len, strlen(expected));
	assert_memory_equal(front.iov_base, expected, front.iov_len);
}

/* The bytes come out in order, whatever the size of the steps in which they are consumed. */
static void keeps_bytes_in_order(void **state)
{
	(void)state;
	static const char all[] = "abcdefghijklmnopqrstuvwxyz";
	for (size_t step = 1; step <= 26; step++) {
		struct send_queue queue;
		size_t done = 0;
		send_queue_init(&queue);
		push(&queue, "abc");
		push(&queue, "");
		push(&queue, "d");
		push(&queue, "efghijkl");
		push(&queue, "mnopqrstuv");
		push(&queue, "wxyz");
		assert_int_equal(queue.bytes, 26);
		while (queue.bytes > 0) {
			struct iovec parts[8];
			size_t n = step < queue.bytes ? step : queue.bytes, seen = 0;
			expect_front(&queue, 64, all + done);
			size_t used = send_queue_gather(&queue, parts, 8, n);
			for (size_t i = 0; i < used; i++) {
				assert_memory_equal(
					parts[i].iov_base, all + done + seen, parts[i].iov_len);
				seen += parts[i].iov_len;
			}
			assert_int_equal(seen, n);
			send_queue_consume(&queue, n);
			done += n;
		}
		assert_int_equal(done, 26);
		assert_ptr_equal(queue.slots, queue.inline_slots);
	}
}

/* Also when a part of the chunk is sent already, but not when somebody else has it. */
static void small_pieces_share_a_chunk(void **state)
{
	(void)state;
	struct send_queue queue;
	static char large[SEND_QUEUE_SHARED + 1];
	size_t before = buffered_bytes();
	send_queue_init(&queue);
	struct chunk *others = chunk_create_roomy("ab", 2, 100);
	assert_int_equal(send_queue_push(&queue, others), 0);
	assert_int_equal(send_queue_push_shared(&queue, "cd", 2), 0);
	assert_int_equal(send_queue_push_shared(&queue, "ef", 2), 0);
	assert_int_equal(queue.count, 2);
	assert_int_equal(others->len, 2);
	chunk_unref(others);
	send_queue_consume(&queue, 3);
	assert_int_equal(send_queue_push_shared(&queue, "gh", 2), 0);
	assert_int_equal(queue.count, 1);
	assert_int_equal(queue.bytes, 5);
	expect_front(&queue, 64, "defgh");
	assert_int_equal(send_queue_push_shared(&queue, large, sizeof(large)), 0);
	assert_int_equal(queue.count, 2);
	assert_int_equal(queue.bytes, 5 + sizeof(large));
	send_queue_consume(&queue, 5 + sizeof(large));
	assert_int_equal(buffered_bytes(), before);
}

static void gathers_at_most_the_requested_parts(void **state)
{
	(void)state;
	struct send_queue queue;
	struct iovec parts[2];
	send_queue_init(&queue);
	push(&queue, "ab");
	push(&queue, "cd");
	push(&queue, "ef");
	assert_int_equal(send_queue_gather(&queue, parts, 2, 100), 2);
	assert_int_equal(send_queue_gather(&queue, parts, 2, 2), 1);
	assert_int_equal(send_queue_gather(&queue, parts, 2, 3), 2);
	assert_int_equal(parts[1].iov_len, 1);
	assert_int_equal(send_queue_gather(&queue, parts, 2, 0), 0);
	send_queue_finish(&queue);
	assert_int_equal(send_queue_gather(&queue, parts, 2, 100), 0);
}

static void copies_only_when_necessary(void **state)
{
	(void)state;
	struct send_queue queue;
	char scratch[8];
	send_queue_init(&queue);
	push(&queue, "abcdefgh");
	const void *bytes = queue.slots[0]->bytes;
	assert_ptr_equal(send_queue_front(&queue, scratch, 8).iov_base, bytes);
	push(&queue, "ijk");
	assert_ptr_equal(send_queue_front(&queue, scratch, 8).iov_base, bytes);
	send_queue_consume(&queue, 1);
	assert_ptr_equal(send_queue_front(&queue, scratch, 8).iov_base, scratch);
	expect_front(&queue, 8, "bcdefghi");
	send_queue_finish(&queue);
	assert_int_equal(send_queue_front(&queue, scratch, 8).iov_len, 0);
}

/* The ring wraps around many times at every capacity, and references are dropped as chunks are
 * sent. */
static void grows_and_shrinks(void **state)
{
	(void)state;
	struct send_queue queue;
	struct chunk *chunk = chunk_create("12345", 5);
	send_queue_init(&queue);
	for (size_t depth = 1; depth <= 40; depth++) {
		for (size_t i = 0; i < depth; i++)
			assert_int_equal(send_queue_push(&queue, chunk), 0);
		for (size_t i = 0; i < 3 * depth; i++) {
			send_queue_consume(&queue, 5);
			assert_int_equal(send_queue_push(&queue, chunk), 0);
		}
		assert_int_equal(atomic_load(&chunk->refs), depth + 1);
		assert_int_equal(queue.bytes, 5 * depth);
		send_queue_consume(&queue, 5 * depth);
		assert_int_equal(atomic_load(&chunk->refs), 1);
		assert_ptr_equal(queue.slots, queue.inline_slots);
	}
	assert_int_equal(send_queue_push(&queue, chunk), 0);
	send_queue_finish(&queue);
	assert_int_equal(atomic_load(&chunk->refs), 1);
	chunk_unref(chunk);
}

static void rejects_more_than_it_can_count(void **state)
{
	(void)state;
	struct send_queue queue;
	struct chunk *chunk = chunk_create("x", 1);
	send_queue_init(&queue);
	for (size_t i = 0; i < 32768; i++)
		assert_int_equal(send_queue_push(&queue, chunk), 0);
	assert_int_equal(send_queue_push(&queue, chunk), -ENOBUFS);
	assert_int_equal(atomic_load(&chunk->refs), 32769);
	send_queue_finish(&queue);

	/* nothing reads the bytes */
	struct chunk huge = { .refs = 2, .len = UINT32_MAX, .bytes = chunk->bytes };
	assert_int_equal(send_queue_push(&queue, &huge), 0);
	assert_int_equal(send_queue_push(&queue, chunk), -ENOBUFS);
	send_queue_finish(&queue);
	chunk_unref(chunk);
}

/* Whole chunks stay, whichever of them is sent in part. */
static void cuts_at_the_end_of_a_chunk(void **state)
{
	(void)state;
	static const struct {
		size_t sent, keep, dropped;
		const char *left;
	} rows[] = {
		{ 0, 0, 12, "" },
		{ 0, 1, 9, "abc" },
		{ 0, 3, 9, "abc" },
		{ 0, 4, 5, "abcdefg" },
		{ 0, 12, 0, "abcdefghijkl" },
		{ 0, 100, 0, "abcdefghijkl" },
		{ 1, 1, 9, "bc" },
		{ 1, 2, 9, "bc" },
		{ 1, 3, 5, "bcdefg" },
		{ 3, 1, 5, "defg" },
		{ 5, 1, 5, "fg" },
		{ 5, 3, 0, "fghijkl" },
		{ 11, 0, 1, "" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct send_queue queue;
		send_queue_init(&queue);
		push(&queue, "abc");
		push(&queue, "defg");
		push(&queue, "hijkl");
		send_queue_consume(&queue, rows[i].sent);
		assert_int_equal(send_queue_cut(&queue, rows[i].keep), rows[i].dropped);
		assert_int_equal(queue.bytes, strlen(rows[i].left));
		push(&queue, "!");
		expect_front(&queue, 0, "");
		char all[32];
		snprintf(all, sizeof(all), "%s!", rows[i].left);
		expect_front(&queue, 64, all);
		send_queue_finish(&queue);
	}
}

static void counts_its_ring_as_buffered(void **state)
{
	(void)state;
	struct send_queue queue;
	struct chunk *chunk = chunk_create("x", 1);
	size_t before = buffered_bytes();
	send_queue_init(&queue);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(send_queue_push(&queue, chunk), 0);
	assert_int_equal(buffered_bytes(), before);
	for (size_t i = 0; i < 98; i++)
		assert_int_equal(send_queue_push(&queue, chunk), 0);
	assert_int_equal(buffered_bytes(), before + 128 * sizeof(void *));
	send_queue_consume(&queue, 100);
	assert_int_equal(buffered_bytes(), before);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(send_queue_push(&queue, chunk), 0);
	send_queue_finish(&queue);
	assert_int_equal(buffered_bytes(), before);
	chunk_unref(chunk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_bytes_in_order),
		cmocka_unit_test(small_pieces_share_a_chunk),
		cmocka_unit_test(gathers_at_most_the_requested_parts),
		cmocka_unit_test(copies_only_when_necessary),
		cmocka_unit_test(grows_and_shrinks),
		cmocka_unit_test(rejects_more_than_it_can_count),
		cmocka_unit_test(cuts_at_the_end_of_a_chunk),
		cmocka_unit_test(counts_its_ring_as_buffered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
