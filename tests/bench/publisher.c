#include "publisher.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The socket blocks when it is written to. That cannot end in a deadlock: Redis always reads, whatever
 * becomes of its replies, and how much is under way is bounded by who publishes.
 */
#define HEAD_MAX   512 /* of a command or a request, without the payload */
#define SETTLE_MS  5000
#define REPLY_READ 65536

static const char *const WORDS[] = { "\"id\":", "\"text\":", "\"price\":", "\"symbol\":", "true,",
	"null,", "\"from\":", "\"unread\":", "1024,", "\"north\",", "\"seven\",", "[3,5]," };

/* Looks like the JSON that back ends publish, and can be compressed about as well. */
static void fill(char *text, size_t size)
{
	uint32_t random = 1;
	for (size_t at = 0; at < size;) {
		random = random * 1664525 + 1013904223;
		const char *word = WORDS[(random >> 16) % (sizeof WORDS / sizeof WORDS[0])];
		size_t length = strlen(word);
		if (length > size - at)
			length = size - at;
		memcpy(text + at, word, length);
		at += length;
	}
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* Redis answers a PUBLISH with ":N\r\n". An error ("-…") is a mistake in the set-up. */
static int take_replies(struct publisher *publisher, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '-')
			return -EPROTO;
		if (bytes[i] >= '0' && bytes[i] <= '9') {
			publisher->reply = publisher->reply * 10 + (uint64_t)(bytes[i] - '0');
		} else if (bytes[i] == '\n') {
			publisher->receivers += publisher->reply;
			publisher->replies++;
			publisher->reply = 0;
		}
	}
	return 0;
}

/* What is there; a server that speaks HTTP says nothing that we need to know. */
static int read_replies(struct publisher *publisher)
{
	char bytes[REPLY_READ];
	ssize_t got = recv(publisher->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (got == 0)
		return -ECONNRESET;
	return publisher->is_http ? 0 : take_replies(publisher, bytes, (size_t)got);
}

int publisher_open(struct publisher *publisher, uint16_t port, int is_http, size_t size)
{
	*publisher = (struct publisher){ .fd = -1, .is_http = is_http, .size = size };
	publisher->out_size = (1 << 20) + 2 * size;
	publisher->payload = malloc(size);
	publisher->out = malloc(publisher->out_size);
	if (!publisher->payload || !publisher->out)
		return -ENOMEM;
	fill(publisher->payload, size);
	publisher->fd = connect_to(port);
	return publisher->fd < 0 ? publisher->fd : 0;
}

int publisher_add(struct publisher *publisher, const char *channel)
{
	char number[NUMBER_DIGITS + 1];
	if (publisher->out_size - publisher->out_used < HEAD_MAX + publisher->size + 2) {
		int error = publisher_flush(publisher);
		if (error)
			return error;
	}
	snprintf(number, sizeof number, "%08x", (unsigned)publisher->published);
	memcpy(publisher->payload, number, NUMBER_DIGITS);

	char *at = publisher->out + publisher->out_used;
	int head =
		publisher->is_http
			? snprintf(at, HEAD_MAX,
				  "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Length: %zu\r\n\r\n",
				  channel, publisher->size)
			: snprintf(at, HEAD_MAX, "*3\r\n$7\r\nPUBLISH\r\n$%zu\r\n%s\r\n$%zu\r\n",
				  strlen(channel), channel, publisher->size);
	if (head < 0 || head >= HEAD_MAX)
		return -ENAMETOOLONG;
	memcpy(at + head, publisher->payload, publisher->size);
	publisher->out_used += (size_t)head + publisher->size;
	if (!publisher->is_http) {
		memcpy(publisher->out + publisher->out_used, "\r\n", 2);
		publisher->out_used += 2;
	}
	publisher->published++;
	return 0;
}

int publisher_flush(struct publisher *publisher)
{
	for (size_t at = 0; at < publisher->out_used;) {
		ssize_t sent = send(
			publisher->fd, publisher->out + at, publisher->out_used - at, MSG_NOSIGNAL);
		if (sent < 0)
			return -errno;
		at += (size_t)sent;
	}
	publisher->out_used = 0;
	return read_replies(publisher);
}

int publisher_settle(struct publisher *publisher)
{
	while (!publisher->is_http && publisher->replies < publisher->published) {
		struct pollfd readable = { .fd = publisher->fd, .events = POLLIN };
		if (poll(&readable, 1, SETTLE_MS) != 1)
			return -ETIMEDOUT;
		int error = read_replies(publisher);
		if (error)
			return error;
	}
	return 0;
}

void publisher_close(struct publisher *publisher)
{
	if (publisher->fd >= 0)
		close(publisher->fd);
	free(publisher->payload);
	free(publisher->out);
}
