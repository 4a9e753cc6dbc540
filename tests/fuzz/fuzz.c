#include "fuzz.h"

#include <stdarg.h>

enum { CHUNKING_VARIES = 128, VARIES_MAX = 15 };

struct slice fuzz_rest(const uint8_t *data, size_t size)
{
	return size ? slice_make((const char *)data + 1, size - 1) : SLICE("");
}

/* A linear congruential generator: the same chunking gives the same sizes everywhere. */
static size_t next_size(uint8_t chunking, uint32_t *state)
{
	if (chunking == FUZZ_WHOLE)
		return SIZE_MAX;
	if (chunking < CHUNKING_VARIES)
		return chunking;
	*state = *state * 1664525 + 1013904223;
	return (*state >> 24) % (VARIES_MAX + 1);
}

void fuzz_feed(uint8_t chunking, struct slice bytes,
	void (*feed)(void *context, char *bytes, size_t len), void *context)
{
	uint32_t state = chunking;
	do {
		size_t wanted = next_size(chunking, &state), len = MIN(wanted, bytes.len);
		char *piece = malloc(len);
		MUST(piece || len == 0);
		if (len)
			memcpy(piece, bytes.at, len);
		feed(context, piece, len);
		free(piece);
		bytes = slice_skip(bytes, len);
	} while (bytes.len);
}

struct slice fuzz_copy(struct slice bytes)
{
	char *copy = malloc(bytes.len);
	MUST(copy || bytes.len == 0);
	if (bytes.len)
		memcpy(copy, bytes.at, bytes.len);
	return slice_make(copy, bytes.len);
}

void fuzz_free(struct slice copy)
{
	free((void *)(uintptr_t)copy.at);
}

void fuzz_append(struct buffer *record, struct slice bytes)
{
	MUST(buffer_append_slice(record, bytes) == 0);
}

void fuzz_printf(struct buffer *record, const char *format, ...)
{
	char text[256];
	va_list arguments;
	va_start(arguments, format);
	int len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	MUST(len >= 0 && (size_t)len < sizeof(text));
	fuzz_append(record, slice_make(text, (size_t)len));
}
