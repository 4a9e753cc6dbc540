/* Listening sockets.
 *
 * The socket is ours, and libuv only watches it. libuv 1.44 has no SO_REUSEPORT, and its way around
 * EMFILE (it closes a spare descriptor, accepts, and opens it again) is unsafe with threads, as
 * another thread may take the descriptor meanwhile. Here accepting pauses for a moment instead:
 * connections wait in the kernel's queue, nothing spins, and accepting resumes by itself. That is
 * the last resort: before each accept the owner decides whether enough descriptors are free, so
 * that links to Redis still get one.
 *
 * At most 64 connections are accepted per turn: when thousands arrive at once, established
 * connections get their turn too. The socket is watched level-triggered, so the next turn accepts
 * more.
 *
 * Several listeners may watch one socket (the Unix socket of all workers). The first one gets the
 * connection; the others get EAGAIN, which is not an error.
 *
 * Closing a socket resets the connections in its queue, so listener_close accepts them first. A
 * connection that arrives between the two is still lost; a load balancer tries again. */
#include "sluice/net/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sluice/base/log.h"

enum {
	LISTENER_BACKLOG = 4096, /* the kernel lowers it to net.core.somaxconn */
	LISTENER_ACCEPTS_A_TURN = 64,
	LISTENER_PAUSE_MS = 100,
	LISTENER_WARN_MS = 10000,
};

/* ---- binding ---- */

static int set_socket_options(int fd, const struct address *address, bool shared)
{
	const int on = 1, off = 0;
	if (address->any.sa_family == AF_UNIX)
		return 0;
	/* else an ended process' connections block the port for a minute */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	/* an accepted socket inherits it (Linux), so it costs no call for each connection */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		return -errno;
	if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		return -errno;
	/* [::] accepts IPv4 too, whatever net.ipv6.bindv6only says */
	if (address->any.sa_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
		return -errno;
	return 0;
}

/* If connecting is refused, nobody listens: a process has died and left the file. Connecting is
 * also refused for any other kind of file, but such a file must not be removed. */
static bool is_stale(const struct address *address)
{
	struct stat status;
	if (lstat(address->local.sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool refused = connect(fd, &address->any, address->len) < 0 && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int bind_address(int fd, const struct address *address)
{
	if (bind(fd, &address->any, address->len) == 0)
		return 0;
	int error = -errno;
	if (error != -EADDRINUSE || address->any.sa_family != AF_UNIX || !is_stale(address))
		return error;
	if (unlink(address->local.sun_path) < 0)
		return -errno;
	return bind(fd, &address->any, address->len) < 0 ? -errno : 0;
}

static int bind_and_listen(int fd, struct address *address, bool shared)
{
	int result = set_socket_options(fd, address, shared);
	if (result == 0)
		result = bind_address(fd, address);
	if (result < 0)
		return result;
	if (listen(fd, LISTENER_BACKLOG) < 0)
		return -errno;
	socklen_t len = sizeof(address->v6);
	if (address->any.sa_family != AF_UNIX && getsockname(fd, &address->any, &len) < 0)
		return -errno;
	return 0;
}

int listener_bind(struct address *address, bool shared)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int result = bind_and_listen(fd, address, shared);
	if (result < 0) {
		close(fd);
		return result;
	}
	return fd;
}

/* ---- accepting ---- */

static void on_readable(uv_poll_t *poll, int status, int events);

static bool may_accept(struct listener *listener)
{
	return !listener->events->may_accept || listener->events->may_accept(listener);
}

static void warn(struct listener *listener, int error)
{
	uint64_t now = uv_now(listener->poll.loop);
	bool limited = error == -EMFILE || error == -ENFILE;
	if (now < listener->next_warning)
		return;
	listener->next_warning = now + LISTENER_WARN_MS;
	log_warn("cannot accept connections", log_text("reason", uv_strerror(error)),
		log_text("remedy",
			limited ? "raise the limit: ulimit -n, LimitNOFILE=" : "see the reason"));
}

/* The socket is not watched as long as the owner refuses. */
static void on_resume(struct deadline *resume)
{
	struct listener *listener = container_of(resume, struct listener, resume);
	if (may_accept(listener)) {
		listener->paused = false;
		uv_poll_start(&listener->poll, UV_READABLE, on_readable);
	} else {
		warn(listener, -EMFILE);
		deadline_set(listener->deadlines, &listener->resume, LISTENER_PAUSE_MS, on_resume);
	}
}

static void pause_accepting(struct listener *listener, int error)
{
	warn(listener, error);
	if (listener->closing)
		return;
	listener->paused = true;
	uv_poll_stop(&listener->poll);
	deadline_set(listener->deadlines, &listener->resume, LISTENER_PAUSE_MS, on_resume);
	if (listener->events->on_pause)
		listener->events->on_pause(listener);
}

/* These errors concern one connection only, which was gone before we accepted it (accept(2)). */
static bool is_passing(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case EPERM:
		return true;
	default:
		return false;
	}
}

/* False: nothing more to accept for now. */
static bool accept_one(struct listener *listener)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(peer);
	if (!may_accept(listener)) {
		pause_accepting(listener, -EMFILE);
		return false;
	}
	int fd =
		accept4(listener->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		listener->events->on_accept(listener, fd, &peer);
		return true;
	}
	if (is_passing(errno))
		return true;
	if (errno != EAGAIN)
		pause_accepting(listener, -errno);
	return false;
}

static void accept_some(struct listener *listener)
{
	for (int i = 0; i < LISTENER_ACCEPTS_A_TURN && !listener->closing; i++)
		if (!accept_one(listener))
			return;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *listener = container_of(poll, struct listener, poll);
	(void)events;
	if (status < 0) {
		/* libuv has stopped watching the socket */
		pause_accepting(listener, status);
		return;
	}
	uint64_t before = uv_hrtime();
	accept_some(listener);
	if (listener->newcomers)
		newcomers_charge(listener->newcomers, uv_hrtime() - before);
}

int listener_open(struct listener *listener, uv_loop_t *loop, struct deadlines *deadlines, int fd,
	const struct listener_events *events, void *owner)
{
	*listener = (struct listener){
		.events = events, .owner = owner, .fd = fd, .deadlines = deadlines
	};
	int result = uv_poll_init(loop, &listener->poll, fd);
	if (result < 0) {
		close(fd);
		return result;
	}
	MUST(uv_poll_start(&listener->poll, UV_READABLE, on_readable) == 0);
	return 0;
}

void listener_close(struct listener *listener)
{
	if (listener->closing)
		return;
	listener->closing = true;
	for (int i = 0; i < LISTENER_BACKLOG; i++)
		if (!accept_one(listener))
			break;
	deadline_clear(listener->deadlines, &listener->resume);
	uv_close((uv_handle_t *)&listener->poll, NULL);
	close(listener->fd);
}
