/* A listening socket on one loop. Each worker has a TCP socket of its own, with SO_REUSEPORT, and
 * the kernel spreads the connections. A Unix socket is shared by the listeners of all workers. */
#ifndef SLUICE_NET_LISTENER_H
#define SLUICE_NET_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "sluice/base/defs.h"
#include "sluice/net/address.h"
#include "sluice/net/deadlines.h"
#include "sluice/net/newcomers.h"

struct listener;

struct listener_events {
	/* A new connection: a non-blocking, close-on-exec descriptor, owned by the callee. */
	void (*on_accept)(struct listener *listener, int fd, const struct sockaddr_storage *peer);
	/* Called before each accept: are enough descriptors free? False: accepting pauses, as it
	 * does when there are none at all. NULL: always true. */
	bool (*may_accept)(struct listener *listener);
	/* Accepting has paused. May be NULL. */
	void (*on_pause)(struct listener *listener);
};

struct listener {
	const struct listener_events *events;
	void *owner;
	struct newcomers *newcomers; /* whose slice of a turn accepting is a part of; or NULL */
	/* private */
	uv_poll_t poll;
	int fd;
	bool closing, paused;
	struct deadlines *deadlines;
	struct deadline resume; /* after descriptors ran short */
	uint64_t next_warning;  /* loop time, in ms */
};

/* Creates a socket, binds it and listens. If the port was 0, updates `address` with the port that
 * was chosen. Returns the descriptor or a negative errno. `shared`: with SO_REUSEPORT, so that more
 * sockets can be bound to the same port; without it, -EADDRINUSE if another program listens there.
 * A stale file of a Unix socket is removed first; if a program listens on it, the result is
 * -EADDRINUSE. What a TCP socket accepts is sent without delay (TCP_NODELAY). */
MUST_CHECK int listener_bind(struct address *address, bool shared);

/* Takes the descriptor, and closes it on an error too. Accepts at most 64 connections per turn. If
 * the process or the system is out of descriptors, or may_accept returns false, accepting pauses
 * for 100 ms at a time, and a warning is logged at most once in 10 s. 0 or a negative errno. */
MUST_CHECK int listener_open(struct listener *listener, uv_loop_t *loop,
	struct deadlines *deadlines, int fd, const struct listener_events *events, void *owner);

/* Accepts the connections that are already waiting, then closes. May be called twice. The memory
 * must stay until the loop has run the close callback. */
void listener_close(struct listener *listener);

#endif
