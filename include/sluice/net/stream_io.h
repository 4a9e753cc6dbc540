/* How a stream's bytes pass its socket: as they are, or as TLS records. Everything here works on a
 * connected, non-blocking descriptor; `tls` is the session on it, or NULL. It keeps no state. */
#ifndef SLUICE_NET_STREAM_IO_H
#define SLUICE_NET_STREAM_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/defs.h"
#include "sluice/net/send_queue.h"
#include "sluice/net/tls_session.h"

/* What a session sends and receives by. Its context is a pointer to the descriptor. */
extern const struct tls_io stream_io_of_tls;

/* For a new socket: what is sent leaves at once (TCP_NODELAY). */
void stream_io_init(int fd);

/* Bytes (at least 1), 0 at the peer's end, or a negative errno. */
ssize_t stream_io_receive(int fd, struct tls_session *tls, void *bytes, size_t len);

/* Offers the queue's first bytes to the kernel in one gathered write, at most `limit` bytes of them (TLS:
 * one record). The queue is not changed. Returns how many bytes were taken, or a negative errno. */
ssize_t stream_io_send(
	int fd, struct tls_session *tls, const struct send_queue *queue, size_t limit);

/* How many of the queue's first bytes have to be offered again as they are, because a part of them may
 * have left already. The chunk that the last of them lies in has to stay whole. */
size_t stream_io_begun(const struct tls_session *tls, const struct send_queue *queue);

/* Ends our side: close_notify, FIN. */
void stream_io_end(int fd, struct tls_session *tls);

/* From now on the kernel holds little that the network has not taken yet. */
void stream_io_become_lean(int fd);

/* Has the peer sent bytes that are still in the kernel? */
bool stream_io_has_unread(int fd);

#endif
