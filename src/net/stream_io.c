/* One write per stream and loop turn, without a copy: a plain socket is given a list of the queued
 * chunks. A TLS record costs some 30 bytes and an encryption of its own, so there small chunks are
 * copied together and share a record. */
#include "sluice/net/stream_io.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	PARTS = 64, /* of one gathered write */
	LEAN_UNSENT = 32 * 1024,
};

/* ---- the socket ---- */

static ssize_t socket_send(int fd, const void *bytes, size_t len)
{
	ssize_t n;
	do {
		n = send(fd, bytes, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t socket_receive(int fd, void *bytes, size_t len)
{
	ssize_t n;
	do {
		n = recv(fd, bytes, len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t send_record(void *context, const void *bytes, size_t len)
{
	return socket_send(*(const int *)context, bytes, len);
}

static ssize_t receive_record(void *context, void *bytes, size_t len)
{
	return socket_receive(*(const int *)context, bytes, len);
}

const struct tls_io stream_io_of_tls = { .send = send_record, .receive = receive_record };

/* ---- sending ---- */

/* A single chunk, the usual case, is sent without a list. The list is the thread's: the compiler
 * would clear one on the stack each time, a kilobyte. */
static ssize_t send_plain(int fd, const struct send_queue *queue, size_t limit)
{
	static _Thread_local struct iovec parts[PARTS];
	size_t n_parts = send_queue_gather(queue, parts, PARTS, limit);
	if (n_parts == 1)
		return socket_send(fd, parts[0].iov_base, parts[0].iov_len);
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = n_parts };
	ssize_t n;
	do {
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* The limit does not matter here: after -EAGAIN no less than before may be offered. */
static ssize_t send_tls(struct tls_session *tls, const struct send_queue *queue)
{
	static _Thread_local unsigned char record[TLS_RECORD_MAX];
	struct iovec front = send_queue_front(queue, record, sizeof(record));
	return tls_session_write(tls, front.iov_base, front.iov_len);
}

void stream_io_init(int fd)
{
	const int on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

ssize_t stream_io_receive(int fd, struct tls_session *tls, void *bytes, size_t len)
{
	return tls ? tls_session_read(tls, bytes, len) : socket_receive(fd, bytes, len);
}

ssize_t stream_io_send(
	int fd, struct tls_session *tls, const struct send_queue *queue, size_t limit)
{
	return tls ? send_tls(tls, queue) : send_plain(fd, queue, limit);
}

size_t stream_io_begun(const struct tls_session *tls, const struct send_queue *queue)
{
	return tls ? TLS_RECORD_MAX : queue->first_offset > 0;
}

void stream_io_end(int fd, struct tls_session *tls)
{
	if (tls)
		tls_session_end(tls);
	shutdown(fd, SHUT_WR);
}

void stream_io_become_lean(int fd)
{
	const int unsent = LEAN_UNSENT;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

bool stream_io_has_unread(int fd)
{
	int in_kernel = 0;
	return ioctl(fd, FIONREAD, &in_kernel) == 0 && in_kernel > 0;
}
