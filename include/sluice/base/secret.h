/* Bytes that must not be left behind. */
#ifndef SLUICE_BASE_SECRET_H
#define SLUICE_BASE_SECRET_H

#include <stddef.h>
#include <string.h>

#include "sluice/base/buffer.h"

/* Overwrites bytes that nobody reads any more; the compiler does not leave it out. */
static inline void secret_wipe(void *bytes, size_t len)
{
	if (len)
		explicit_bzero(bytes, len);
}

/* buffer_finish, for a buffer that may hold a secret. */
static inline void secret_finish(struct buffer *buffer)
{
	if (buffer->bytes)
		secret_wipe(buffer->bytes, buffer->len);
	buffer_finish(buffer);
}

#endif
