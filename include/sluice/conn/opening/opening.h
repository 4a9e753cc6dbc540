/* A connection before it is open: one HTTP request, from its first byte to an answer.
 *
 *	request.c -> half_open.c                      the request must arrive in time
 *	          -> upgrade.c, check.c, client_file.c, site.c    dispatch by its path
 *	          -> authenticate.c -> ticket.c -> admit.c        user and channels
 *	          -> upgrade.c, check.c, refuse.c     the answer
 *
 * A request that needs a log-in has a `purpose` (an upgrade or a check). It is a const table, so
 * that authenticate.c and admit.c treat all purposes alike. */
#ifndef SLUICE_CONN_OPENING_OPENING_H
#define SLUICE_CONN_OPENING_OPENING_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "sluice/base/buffer.h"
#include "sluice/base/table.h"
#include "sluice/conn/conn.h"
#include "sluice/proto/http/http_request.h"
#include "sluice/proto/ws/ws_handshake.h"

struct site;

struct purpose {
	/* Takes a channel that the rules allow: 0; -EDQUOT: more than limits.channels; -ENOSPC: more
	 * than limits.process_channels; -ENOTCONN: the link to Redis is down; -EPERM: Redis denies
	 * us the channel; or -ENOMEM. */
	int (*subscribe)(struct conn *conn, struct slice channel);
	/* The client is accepted, and every channel is confirmed. The last step before the
	 * connection is open. */
	void (*admitted)(struct conn *conn);
	/* Nobody is logged in, and the settings require a log-in. `problem`: one line, a
	 * literal. */
	void (*reject)(struct conn *conn, const char *problem);
	/* Appends the further headers of a refusal. 0 or -ENOMEM. NULL: there are none. */
	int (*write_headers)(const struct opening *opening, int status, struct buffer *out);
	/* The request only asks what would happen: quotas are checked but not taken (except
	 * upgrades_per_second), a ticket is not taken, no session is joined, and a refusal is not
	 * counted. */
	bool only_looks;
};

/* What the connections of a worker share before they are open. */
struct opening_shared {
	const struct site *site; /* beside the endpoint, for --dev; or NULL */
	/* private */
	struct pool pool;                      /* struct opening */
	struct list half_open;                 /* struct opening, by .in_half_open, oldest first */
	_Atomic uint64_t refusals_quiet_until; /* for log_may */
};

/* What only a connection that is not open yet needs: a block of its own, freed when it opens. */
struct opening {
	struct conn *conn;
	struct newcomer newcomer;
	const struct purpose *purpose; /* NULL: it needs no log-in, or is not known yet */
	struct http_request request;
	struct ws_handshake handshake;
	unsigned dialect; /* that the handshake asks for; an index into the table */
	struct session_waiter waiter;
	uint64_t extended_ms; /* the time for Redis' answers, by our own delays */
	struct ticket_waiter ticket;
	uint64_t try_second;      /* for quota_give_try */
	size_t cookies_at;        /* in the Cookie header: where to look for the next session */
	unsigned look_ups;        /* of sessions by this request's cookies */
	struct buffer user;       /* for the dialect's welcome */
	struct list in_half_open; /* linked when the request takes long */
	struct quota_share *half_open;
	uint64_t accepted_ms;        /* loop time */
	bool begun;                  /* a part of the request has arrived */
	bool complete;               /* the whole request has arrived */
	char peer[INET6_ADDRSTRLEN]; /* as limits per address count it; "": a Unix socket's */
	void *call;                  /* the site's; valid while `at_site` */
	bool at_site;                /* the site has the request and will answer it */
	struct slice
		reader; /* of a check: the origin whose pages may read the answer; absent: none */
	struct table asked; /* of a check: struct table_key, the channels, each once */
};

void opening_shared_init(struct opening_shared *shared);
/* No connection may be left. */
void opening_shared_finish(struct opening_shared *shared);

/* Stops waiting for whatever it waits for, and frees the block. Called by the phases' `leave` and
 * when the connection opens. May be called twice. */
void opening_leave(struct conn *conn);

/* The request has arrived or is given up, so the connection is not half-open any more. May be
 * called twice. */
void opening_leave_half_open(struct opening *opening);

/* The event handler of the phases before Redis is asked: logs why the stream is dead, if it is, and
 * aborts the connection. */
void opening_on_end(struct conn *conn, int error);

#endif
