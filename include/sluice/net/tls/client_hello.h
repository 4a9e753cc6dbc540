/* Is the first message of a TLS client here? Asked before any memory or CPU is spent on it. */
#ifndef SLUICE_NET_TLS_CLIENT_HELLO_H
#define SLUICE_NET_TLS_CLIENT_HELLO_H

#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/defs.h"

/* Looks at the bytes that have arrived on `fd`, an accepted socket, and leaves them there.
 * `scratch` of `size` bytes, at least 16,389, is overwritten.
 *
 * 0: the whole first record is here. More than 0: so many bytes make up the record, or as much of
 * it as shows its length. Negative errno: -ECONNRESET: the peer has left already; -EPROTO: it
 * speaks no TLS; or the socket's. */
MUST_CHECK ssize_t client_hello_look(int fd, char *scratch, size_t size);

/* The socket becomes readable only when `bytes` have arrived, or the peer has left. A Unix socket
 * does not know this. */
void client_hello_await(int fd, size_t bytes);

#endif
