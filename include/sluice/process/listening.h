/* An address that the process listens on, and the file of its Unix socket. */
#ifndef SLUICE_PROCESS_LISTENING_H
#define SLUICE_PROCESS_LISTENING_H

#include <stdbool.h>
#include <sys/types.h>

#include "sluice/base/defs.h"
#include "sluice/net/address.h"

struct listening {
	struct address address; /* with the port that was chosen */
	/* private: the socket's file when it was bound */
	bool has_file;
	dev_t device;
	ino_t inode;
};

/* Binds and listens exclusively: -EADDRINUSE if another program listens there. `text` is a setting
 * that has been checked. Returns the descriptor or a negative errno. */
MUST_CHECK int listening_open(struct listening *listening, const char *text);

/* The same with `n` descriptors, one for each worker: TCP sockets that share the port, or
 * duplicates of a Unix socket. 0 or a negative errno, after which the process ends. */
MUST_CHECK int listening_open_all(
	struct listening *listening, const char *text, unsigned n, int ret_fds[]);

/* Removes the Unix socket's file, unless another process has replaced it with its own. */
void listening_remove_file(const struct listening *listening);

#endif
