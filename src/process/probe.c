#include "sluice/process/probe.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sluice/base/slice.h"

enum { TIMEOUT_S = 3 };

struct target {
	char host[256], port[8], path[512];
};

static int fail(const char *url, const char *why)
{
	fprintf(stderr, "sluice: probe of %s: %s\n", url, why);
	return 1;
}

static bool copy(char *to, size_t size, struct slice text)
{
	if (text.len >= size)
		return false;
	if (text.len)
		memcpy(to, text.at, text.len);
	to[text.len] = '\0';
	return true;
}

/* http://host[:port][/path], an IPv6 address in brackets. */
static bool parse(const char *url, struct target *target)
{
	struct slice rest = slice_of(url);
	if (!slice_starts_with(rest, SLICE("http://")))
		return false;
	rest = slice_skip(rest, 7);
	struct slice host = slice_cut(&rest, '/'), port = host;
	if (host.len && host.at[0] == '[') {
		port = slice_skip(host, 1);
		host = slice_cut(&port, ']');
		if (port.len && port.at[0] == ':')
			port = slice_skip(port, 1);
	} else {
		host = slice_cut(&port, ':');
	}
	target->path[0] = '/';
	return host.len && copy(target->host, sizeof(target->host), host) &&
	       copy(target->port, sizeof(target->port), port.len ? port : SLICE("80")) &&
	       copy(target->path + 1, sizeof(target->path) - 1, rest);
}

static int connect_to(const struct target *target)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct addrinfo *found;
	int fd = -1;
	if (getaddrinfo(target->host, target->port, &hints, &found) != 0)
		return -1;
	for (struct addrinfo *address = found; address && fd < 0; address = address->ai_next) {
		fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
		if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd;
}

/* The beginning of the answer, with at least its first line. Empty: there is no answer. */
static struct slice ask(int fd, const struct target *target, char *answer, size_t size)
{
	char request[1024];
	int len = snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target->path,
		target->host);
	size_t got = 0;
	if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
		return (struct slice){ 0 };
	while (got < size && !memchr(answer, '\n', got)) {
		ssize_t n = recv(fd, answer + got, size - got, 0);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return slice_make(answer, got);
}

int probe(const char *url)
{
	struct target target;
	char answer[256];
	if (!parse(url, &target))
		return fail(url, "the URL must look like http://127.0.0.1:9100/livez");
	int fd = connect_to(&target);
	if (fd < 0)
		return fail(url, "cannot connect");
	struct slice status = ask(fd, &target, answer, sizeof(answer));
	close(fd);
	if (slice_starts_with(status, SLICE("HTTP/1.1 200 ")))
		return 0;
	return fail(url, status.len ? "the answer is not 200" : "no answer");
}
