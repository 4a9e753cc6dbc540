/* The sockets of one loop, and which of them can be read or written. */
#ifndef SLUICE_NET_SOCKETS_H
#define SLUICE_NET_SOCKETS_H

#include <sys/epoll.h>
#include <uv.h>

#include "sluice/base/defs.h"

enum { SOCKETS_EVENTS = 1024 };

struct sockets {
	/* private */
	uv_poll_t poll;
	int fd;
	void (*on_ready)(void *owner, unsigned events);
	size_t count;
	struct epoll_event events[SOCKETS_EVENTS]; /* of one epoll_wait */
	int at, n;                                 /* events from `at` on are not handled yet */
};

/* `on_ready` is called with the owner that was passed to sockets_add, and EPOLLIN, EPOLLOUT,
 * EPOLLERR and EPOLLHUP. The last two are reported whether they are wanted or not, as long as the
 * socket is in the set. 0 or a negative errno. */
MUST_CHECK int sockets_open(
	struct sockets *sockets, uv_loop_t *loop, void (*on_ready)(void *owner, unsigned events));

/* There must be no socket left. */
void sockets_close(struct sockets *sockets);

/* Sockets keep the loop alive. 0 or a negative errno. */
MUST_CHECK int sockets_add(struct sockets *sockets, int fd, void *owner, unsigned events);
void sockets_change(struct sockets *sockets, int fd, void *owner, unsigned events);

/* Call it before the descriptor is closed. on_ready is not called for it any more. */
void sockets_remove(struct sockets *sockets, int fd, void *owner);

#endif
