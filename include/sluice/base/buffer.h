/* A growing byte buffer. All zero is empty and valid. */
#ifndef SLUICE_BASE_BUFFER_H
#define SLUICE_BASE_BUFFER_H

#include <stddef.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

struct buffer {
	char *bytes;
	size_t len;
	size_t capacity;
};

/* Frees the bytes; the buffer is empty and may be used again. */
void buffer_finish(struct buffer *buffer);

/* Makes room for `more` bytes after the first `len`. 0 or -ENOMEM (nothing changed). */
MUST_CHECK int buffer_reserve(struct buffer *buffer, size_t more);

/* 0 or -ENOMEM (nothing changed). */
MUST_CHECK int buffer_append(struct buffer *buffer, const void *bytes, size_t len);
MUST_CHECK int buffer_append_slice(struct buffer *buffer, struct slice slice);
MUST_CHECK int buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

static inline struct slice buffer_slice(const struct buffer *buffer)
{
	return slice_make(buffer->bytes, buffer->len);
}

#endif
