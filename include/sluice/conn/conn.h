/* A connection: an accepted browser, from accept to close. This is the ground that everything in this
 * floor stands on; who does what while the connection lives is the business of its phase.
 *
 *	request -> waiting -> open -> closing -> lingering -> (closed)
 *	`---- opening/ ----'  `-- open/ --'      conn.c
 *
 * request: the HTTP request is arriving. waiting: for the session, then for Redis to confirm the
 * channels. open: the 101 is out. closing: our close frame is out, the peer's is awaited. lingering:
 * our side of TCP is ended, the peer's end is awaited. Each has a deadline.
 *
 * A phase is a const table of functions. conn.c owns the events of the stream, of the bridge and of the
 * sessions, and hands them to the phase; it knows none by name but the last. A phase that ignores an
 * event leaves its function NULL. */
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
#include "sluice/conn/quota.h"
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

/* What has become of the log-in that a connection was let in with. */
enum conn_login {
	CONN_LOGIN_CHANGED,      /* the identity, or the rules, may say something new */
	CONN_LOGIN_ENDED,        /* the session has ended, or is somebody else's */
	CONN_LOGIN_TICKET_ENDED, /* its ticket is no log-in any more */
	CONN_LOGIN_UNKNOWN,      /* there is no memory to tell */
};

struct conn_phase {
	/* An open connection is closed by its turn in a drain; the others at once. */
	bool is_open;
	/* `bytes` may be changed in place. */
	void (*on_bytes)(struct conn *conn, char *bytes, size_t len);
	/* 0: the peer has ended its side; else the stream is dead. NULL: the connection is aborted. */
	void (*on_end)(struct conn *conn, int error);
	/* The send queue was stuck, and is empty. */
	void (*on_drained)(struct conn *conn);
	/* Redis delivers this channel from now on; subscriber.unconfirmed says how many more it does not. */
	void (*on_confirmed)(struct conn *conn, struct slice channel);
	/* A run of publications on one of the connection's channels. */
	void (*on_publication)(struct conn *conn, struct publication *publication);
	/* Publications may have been missed on channels of these homes (a bit each). */
	void (*on_gap)(struct conn *conn, uint64_t homes);
	/* A publication on this channel has been dropped. */
	void (*on_dropped)(struct conn *conn, struct slice channel);
	/* `identity` (borrowed; NULL: anonymous) is there with CONN_LOGIN_CHANGED only. */
	void (*on_login)(struct conn *conn, enum conn_login login, const struct identity *identity);
	/* The connection's turn in a drain. */
	void (*on_drain)(struct conn *conn);
	/* The connection is ending: frees what this phase holds. Once. */
	void (*leave)(struct conn *conn);
};

/* What the connections of a worker share. The owner (conns.c) fills it and outlives them all. */
struct conn_shared {
	struct stream_loop *streams;
	struct deadlines *deadlines;
	const struct settings *settings; /* replaced by a reload; the old ones live on */
	struct tls_settings *tls;        /* of the listener, or NULL; the same */
	struct sessions *sessions;
	struct bridge *bridge;
	struct quota *quota;
	struct metrics *metrics;
	struct tickets tickets;         /* those that connections have come with */
	struct opening_shared *opening; /* what opening/ adds */
	struct open_shared *open;       /* what open/ adds */
	bool draining;
	/* private to conn.c */
	struct pool pool;   /* struct conn */
	struct list all;    /* struct conn, by .link, in the order in which they came */
	size_t count, peak; /* of them; of count since memory was last given back */
	/* A connection's memory has been freed. */
	void (*on_closed)(struct conn_shared *shared);
};

/* One per browser, so it is kept small: nothing of it is on the heap unless something is under way. */
struct conn {
	/* what a publication touches, in one place */
	struct subscriber subscriber;
	struct stream stream;
	struct conn_shared *shared;
	const struct conn_phase *phase;
	uint32_t stuck_since; /* loop time when a publication first found it so, at least 1; or 0 */
	uint16_t close_code;  /* counted in the end; 0: it was never open */
	uint8_t window_bits : 4; /* of permessage-deflate; 0: not negotiated */
	uint8_t dialect : 4;     /* its place in the table of dialects */
	uint8_t extensions;      /* of the time to close */
	/* the rest */
	struct list link;                /* in shared->all */
	union {                          /* what the phase holds on the heap; NULL: nothing */
		struct opening *opening; /* until the 101 */
		struct v1 *v1;           /* sluice.v1: commands under way */
	};
	struct ws_reader reader;
	struct deadline deadline; /* of the phase; when open: the next ping, or the pong */
	struct session_member session;
	struct quota_share *address, *user;
	struct chunk *pong; /* the answer to the most recent ping, while the queue is stuck */
	uint32_t ping_end; /* where in all that was sent the ping ends, as stream_progress counts */
	uint32_t acked;    /* when the heartbeat looked last */
	uint32_t window;   /* the same */
	uint32_t second;   /* in which the reader was last allowed frames, as uv_now counts */
	uint16_t commands_done; /* in that second */
	bool awaiting_pong;
	bool ping_was_late; /* it waited behind a queue, and has its full time from when it arrived */
	bool counted;       /* among the quota's connections */
};

/* How long a peer may take to end its side after we have ended ours. Again, and again, while it still
 * takes what was queued before. */
enum { CONN_LINGER_MS = 2000, CONN_EXTENSIONS_MAX = 5 };

void conn_shared_init(struct conn_shared *shared);
/* There must be no connection left. */
void conn_shared_finish(struct conn_shared *shared);

/* Takes an accepted descriptor (closed also on an error). The caller then enters the first phase. NULL:
 * no memory, or the descriptor cannot be used. */
MUST_CHECK struct conn *conn_open(struct conn_shared *shared, int fd);

/* From now on `phase` is handed the events. It neither leaves the phase before nor tells anybody. */
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

/* Ends our side, and closes when the peer has ended its own, or after CONN_LINGER_MS. */
void conn_linger(struct conn *conn);

/* Closes at once. The memory lives until the loop comes back to the stream. */
void conn_abort(struct conn *conn);

/* From now on the peer has some time to end. */
void conn_time_begins(struct conn *conn);
/* That time is over. True: the peer still takes what it was sent before, and may go on. */
bool conn_gets_more_time(struct conn *conn);

/* Tells the phase that the log-in may say something new. For a connection with a session, `identity` is
 * what the session says now; the ticket, if it came with one, counts for more. */
void conn_login_changed(struct conn *conn, const struct identity *identity);

/* Who a connection is by the ticket that it came with. 0 and an identity that the caller must finish;
 * -ENOENT: it came without; -EACCES: by the settings of now the ticket is no log-in; -ENOMEM. */
MUST_CHECK int conn_ticket_identity(const struct conn *conn, struct identity *ret_identity);

/* What the bridge tells its subscribers, and the sessions their members. */
void conn_on_confirmed(struct subscriber *subscriber, struct slice channel);
void conn_on_publication(struct subscriber *subscriber, struct publication *publication);
void conn_on_dropped(struct subscriber *subscriber, struct slice channel);
extern const struct sessions_events conn_session_events;

#endif
