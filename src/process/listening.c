#include "sluice/process/listening.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sluice/net/listener.h"

static const char *path_of(const struct listening *listening)
{
	return listening->address.local.sun_path;
}

/* The path alone is not enough: by the time we end, a successor may have bound its own socket
 * there. */
static void remember_file(struct listening *listening)
{
	struct stat info;
	if (listening->address.any.sa_family != AF_UNIX || stat(path_of(listening), &info) != 0)
		return;
	listening->has_file = true;
	listening->device = info.st_dev;
	listening->inode = info.st_ino;
}

int listening_open(struct listening *listening, const char *text)
{
	const char *problem = address_parse(&listening->address, slice_of(text));
	int fd = problem ? -EINVAL : listener_bind(&listening->address, false);
	if (fd >= 0)
		remember_file(listening);
	return fd;
}

/* `first` must be closed before TCP sockets share its port. */
int listening_open_all(struct listening *listening, const char *text, unsigned n, int ret_fds[])
{
	int first = listening_open(listening, text);
	if (first < 0)
		return first;
	bool local = listening->address.any.sa_family == AF_UNIX;
	if (!local)
		close(first);
	int fd = 0;
	for (unsigned i = 0; i < n && fd >= 0; i++)
		ret_fds[i] = fd = local ? fcntl(first, F_DUPFD_CLOEXEC, 0)
					: listener_bind(&listening->address, true);
	if (local)
		close(first);
	return MIN(fd, 0);
}

void listening_remove_file(const struct listening *listening)
{
	struct stat info;
	if (listening->has_file && stat(path_of(listening), &info) == 0 &&
		info.st_dev == listening->device && info.st_ino == listening->inode)
		unlink(path_of(listening));
}
