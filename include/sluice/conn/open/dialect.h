/* The message protocol of an open connection. A WebSocket subprotocol selects a dialect; a client
 * that offers none of ours speaks the plain one.
 *
 * A dialect is a const table of functions. It writes and receives text messages, and does not know
 * which transport carries them. A function that is NULL means that the dialect has no such message.
 * A new dialect is one file in src/conn/open that defines its table, and one row in dialects.c,
 * which declares it. */
#ifndef SLUICE_CONN_OPEN_DIALECT_H
#define SLUICE_CONN_OPEN_DIALECT_H

#include <stdbool.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"
#include "sluice/hub/publication.h"
#include "sluice/proto/ws/ws_frame.h"

enum { DIALECTS_MAX = 16 }; /* conn->dialect has four bits */

struct conn;
struct ws_reading;

struct dialect {
	const char *subprotocol;    /* that selects it; NULL: none */
	enum publication_form form; /* the form of its publications */

	/* Each appends one message. 0 or -ENOMEM. */

	/* The first message. `user`: absent if anonymous. */
	int (*write_welcome)(struct buffer *text, struct conn *conn, struct slice user);
	/* Sent with each heartbeat; the same for all connections. */
	int (*write_heartbeat)(struct buffer *text);
	/* Publications may have been missed on this channel, or on all if `channel` is absent; the
	 * same for all connections. NULL: the client is not notified. */
	int (*write_gap)(struct buffer *text, struct slice channel);

	/* Each may end the connection. Names are borrowed for the call. */

	/* NULL: messages from the client are checked and discarded; it cannot ask for channels. */
	void (*on_message)(struct conn *conn, enum ws_opcode opcode, struct slice payload);
	/* Redis has confirmed this channel, to which the connection subscribed before. */
	void (*on_confirmed)(struct conn *conn, struct slice channel);
	/* Redis denies us this channel; if it does so no longer, on_confirmed follows. */
	void (*on_refused)(struct conn *conn, struct slice channel);
	/* The connection was subscribed to an automatic channel. */
	void (*on_joined)(struct conn *conn, struct slice channel);
	/* The log-in does not allow this channel any more. The connection is about to be
	 * unsubscribed. */
	void (*on_revoked)(struct conn *conn, struct slice channel);

	/* Is the answer "subscribed" for this channel still to be sent? Publications that arrive
	 * before it are dropped. */
	bool (*withholds)(struct conn *conn, struct slice channel);
	/* The dialect's own limits for messages from this client; they must outlive the connection.
	 * NULL: those of the settings. */
	const struct ws_reading *(*reading)(const struct conn *conn);
	/* Frees the dialect's state. May be called twice. */
	void (*leave)(struct conn *conn);
};

#endif
