#include "sluice/base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void buffer_finish(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct buffer){ 0 };
}

int buffer_reserve(struct buffer *buffer, size_t more)
{
	if (buffer->capacity - buffer->len >= more)
		return 0;
	if (more > SIZE_MAX / 4 - buffer->len)
		return -ENOMEM;
	/* Doubling keeps appending linear. */
	size_t capacity = MAX(MAX(buffer->capacity * 2, buffer->len + more), FIRST_CAPACITY);
	char *bytes = realloc(buffer->bytes, capacity);
	if (!bytes)
		return -ENOMEM;
	buffer->bytes = bytes;
	buffer->capacity = capacity;
	return 0;
}

int buffer_append(struct buffer *buffer, const void *bytes, size_t len)
{
	int error = buffer_reserve(buffer, len);
	if (error || !len)
		return error;
	memcpy(buffer->bytes + buffer->len, bytes, len);
	buffer->len += len;
	return 0;
}

int buffer_append_slice(struct buffer *buffer, struct slice slice)
{
	return buffer_append(buffer, slice.at, slice.len);
}

int buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	size_t room = buffer->capacity - buffer->len;
	int len = vsnprintf(room ? buffer->bytes + buffer->len : NULL, room, format, arguments);
	va_end(arguments);
	int error = len < 0 ? -EINVAL : 0;
	if (!error && (size_t)len >= room) {
		error = buffer_reserve(buffer, (size_t)len + 1);
		if (!error)
			vsnprintf(buffer->bytes + buffer->len, (size_t)len + 1, format, again);
	}
	va_end(again);
	if (!error)
		buffer->len += (size_t)len;
	return error;
}
