#include <pthread.h>

#include "sluice/hub/publication_forms.h"
#include "sluice/proto/ws/ws_frame.h"
#include "unit.h"

static struct publication *run_of(const struct slice *payloads, size_t n)
{
	struct publication_run run = { 0 };
	for (size_t i = 0; i < n; i++)
		assert_int_equal(publication_run_add(&run, SLICE("news"), payloads[i]), 0);
	return publication_run_take(&run);
}

/* The next frame's payload; it must be whole and text. */
static struct slice next_text(struct slice *rest)
{
	struct ws_frame frame;
	const uint8_t *header = (const uint8_t *)rest->at;
	assert_true(rest->len >= 2);
	size_t len = ws_frame_header_len(header);
	assert_int_equal(ws_frame_parse(header, &frame), 0);
	assert_true(frame.fin && !frame.rsv && frame.opcode == WS_TEXT);
	struct slice payload = slice_make(rest->at + len, frame.payload_len);
	*rest = slice_skip(*rest, len + payload.len);
	return payload;
}

static void assert_next(struct slice *rest, const char *wanted)
{
	struct slice text = next_text(rest);
	if (!slice_equal(text, slice_of(wanted)))
		fail_msg("%.*s, not %s", SLICE_ARGS(text), wanted);
}

static struct slice frames(const struct publication *publication)
{
	return slice_make(publication->chunk.bytes, publication->chunk.len);
}

static void makes_a_message_of_each_publication(void **state)
{
	(void)state;
	const struct slice payloads[] = { SLICE("{\"a\":1}"), SLICE("text"), SLICE("\xff"),
		SLICE("") };
	struct publication *publication = run_of(payloads, COUNT_OF(payloads));
	struct slice plain = frames(publication);
	struct publication *enveloped = publication_in_form(publication, PUBLICATION_ENVELOPED);
	assert_non_null(enveloped);
	assert_int_equal(enveloped->count, COUNT_OF(payloads));
	assert_true(slice_equal(publication_channel(enveloped), SLICE("news")));
	struct slice rest = frames(enveloped);
#define MESSAGE(data) "{\"type\":\"publication\",\"channel\":\"news\"," data "}"
	assert_next(&rest, MESSAGE("\"data\":{\"a\":1}"));
	assert_next(&rest, MESSAGE("\"data\":\"text\""));
	assert_next(&rest, MESSAGE("\"base64\":\"/w==\""));
	assert_next(&rest, MESSAGE("\"data\":\"\""));
	assert_int_equal(rest.len, 0);
	/* made once; the plain form has not changed */
	assert_ptr_equal(publication_in_form(publication, PUBLICATION_ENVELOPED), enveloped);
	assert_true(plain.at == publication->chunk.bytes && plain.len == publication->chunk.len);
	publication_unref(publication);
}

/* Almost a mebibyte, of bytes that take six when they are escaped: longer than a plain run may
 * be. */
static void makes_a_message_longer_than_a_run_may_be(void **state)
{
	(void)state;
	enum { LEN = 1000000 };
	char *bytes = malloc(LEN);
	assert_non_null(bytes);
	memset(bytes, 1, LEN);
	const struct slice payload = slice_make(bytes, LEN);
	struct publication *publication = run_of(&payload, 1);
	struct publication *enveloped = publication_in_form(publication, PUBLICATION_ENVELOPED);
	struct slice rest = frames(enveloped);
	assert_int_equal(next_text(&rest).len, strlen(MESSAGE("\"data\":\"\"")) + 6 * LEN);
	publication_unref(publication);
	free(bytes);
}

enum { COMPRESSIBLE_LEN = 1000 };

static struct publication *run_that_compresses(void)
{
	char text[COMPRESSIBLE_LEN];
	memset(text, 'x', sizeof(text));
	const struct slice payload = slice_make(text, sizeof(text));
	return run_of(&payload, 1);
}

static void compresses_each_form_by_itself(void **state)
{
	(void)state;
	struct publication *publication = run_that_compresses();
	struct ws_deflater *deflater = ws_deflater_create();
	struct publication *enveloped = publication_in_form(publication, PUBLICATION_ENVELOPED);
	struct chunk *compressed = publication_compressed(enveloped, 15, 100, deflater);
	assert_true(compressed->len < 100);
	assert_ptr_not_equal(compressed, publication_compressed(publication, 15, 100, deflater));
	assert_ptr_equal(compressed, publication_compressed(enveloped, 15, 100, deflater));
	/* a chunk may outlive the run */
	chunk_ref(&enveloped->chunk);
	publication_unref(publication);
	assert_true(enveloped->chunk.len > COMPRESSIBLE_LEN);
	publication_unref(enveloped);
	ws_deflater_destroy(deflater);
}

static void gives_the_frames_for_a_form_and_a_window(void **state)
{
	(void)state;
	struct publication *publication = run_that_compresses();
	struct ws_deflater *deflater = ws_deflater_create();
	struct publication *forms[PUBLICATION_FORMS] = { publication,
		publication_in_form(publication, PUBLICATION_ENVELOPED) };
	for (enum publication_form form = 0; form < PUBLICATION_FORMS; form++) {
		assert_ptr_equal(
			publication_frames(publication, form, 0, 100, NULL), &forms[form]->chunk);
		assert_ptr_equal(publication_frames(publication, form, 12, 100, deflater),
			publication_compressed(forms[form], 12, 100, deflater));
	}
	publication_unref(publication);
	ws_deflater_destroy(deflater);
}

static void *ask(void *context)
{
	return publication_in_form(context, PUBLICATION_ENVELOPED);
}

static void makes_one_form_when_threads_race(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		const struct slice payload = SLICE("[1,2,3]");
		struct publication *publication = run_of(&payload, 1);
		pthread_t threads[4];
		void *results[4];
		for (size_t i = 0; i < COUNT_OF(threads); i++)
			assert_int_equal(pthread_create(&threads[i], NULL, ask, publication), 0);
		for (size_t i = 0; i < COUNT_OF(threads); i++)
			assert_int_equal(pthread_join(threads[i], &results[i]), 0);
		for (size_t i = 0; i < COUNT_OF(threads); i++)
			assert_true(results[i] && results[i] == results[0]);
		publication_unref(publication);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_a_message_of_each_publication),
		cmocka_unit_test(makes_a_message_longer_than_a_run_may_be),
		cmocka_unit_test(compresses_each_form_by_itself),
		cmocka_unit_test(gives_the_frames_for_a_form_and_a_window),
		cmocka_unit_test(makes_one_form_when_threads_race),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
