/* A connected byte stream.
 *
 *	stream_connect -> [connector] -> fd --+
 *	stream_accept ------------------- fd -+-> [TLS handshake] -> open -> ... -> closed
 *
 *	socket readable -> read into the loop's buffer -> on_bytes
 *	stream_send -> queue -> end of the turn: one sendmsg -> the rest waits for "writable"
 *
 * The descriptor is ours and only watched (net/sockets), where uv_tcp_t would be the obvious
 * choice. uv_write wants a request that lives until its callback, which is an allocation per write,
 * and copies the array of parts when it has more than four; uv_read wants a buffer for each read.
 * Here an idle stream is this struct and nothing else, and a write that the kernel takes costs one
 * system call.
 *
 * Everything that is not a reaction to the socket happens in one task at the end of the turn:
 * opening an accepted stream, further reads, writing, ending our side, closing. So no event is ever
 * raised within one of the owner's calls. The owner may send, pause and resume any number of times
 * in a turn; epoll is updated only with the result.
 *
 * The owner may close the stream in any event. So a function that raises an event checks `closing`
 * before it does anything else, and its callers check stream_is_alive. The owner may free the
 * stream only in on_closed, which is raised last in its callback. */
#include "sluice/net/stream.h"

#include <errno.h>
#include <unistd.h>

#include "sluice/net/stream_io.h"
#include "sluice/net/tls/client_hello.h"
#include "stream_internal.h"

/* A part of a ClientHello is awaited twice at most: its length, then the rest. If that does not
 * help, the kernel is in need of memory or the socket is a Unix socket, and the session begins. */
enum { PARTS_AWAITED_MAX = 2 };

/* A gateway has as many streams as clients. */
_Static_assert(sizeof(void *) != 8 || sizeof(struct stream) == 104, "a stream has 104 bytes");

/* ---- opening ---- */

static void open_stream(struct stream *stream)
{
	stream->open = 1;
	stream->unread =
		stream->tls != NULL; /* data may have arrived with the end of the handshake */
	stream_schedule(stream);
	stream->events->on_open(stream);
}

/* The newcomer needs its TLS settings no more. */
static void drop_tls(struct newcomer *newcomer)
{
	if (newcomer->tls)
		tls_settings_unref(newcomer->tls);
	newcomer->tls = NULL;
}

static int begin_server(struct stream *stream)
{
	struct stream_loop *shared = stream->shared;
	if (!stream->is_newcomer)
		return -ECONNABORTED; /* its owner does not want it any more */
	ssize_t wanted =
		client_hello_look(stream->fd, shared->read_buffer, shared->read_buffer_size);
	if (wanted < 0)
		return (int)wanted;
	if (wanted > 0 && stream->parts_awaited < PARTS_AWAITED_MAX) {
		stream->parts_awaited++;
		client_hello_await(stream->fd, (size_t)wanted);
		return -EAGAIN;
	}
	if (stream->parts_awaited)
		client_hello_await(stream->fd, 1);
	stream->tls =
		tls_session_create(stream->newcomer->tls, NULL, &stream_io_of_tls, &stream->fd);
	stream->awaits_hello = 0;
	newcomers_begin(&shared->newcomers, stream->newcomer);
	drop_tls(stream->newcomer);
	if (!stream->tls)
		return -ENOMEM;
	if (stream->events->on_handshake)
		stream->events->on_handshake(stream);
	return stream->closing ? -EAGAIN : 0; /* closed: there is no next step */
}

/* Takes the next step of the handshake, if there is one. */
static void proceed(struct stream *stream)
{
	int result = stream->awaits_hello ? begin_server(stream) : 0;
	if (result == 0 && stream->tls)
		result = tls_session_handshake(stream->tls);
	stream->stuck = result == -EINPROGRESS;
	if (result == 0)
		open_stream(stream);
	else if (result != -EAGAIN && result != -EINPROGRESS)
		stream_fail(stream, result);
}

/* After an error the stream reads and writes: the socket then gives what was received before the
 * error, and says which error it is. An event that the stream does not wait for would be reported
 * again and again, so then epoll is updated at once. */
static void handle(struct stream *stream, unsigned events)
{
	bool is_wanted = (events & ~stream_wanted_events(stream)) == 0;
	if (events & (EPOLLERR | EPOLLHUP))
		events |= EPOLLIN | EPOLLOUT;
	if (!stream->open) {
		proceed(stream);
	} else {
		if (events & EPOLLIN)
			stream_read(stream);
		if (stream_is_alive(stream) && stream->stuck && (events & EPOLLOUT))
			stream_write(stream);
	}
	if (!stream_is_alive(stream))
		return;
	if (is_wanted)
		stream_watch_lazily(stream);
	else
		stream_watch(stream, stream_wanted_events(stream));
}

/* A newcomer that has to wait stays watched until it is reported again: most are served in the next
 * turn, before epoll looks. */
static void on_ready(void *owner, unsigned events)
{
	struct stream *stream = owner;
	if (!stream->is_newcomer)
		handle(stream, events);
	else if (stream_waits(stream))
		stream_watch(stream, 0);
	else
		(void)newcomers_ready(&stream->shared->newcomers, stream->newcomer);
}

static void on_served(struct newcomer *newcomer)
{
	struct stream *stream = newcomer->owner;
	unsigned wanted = stream_wanted_events(stream);
	handle(stream, wanted ? wanted : EPOLLIN | EPOLLOUT);
}

static void on_dropped(struct newcomer *newcomer)
{
	stream_fail(newcomer->owner, -EBUSY);
}

/* The socket does not report what the TLS session holds. */
static void read_on(struct stream *stream)
{
	if (!stream->is_newcomer)
		stream_read(stream);
	else if (!stream_waits(stream))
		on_ready(stream, EPOLLIN);
}

static void on_turn_end(struct turn_task *task)
{
	struct stream *stream = container_of(task, struct stream, task);
	if (stream->closing) {
		stream->events->on_closed(stream);
		return;
	}
	if (!stream->open && !stream->awaits_hello)
		proceed(stream);
	if (stream_is_alive(stream) && stream->open && stream->unread && stream->reading)
		read_on(stream);
	if (stream_is_alive(stream) && stream->open && !stream->stuck)
		stream_write(stream);
	if (stream_is_alive(stream))
		stream_watch_lazily(stream);
}

static void init(
	struct stream *stream, struct stream_loop *shared, const struct stream_events *events)
{
	*stream = (struct stream){ .events = events, .shared = shared, .fd = -1, .reading = 1 };
	stream->task.run = on_turn_end;
	send_queue_init(&stream->queue);
}

static int begin_client(struct stream *stream, struct tls_settings *tls, const char *hostname)
{
	stream->tls = tls_session_create(tls, hostname, &stream_io_of_tls, &stream->fd);
	return stream->tls ? 0 : -ENOMEM;
}

/* Takes `fd`; closes it on an error. */
static int take_socket(struct stream *stream, int fd)
{
	int result = sockets_add(&stream->shared->sockets, fd, stream, EPOLLIN);
	if (result < 0) {
		close(fd);
		return result;
	}
	stream->fd = fd;
	stream->watched = EPOLLIN;
	stream_schedule(stream);
	return 0;
}

int stream_loop_open(struct stream_loop *shared)
{
	int result = sockets_open(&shared->sockets, shared->loop, on_ready);
	if (result == 0)
		newcomers_open(&shared->newcomers, shared->loop, on_served, on_dropped);
	return result;
}

void stream_loop_close(struct stream_loop *shared)
{
	newcomers_close(&shared->newcomers);
	sockets_close(&shared->sockets);
}

int stream_accept(struct stream *stream, struct stream_loop *shared, int fd,
	struct tls_settings *tls, struct newcomer *newcomer, const struct stream_events *events)
{
	MUST(!tls || newcomer);
	init(stream, shared, events);
	if (newcomer) {
		stream->awaits_hello = tls != NULL;
		stream->is_newcomer = 1;
		stream->newcomer = newcomer;
		newcomer->owner = stream;
	}
	int result = take_socket(stream, fd);
	if (tls && result == 0) {
		newcomer->tls = tls;
		tls_settings_ref(tls);
	}
	return result;
}

void stream_admit(struct stream *stream)
{
	if (!stream->is_newcomer)
		return;
	if (stream_waits(stream) && stream_is_alive(stream))
		stream_schedule(stream); /* which watches the socket again */
	newcomers_remove(&stream->shared->newcomers, stream->newcomer);
	drop_tls(stream->newcomer);
	stream->is_newcomer = 0;
	stream->newcomer = NULL;
}

static void on_connected(void *owner, int fd)
{
	struct stream *stream = owner;
	stream->connector = NULL;
	if (stream->closing) {
		stream->events->on_closed(stream);
		return;
	}
	if (fd >= 0)
		stream_io_init(fd);
	int result = fd < 0 ? fd : take_socket(stream, fd);
	if (result < 0)
		stream_fail(stream, result);
}

static int connect_local(struct stream *stream, const char *path)
{
	int fd = connector_local(path);
	return fd < 0 ? fd : take_socket(stream, fd);
}

int stream_connect(struct stream *stream, struct stream_loop *shared, const char *host,
	uint16_t port, const char *path, struct tls_settings *tls,
	const struct stream_events *events)
{
	init(stream, shared, events);
	int result = tls ? begin_client(stream, tls, host) : 0;
	if (result == 0 && *path)
		result = connect_local(stream, path);
	else if (result == 0)
		result = connector_open(
			&stream->connector, shared->loop, host, port, on_connected, stream);
	if (result < 0)
		tls_session_destroy(stream->tls);
	return result;
}

/* ---- closing ---- */

void stream_close(struct stream *stream)
{
	if (stream->closing)
		return;
	stream_admit(stream);
	stream->closing = 1;
	turn_cancel(&stream->task);
	stream->shared->queued -= stream->queue.bytes;
	send_queue_finish(&stream->queue);
	tls_session_destroy(stream->tls);
	stream->tls = NULL;
	stream_watch(stream, 0);
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
	if (stream->connector)
		connector_cancel(stream->connector);
	else
		stream_schedule(stream);
}

const char *stream_error_text(const struct stream *stream, int error, char text[TLS_ERROR_MAX])
{
	if (error == -EPROTO && stream->tls)
		return tls_session_error(stream->tls, text);
	return uv_strerror_r(error, text, TLS_ERROR_MAX);
}
