/* What all open connections have in common: channels that follow the log-in, a limit for the queue,
 * and their turn in a drain. A transport (the WebSocket) carries the messages; a dialect defines
 * them. open.c reaches both by their tables. */
#ifndef SLUICE_CONN_OPEN_OPEN_H
#define SLUICE_CONN_OPEN_OPEN_H

#include "sluice/base/chunk.h"
#include "sluice/conn/conn.h"

struct transport {
	struct conn_phase phase; /* of its connections while they are open */
	/* Lays out a text as one message. `text` was begun with open_text_begin; this finishes it.
	 * Returns a reference; NULL: no memory. */
	struct chunk *(*message)(struct buffer *text);
	/* Sends the code and the reason to the client and ends the connection. Nothing is delivered
	 * from then on. */
	void (*close)(struct conn *conn, unsigned code, struct slice reason);
};

/* Opens the connection: sends the dialect's welcome, to which no limit applies, then counts the
 * connection. `user`: for the welcome, absent when anonymous. 0 or -ENOMEM: the connection is not
 * counted, and the caller must abort it. */
MUST_CHECK int open_begin(struct conn *conn, const struct transport *transport, struct slice user);

/* Closes an open connection by its transport, with a close code of RFC 6455 §7.4 or of
 * docs/protocol.md. */
void open_close(struct conn *conn, unsigned code, struct slice reason);

/* Closes it with 1012 and the reason "retry_after_ms=N", with a random N for each client, so that many
 * do not come back at the same time. */
void open_close_for_now(struct conn *conn);

/* Must it be closed when it may have missed a publication? So it is if its dialect cannot tell, and
 * delivery.on_gap is "close". */
bool open_closes_on_gap(const struct conn *conn);

/* Queues a message that the transport has laid out. False: the queue exceeds its limits, or there
 * is no memory; the connection has been ended. */
bool open_send(struct conn *conn, struct chunk *chunk);

/* Begins a text message: leaves room for the transport's header, behind which the text goes. 0 or
 * -ENOMEM. */
MUST_CHECK int open_text_begin(struct buffer *text);
/* Sends it and finishes the buffer. After an `error`, or without memory, the connection is
 * aborted. */
void open_send_text(struct conn *conn, struct buffer *text, int error);

/* Event handlers for the phase of every transport. */
void open_on_confirmed(struct conn *conn, struct slice channel);
void open_on_refused(struct conn *conn, struct slice channel);
void open_on_dropped(struct conn *conn, struct slice channel);
void open_on_login(struct conn *conn, enum conn_login login, const struct identity *identity);
void open_on_drain(struct conn *conn);

#endif
