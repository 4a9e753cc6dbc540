/* Sends and receives a stream's bytes on its socket, plain or as TLS records. Every function works
 * on a connected, non-blocking descriptor; `tls` is the session on it, or NULL. It keeps no
 * state. */
#ifndef SLUICE_NET_STREAM_IO_H
#define SLUICE_NET_STREAM_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/defs.h"
#include "sluice/net/send_queue.h"
#include "sluice/net/tls/tls_session.h"

/* The functions with which a TLS session sends and receives. Their context is a pointer to the
 * descriptor. */
extern const struct tls_io stream_io_of_tls;

/* For a new socket: bytes are sent without delay (TCP_NODELAY). */
void stream_io_init(int fd);

/* Bytes (at least 1), 0 at the peer's end, or a negative errno. */
ssize_t stream_io_receive(int fd, struct tls_session *tls, void *bytes, size_t len);

/* Offers the queue's first bytes to the kernel in one gathered write, at most `limit` bytes of them
 * (TLS: one record). The queue is not changed. Returns how many bytes were taken, or a negative
 * errno. */
ssize_t stream_io_send(
	int fd, struct tls_session *tls, const struct send_queue *queue, size_t limit);

/* How many of the queue's first bytes must be offered again unchanged, because a part of them may
 * have been sent already. The chunk that contains the last of them must stay whole. */
size_t stream_io_begun(const struct tls_session *tls, const struct send_queue *queue);

/* Ends our side: close_notify, FIN. */
void stream_io_end(int fd, struct tls_session *tls);

/* From now on the kernel buffers little more than the network has taken. */
void stream_io_become_lean(int fd);

/* Has the peer sent bytes that are still in the kernel? */
bool stream_io_has_unread(int fd);

#endif
