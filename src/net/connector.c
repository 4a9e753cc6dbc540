/* From a name to a connected socket.
 *
 *	look up -> address 1 -> failed: close its handle -> address 2 -> ... -> on_done
 *
 * One address after the other, not two at once (RFC 8305): the peers are Redis servers in the same
 * network, and the owner's timeout bounds the whole.
 *
 * A poll handle belongs to one descriptor and may be initialised again only after its close
 * callback. So the next address is tried in that callback. A cancelled attempt ends there too:
 * after connector_cancel exactly one callback of libuv is still due, from the look-up or from
 * closing the handle. */
#include "sluice/net/connector.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct connector {
	uv_getaddrinfo_t lookup;
	uv_poll_t poll;              /* of the current attempt */
	struct addrinfo *addresses;  /* of the host, all of them */
	const struct addrinfo *next; /* to be tried */
	connector_done_fn on_done;
	void *owner;
	int fd;    /* of the current attempt, or -1 */
	int error; /* of the last failed attempt */
	bool looking_up, cancelled;
};

/* libuv no longer refers to the connector. */
static void finish(struct connector *connector, int fd)
{
	connector_done_fn on_done = connector->on_done;
	void *owner = connector->owner;
	uv_freeaddrinfo(connector->addresses);
	free(connector);
	on_done(owner, fd);
}

static void try_next(struct connector *connector);

static void on_attempt_closed(uv_handle_t *handle)
{
	struct connector *connector = container_of(handle, struct connector, poll);
	if (connector->fd >= 0)
		finish(connector, connector->fd);
	else
		try_next(connector);
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
	struct connector *connector = container_of(poll, struct connector, poll);
	int error = 0;
	socklen_t len = sizeof(error);
	(void)status; /* the socket itself says which error */
	(void)events;
	if (getsockopt(connector->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	uv_close((uv_handle_t *)&connector->poll, on_attempt_closed);
	if (error) {
		connector->error = -error;
		close(connector->fd);
		connector->fd = -1;
	}
}

/* 0: on_writable follows. */
static int start_attempt(struct connector *connector, const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int result = 0;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS)
		result = -errno;
	if (result == 0)
		result = uv_poll_init(connector->lookup.loop, &connector->poll, fd);
	if (result < 0) {
		close(fd);
		return result;
	}
	connector->fd = fd;
	MUST(uv_poll_start(&connector->poll, UV_WRITABLE, on_writable) == 0);
	return 0;
}

static void try_next(struct connector *connector)
{
	while (connector->next && !connector->cancelled) {
		const struct addrinfo *address = connector->next;
		connector->next = address->ai_next;
		int result = start_attempt(connector, address);
		if (result == 0)
			return;
		connector->error = result;
	}
	finish(connector, connector->cancelled ? -ECANCELED : connector->error);
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *addresses)
{
	struct connector *connector = container_of(lookup, struct connector, lookup);
	connector->looking_up = false;
	connector->addresses = addresses;
	connector->next = addresses;
	connector->error = status < 0 ? status : -EADDRNOTAVAIL;
	try_next(connector);
}

int connector_open(struct connector **ret_connector, uv_loop_t *loop, const char *host,
	uint16_t port, connector_done_fn on_done, void *owner)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct connector *connector = calloc(1, sizeof(*connector));
	if (!connector)
		return -ENOMEM;
	char service[sizeof("65535")];
	snprintf(service, sizeof(service), "%u", port);
	connector->on_done = on_done;
	connector->owner = owner;
	connector->fd = -1;
	connector->looking_up = true;
	int result = uv_getaddrinfo(loop, &connector->lookup, on_looked_up, host, service, &hints);
	if (result < 0) {
		free(connector);
		return result;
	}
	*ret_connector = connector;
	return 0;
}

void connector_cancel(struct connector *connector)
{
	if (connector->cancelled)
		return;
	connector->cancelled = true;
	if (connector->looking_up) {
		uv_cancel((uv_req_t *)&connector->lookup); /* fails once a thread has begun it */
		return;
	}
	if (connector->fd < 0)
		return; /* between two addresses */
	if (!uv_is_closing((uv_handle_t *)&connector->poll))
		uv_close((uv_handle_t *)&connector->poll, on_attempt_closed);
	close(connector->fd);
	connector->fd = -1;
}

int connector_local(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}
