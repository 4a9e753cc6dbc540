/* 
 * The floor: the minimum of work to send Redis' publications to WebSocket clients. One thread, raw
 * epoll, no library; no sessions, no rules, no queues, no limits, no closing handshake. The cost of
 * a gateway above this floor is its own; the rest is the kernel's.
 *
 *     Redis --- one recv() ---> [ *3 message news payload | *3 message ... | *3 mess ]
 *                                                 |                             `- waits for its rest
 *                                                 v
 *                               [ 81 7e 00 80 payload | 81 7e ... ]   frames, laid out once
 *                                                 |
 *                                one send() for each client, of all of it
 *
 *     floor --redis-port 6379                    everything that is published on "news", to everyone
 *     floor --redis-port 6379 --send-each        the same with a send() for each publication
 *     floor --redis-port 6379 --per-channel      a client of /ws?channel=user:7 is alone on it, and each
 *                                                publication is one send() to one client
 *
 * A send() blocks. That is right for a floor: a client that does not read would stop it, but with
 * clients that read it costs nothing. The answer to a handshake is a constant, because the generator
 * always offers the example key of RFC 6455 §1.3. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MOST      65536
#define CHANNELS_MOST 65536
#define READ_MOST     (64 * 1024) /* what is asked of Redis at once */
#define BYTES_MOST    (4 << 20)   /* the longest publication, and bytes that may precede it */
#define EVENTS_MOST   512
#define LISTENER      (-1)
#define REDIS         (-2)

static const char ANSWER[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			     "Connection: Upgrade\r\n"
			     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static bool send_each, per_channel;
static int poller, redis;

static int clients[FDS_MOST], client_count;
static int
	place_of[FDS_MOST]; /* a descriptor's place in `clients`, plus one; 0 before the upgrade */
static int owner_of[CHANNELS_MOST]; /* the descriptor of the one client of user:<number> */

static char from_redis[BYTES_MOST];
static size_t redis_used;
static char frames[BYTES_MOST];
static size_t frames_used;

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(int fd, int as)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = as };
	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
		fail("floor: epoll_ctl");
}

/* ---- clients ---- */

static void client_remove(int fd)
{
	if (place_of[fd] > 0) {
		int last = clients[--client_count];
		clients[place_of[fd] - 1] = last;
		place_of[last] = place_of[fd];
		place_of[fd] = 0;
	}
	close(fd);
}

static void subscribe(const char *channel, size_t length)
{
	char command[256];
	int size = snprintf(command, sizeof command, "*2\r\n$9\r\nSUBSCRIBE\r\n$%zu\r\n%.*s\r\n",
		length, (int)length, channel);
	if (send(redis, command, (size_t)size, MSG_NOSIGNAL) != size)
		fail("floor: redis");
}

static unsigned number_in(const char *channel, size_t length)
{
	size_t at = length;
	while (at > 0 && channel[at - 1] >= '0' && channel[at - 1] <= '9')
		at--;
	return (unsigned)strtoul(channel + at, NULL, 10) % CHANNELS_MOST;
}

/* A request is short, and arrives whole. */
static void client_shake_hands(int fd, const char *request)
{
	const char *channel = strstr(request, "?channel=");
	if (per_channel && channel) {
		channel += strlen("?channel=");
		size_t length = strcspn(channel, " &");
		owner_of[number_in(channel, length)] = fd;
		subscribe(channel, length);
	}
	clients[client_count++] = fd;
	place_of[fd] = client_count;
	send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL);
}

static void client_read(int fd)
{
	char bytes[4096];
	ssize_t got = recv(fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);
	if (got <= 0) {
		client_remove(fd);
	} else if (place_of[fd] == 0) {
		bytes[got] = '\0';
		client_shake_hands(fd, bytes);
	}
}

static void clients_accept(int listener)
{
	int fd, on = 1;
	while ((fd = accept4(listener, NULL, NULL, 0)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		watch(fd, fd);
	}
}

/* A closed client is noticed by the next read. */
static void clients_send(void)
{
	for (int i = 0; i < client_count; i++)
		send(clients[i], frames, frames_used, MSG_NOSIGNAL);
	frames_used = 0;
}

/* ---- publications ---- */

static void frame_append(const char *payload, size_t length)
{
	char *at = frames + frames_used;
	size_t header = 2;
	*at = (char)0x81;
	if (length < 126) {
		at[1] = (char)length;
	} else {
		header = length < 65536 ? 4 : 10;
		at[1] = header == 4 ? 126 : 127;
		for (size_t i = 2; i < header; i++)
			at[i] = (char)(length >> 8 * (header - 1 - i));
	}
	memcpy(at + header, payload, length);
	frames_used += header + length;
}

static void publication_take(
	const char *channel, size_t channel_length, const char *payload, size_t length)
{
	frame_append(payload, length);
	if (per_channel) {
		send(owner_of[number_in(channel, channel_length)], frames, frames_used,
			MSG_NOSIGNAL);
		frames_used = 0;
	} else if (send_each) {
		clients_send();
	}
}

/* "<sign>123\r\n": returns the byte behind it, or NULL if it is incomplete. */
static const char *read_number(const char *at, const char *end, size_t *number)
{
	const char *line_end = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
	if (!line_end)
		return NULL;
	*number = strtoul(at + 1, NULL, 10);
	return line_end + 1;
}

static const char *read_bulk(const char *at, const char *end, const char **text, size_t *length)
{
	at = read_number(at, end, length);
	if (!at || (size_t)(end - at) < *length + 2)
		return NULL;
	*text = at;
	return at + *length + 2;
}

/* One push: "message", the channel, the payload; or "subscribe", the channel, a number. */
static const char *read_push(const char *at, const char *end)
{
	const char *kind, *channel, *payload;
	size_t count, kind_length, channel_length, length;
	at = read_number(at, end, &count);
	at = at ? read_bulk(at, end, &kind, &kind_length) : NULL;
	at = at ? read_bulk(at, end, &channel, &channel_length) : NULL;
	if (!at || at == end)
		return NULL;
	if (*at == ':')
		return read_number(at, end, &count);
	at = read_bulk(at, end, &payload, &length);
	if (at)
		publication_take(channel, channel_length, payload, length);
	return at;
}

static void redis_read(void)
{
	size_t room = BYTES_MOST - redis_used;
	ssize_t got = recv(
		redis, from_redis + redis_used, room < READ_MOST ? room : READ_MOST, MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0)
		fail("floor: redis");
	redis_used += (size_t)got;
	const char *at = from_redis, *end = from_redis + redis_used, *next;
	while ((next = read_push(at, end)) != NULL)
		at = next;
	redis_used = (size_t)(end - at);
	memmove(from_redis, at, redis_used);
	if (frames_used > 0)
		clients_send();
}

/* ---- set-up ---- */

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int connect_to_redis(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
		fail("floor: redis");
	return fd;
}

static int listen_somewhere(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
		listen(fd, SOMAXCONN) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		fail("floor: listen");
	printf("listening address=127.0.0.1:%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static uint16_t read_settings(int argc, char **argv)
{
	static const struct option OPTIONS[] = { { "redis-port", required_argument, NULL, 'r' },
		{ "send-each", no_argument, NULL, 'e' }, { "per-channel", no_argument, NULL, 'c' },
		{ 0 } };
	uint16_t port = 6379;
	for (int option; (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
		if (option == 'r')
			port = (uint16_t)strtoul(optarg, NULL, 10);
		else if (option == 'e')
			send_each = true;
		else if (option == 'c')
			per_channel = true;
		else
			exit(2);
	}
	return port;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);

	redis = connect_to_redis(read_settings(argc, argv));
	poller = epoll_create1(0);
	int listener = listen_somewhere();
	watch(redis, REDIS);
	watch(listener, LISTENER);
	if (!per_channel)
		subscribe("news", strlen("news"));

	for (;;) {
		struct epoll_event events[EVENTS_MOST];
		int count = epoll_wait(poller, events, EVENTS_MOST, -1);
		for (int i = 0; i < count; i++) {
			int what = events[i].data.fd;
			if (what == REDIS)
				redis_read();
			else if (what == LISTENER)
				clients_accept(listener);
			else
				client_read(what);
		}
	}
}
