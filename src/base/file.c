/* The size that stat(2) reports says nothing about a pipe or a file in /proc, so the file is read
 * in pieces until it ends or is too large. */
#include "sluice/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sluice/base/secret.h"

enum { PIECE = 4096 };

/* Unlike buffer_reserve, leaves no copy behind: the file may hold a secret. */
static int make_room(struct buffer *bytes)
{
	struct buffer larger = { 0 };
	if (bytes->capacity - bytes->len >= PIECE)
		return 0;
	int error = buffer_reserve(&larger, MAX(2 * bytes->capacity, bytes->len + PIECE));
	if (!error)
		error = buffer_append_slice(&larger, buffer_slice(bytes));
	if (error) {
		buffer_finish(&larger);
		return error;
	}
	secret_wipe(bytes->bytes, bytes->len);
	buffer_finish(bytes);
	*bytes = larger;
	return 0;
}

static int read_all(int file, size_t max, struct buffer *bytes)
{
	for (;;) {
		int error = make_room(bytes);
		if (error)
			return error;
		ssize_t n = read(file, bytes->bytes + bytes->len, PIECE);
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		bytes->len += (size_t)n;
		if (bytes->len > max)
			return -EFBIG;
	}
}

int file_read(const char *path, size_t max, struct buffer *ret_bytes)
{
	*ret_bytes = (struct buffer){ 0 };
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	int error = read_all(file, max, ret_bytes);
	close(file);
	if (error)
		buffer_finish(ret_bytes);
	return error;
}
