#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/ws/ws_frame.h"
#include "unit.h"

/* Parses from a block of the exact size, so that a sanitizer sees a read beyond it. */
static int parse(const char *bytes, size_t len, struct ws_frame *frame)
{
	uint8_t *header = malloc(len);
	assert_non_null(header);
	memcpy(header, bytes, len);
	assert_int_equal(ws_frame_header_len(header), len);
	int error = ws_frame_parse(header, frame);
	free(header);
	return error;
}

static void parses_headers(void **state)
{
	(void)state;
	static const struct {
		struct slice bytes;
		struct ws_frame frame;
	} cases[] = {
		/* RFC 6455 §5.7 */
		{ { "\x81\x05", 2 }, { true, 0, WS_TEXT, false, { 0 }, 5 } },
		{ { "\x81\x85\x37\xfa\x21\x3d", 6 },
			{ true, 0, WS_TEXT, true, { 0x37, 0xfa, 0x21, 0x3d }, 5 } },
		{ { "\x01\x03", 2 }, { false, 0, WS_TEXT, false, { 0 }, 3 } },
		{ { "\x80\x02", 2 }, { true, 0, WS_CONTINUATION, false, { 0 }, 2 } },
		{ { "\x82\x7E\x01\x00", 4 }, { true, 0, WS_BINARY, false, { 0 }, 256 } },
		{ { "\x82\x7F\0\0\0\0\0\x01\0\0", 10 },
			{ true, 0, WS_BINARY, false, { 0 }, 65536 } },
		/* the limits of each length */
		{ { "\x82\x00", 2 }, { true, 0, WS_BINARY, false, { 0 }, 0 } },
		{ { "\x82\x7D", 2 }, { true, 0, WS_BINARY, false, { 0 }, 125 } },
		{ { "\x82\x7E\x00\x7E", 4 }, { true, 0, WS_BINARY, false, { 0 }, 126 } },
		{ { "\x82\x7E\xFF\xFF", 4 }, { true, 0, WS_BINARY, false, { 0 }, 65535 } },
		{ { "\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10 },
			{ true, 0, WS_BINARY, false, { 0 }, INT64_MAX } },
		{ { "\x82\xFF\x01\x02\x03\x04\x05\x06\x07\x08keys", 14 },
			{ true, 0, WS_BINARY, true, { 'k', 'e', 'y', 's' }, 0x0102030405060708 } },
		/* each bit of the first byte */
		{ { "\x40\x00", 2 }, { false, 4, 0, false, { 0 }, 0 } },
		{ { "\x20\x00", 2 }, { false, 2, 0, false, { 0 }, 0 } },
		{ { "\x10\x00", 2 }, { false, 1, 0, false, { 0 }, 0 } },
		{ { "\xFF\x00", 2 }, { true, 7, 0xF, false, { 0 }, 0 } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct ws_frame *want = &cases[i].frame;
		struct ws_frame frame;
		assert_int_equal(parse(cases[i].bytes.at, cases[i].bytes.len, &frame), 0);
		assert_int_equal(frame.fin, want->fin);
		assert_int_equal(frame.rsv, want->rsv);
		assert_int_equal(frame.opcode, want->opcode);
		assert_int_equal(frame.masked, want->masked);
		assert_memory_equal(frame.masking_key, want->masking_key, 4);
		assert_int_equal(frame.payload_len, want->payload_len);
	}
}

static void refuses_lengths_not_in_shortest_form(void **state)
{
	(void)state;
	static const struct slice cases[] = {
		{ "\x82\x7E\x00\x00", 4 },
		{ "\x82\x7E\x00\x7D", 4 },
		{ "\x82\xFE\x00\x7Dkeys", 8 },
		{ "\x82\x7F\0\0\0\0\0\0\0\0", 10 },
		{ "\x82\x7F\0\0\0\0\0\0\0\x7D", 10 },
		{ "\x82\x7F\0\0\0\0\0\0\xFF\xFF", 10 },
		{ "\x82\xFF\0\0\0\0\0\0\xFF\xFFkeys", 14 },
		{ "\x82\x7F\x80\0\0\0\0\0\0\0", 10 },
		{ "\x82\x7F\x80\0\0\0\0\x01\0\0", 10 },
		{ "\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFkeys", 14 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct ws_frame frame;
		assert_int_equal(parse(cases[i].at, cases[i].len, &frame), -EPROTO);
	}
}

static void parses_what_it_formats(void **state)
{
	(void)state;
	static const struct {
		uint64_t payload_len;
		size_t header_len;
	} cases[] = { { 0, 2 }, { 1, 2 }, { 125, 2 }, { 126, 4 }, { 65535, 4 }, { 65536, 10 },
		{ 0x0102030405060708, 10 }, { INT64_MAX, 10 } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t header[WS_SERVER_HEADER_MAX];
		struct ws_frame frame;
		bool fin = i % 2;
		enum ws_opcode opcode = fin ? WS_PONG : WS_TEXT;
		assert_int_equal(ws_frame_format(header, opcode, fin, cases[i].payload_len),
			cases[i].header_len);
		assert_int_equal(ws_frame_header_len(header), cases[i].header_len);
		assert_int_equal(ws_frame_parse(header, &frame), 0);
		assert_int_equal(frame.fin, fin);
		assert_int_equal(frame.rsv, 0);
		assert_int_equal(frame.opcode, opcode);
		assert_false(frame.masked);
		assert_int_equal(frame.payload_len, cases[i].payload_len);
	}
}

/* Compared with §5.3's algorithm byte by byte; the bytes on both sides must not change. */
static void masks_every_length_alignment_and_offset(void **state)
{
	(void)state;
	static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };
	enum { PAD = 8, LEN_MAX = 40 };
	char bytes[PAD + LEN_MAX + PAD];
	for (size_t len = 0; len <= LEN_MAX; len++) {
		for (size_t start = 0; start < PAD; start++) {
			for (uint64_t offset = 0; offset < 9; offset++) {
				for (size_t i = 0; i < sizeof(bytes); i++)
					bytes[i] = (char)(i * 7);
				ws_mask(bytes + start, len, key, offset);
				for (size_t i = 0; i < sizeof(bytes); i++) {
					bool inside = i >= start && i < start + len;
					uint8_t k = inside ? key[(i - start + offset) % 4] : 0;
					assert_int_equal((uint8_t)bytes[i], (uint8_t)(i * 7) ^ k);
				}
			}
		}
	}
}

static void masks_in_two_parts(void **state)
{
	(void)state;
	static const uint8_t key[4] = { 1, 2, 4, 8 };
	char whole[50], parts[50];
	memset(whole, 'w', sizeof(whole));
	ws_mask(whole, sizeof(whole), key, 3);
	for (size_t i = 0; i <= sizeof(parts); i++) {
		memset(parts, 'w', sizeof(parts));
		ws_mask(parts, i, key, 3);
		ws_mask(parts + i, sizeof(parts) - i, key, 3 + i);
		assert_memory_equal(parts, whole, sizeof(whole));
	}
	ws_mask(NULL, 0, key, 0);
}

static void masks_the_example_of_rfc_6455(void **state)
{
	(void)state;
	static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };
	char bytes[] = "\x7f\x9f\x4d\x51\x58";
	ws_mask(bytes, 5, key, 0);
	assert_string_equal(bytes, "Hello");
}

/* The header of a compressed message differs in one bit. */
static void formats_compressed_headers_with_rsv1(void **state)
{
	(void)state;
	static const uint64_t lens[] = { 0, 125, 126, 65535, 65536, 1 << 30 };
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		uint8_t plain[WS_SERVER_HEADER_MAX], header[WS_SERVER_HEADER_MAX];
		size_t len = ws_frame_format(plain, WS_TEXT, true, lens[i]);
		assert_int_equal(ws_frame_format_compressed(header, WS_TEXT, true, lens[i]), len);
		assert_int_equal(header[0], plain[0] | 0x40);
		assert_memory_equal(header + 1, plain + 1, len - 1);
		struct ws_frame frame;
		assert_int_equal(ws_frame_parse(header, &frame), 0);
		assert_int_equal(frame.rsv, WS_RSV1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_headers),
		cmocka_unit_test(refuses_lengths_not_in_shortest_form),
		cmocka_unit_test(parses_what_it_formats),
		cmocka_unit_test(formats_compressed_headers_with_rsv1),
		cmocka_unit_test(masks_every_length_alignment_and_offset),
		cmocka_unit_test(masks_in_two_parts),
		cmocka_unit_test(masks_the_example_of_rfc_6455),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
