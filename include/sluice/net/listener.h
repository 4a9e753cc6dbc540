/* A listening socket on one loop. TCP sockets are made with SO_REUSEPORT, one for each worker, so
 * the kernel spreads the connections; a Unix socket is one, shared by all workers' listeners. */
#ifndef SLUICE_NET_LISTENER_H
#define SLUICE_NET_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "sluice/base/defs.h"
#include "sluice/net/address.h"
#include "sluice/net/deadlines.h"

struct listener;

struct listener_events {
	/* A new connection: a non-blocking, close-on-exec descriptor that is the callee's now. */
	void (*on_accept)(struct listener *listener, int fd, const struct sockaddr_storage *peer);
	/* Somebody waits to be accepted: are there descriptors to spare? False: accepting pauses, as when
	 * there is none at all. NULL: it is always tried. */
	bool (*may_accept)(struct listener *listener);
	/* Accepting has paused. May be NULL. */
	void (*on_pause)(struct listener *listener);
};

struct listener {
	const struct listener_events *events;
	void *owner;
	/* private */
	uv_poll_t poll;
	int fd;
	bool closing, paused;
	struct deadlines *deadlines;
	struct deadline resume; /* after descriptors ran short */
	uint64_t next_warning;  /* loop time, ms */
};

/* Makes, binds and listens. `address` is updated with the port that was chosen when it was 0.
 * Gives the descriptor or a negative errno. `shared`: SO_REUSEPORT, so that others may follow;
 * without it -EADDRINUSE when anybody at all listens there. For a Unix socket, a stale file is
 * removed first, a live one is -EADDRINUSE. */
MUST_CHECK int listener_bind(struct address *address, bool shared);

/* Takes the descriptor (closed also on an error). Accepts at most 64 connections a turn. When the
 * process or system is out of descriptors, or may_accept says so, accepting pauses for 100 ms at a time,
 * and a warning is logged at most once in 10 s. */
MUST_CHECK int listener_open(struct listener *listener, uv_loop_t *loop,
	struct deadlines *deadlines, int fd, const struct listener_events *events, void *owner);

/* Accepts what waits already, then closes. Twice does no harm. The memory must stay until the loop
 * has run the close callback. */
void listener_close(struct listener *listener);

#endif
