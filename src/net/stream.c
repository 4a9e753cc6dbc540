/* A connected byte stream.
 *
 *	stream_connect -> [connector] -> fd --+
 *	stream_accept ------------------- fd -+-> [TLS handshake] -> open -> ... -> closed
 *
 *	socket readable -> read into the loop's buffer -> on_bytes
 *	stream_send -> queue -> end of the turn: one sendmsg -> what is left waits for "writable"
 *
 * The descriptor is ours, and only watched (net/sockets), where uv_tcp_t would be the obvious choice:
 * uv_write wants a request that lives until its callback, an allocation per write, and
 * copies the array of parts when it has more than four; uv_read wants a buffer handed out for each
 * read. Here an idle stream is this struct and nothing else, and a write that the kernel takes
 * costs one system call.
 *
 * Everything that is not an answer to the socket happens in one task at the end of the turn:
 * opening what was accepted, reading on, writing, ending our side, closing what has no handle. So
 * no event is ever raised within a call of the owner's, and it does not matter how often in a turn
 * he sends, pauses or resumes: what is watched is changed when it differs at the end from what is
 * wanted. To read no more is not even told to the kernel before something comes: most pauses are over
 * by then.
 *
 * Fairness: a stream reads and writes a bounded amount at a time, then the others have their turn.
 * The socket's readiness brings it back; where that cannot (bytes that wait decrypted in the TLS
 * session, a socket that takes and takes) its task does.
 *
 * After every event the owner may have closed the stream, so whoever raises one looks at `closing`
 * before doing anything else, and his callers ask is_alive. The owner may free the stream only in
 * on_closed, which is raised last in its callback. */
#include "sluice/net/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sluice/net/tcp_progress.h"

/* A gateway has as many of these as browsers. */
_Static_assert(sizeof(void *) != 8 || sizeof(struct stream) == 104, "a stream has 104 bytes");

enum {
	STREAM_READ_BUDGET = 256 * 1024,
	STREAM_WRITE_BUDGET = 256 * 1024,
	STREAM_MUCH_QUEUED = 16 << 20,  /* in all streams of a loop */
	STREAM_LEAN_UNSENT = 32 * 1024, /* in the kernel, of one of them then */
	STREAM_PARTS = 64,              /* of one gathered write */
};

static struct stream *stream_of(struct turn_task *task)
{
	return container_of(task, struct stream, task);
}

static bool is_alive(const struct stream *stream)
{
	return !stream->closing && !stream->failed;
}

static void schedule(struct stream *stream)
{
	turn_schedule(stream->shared->turn, &stream->task);
}

/* ---- watching ---- */

static unsigned wanted_events(const struct stream *stream)
{
	unsigned wanted = 0;
	if (!is_alive(stream))
		return 0;
	if ((stream->reading || !stream->open) && !stream->peer_ended)
		wanted |= EPOLLIN;
	if (stream->stuck)
		wanted |= EPOLLOUT;
	return wanted;
}

static void fail(struct stream *stream, int error);

/* A socket for which nothing is wanted is not among the others, as epoll would tell of its end again and
 * again. */
static void set_watched(struct stream *stream, unsigned wanted)
{
	struct sockets *sockets = &stream->shared->sockets;
	unsigned before = stream->watched;
	stream->watched = wanted & 7U;
	if (!wanted && before)
		sockets_remove(sockets, stream->fd, stream);
	else if (before)
		sockets_change(sockets, stream->fd, stream, wanted);
	else if (wanted) {
		int error = sockets_add(sockets, stream->fd, stream, wanted);
		stream->watched = error ? 0 : wanted & 7U;
		if (error)
			fail(stream, error);
	}
}

static void watch(struct stream *stream)
{
	unsigned wanted = wanted_events(stream);
	if (wanted != stream->watched && (wanted | EPOLLIN) != stream->watched)
		set_watched(stream, wanted);
}

/* ---- the end ---- */

static void fail(struct stream *stream, int error)
{
	stream->failed = 1;
	turn_cancel(&stream->task);
	if (stream->watched)
		set_watched(stream, 0);
	stream->events->on_end(stream, error);
}

/* ---- the socket ---- */

static ssize_t socket_send(void *context, const void *bytes, size_t len)
{
	const struct stream *stream = context;
	ssize_t n;
	do {
		n = send(stream->fd, bytes, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t socket_receive(void *context, void *bytes, size_t len)
{
	const struct stream *stream = context;
	ssize_t n;
	do {
		n = recv(stream->fd, bytes, len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static const struct tls_io socket_io = { .send = socket_send, .receive = socket_receive };

/* ---- reading ---- */

static ssize_t receive(struct stream *stream, void *bytes, size_t len)
{
	if (stream->tls)
		return tls_session_read(stream->tls, bytes, len);
	return socket_receive(stream, bytes, len);
}

/* Up to -EAGAIN, as a TLS session may hold bytes of which the socket will not tell again; a plain
 * socket is level-triggered, there a read that did not fill the buffer is enough. */
static void read_socket(struct stream *stream)
{
	char *buffer = stream->shared->read_buffer;
	size_t size = stream->shared->read_buffer_size, done = 0;
	stream->unread = stream->tls != NULL;
	while (stream->reading && !stream->peer_ended && done < STREAM_READ_BUDGET) {
		ssize_t n = receive(stream, buffer, size);
		if (n > 0) {
			done += (size_t)n;
			stream->events->on_bytes(stream, buffer, (size_t)n);
			if (stream->closing || (!stream->tls && (size_t)n < size))
				return;
			continue;
		}
		stream->unread = 0;
		if (n == 0) {
			stream->peer_ended = 1;
			stream->events->on_end(stream, 0);
		} else if (n != -EAGAIN) {
			fail(stream, (int)n);
		}
		return;
	}
	if (stream->unread && stream->reading) /* else stream_resume brings it back */
		schedule(stream);
}

/* ---- writing ---- */

/* One chunk, which is the rule, is sent without a list of its parts. The list is the thread's, as the
 * compiler would clear one on the stack each time: a kilobyte. */
static ssize_t write_plain(struct stream *stream, size_t limit)
{
	static _Thread_local struct iovec parts[STREAM_PARTS];
	size_t n_parts = send_queue_gather(&stream->queue, parts, STREAM_PARTS, limit);
	if (n_parts == 1)
		return socket_send(stream, parts[0].iov_base, parts[0].iov_len);
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = n_parts };
	ssize_t n;
	do {
		n = sendmsg(stream->fd, &message, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* A record costs some 30 bytes and an encryption of its own, so small chunks share one. The budget
 * does not matter here: after -EAGAIN no less than before may be offered. */
static ssize_t write_tls(struct stream *stream)
{
	static _Thread_local unsigned char record[TLS_RECORD_MAX];
	struct iovec front = send_queue_front(&stream->queue, record, sizeof(record));
	return tls_session_write(stream->tls, front.iov_base, front.iov_len);
}

/* The kernel's buffer for a TCP socket grows to megabytes, and that is welcome: a burst is soon off our
 * hands. But thousands who do not read would each get a copy there of what they share in our queues,
 * and making those takes a worker longer than Redis waits for its next read. So when much is queued,
 * the kernel is given little more than the network takes; what may be on its way is not limited by
 * this. */
static void become_lean(struct stream *stream)
{
	const int unsent = STREAM_LEAN_UNSENT;
	stream->lean = 1;
	(void)setsockopt(stream->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

/* Offers the queue to the kernel. 0: all was taken; 1: the budget is spent; or a negative errno. */
static int offer_queue(struct stream *stream, size_t budget)
{
	size_t done = 0;
	if (stream->shared->queued > STREAM_MUCH_QUEUED && !stream->lean)
		become_lean(stream);
	while (stream->queue.bytes > 0) {
		if (done >= budget)
			return 1;
		ssize_t n = stream->tls ? write_tls(stream) : write_plain(stream, budget - done);
		if (n < 0)
			return (int)n;
		send_queue_consume(&stream->queue, (size_t)n);
		stream->shared->queued -= (size_t)n;
		done += (size_t)n;
	}
	return 0;
}

static void write_queue(struct stream *stream)
{
	int result = offer_queue(stream, STREAM_WRITE_BUDGET);
	if (result == -EAGAIN) {
		stream->stuck = 1;
	} else if (result < 0) {
		fail(stream, result);
	} else if (result > 0 && !stream->stuck) { /* else "writable" brings it back */
		schedule(stream);
	} else if (result == 0 && stream->stuck) {
		stream->stuck = 0;
		if (stream->events->on_drained)
			stream->events->on_drained(stream);
	}
}

static void end_our_side(struct stream *stream)
{
	stream->ended = 1;
	if (stream->tls)
		tls_session_end(stream->tls);
	shutdown(stream->fd, SHUT_WR);
}

/* Writes what is queued, then ends our side if that is wanted. */
static void write_and_end(struct stream *stream)
{
	write_queue(stream);
	if (is_alive(stream) && stream->ending && !stream->ended && stream->queue.bytes == 0)
		end_our_side(stream);
}

/* ---- opening ---- */

static void open_stream(struct stream *stream)
{
	stream->open = 1;
	stream->unread = stream->tls != NULL; /* what came along with the handshake's end */
	schedule(stream);
	stream->events->on_open(stream);
}

/* The next step on the way to being open. */
static void proceed(struct stream *stream)
{
	int result = stream->tls ? tls_session_handshake(stream->tls) : 0;
	stream->stuck = result == -EINPROGRESS;
	if (result == 0)
		open_stream(stream);
	else if (result != -EAGAIN && result != -EINPROGRESS)
		fail(stream, result);
}

/* Which error it is, and what was received before it, the socket itself tells when it is read or
 * written. */
static void on_ready(void *owner, unsigned events)
{
	struct stream *stream = owner;
	if (events & (EPOLLERR | EPOLLHUP))
		events |= EPOLLIN | EPOLLOUT;
	if (!stream->open) {
		proceed(stream);
	} else {
		if (events & EPOLLIN)
			read_socket(stream);
		if (is_alive(stream) && stream->stuck && (events & EPOLLOUT))
			write_and_end(stream);
	}
	if (!is_alive(stream))
		return;
	unsigned wanted = wanted_events(stream);
	if (wanted != stream->watched)
		set_watched(stream, wanted);
}

static void on_turn_end(struct turn_task *task)
{
	struct stream *stream = stream_of(task);
	if (stream->closing) {
		stream->events->on_closed(stream);
		return;
	}
	if (!stream->open)
		proceed(stream);
	if (is_alive(stream) && stream->open && stream->unread)
		read_socket(stream);
	if (is_alive(stream) && stream->open && !stream->stuck)
		write_and_end(stream);
	if (is_alive(stream))
		watch(stream);
}

static int init(struct stream *stream, struct stream_loop *shared, struct tls_settings *tls,
	const char *hostname, const struct stream_events *events)
{
	*stream = (struct stream){ .events = events, .shared = shared, .fd = -1, .reading = 1 };
	stream->task.run = on_turn_end;
	send_queue_init(&stream->queue);
	if (!tls)
		return 0;
	stream->tls = tls_session_create(tls, hostname, &socket_io, stream);
	return stream->tls ? 0 : -ENOMEM;
}

/* Takes `fd`, closed on an error. */
static int take_socket(struct stream *stream, int fd)
{
	const int on = 1;
	/* one write a turn is all the gathering there shall be; a Unix socket has no delay to
	 * refuse */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	int result = sockets_add(&stream->shared->sockets, fd, stream, EPOLLIN);
	if (result < 0) {
		close(fd);
		return result;
	}
	stream->fd = fd;
	stream->watched = EPOLLIN;
	schedule(stream);
	return 0;
}

int stream_loop_open(struct stream_loop *shared)
{
	return sockets_open(&shared->sockets, shared->loop, on_ready);
}

void stream_loop_close(struct stream_loop *shared)
{
	sockets_close(&shared->sockets);
}

int stream_accept(struct stream *stream, struct stream_loop *shared, int fd,
	struct tls_settings *tls, const struct stream_events *events)
{
	int result = init(stream, shared, tls, NULL, events);
	if (result < 0) {
		close(fd);
		return result;
	}
	result = take_socket(stream, fd);
	if (result < 0)
		tls_session_destroy(stream->tls);
	return result;
}

static void on_connected(void *owner, int fd)
{
	struct stream *stream = owner;
	stream->connector = NULL;
	if (stream->closing) {
		stream->events->on_closed(stream);
		return;
	}
	int result = fd < 0 ? fd : take_socket(stream, fd);
	if (result < 0)
		fail(stream, result);
}

/* Connecting to a Unix socket is done at once, or not at all. */
static int connect_local(struct stream *stream, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return take_socket(stream, fd);
}

int stream_connect(struct stream *stream, struct stream_loop *shared, const char *host,
	uint16_t port, const char *path, struct tls_settings *tls,
	const struct stream_events *events)
{
	int result = init(stream, shared, tls, host, events);
	if (result == 0 && *path)
		result = connect_local(stream, path);
	else if (result == 0)
		result = connector_open(
			&stream->connector, shared->loop, host, port, on_connected, stream);
	if (result < 0)
		tls_session_destroy(stream->tls);
	return result;
}

/* ---- what the owner asks for ---- */

int stream_send(struct stream *stream, struct chunk *chunk)
{
	if (stream->ending || !is_alive(stream))
		return -EPIPE;
	int result = send_queue_push(&stream->queue, chunk);
	if (result < 0)
		return result;
	stream->shared->queued += chunk->len;
	if (stream->open && !stream->stuck)
		schedule(stream);
	return 0;
}

int stream_send_bytes(struct stream *stream, const void *bytes, size_t len)
{
	if (len > UINT32_MAX)
		return -ENOBUFS;
	struct chunk *chunk = chunk_create(bytes, len);
	if (!chunk)
		return -ENOMEM;
	int result = stream_send(stream, chunk);
	chunk_unref(chunk);
	return result;
}

void stream_flush(struct stream *stream)
{
	if (!stream->open || stream->stuck || !is_alive(stream))
		return;
	if (offer_queue(stream, SIZE_MAX) == -EAGAIN)
		stream->stuck = 1;
	schedule(stream); /* what is left, be it an error, is met at the turn's end */
}

void stream_drop_queued(struct stream *stream)
{
	/* A record that is under way has to be offered again as it was. */
	size_t keep = stream->tls ? TLS_RECORD_MAX : stream->queue.first_offset > 0;
	stream->shared->queued -= send_queue_cut(&stream->queue, keep);
}

void stream_pause(struct stream *stream)
{
	stream->reading = 0;
	if (stream->open && is_alive(stream))
		schedule(stream);
}

void stream_resume(struct stream *stream)
{
	stream->reading = 1;
	if (stream->open && is_alive(stream))
		schedule(stream);
}

bool stream_has_unread(const struct stream *stream)
{
	int in_kernel = 0;
	return stream->fd >= 0 && ioctl(stream->fd, FIONREAD, &in_kernel) == 0 && in_kernel > 0;
}

struct stream_progress stream_progress(const struct stream *stream)
{
	struct stream_progress progress = { .outstanding = stream_queued(stream) };
	int in_kernel = 0;
	if (stream->fd < 0)
		return progress;
	if (ioctl(stream->fd, SIOCOUTQ, &in_kernel) == 0)
		progress.outstanding += (uint32_t)in_kernel;
	struct tcp_progress peer = tcp_progress(stream->fd);
	progress.acked = peer.acked;
	progress.window = peer.window;
	return progress;
}

void stream_end(struct stream *stream)
{
	stream->ending = 1;
	if (stream->open && is_alive(stream))
		schedule(stream);
}

void stream_close(struct stream *stream)
{
	if (stream->closing)
		return;
	stream->closing = 1;
	turn_cancel(&stream->task);
	stream->shared->queued -= stream->queue.bytes;
	send_queue_finish(&stream->queue);
	tls_session_destroy(stream->tls);
	stream->tls = NULL;
	if (stream->watched)
		set_watched(stream, 0);
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
	if (stream->connector)
		connector_cancel(stream->connector);
	else
		schedule(stream);
}

const char *stream_error_text(const struct stream *stream, int error, char text[TLS_ERROR_MAX])
{
	if (error == -EPROTO && stream->tls)
		return tls_session_error(stream->tls, text);
	return uv_strerror_r(error, text, TLS_ERROR_MAX);
}
