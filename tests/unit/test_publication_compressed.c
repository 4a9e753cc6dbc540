#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

#include "sluice/hub/publication_compressed.h"
#include "sluice/proto/ws/ws_extension.h"
#include "sluice/proto/ws/ws_frame.h"
#include "unit.h"

enum { THRESHOLD = 64, PAYLOAD = 1000, THREADS = 4, ROUNDS = 200 };

static char text[PAYLOAD + 1];
static struct ws_deflater *deflater;

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAYLOAD; i++)
		text[i] = "{\"team\":7,\"goal\":\"home\"}"[i % 24];
	deflater = ws_deflater_create();
	return deflater ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	ws_deflater_destroy(deflater);
	return 0;
}

static void add(struct publication_run *run, struct slice payload)
{
	assert_int_equal(publication_run_add(run, SLICE("news"), payload), 0);
}

/* Reads one frame off the front; its payload is inflated when RSV1 says so. Returns the length. */
static size_t read_frame(struct slice *rest, struct ws_frame *frame, char *payload, size_t room)
{
	static const char tail[] = "\x00\x00\xff\xff";
	const uint8_t *header = (const uint8_t *)rest->at;
	size_t header_len = ws_frame_header_len(header);
	assert_int_equal(ws_frame_parse(header, frame), 0);
	struct slice body = slice_make(rest->at + header_len, frame->payload_len);
	*rest = slice_make(body.at + body.len, rest->len - header_len - body.len);
	if (!frame->rsv) {
		memcpy(payload, body.at, body.len);
		return body.len;
	}
	char *whole = malloc(body.len + 4);
	assert_non_null(whole);
	memcpy(whole, body.at, body.len);
	memcpy(whole + body.len, tail, 4);
	z_stream stream = { .next_in = (Bytef *)whole,
		.avail_in = (uInt)(body.len + 4),
		.next_out = (Bytef *)payload,
		.avail_out = (uInt)room };
	assert_int_equal(inflateInit2(&stream, -15), Z_OK);
	assert_int_equal(inflate(&stream, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(stream.avail_in, 0);
	inflateEnd(&stream);
	free(whole);
	return stream.total_out;
}

static void compresses_payloads_from_the_threshold_on(void **state)
{
	(void)state;
	char noise[PAYLOAD], payload[PAYLOAD * 2];
	struct publication_run run = { 0 };
	for (unsigned i = 0, x = 1; i < sizeof(noise); i++, x = x * 1664525 + 1013904223)
		noise[i] = (char)(x >> 24);
	const struct slice payloads[] = { slice_make(text, PAYLOAD),
		slice_make(text, THRESHOLD - 1), SLICE(""), slice_make(noise, sizeof(noise)),
		slice_make(text, THRESHOLD) };
	const uint8_t rsv[] = { WS_RSV1, 0, 0, 0, WS_RSV1 };
	for (size_t i = 0; i < COUNT_OF(payloads); i++)
		add(&run, payloads[i]);
	struct publication *publication = publication_run_take(&run);
	for (unsigned bits = WS_WINDOW_BITS_MIN; bits <= WS_WINDOW_BITS_MAX; bits++) {
		struct chunk *chunk =
			publication_compressed(publication, bits, THRESHOLD, deflater);
		assert_true(chunk->len < publication->chunk.len);
		struct slice rest = slice_make(chunk->bytes, chunk->len);
		for (size_t i = 0; i < COUNT_OF(payloads); i++) {
			struct ws_frame frame;
			size_t len = read_frame(&rest, &frame, payload, sizeof(payload));
			assert_int_equal(frame.rsv, rsv[i]);
			assert_true(frame.fin);
			assert_int_equal(frame.opcode, i == 3 ? WS_BINARY : WS_TEXT);
			assert_true(slice_equal(slice_make(payload, len), payloads[i]));
		}
		assert_int_equal(rest.len, 0);
	}
	publication_unref(publication);
}

static void compresses_once_per_window(void **state)
{
	(void)state;
	struct publication_run run = { 0 };
	add(&run, slice_make(text, PAYLOAD));
	struct publication *publication = publication_run_take(&run);
	struct chunk *chunk = publication_compressed(publication, 15, THRESHOLD, deflater);
	assert_ptr_not_equal(chunk, &publication->chunk);
	assert_ptr_equal(publication_compressed(publication, 15, THRESHOLD, deflater), chunk);
	assert_ptr_not_equal(publication_compressed(publication, 9, THRESHOLD, deflater), chunk);
	/* A queue that holds a reference keeps it. */
	chunk_ref(chunk);
	publication_unref(publication);
	assert_int_equal(chunk->bytes[0], '\xc1');
	chunk_unref(chunk);
}

/* Else a client that opens a connection for each window has everything compressed eight times. */
static void shares_three_compressions_among_all_windows(void **state)
{
	(void)state;
	struct publication_run run = { 0 };
	add(&run, slice_make(text, PAYLOAD));
	struct publication *publication = publication_run_take(&run);
	uint64_t before = ws_deflater_count(deflater);
	for (unsigned bits = WS_WINDOW_BITS_MIN; bits <= WS_WINDOW_BITS_MAX; bits++)
		publication_compressed(publication, bits, THRESHOLD, deflater);
	assert_int_equal(ws_deflater_count(deflater) - before, 3);
	publication_unref(publication);
}

static void gives_the_plain_frames_when_nothing_is_gained(void **state)
{
	(void)state;
	struct publication_run run = { 0 };
	add(&run, SLICE("short"));
	struct publication *publication = publication_run_take(&run);
	assert_ptr_equal(
		publication_compressed(publication, 15, THRESHOLD, deflater), &publication->chunk);
	assert_ptr_equal(publication_compressed(publication, 15, 1, deflater), &publication->chunk);
	publication_unref(publication);
}

struct racer {
	pthread_t thread;
	pthread_barrier_t *barrier;
	struct publication *publication;
	struct chunk *chunk;
};

static void *race(void *context)
{
	struct racer *racer = context;
	struct ws_deflater *own = ws_deflater_create();
	pthread_barrier_wait(racer->barrier);
	racer->chunk = publication_compressed(racer->publication, 15, THRESHOLD, own);
	publication_unref(racer->publication);
	ws_deflater_destroy(own);
	return NULL;
}

static void compresses_once_when_threads_race(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct publication_run run = { 0 };
		struct racer racers[THREADS];
		pthread_barrier_t barrier;
		add(&run, slice_make(text, PAYLOAD));
		struct publication *publication = publication_run_take(&run);
		assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
		for (size_t i = 0; i < THREADS; i++) {
			racers[i].barrier = &barrier;
			racers[i].publication = publication_ref(publication);
			assert_int_equal(
				pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
		}
		for (size_t i = 0; i < THREADS; i++)
			assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
		for (size_t i = 1; i < THREADS; i++)
			assert_ptr_equal(racers[i].chunk, racers[0].chunk);
		assert_ptr_not_equal(racers[0].chunk, &publication->chunk);
		pthread_barrier_destroy(&barrier);
		publication_unref(publication);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compresses_payloads_from_the_threshold_on),
		cmocka_unit_test(compresses_once_per_window),
		cmocka_unit_test(shares_three_compressions_among_all_windows),
		cmocka_unit_test(gives_the_plain_frames_when_nothing_is_gained),
		cmocka_unit_test(compresses_once_when_threads_race),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
