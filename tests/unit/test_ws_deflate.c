/* The result is inflated by zlib itself, one byte at a time: so zlib keeps no more than the agreed
 * window of the bytes before, and fails on a distance beyond it. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "payloads.h"
#include "sluice/proto/ws/ws_deflate.h"

/* Compresses into a block of exactly `room` bytes. */
static int deflate_into(struct ws_deflater *deflater, unsigned bits, struct slice payload,
	size_t room, struct buffer *ret_compressed)
{
	*ret_compressed = (struct buffer){ .bytes = calloc(1, room), .capacity = room };
	size_t len = room;
	int error = ws_deflate(deflater, bits, payload, ret_compressed->bytes, &len);
	if (!error)
		ret_compressed->len = len;
	return error;
}

static struct buffer compress_payload(
	struct ws_deflater *deflater, unsigned bits, struct slice payload)
{
	struct buffer compressed;
	assert_int_equal(
		deflate_into(deflater, bits, payload, ws_deflate_room(payload.len), &compressed),
		0);
	return compressed;
}

/* RFC 7692 §7.2.2 to the letter, with a window of 2^bits bytes. */
static void assert_reads(struct slice compressed, unsigned bits, struct slice payload)
{
	z_stream stream = { 0 };
	struct buffer whole = { 0 };
	assert_int_equal(buffer_append_slice(&whole, compressed), 0);
	assert_int_equal(buffer_append(&whole, "\0\0\xFF\xFF", 4), 0);
	assert_int_equal(inflateInit2(&stream, -(int)bits), Z_OK);
	stream.next_in = (const uint8_t *)whole.bytes;
	stream.avail_in = (uInt)whole.len;
	for (size_t i = 0; i < payload.len; i++) {
		uint8_t byte;
		stream.next_out = &byte;
		stream.avail_out = 1;
		int status = inflate(&stream, Z_SYNC_FLUSH);
		if (status != Z_OK || stream.avail_out || byte != (uint8_t)payload.at[i])
			fail_msg("byte %zu: %s", i, stream.msg ? stream.msg : "another");
	}
	uint8_t more;
	stream.next_out = &more;
	stream.avail_out = 1;
	(void)inflate(&stream, Z_SYNC_FLUSH);
	assert_int_equal(stream.avail_out, 1);
	assert_int_equal(stream.avail_in, 0);
	inflateEnd(&stream);
	buffer_finish(&whole);
}

static void compresses_for_every_window(void **state)
{
	(void)state;
	struct ws_deflater *deflater = ws_deflater_create();
	for (enum payload_kind kind = 0; kind < PAYLOAD_KINDS; kind++) {
		struct buffer payload = { 0 };
		payload_fill(&payload, kind);
		for (unsigned bits = 8; bits <= 15; bits++) {
			struct buffer compressed =
				compress_payload(deflater, bits, buffer_slice(&payload));
			assert_reads(buffer_slice(&compressed), bits, buffer_slice(&payload));
			buffer_finish(&compressed);
		}
		buffer_finish(&payload);
	}
	ws_deflater_destroy(deflater);
}

/* The test above is worth something only if a window has exactly its size. */
static void test_reader_notices_distances_beyond_its_window(void **state)
{
	(void)state;
	struct ws_deflater *deflater = ws_deflater_create();
	struct buffer payload = { 0 };
	payload_fill(&payload, PAYLOAD_DISTANT);
	for (unsigned bits = 8; bits < 15; bits++) {
		struct buffer compressed = compress_payload(
			deflater, bits + 2 > 15 ? 15 : bits + 2, buffer_slice(&payload));
		z_stream stream = { .next_in = (const uint8_t *)compressed.bytes,
			.avail_in = (uInt)compressed.len };
		assert_int_equal(inflateInit2(&stream, -(int)bits), Z_OK);
		int status = Z_OK;
		while (status == Z_OK && stream.avail_in) {
			uint8_t byte;
			stream.next_out = &byte;
			stream.avail_out = 1;
			status = inflate(&stream, Z_SYNC_FLUSH);
		}
		assert_int_equal(status, Z_DATA_ERROR);
		assert_string_equal(stream.msg, "invalid distance too far back");
		inflateEnd(&stream);
		buffer_finish(&compressed);
	}
	buffer_finish(&payload);
	ws_deflater_destroy(deflater);
}

static void assert_compressed(
	struct ws_deflater *deflater, struct slice payload, struct slice expected)
{
	struct buffer compressed = compress_payload(deflater, 15, payload);
	assert_true(slice_equal(buffer_slice(&compressed), expected));
	buffer_finish(&compressed);
}

/* RFC 7692 §7.2.3.1 and §7.2.3.6. A repeated message shows that each stands for itself. */
static void gives_the_examples_of_rfc_7692(void **state)
{
	(void)state;
	struct ws_deflater *deflater = ws_deflater_create();
	for (int times = 0; times < 3; times++) {
		assert_compressed(deflater, SLICE("Hello"), SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00"));
		assert_compressed(deflater, SLICE(""), SLICE("\x00"));
		assert_compressed(deflater, (struct slice){ NULL, 0 }, SLICE("\x00"));
	}
	ws_deflater_destroy(deflater);
}

/* A message that did not fit leaves no trace in the next one. */
static void refuses_a_room_that_is_too_small(void **state)
{
	(void)state;
	struct ws_deflater *deflater = ws_deflater_create();
	struct slice payload = SLICE("room, room, more room for this");
	struct buffer compressed = compress_payload(deflater, 12, payload);
	for (size_t room = 0; room < compressed.len + 5; room++) {
		struct buffer none;
		assert_int_equal(deflate_into(deflater, 12, payload, room, &none), -E2BIG);
		buffer_finish(&none);
	}
	for (size_t room = compressed.len + 5; room < compressed.len + 50; room++) {
		struct buffer again;
		assert_int_equal(deflate_into(deflater, 12, payload, room, &again), 0);
		assert_true(slice_equal(buffer_slice(&again), buffer_slice(&compressed)));
		buffer_finish(&again);
	}
	buffer_finish(&compressed);
	ws_deflater_destroy(deflater);
}

static void refuses_incompressible_payloads(void **state)
{
	(void)state;
	struct ws_deflater *deflater = ws_deflater_create();
	for (size_t len = 0; len < 3000; len += 37) {
		struct buffer payload = { 0 }, none;
		payload_add_random(&payload, len, 3);
		for (unsigned bits = 8; bits <= 15; bits++) {
			struct buffer compressed =
				compress_payload(deflater, bits, buffer_slice(&payload));
			assert_in_range(compressed.len, 1, ws_deflate_room(len) - 5);
			buffer_finish(&compressed);
		}
		assert_int_equal(
			deflate_into(deflater, 15, buffer_slice(&payload), len, &none), -E2BIG);
		buffer_finish(&none);
		buffer_finish(&payload);
	}
	ws_deflater_destroy(deflater);
}

static void destroy_accepts_null(void **state)
{
	(void)state;
	ws_deflater_destroy(NULL);
	ws_deflater_destroy(ws_deflater_create());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compresses_for_every_window),
		cmocka_unit_test(test_reader_notices_distances_beyond_its_window),
		cmocka_unit_test(gives_the_examples_of_rfc_7692),
		cmocka_unit_test(refuses_a_room_that_is_too_small),
		cmocka_unit_test(refuses_incompressible_payloads),
		cmocka_unit_test(destroy_accepts_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
