/* What is spoken on an open connection. A subprotocol of the WebSocket names a dialect; a client that
 * offers none of ours speaks the plain one.
 *
 * A dialect is a const table. It writes texts and hears messages, and does not know which transport
 * carries them. A function that is NULL means that the dialect has no word for it. A new dialect is one
 * file in src/conn/open that defines its table, and one row in dialects.c, which declares it. */
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
	const char *subprotocol;    /* NULL: none asks for it */
	enum publication_form form; /* what it makes of a publication */

	/* Each appends one message. 0 or -ENOMEM. */

	/* The first one. `user`: absent when anonymous. */
	int (*write_welcome)(struct buffer *text, struct conn *conn, struct slice user);
	/* Goes with each heartbeat; the same for everybody. */
	int (*write_heartbeat)(struct buffer *text);
	/* Publications may have been missed on this channel, or with an absent one on all; the same for
	 * everybody. NULL: the client cannot be told. */
	int (*write_gap)(struct buffer *text, struct slice channel);

	/* Each may end the connection. Names are borrowed for the call. */

	/* NULL: what the client sends is checked and thrown away; it cannot ask for channels. */
	void (*on_message)(struct conn *conn, enum ws_opcode opcode, struct slice payload);
	/* Redis delivers this channel, to which the connection was subscribed before it did. */
	void (*on_confirmed)(struct conn *conn, struct slice channel);
	/* The connection was subscribed without having asked. */
	void (*on_joined)(struct conn *conn, struct slice channel);
	/* The log-in does not allow this channel any more; it is about to be left. */
	void (*on_revoked)(struct conn *conn, struct slice channel);

	/* Must publications on this channel wait for an answer that says that it is subscribed? Those
	 * that come before are not sent. */
	bool (*withholds)(struct conn *conn, struct slice channel);
	/* Limits of its own for what this connection sends, which outlive it. NULL: the settings'. */
	const struct ws_reading *(*reading)(const struct conn *conn);
	/* Frees what is under way. Twice does no harm. */
	void (*leave)(struct conn *conn);
};

#endif
