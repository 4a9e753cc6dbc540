/* A connected byte stream: TCP or a Unix socket, plain or TLS, with one send queue.
 *
 * What is sent is queued by reference and leaves in one gathered write at the end of the loop turn;
 * what the kernel does not take stays queued. An idle stream owns no memory besides its struct:
 * bytes are read into a buffer that all streams of a loop share. */
#ifndef SLUICE_NET_STREAM_H
#define SLUICE_NET_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "sluice/base/chunk.h"
#include "sluice/base/defs.h"
#include "sluice/net/connector.h"
#include "sluice/net/send_queue.h"
#include "sluice/net/sockets.h"
#include "sluice/net/tls_session.h"
#include "sluice/net/turn.h"

/* What the streams of one loop share. All of it must outlive them. The owner fills the first part. */
struct stream_loop {
	uv_loop_t *loop;
	struct turn *turn;
	char *read_buffer;
	size_t read_buffer_size; /* 64 KiB suits */
	/* kept by the streams */
	struct sockets sockets;
	size_t queued; /* bytes in all their send queues */
};

/* 0 or a negative errno. */
MUST_CHECK int stream_loop_open(struct stream_loop *shared);

/* There must be no stream left. */
void stream_loop_close(struct stream_loop *shared);

struct stream;

/* A handler may call stream_close; whoever raised the event then stops at once. */
struct stream_events {
	/* The stream can be used: connected, and the TLS handshake (if any) is done. */
	void (*on_open)(struct stream *stream);
	/* `bytes` may be changed in place, and are gone after the call. */
	void (*on_bytes)(struct stream *stream, char *bytes, size_t len);
	/* 0: the peer has ended its side (sending goes on). Else a negative errno: the stream is
	 * dead and must be closed. Raised once; nothing but on_closed follows an error. */
	void (*on_end)(struct stream *stream, int error);
	/* The send queue has become empty after having been stuck. May be NULL. */
	void (*on_drained)(struct stream *stream);
	/* The last event: handles are closed, references dropped, the memory may be freed. */
	void (*on_closed)(struct stream *stream);
};

struct stream {
	/* private; a stream is embedded in its owner, who finds himself with container_of */
	const struct stream_events *events;
	struct stream_loop *shared;
	struct tls_session *tls;
	struct connector *connector; /* only until connected */
	struct turn_task task;       /* whatever is to be done at the end of the turn */
	struct send_queue queue;
	int fd;               /* -1: there is none */
	unsigned watched : 3; /* EPOLLIN, EPOLLOUT; 0: it is not among the sockets */
	unsigned open : 1;    /* on_open was raised */
	unsigned reading : 1; /* not paused */
	unsigned unread : 1;  /* the TLS session may hold bytes that the socket knows nothing of */
	unsigned stuck : 1;   /* the kernel did not take everything */
	unsigned ending : 1, ended : 1; /* our side is to be ended, has been */
	unsigned peer_ended : 1;
	unsigned failed : 1; /* on_end was raised with an error */
	unsigned closing : 1;
	unsigned lean : 1; /* the kernel may hold little that is not sent */
};

/* Takes an accepted descriptor (closed also on an error). `tls`: settings of a TLS server, or NULL.
 * on_open comes later, never within this call. Reading begins at once. 0 or a negative errno: no
 * event will come, the memory is the caller's. */
MUST_CHECK int stream_accept(struct stream *stream, struct stream_loop *shared, int fd,
	struct tls_settings *tls, const struct stream_events *events);

/* Connects to host and port, or, if `path` is not "", to a Unix socket. The host is looked up by
 * libuv's thread pool, each of its addresses is tried in turn. `tls`: settings of a TLS client, or
 * NULL; the certificate must be `host`'s. Strings are copied. on_open or on_end (error) follows;
 * there is no timeout: the owner closes the stream when it takes too long. 0 or a negative errno as
 * above. */
MUST_CHECK int stream_connect(struct stream *stream, struct stream_loop *shared, const char *host,
	uint16_t port, const char *path, struct tls_settings *tls,
	const struct stream_events *events);

/* Queues a chunk, taking a reference of its own, until the end of the turn. 0; -ENOMEM; -EPIPE: the
 * stream is ending or closing (nothing was queued). How much may be queued is the owner's business.
 */
MUST_CHECK int stream_send(struct stream *stream, struct chunk *chunk);

/* The same with a copy. */
MUST_CHECK int stream_send_bytes(struct stream *stream, const void *bytes, size_t len);

/* Offers what is queued to the kernel now, not at the turn's end. For an owner who wants to know
 * whether a queue is long because the peer is slow. No event is raised within the call. */
void stream_flush(struct stream *stream);

/* Drops what is queued, but for chunks of which the kernel may have taken a part: what is sent next
 * follows whole chunks. */
void stream_drop_queued(struct stream *stream);

/* Is there room for just a few more chunks (a close frame), however small? */
static inline bool stream_is_full(const struct stream *stream)
{
	return stream->queue.count >= SEND_QUEUE_MAX - 16;
}

/* Bytes that the kernel has not taken yet. */
static inline uint32_t stream_queued(const struct stream *stream)
{
	return stream->queue.bytes;
}

/* Did the kernel not take everything the last time? on_drained tells when it has. */
static inline bool stream_is_stuck(const struct stream *stream)
{
	return stream->stuck;
}

/* Stops and goes on reading (back-pressure). While it is stopped the peer's end is not noticed. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);

/* Has the peer sent something that is still in the kernel? Then it is not he who is slow. */
bool stream_has_unread(const struct stream *stream);

/* How far what was sent has come, in bytes modulo 2^32. A Unix socket tells of no progress. */
struct stream_progress {
	uint32_t acked;  /* taken by the peer's TCP, since the beginning */
	uint32_t window; /* what it would take now; it grows only as the peer's program reads */
	uint32_t outstanding; /* queued here or in the kernel, and not taken yet */
};
struct stream_progress stream_progress(const struct stream *stream);

/* After what is queued, ends our side (close_notify, FIN). Reading goes on. */
void stream_end(struct stream *stream);

/* Closes at once; what is queued is dropped. Twice does no harm. on_closed follows, never within
 * this call. */
void stream_close(struct stream *stream);

/* Why TLS failed, or strerror: one line for the log. */
const char *stream_error_text(const struct stream *stream, int error, char text[TLS_ERROR_MAX]);

#endif
