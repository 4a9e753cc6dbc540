/* An epoll set of our own, which libuv watches as one descriptor.
 *
 *	libuv's epoll set: inbox, listener, [ours] -- readable when one of its sockets is ready
 *	                                      |
 *	                          socket, socket, socket ...
 *
 * A uv_poll_t for each socket would do the same with 160 bytes each, a third of an idle connection,
 * and five system calls before a socket is watched. Here it is no memory and one call; the price is
 * one more epoll_wait in a turn in which sockets are ready.
 *
 * Sockets are watched level-triggered: epoll reports again what was not handled, so one epoll_wait
 * per turn for SOCKETS_EVENTS of them is enough. Handling one event may remove any socket and free
 * its owner, so sockets_remove clears the events that are not handled yet. */
#include "sluice/net/sockets.h"

#include <errno.h>
#include <unistd.h>

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct sockets *sockets = container_of(poll, struct sockets, poll);
	(void)status, (void)events;
	sockets->n = epoll_wait(sockets->fd, sockets->events, SOCKETS_EVENTS, 0);
	for (sockets->at = 0; sockets->at < sockets->n;) {
		struct epoll_event event = sockets->events[sockets->at++];
		if (event.data.ptr)
			sockets->on_ready(event.data.ptr, event.events);
	}
	sockets->n = 0;
}

int sockets_open(
	struct sockets *sockets, uv_loop_t *loop, void (*on_ready)(void *owner, unsigned events))
{
	*sockets = (struct sockets){ .on_ready = on_ready };
	sockets->fd = epoll_create1(EPOLL_CLOEXEC);
	if (sockets->fd < 0)
		return -errno;
	int error = uv_poll_init(loop, &sockets->poll, sockets->fd);
	if (error) {
		close(sockets->fd);
		return error;
	}
	MUST(uv_poll_start(&sockets->poll, UV_READABLE, on_readable) == 0);
	uv_unref((uv_handle_t *)&sockets->poll);
	return 0;
}

void sockets_close(struct sockets *sockets)
{
	MUST(sockets->count == 0);
	uv_close((uv_handle_t *)&sockets->poll, NULL);
	close(sockets->fd);
}

int sockets_add(struct sockets *sockets, int fd, void *owner, unsigned events)
{
	struct epoll_event event = { .events = events, .data.ptr = owner };
	if (epoll_ctl(sockets->fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	if (sockets->count++ == 0)
		uv_ref((uv_handle_t *)&sockets->poll);
	return 0;
}

void sockets_change(struct sockets *sockets, int fd, void *owner, unsigned events)
{
	struct epoll_event event = { .events = events, .data.ptr = owner };
	MUST(epoll_ctl(sockets->fd, EPOLL_CTL_MOD, fd, &event) == 0);
}

void sockets_remove(struct sockets *sockets, int fd, void *owner)
{
	MUST(epoll_ctl(sockets->fd, EPOLL_CTL_DEL, fd, NULL) == 0);
	for (int i = sockets->at; i < sockets->n; i++)
		if (sockets->events[i].data.ptr == owner)
			sockets->events[i].data.ptr = NULL;
	if (--sockets->count == 0)
		uv_unref((uv_handle_t *)&sockets->poll);
}
