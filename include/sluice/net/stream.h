/* A connected byte stream: TCP or a Unix socket, plain or TLS, with one send queue.
 *
 * Sent chunks are queued by reference and leave in one gathered write at the end of the loop turn;
 * what the kernel does not take stays queued. An idle stream owns only its struct: bytes are read
 * into a buffer that all streams of a loop share. */
#ifndef SLUICE_NET_STREAM_H
#define SLUICE_NET_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "sluice/base/chunk.h"
#include "sluice/base/defs.h"
#include "sluice/net/connector.h"
#include "sluice/net/newcomers.h"
#include "sluice/net/send_queue.h"
#include "sluice/net/sockets.h"
#include "sluice/net/tls/tls_session.h"
#include "sluice/net/turn.h"

/* What the streams of one loop share; must outlive them. The owner fills the first part. */
struct stream_loop {
	uv_loop_t *loop;
	struct turn *turn;
	char *read_buffer;
	size_t read_buffer_size; /* 64 KiB suits */
	/* maintained by the streams */
	struct sockets sockets;
	struct newcomers newcomers; /* its `pace` and `metrics` may be set after stream_loop_open */
	size_t queued;              /* bytes in all their send queues */
};

/* 0 or a negative errno. */
MUST_CHECK int stream_loop_open(struct stream_loop *shared);

/* There must be no stream left. */
void stream_loop_close(struct stream_loop *shared);

struct stream;

/* A handler may call stream_close; then only on_closed follows. */
struct stream_events {
	/* The TLS handshake of an accepted stream has begun: it has a TLS session, with its memory,
	 * from now on. The handler must not close the stream. May be NULL. */
	void (*on_handshake)(struct stream *stream);
	/* Connected, and the TLS handshake (if any) is done. */
	void (*on_open)(struct stream *stream);
	/* The handler may change `bytes` in place; they are valid during the call only. */
	void (*on_bytes)(struct stream *stream, char *bytes, size_t len);
	/* 0: the peer has ended its side; sending still works. A negative errno: the stream is dead
	 * and must be closed; only on_closed follows. */
	void (*on_end)(struct stream *stream, int error);
	/* The kernel did not take all of the send queue at the end of a turn; the queue is stuck from
	 * now on. May be NULL. */
	void (*on_stuck)(struct stream *stream);
	/* The send queue was stuck and is empty now. May be NULL. */
	void (*on_drained)(struct stream *stream);
	/* The last event: everything is closed and dropped, the memory may be freed. */
	void (*on_closed)(struct stream *stream);
};

struct stream {
	/* private; the owner embeds the stream and finds itself with container_of */
	const struct stream_events *events;
	struct stream_loop *shared;
	struct tls_session *tls;
	union {
		struct connector *connector; /* only until connected */
		struct newcomer *newcomer;   /* while `is_newcomer` */
	};
	struct turn_task task; /* does everything at the end of the turn */
	struct send_queue queue;
	int fd;               /* -1: none */
	unsigned watched : 3; /* EPOLLIN, EPOLLOUT; 0: not in the epoll set */
	unsigned open : 1;    /* on_open was raised */
	unsigned reading : 1; /* not paused */
	unsigned unread : 1;  /* the TLS session may hold bytes that the socket will not report */
	unsigned stuck : 1;   /* the kernel did not take everything */
	unsigned ending : 1, ended : 1; /* our side is to be ended; has been ended */
	unsigned peer_ended : 1;
	unsigned failed : 1; /* on_end was raised with an error */
	unsigned closing : 1;
	unsigned lean : 1;          /* the kernel buffers little that the network has not taken */
	unsigned awaits_hello : 1;  /* accepted; the TLS session begins with a whole ClientHello */
	unsigned is_newcomer : 1;   /* it shares a slice of each turn with others */
	unsigned parts_awaited : 2; /* how often the kernel was told to wait for the rest of it */
};

/* Takes a descriptor that a socket of listener_bind has accepted, and closes it on an error too. `tls`: settings of a TLS server, or
 * NULL; the TLS session, and its memory, begins when a whole ClientHello is there. `newcomer`: until
 * stream_admit, the stream's work is rationed (net/newcomers.h), and the struct must stay valid;
 * NULL, which only a stream without TLS may have: it is served at once. Reading begins at once;
 * on_open is never raised within this call. A newcomer that does not get its turn fails with -EBUSY.
 * 0, or a negative errno: no event will follow, the memory is the caller's. */
MUST_CHECK int stream_accept(struct stream *stream, struct stream_loop *shared, int fd,
	struct tls_settings *tls, struct newcomer *newcomer, const struct stream_events *events);

/* The stream is not a newcomer any more: from now on it is served at once. Its newcomer may be
 * freed. May be called twice, and for any stream. */
void stream_admit(struct stream *stream);

/* Has a TLS handshake begun that is not done yet? */
static inline bool stream_is_in_handshake(const struct stream *stream)
{
	return stream->tls && !stream->open;
}

/* Has the peer resumed an earlier TLS session? */
static inline bool stream_is_resumed(const struct stream *stream)
{
	return stream->tls && tls_session_is_resumed(stream->tls);
}

/* Connects to host and port, or, if `path` is not "", to a Unix socket. The host is looked up in
 * libuv's thread pool, and its addresses are tried in turn. `tls`: settings of a TLS client, or
 * NULL; the certificate must be `host`'s. The strings are copied. on_open or on_end (with an error)
 * follows. There is no timeout: the owner closes the stream when it takes too long. 0 or a negative
 * errno, as above. */
MUST_CHECK int stream_connect(struct stream *stream, struct stream_loop *shared, const char *host,
	uint16_t port, const char *path, struct tls_settings *tls,
	const struct stream_events *events);

/* Queues a chunk until the end of the turn, with a reference of its own. 0; -ENOMEM; -ENOBUFS: the
 * queue cannot count more; -EPIPE: the stream is ending or closing. On an error nothing was queued.
 * The owner limits how much is queued. */
MUST_CHECK int stream_send(struct stream *stream, struct chunk *chunk);

/* The same with a copy of the bytes. */
MUST_CHECK int stream_send_bytes(struct stream *stream, const void *bytes, size_t len);

/* The same for small pieces of which there are many in a turn: they share chunks
 * (send_queue_push_shared). */
MUST_CHECK int stream_send_shared(struct stream *stream, const void *bytes, size_t len);

/* Offers the queue to the kernel now instead of at the end of the turn, for an owner that needs to
 * know whether the queue is long because the peer is slow. No event is raised within this call. */
void stream_flush(struct stream *stream);

/* Drops the queue, except chunks of which the kernel may have taken a part, so that the next bytes
 * follow a whole chunk. */
void stream_drop_queued(struct stream *stream);

/* Is the queue so long that only a few more chunks (a close frame) fit, however small? */
static inline bool stream_is_full(const struct stream *stream)
{
	return stream->queue.count >= SEND_QUEUE_MAX - 16;
}

/* Does it have the memory of a TLS session? */
static inline bool stream_has_tls(const struct stream *stream)
{
	return stream->tls != NULL;
}

/* Bytes that the kernel has not taken yet. */
static inline uint32_t stream_queued(const struct stream *stream)
{
	return stream->queue.bytes;
}

/* Did the kernel refuse a part of the queue? on_drained follows when it has taken all of it. */
static inline bool stream_is_stuck(const struct stream *stream)
{
	return stream->stuck;
}

/* Stops and continues reading (back-pressure). While reading is stopped, the peer's end goes
 * unnoticed. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);

/* Does the kernel have bytes from the peer that we have not read? If so, we are slow and not the
 * peer. A newcomer that waits for its turn has some; a part of a ClientHello does not count. */
bool stream_has_unread(const struct stream *stream);

/* How far the sent bytes have arrived. A Unix socket reports neither `acked` nor `window`: both are
 * 0. */
struct stream_progress {
	uint32_t acked; /* bytes that the peer's TCP has acknowledged, modulo 2^32 */
	uint32_t
		window; /* bytes that it would accept now; grows only as the peer's program reads */
	uint32_t outstanding; /* bytes queued here or in our kernel, and not acknowledged */
};
struct stream_progress stream_progress(const struct stream *stream);

/* Ends our side (close_notify, FIN) once the queue is sent. Reading continues. */
void stream_end(struct stream *stream);

/* Closes at once and drops the queue. May be called twice. on_closed follows, never within this
 * call. */
void stream_close(struct stream *stream);

/* One line for the log: why TLS failed, or the errno's text. Returns `text`. */
const char *stream_error_text(const struct stream *stream, int error, char text[TLS_ERROR_MAX]);

#endif
