/* A connection of a browser, from accept to close. Everything on this floor builds on this module.
 * What the connection does at a given time is decided by its phase.
 *
 *	request -> waiting -> open -> closing -> lingering -> (closed)
 *	`---- opening/ ----'  `-- open/ --'      conn.c
 *
 * request: the HTTP request is arriving. waiting: for the session, then for Redis to confirm the
 * channels. open: the 101 is sent. closing: our close frame is sent, and we wait for the peer's.
 * lingering: our side of TCP is shut down, and we wait for the peer to do the same. Each phase has
 * a deadline; in "open" it is the heartbeat's.
 *
 * A phase is a const table of functions. conn.c receives the events of the stream, of the bridge
 * and of the sessions, and hands them to the phase. The only phase that it knows by name is the
 * last. A phase that ignores an event leaves its function NULL. */
#ifndef SLUICE_CONN_CONN_H
#define SLUICE_CONN_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/auth/sessions.h"
#include "sluice/auth/ticket.h"
#include "sluice/auth/tickets.h"
#include "sluice/base/list.h"
#include "sluice/base/metrics.h"
#include "sluice/base/pool.h"
#include "sluice/conn/holding.h"
#include "sluice/conn/quota.h"
#include "sluice/conn/withheld.h"
#include "sluice/feed/bridge.h"
#include "sluice/net/deadlines.h"
#include "sluice/net/stream.h"
#include "sluice/proto/ws/ws_reader.h"
#include "sluice/settings/settings.h"

struct conn;
struct open_shared;
struct opening;
struct opening_shared;
struct v1;

/* What has happened to the log-in of a connection. */
enum conn_login {
	CONN_LOGIN_CHANGED,      /* the identity or the rules may have changed */
	CONN_LOGIN_ENDED,        /* the session has ended or belongs to another user */
	CONN_LOGIN_TICKET_ENDED, /* the ticket does not count as a log-in any more */
	CONN_LOGIN_UNKNOWN,      /* out of memory: not known */
	CONN_LOGIN_UNVERIFIED, /* Redis could not be asked for session.unverified_seconds, and there
				  * is something to be received */
	CONN_LOGIN_RULES,      /* the rules have changed; CONN_LOGIN_CHANGED follows, when the
				  * session has been read */
};

struct conn_phase {
	/* A drain closes open connections in turn, and all others at once. */
	bool is_open;
	/* The TLS handshake has begun. Must not end the connection. */
	void (*on_handshake)(struct conn *conn);
	/* `bytes` may be changed in place. */
	void (*on_bytes)(struct conn *conn, char *bytes, size_t len);
	/* 0: the peer has ended its side; else the stream is dead. A phase with NULL here aborts
	 * the connection. */
	void (*on_end)(struct conn *conn, int error);
	/* The send queue was stuck, and is empty. */
	void (*on_drained)(struct conn *conn);
	/* Redis has confirmed this channel; subscriber.unconfirmed is the number of channels that
	 * it has not confirmed yet. */
	void (*on_confirmed)(struct conn *conn, struct slice channel);
	/* Redis denies us this channel; if it does so no longer, on_confirmed follows. */
	void (*on_refused)(struct conn *conn, struct slice channel);
	/* A run of publications on one of the connection's channels. */
	void (*on_publication)(struct conn *conn, struct publication *publication);
	/* Publications may have been missed on channels of these homes (one bit for each). */
	void (*on_gap)(struct conn *conn, uint64_t homes);
	/* A publication on this channel has been dropped. */
	void (*on_dropped)(struct conn *conn, struct slice channel);
	/* `identity` (borrowed; NULL: anonymous) is given only with CONN_LOGIN_CHANGED. */
	void (*on_login)(struct conn *conn, enum conn_login login, const struct identity *identity);
	/* The connection must give back what it holds, and ends. Required. */
	void (*on_limit)(struct conn *conn, enum holding_limit limit);
	/* The connection's turn in a drain. */
	void (*on_drain)(struct conn *conn);
	/* The connection is ending: frees what this phase holds. Called once. */
	void (*leave)(struct conn *conn);
};

/* What the connections of a worker share. The owner (conns.c) fills it and outlives them all. */
struct conn_shared {
	struct stream_loop *streams;
	struct deadlines *deadlines;
	const struct settings *settings; /* replaced by a reload; the old ones live on */
	struct tls_settings *tls;        /* of the listener, or NULL; replaced by a reload too */
	struct sessions *sessions;
	struct bridge *bridge;
	struct quota *quota;
	struct metrics *metrics;
	struct tickets tickets;         /* with which connections have logged in */
	struct opening_shared *opening; /* what opening/ adds */
	struct open_shared *open;       /* what open/ adds */
	bool draining;
	/* A connection's memory has been freed. */
	void (*on_closed)(struct conn_shared *shared);
	/* maintained by conn.c */
	struct list all;    /* struct conn, by .link, in the order in which they were accepted */
	size_t count, peak; /* connections; the most since memory was last released */
	struct pool pool;   /* struct conn */
	struct holdings holdings;
	struct withheld withheld; /* publications for connections whose session is in doubt */
};

/* There is one for each browser, so it is kept small: it owns heap memory only while an operation
 * is under way. */
struct conn {
	/* used by every publication, so kept together */
	struct subscriber subscriber;
	struct stream stream;
	struct conn_shared *shared;
	const struct conn_phase *phase;
	uint32_t stuck_since;    /* loop time since when the queue is stuck, at least 1; or 0 */
	uint16_t close_code;     /* for the count of closes; 0: it was never open */
	uint8_t window_bits : 4; /* of permessage-deflate; 0: not negotiated */
	uint8_t dialect : 4;     /* its index in the table of dialects */
	uint8_t extensions : 4;  /* of the time to close */
	uint8_t doubt : 2;       /* enum session_doubt: of its session */
	uint8_t lost : 1;        /* it has lost channels by CONN_LOGIN_RULES */
	/* the rest */
	struct list link;                /* in shared->all */
	union {                          /* what the phase holds on the heap; NULL: nothing */
		struct opening *opening; /* until the 101 */
		struct v1 *v1;           /* sluice.v1: commands under way */
	};
	struct holding *holding; /* NULL: it holds nothing */
	struct ws_reader reader;
	struct deadline deadline; /* of the phase; when open: the next ping, or the pong */
	struct session_member session;
	struct quota_share *address, *user;
	struct chunk *pong; /* the answer to the most recent ping, while the queue is stuck */
	uint32_t
		ping_end; /* position of the ping's end among all bytes sent, as stream_progress counts */
	uint32_t acked;         /* when the heartbeat last checked */
	uint32_t window;        /* the same */
	uint32_t second;        /* in which the allowance of frames was last renewed, by uv_now */
	uint16_t commands_done; /* in that second */
	bool awaiting_pong;
	bool ping_was_late; /* the ping waited behind a queue; the timeout counts from its arrival */
	bool counted;       /* counted in the quota's connections */
};

void conn_shared_init(struct conn_shared *shared);
/* No connection may be left. */
void conn_shared_finish(struct conn_shared *shared);

/* Takes an accepted descriptor, and closes it on an error too. `newcomer`: as in stream_accept. The
 * caller then enters the first phase. NULL: no memory, or the descriptor cannot be used. */
MUST_CHECK struct conn *conn_open(struct conn_shared *shared, int fd, struct newcomer *newcomer);

/* From now on events go to `phase`. Does not call the `leave` of the previous phase, and raises no
 * event. */
static inline void conn_enter(struct conn *conn, const struct conn_phase *phase)
{
	conn->phase = phase;
}

static inline bool conn_is_open(const struct conn *conn)
{
	return conn->phase->is_open;
}

static inline const struct settings *conn_settings(const struct conn *conn)
{
	return conn->shared->settings;
}

/* Ends our side, and closes when the peer has ended its own, or after some seconds. */
void conn_linger(struct conn *conn);

/* Closes at once. The memory stays valid until the loop has closed the stream. */
void conn_abort(struct conn *conn);

/* The connection holds `bytes` of a request or a message that has not arrived completely; see
 * holding.h. 0 or -ENOMEM. */
MUST_CHECK int conn_holds_request(struct conn *conn, size_t bytes);
MUST_CHECK int conn_holds_message(struct conn *conn, size_t bytes, bool anew);
/* Nothing is incoming any more. */
void conn_holds_nothing(struct conn *conn);

/* The connection's queue is stuck, or has become longer while it is. 0 or -ENOMEM. */
MUST_CHECK int conn_holds_queue(struct conn *conn);

/* Starts the time that the peer has to end its side. */
void conn_time_begins(struct conn *conn);
/* That time is over. True: the peer still receives what was sent before, and its time is extended;
 * at most five times, and never while draining. */
bool conn_gets_more_time(struct conn *conn);

/* Notifies the phase that the log-in may have changed. For a connection with a session, `identity`
 * is what the session says now; if the connection came with a ticket, the ticket takes
 * precedence. */
void conn_login_changed(struct conn *conn, const struct identity *identity);

/* Notifies the phase that the rules have changed. The connection has a session, which will be read
 * again; conn_login_changed follows then. */
void conn_rules_changed(struct conn *conn);

/* The identity in the ticket that a connection came with. 0 and an identity that the caller must
 * finish; -ENOENT: it came without a ticket; -EACCES: by the current settings the ticket is not a
 * log-in; -ENOMEM. */
MUST_CHECK int conn_ticket_identity(const struct conn *conn, struct identity *ret_identity);

/* Handlers for the events of the bridge and of the sessions. */
void conn_on_confirmed(struct subscriber *subscriber, struct slice channel);
void conn_on_refused(struct subscriber *subscriber, struct slice channel);
void conn_on_publication(struct subscriber *subscriber, struct publication *publication);
void conn_on_dropped(struct subscriber *subscriber, struct slice channel);
extern const struct sessions_events conn_session_events;

#endif
