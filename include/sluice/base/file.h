/* Small files, read whole. */
#ifndef SLUICE_BASE_FILE_H
#define SLUICE_BASE_FILE_H

#include <stddef.h>

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"

/* Reads the file at `path`, which may be a pipe or in /proc, into `ret_bytes`, which the caller
 * finishes. 0 or a negative errno (then `ret_bytes` is empty); -EFBIG: it has more than `max`
 * bytes. Blocks. */
MUST_CHECK int file_read(const char *path, size_t max, struct buffer *ret_bytes);

#endif
