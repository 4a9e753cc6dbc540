/* Payloads of all kinds for the tests of compression. */
#ifndef SLUICE_TESTS_PAYLOADS_H
#define SLUICE_TESTS_PAYLOADS_H

#include "sluice/base/buffer.h"
#include "unit.h"

enum payload_kind {
	PAYLOAD_EMPTY,
	PAYLOAD_BYTE,
	PAYLOAD_TEXT,
	PAYLOAD_RANDOM,  /* incompressible */
	PAYLOAD_ZEROS,   /* 1 MiB */
	PAYLOAD_DISTANT, /* repetitions just within and just beyond each window */
	PAYLOAD_KINDS,
};

/* The same bytes in every run. */
static inline void payload_add_random(struct buffer *payload, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		uint8_t byte = (uint8_t)(seed >> 24);
		assert_int_equal(buffer_append(payload, &byte, 1), 0);
	}
}

/* `payload` is zeroed before, and finished by the caller. */
static inline void payload_fill(struct buffer *payload, enum payload_kind kind)
{
	switch (kind) {
	case PAYLOAD_BYTE:
		assert_int_equal(buffer_append(payload, "x", 1), 0);
		break;
	case PAYLOAD_TEXT:
		for (int i = 0; i < 3000; i++)
			assert_int_equal(buffer_printf(payload, "{\"n\":%d,\"€\":true}", i), 0);
		break;
	case PAYLOAD_RANDOM:
		payload_add_random(payload, 100000, 1);
		break;
	case PAYLOAD_ZEROS:
		assert_int_equal(buffer_reserve(payload, 1 << 20), 0);
		memset(payload->bytes, 0, 1 << 20);
		payload->len = 1 << 20;
		break;
	case PAYLOAD_DISTANT:
		for (unsigned bits = 8; bits <= 15; bits++) {
			for (size_t gap = (1u << bits) - 8; gap <= (1u << bits) + 8; gap++) {
				payload_add_random(payload, 20, 7);
				payload_add_random(payload, gap - 20, (uint32_t)gap);
				payload_add_random(payload, 20, 7);
			}
		}
		break;
	case PAYLOAD_EMPTY:
	case PAYLOAD_KINDS:
		break;
	}
}

#endif
