/* A connection before it is open: one HTTP request, from its first byte to an answer.
 *
 *	request.c -> half_open.c                      the request arrives, in time
 *	          -> upgrade.c, check.c, client_file.c, site.c    what it asks for, by its path
 *	          -> authenticate.c -> ticket.c -> admit.c        who it is, and what it may see
 *	          -> upgrade.c, check.c, refuse.c     the answer
 *
 * What a request asks for that needs a log-in is its `purpose`: a const table, so that authenticate.c and
 * admit.c go the same way for each. */
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
	/* Takes a channel that the rules allow: 0, -EDQUOT: more than limits.channels, -ENOTCONN: Redis
	 * is away, or -ENOMEM. */
	int (*subscribe)(struct conn *conn, struct slice channel);
	/* Whoever asks is let in: every channel is confirmed. The last thing that is done before open. */
	void (*admitted)(struct conn *conn);
	/* Nobody is logged in, and the settings want a log-in. `problem`: one line, a literal. */
	void (*reject)(struct conn *conn, const char *problem);
	/* Appends what a refusal has in its head besides. 0 or -ENOMEM. NULL: nothing. */
	int (*write_headers)(const struct opening *opening, int status, struct buffer *out);
	/* It only asks what would happen: quotas are looked at and not taken, a ticket stays, no session
	 * is joined, and refusals do not count. */
	bool only_looks;
};

/* What the connections of a worker share before they are open. */
struct opening_shared {
	const struct site *site; /* beside the endpoint, for --dev; or NULL */
	/* private */
	struct pool pool;              /* struct opening */
	struct list half_open;         /* struct opening, by .in_half_open, oldest first */
	uint64_t refusals_quiet_until; /* loop time: until then the log is not told of another */
};

/* Everything that is only needed before the connection is open: a block of its own, freed then. */
struct opening {
	struct conn *conn;
	const struct purpose *purpose; /* NULL: none that needs a log-in, or not known yet */
	struct http_request request;
	struct ws_handshake handshake;
	unsigned dialect; /* that the handshake asks for; its place in the table */
	struct session_waiter waiter;
	struct ticket_waiter ticket;
	struct buffer user;       /* for the dialect's welcome */
	struct list in_half_open; /* when the request takes long */
	struct quota_share *half_open;
	bool begun;                  /* something has arrived */
	bool complete;               /* the whole request has */
	char peer[INET6_ADDRSTRLEN]; /* as limits per address count it; "": a Unix socket's */
	void *call;                  /* the site's; valid while `at_site` */
	bool at_site;                /* the site has the request, and owes the answer */
	struct slice reader;         /* of a check: whose pages may read the answer; absent: none */
	struct table asked;          /* of a check: struct table_key, the channels, each once */
};

void opening_shared_init(struct opening_shared *shared);
/* There must be no connection left. */
void opening_shared_finish(struct opening_shared *shared);

/* Leaves whatever it waits for and frees the block. For the phases' `leave`, and when the connection
 * becomes open. Twice does no harm. */
void opening_leave(struct conn *conn);

/* The request is here, or not awaited any more: it is not half-open. Twice does no harm. */
void opening_leave_half_open(struct opening *opening);

#endif
