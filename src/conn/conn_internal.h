/* For the sources of conn only: conn.c (its life), conn_half_open.c (before the request is here),
 * conn_http.c, conn_admit.c, conn_ticket.c, conn_check.c, conn_client.c, conn_refuse.c (before the 101),
 * conn_ws.c (after), conn_v1.c and conn_subscribe.c (with sluice.v1), conn_heartbeat.c, conn_limits.c,
 * conn_echo.c (not in a release). */
#ifndef SLUICE_CONN_CONN_INTERNAL_H
#define SLUICE_CONN_CONN_INTERNAL_H

#include "sluice/conn/conn.h"
#include "sluice/net/address.h"
#include "sluice/proto/ws/ws_close.h"
#include "sluice/proto/ws/ws_handshake.h"

enum conn_state { CONN_REQUEST, CONN_WAITING, CONN_OPEN, CONN_CLOSING, CONN_LINGERING };

/* Everything that is only needed before the 101: a block of its own, freed then. */
struct conn_http {
	struct conn *conn;
	struct http_request request;
	struct ws_handshake handshake;
	struct session_waiter waiter;
	struct ticket_waiter ticket;
	struct buffer user;       /* with sluice.v1: whose session it is, for the welcome */
	struct list in_half_open; /* in conns->half_open, when the request takes long */
	struct quota_share *half_open;
	bool begun;                  /* something has arrived */
	bool at_site;                /* the site has it */
	void *call;                  /* the site's */
	char peer[INET6_ADDRSTRLEN]; /* as limits per address count it */
	/* of a check */
	bool is_check;
	struct slice reader; /* the Origin whose pages may read the answer; absent: none may */
	struct table asked;  /* the channels, each once */
};

/* One per browser: kept small, nothing of it is on the heap besides while something is under way. */
struct conn {
	/* what a publication touches, in one place */
	struct subscriber subscriber;
	struct stream stream;
	struct conns *conns;
	uint32_t stuck_since; /* loop time when a publication first found it so, at least 1; or 0 */
	uint16_t close_code;  /* what is counted in the end; 0: it never was a WebSocket */
	uint8_t state;        /* enum conn_state */
	/* Together, as the two of them decide which form of a publication it is sent. */
	uint8_t window_bits : 7; /* of permessage-deflate; 0: it was not negotiated */
	uint8_t v1 : 1;          /* it speaks sluice.v1 */
	/* the rest */
	struct list link;         /* in conns->all */
	struct conn_http *http;   /* NULL from the 101 on */
	struct conn_v1 *commands; /* what is under way of them; NULL: nothing */
	struct ws_reader reader;
	struct deadline deadline; /* of the state; when open: the next ping, or the pong */
	struct session_member session;
	struct quota_share *address, *user;
	struct chunk *pong; /* the answer to the most recent ping, while the queue is stuck */
	uint32_t ping_end; /* where in all that was sent the ping ends, as stream_progress counts */
	uint32_t acked;    /* when the heartbeat looked last */
	uint32_t window;   /* the same */
	uint32_t second;   /* in which the reader was last allowed frames, as uv_now counts */
	uint8_t extensions; /* of the time to close */
	bool awaiting_pong;
	bool ping_was_late; /* it waited behind a queue, and has its full time from when it arrived */
	bool counted;       /* among the quota's connections */
	uint16_t commands_done; /* of sluice.v1, in that second */
};

/* A close frame may take this long to be answered; a FIN that long. Each again, and again, while the peer
 * still takes what was queued before it. */
enum { CONN_CLOSING_MS = 5000, CONN_LINGER_MS = 2000, CONN_EXTENSIONS_MAX = 5 };

/* conn.c */

/* From now on the peer has some time to end. */
void conn_time_begins(struct conn *conn);
/* The end is due, but the peer is busy with what he was sent before: true if he may go on. */
bool conn_gets_more_time(struct conn *conn);

/* Ends our side, and closes when the peer has ended his, or after CONN_LINGER_MS. */
void conn_linger(struct conn *conn);

/* Closes at once. */
void conn_abort(struct conn *conn);

/* conn_half_open.c */

/* The request has so much time from now on. */
void conn_half_open_begin(struct conn *conn);
/* It is here, or the connection ends. Twice does no harm. */
void conn_half_open_end(struct conn *conn);

/* conn_http.c */

/* 0 or -ENOMEM. */
int conn_http_begin(struct conn *conn, const struct sockaddr_storage *peer);
/* Leaves whatever it waits in, and frees the block. */
void conn_http_end(struct conn *conn);
void conn_http_bytes(struct conn *conn, const char *bytes, size_t len);
/* A step of the drain: a request that is not here yet is not waited for. */
void conn_http_drain(struct conn *conn);
/* The request is not waited for any longer: answers with that status, if something of it has come. */
void conn_http_put_out(struct conn *conn, int status, const char *problem);

/* conn_admit.c */

/* The request is good as far as one can say without Redis: asks for the session. What follows ends in
 * the 101 or in a refusal, possibly within this call; in any case soon. */
void conn_authenticate(struct conn *conn);
/* It is known who it is (NULL: anonymous): what may he see? */
void conn_admit(struct conn *conn, const struct identity *identity);
/* There is no session, or none that is good. */
void conn_admit_without(struct conn *conn, const char *problem);
/* For the waiter of struct conn_http. */
void conn_on_session(struct session_waiter *waiter, enum session_result result,
	struct session *session, const struct identity *identity);
/* Who needs a session has none: refuses with 401, or as session.reject says. */
void conn_reject(struct conn *conn, const char *problem);
/* All channels are confirmed. */
void conn_http_ready(struct conn *conn);
/* Sends the 101 and goes on as a WebSocket; struct conn_http is gone. */
void conn_accept_handshake(struct conn *conn);

/* conn_ticket.c */

/* Goes on with the ticket that the request presents. False: it has none. */
bool conn_ticket_begin(struct conn *conn);
/* Who it is by its ticket. 0 and an identity that the caller must finish; -ENOENT: it came without one;
 * -EACCES: that is no log-in any more, as the configuration is now; -ENOMEM. */
MUST_CHECK int conn_ticket_identity(const struct conn *conn, struct identity *ret_identity);
/* The session that its ticket names, or the configuration, has changed: the rules are applied anew. Who
 * would not be let in any more is closed. The last thing that is done with the connection. */
void conn_ticket_apply(struct conn *conn);
/* The configuration has changed: the same for all that no session stands behind. */
void conns_tickets_apply(struct conns *conns);

/* conn_check.c */

bool conn_check_is_asked(const struct conn *conn);
/* From the request to an answer, possibly within this call. */
void conn_check_begin(struct conn *conn);
/* One more channel that would be subscribed to. 0, -EDQUOT or -ENOMEM. */
MUST_CHECK int conn_check_channel(struct conn *conn, struct slice channel);
/* An upgrade would have got a 101. */
void conn_check_passed(struct conn *conn);
/* Appends what an answer to a check has in its head, besides. 0 or -ENOMEM. */
MUST_CHECK int conn_check_headers(const struct conn_http *http, int status, struct buffer *out);
void conn_check_end(struct conn_http *http);

/* conn_client.c */

/* Answers a request for a file of the browser client. False: it is for something else. */
bool conn_client_answer(struct conn *conn);

/* conn_refuse.c */

/* Each is the last thing that is done with a connection before the 101: an answer, and the end.
 * `problem`: one line, a literal. */
void conn_refuse(struct conn *conn, int status, const char *problem);
/* The log's part of it, for who is refused in another way. */
void conn_tell_refusal(struct conn *conn, int status, const char *problem);
/* For want of Redis: `error` is what sessions_look_up or bridge_subscribe has given. */
void conn_refuse_for_redis(struct conn *conn, int error);

/* conn_channels.c */

/* What the session says is not what it said before: leaves the channels that it does not allow any more
 * and joins new automatic ones. The last thing that is done with the connection. */
void conn_channels_apply(struct conn *conn, const struct identity *identity);
/* The configuration has changed: the same for all that are anonymous. */
void conns_channels_apply(struct conns *conns);

/* conn_echo.c; only with -Decho=enabled */

/* From the 101 on it sends back what it gets. 0, or the status to refuse with, and why. */
int conn_echo_begin(struct conn *conn, const char **ret_problem);

/* conn_heartbeat.c */

/* The first ping, some time within the interval; nothing when there is no heartbeat. */
void conn_heartbeat_begin(struct conn *conn);
void conn_heartbeat_pong(struct conn *conn);

/* conn_limits.c */

/* Both: 0, or the status to refuse with, and why. A check only looks. */
MUST_CHECK int conn_take_quotas(struct conn *conn, const char **ret_problem);
MUST_CHECK int conn_take_user_share(
	struct conn *conn, const struct identity *identity, const char **ret_problem);
static inline const struct conn_reading *conn_reading_of(const struct ws_reader *reader)
{
	return container_of((uintptr_t)reader->settings, struct conn_reading, settings);
}
/* Before bytes are fed to the reader: renews its frames, and the commands, when another second has begun. */
void conn_allow_frames(struct conn *conn);
/* One more command is here. False: there are too many in this second. */
bool conn_allow_command(struct conn *conn);
/* The reader has failed with that close code: counts the limit if it was one, and gives the reason for
 * the close frame. */
struct slice conn_reader_limit(struct conn *conn, unsigned code);
/* May `more` bytes be queued? Absent: they may; else why the connection has to be closed. */
struct slice conn_queue_limit(struct conn *conn, size_t more);

/* conn_ws.c */

/* Shared by all readers of plain connections, and of those with sluice.v1. */
extern const struct ws_reader_events conn_reader_events, conn_v1_reader_events;
/* The 101 is queued: from here on it is a WebSocket. `early` came behind the request. */
void conn_ws_begin(struct conn *conn, char *early, size_t len);
void conn_ws_bytes(struct conn *conn, char *bytes, size_t len);
/* The send queue was stuck, and is empty. */
void conn_ws_drained(struct conn *conn);
/* Nothing more is read, and what was kept to be sent is dropped. */
void conn_ws_end(struct conn *conn);
void conn_ws_publication(struct conn *conn, struct publication *publication);
/* Queues what is sent to many; a connection that does not keep up is closed. */
void conn_ws_send(struct conn *conn, struct chunk *chunk);
/* Starts the closing handshake (RFC 6455 §7.1.2). */
void conn_ws_close(struct conn *conn, unsigned code, struct slice reason);

/* conn_v1.c; all but those of struct conns are for connections that are open and speak sluice.v1. What sends
 * may end the connection. */

/* What all connections of a worker are sent. 0 or -ENOMEM. */
MUST_CHECK int conns_v1_open(struct conns *conns);
void conns_v1_finish(struct conns *conns);
/* Queues the first message. Before the 101's memory goes. 0 or a negative errno. */
MUST_CHECK int conn_v1_welcome(struct conn *conn);
/* A command has come. */
void conn_v1_message(struct conn *conn, enum ws_opcode opcode, struct slice payload);
/* Publications on this channel may have been missed. */
void conn_v1_missed(struct conn *conn, struct slice channel);
/* Begins a message: room for a frame's header, behind which the text goes. 0 or -ENOMEM. */
MUST_CHECK int conn_v1_begin(struct buffer *text);
/* Sends it and finishes the buffer; after an error the connection is ended instead. */
void conn_v1_send(struct conn *conn, struct buffer *text, int error);
/* As envelope_answer and envelope_error. */
void conn_v1_answer(struct conn *conn, const char *type, struct slice id, struct slice channel,
	const char *reason);
void conn_v1_error(struct conn *conn, struct slice id, const char *code, const char *message);

/* conn_subscribe.c; the same */

/* Two commands; the answer is sent, now or later. The channel's name is valid. */
void conn_v1_subscribe(struct conn *conn, struct slice channel, struct slice id);
void conn_v1_unsubscribe(struct conn *conn, struct slice channel, struct slice id);
/* Redis delivers this channel. */
void conn_v1_confirmed(struct conn *conn, struct slice channel);
/* It has asked for this channel, and was not told yet that it has it: what comes now came before. */
bool conn_v1_awaits(struct conn *conn, struct slice channel);
/* It has been subscribed without having asked: it is told so, once Redis has confirmed it. */
void conn_v1_joined(struct conn *conn, struct slice channel);
/* The session does not allow this channel any longer, and it has been left or is about to be. The name must
 * be valid for the call. */
void conn_v1_revoked(struct conn *conn, struct slice channel);
/* Forgets what is under way. Any connection; twice does no harm. */
void conn_v1_end(struct conn *conn);

#endif
