#include "loop.h"
#include "sluice/net/inbox.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { POSTERS = 4, POSTS = 20000 };

struct owner {
	struct inbox inbox;
	long long last[POSTERS]; /* each poster's number that was delivered last */
	size_t delivered;
	int disorder;
};

struct poster {
	struct owner *owner;
	pthread_t thread;
	size_t index;
	int failed;
};

/* Here a subject is a number: poster and count. */
static void deliver(void *context, void *subject)
{
	struct owner *owner = context;
	uintptr_t number = (uintptr_t)subject;
	long long count = (long long)(number / POSTERS);
	if (count != owner->last[number % POSTERS] + 1)
		owner->disorder++;
	owner->last[number % POSTERS] = count;
	owner->delivered++;
}

static void *subject(size_t poster, size_t count)
{
	return (void *)(uintptr_t)(count * POSTERS + poster);
}

static void *post_all(void *context)
{
	struct poster *poster = context;
	for (size_t i = 1; i <= POSTS; i++)
		if (inbox_post(&poster->owner->inbox, deliver, subject(poster->index, i)) < 0)
			poster->failed++;
	return NULL;
}

static void delivers_everything_in_each_threads_order(void **state)
{
	(void)state;
	static struct owner owner;
	struct test_loop test;
	struct poster posters[POSTERS];
	test_loop_open(&test);
	assert_int_equal(inbox_open(&owner.inbox, &test.loop, &owner), 0);
	for (size_t i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){ .owner = &owner, .index = i };
		assert_int_equal(
			pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
	}
	RUN_UNTIL(&test, owner.delivered == POSTERS * POSTS);
	for (size_t i = 0; i < POSTERS; i++) {
		pthread_join(posters[i].thread, NULL);
		assert_int_equal(posters[i].failed, 0);
		assert_int_equal(owner.last[i], POSTS);
	}
	assert_int_equal(owner.disorder, 0);
	inbox_close(&owner.inbox);
	test_loop_close(&test);
	inbox_finish(&owner.inbox);
}

/* Threads that go on posting while the inbox closes get an error, and every accepted post is
 * delivered. */
static void *post_until_refused(void *context)
{
	struct poster *poster = context;
	size_t i = 0;
	while (inbox_post(&poster->owner->inbox, deliver, subject(poster->index, i + 1)) == 0)
		i++;
	poster->failed = (int)i; /* this many were accepted */
	return NULL;
}

static void closes_while_others_post(void **state)
{
	(void)state;
	static struct owner owner;
	struct test_loop test;
	struct poster posters[POSTERS];
	test_loop_open(&test);
	assert_int_equal(inbox_open(&owner.inbox, &test.loop, &owner), 0);
	for (size_t i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){ .owner = &owner, .index = i };
		assert_int_equal(
			pthread_create(&posters[i].thread, NULL, post_until_refused, &posters[i]),
			0);
	}
	RUN_UNTIL(&test, owner.delivered > 1000);
	inbox_close(&owner.inbox);
	size_t taken = 0;
	for (size_t i = 0; i < POSTERS; i++) {
		pthread_join(posters[i].thread, NULL);
		taken += (size_t)posters[i].failed;
	}
	assert_int_equal(owner.delivered, taken);
	assert_int_equal(owner.disorder, 0);
	test_loop_close(&test);
	inbox_finish(&owner.inbox);
}

static struct inbox letters;
static char text[16];
static size_t n_text;

static void note(void *owner, void *letter)
{
	(void)owner;
	text[n_text++] = (char)(uintptr_t)letter;
}

static int post(void (*deliver_letter)(void *owner, void *letter), char letter)
{
	return inbox_post(&letters, deliver_letter, (void *)(uintptr_t)letter);
}

static void note_and_post(void *owner, void *letter)
{
	note(owner, letter);
	assert_int_equal(post(note, 'c'), 0);
}

static void note_and_close(void *owner, void *letter)
{
	note(owner, letter);
	assert_int_equal(post(note, 'e'), 0);
	inbox_close(&letters);
	assert_int_equal(post(note, 'x'), -EPIPE);
}

static void calls_may_post_and_close(void **state)
{
	(void)state;
	struct test_loop test;
	test_loop_open(&test);
	assert_int_equal(inbox_open(&letters, &test.loop, NULL), 0);
	assert_int_equal(post(note_and_post, 'a'), 0);
	assert_int_equal(post(note, 'b'), 0);
	RUN_UNTIL(&test, n_text == 3);
	assert_string_equal(text, "abc");

	assert_int_equal(post(note_and_close, '1'), 0);
	assert_int_equal(post(note, '2'), 0);
	RUN_UNTIL(&test, n_text >= 5);
	assert_string_equal(text, "abc12e");
	inbox_close(&letters);
	test_loop_close(&test);
	inbox_finish(&letters);
}

static struct inbox_call calls[3];

static void call(
	struct inbox_call *one, void (*deliver_call)(void *owner, void *subject), char letter)
{
	inbox_post_call(&letters, one, deliver_call, (void *)(uintptr_t)letter);
}

static void note_and_call(void *owner, void *letter)
{
	note(owner, letter);
	call(&calls[2], note, 'z');
}

static void note_call_and_close(void *owner, void *letter)
{
	note(owner, letter);
	call(&calls[0], note, '3');
	assert_int_equal(post(note, '4'), 0);
	inbox_close(&letters);
	call(&calls[2], note, 'x');
}

/* Behind what was posted before, once, with the last subject. */
static void calls_of_the_posters_need_no_memory(void **state)
{
	(void)state;
	struct test_loop test;
	n_text = 0;
	memset(text, 0, sizeof(text));
	test_loop_open(&test);
	assert_int_equal(inbox_open(&letters, &test.loop, NULL), 0);
	call(&calls[0], note, 'x');
	call(&calls[1], note, 'c');
	assert_int_equal(post(note, 'a'), 0);
	call(&calls[0], note, 'b');
	call(&calls[2], note_and_call, 'd');
	RUN_UNTIL(&test, n_text == 5);
	assert_string_equal(text, "abcdz");

	call(&calls[1], note_call_and_close, '1');
	call(&calls[2], note, '2');
	RUN_UNTIL(&test, n_text == 9);
	assert_string_equal(text, "abcdz1234");
	inbox_close(&letters);
	test_loop_close(&test);
	inbox_finish(&letters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delivers_everything_in_each_threads_order),
		cmocka_unit_test(closes_while_others_post),
		cmocka_unit_test(calls_may_post_and_close),
		cmocka_unit_test(calls_of_the_posters_need_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
