/*
 * A generator that is slower than the server measures itself. So a turn costs one epoll_wait for up to
 * 512 connections, and each of these one recv of up to 256 KiB, and of the frames in it only the
 * beginnings are looked at: the header, and the number that a payload begins with.
 *
 *     ...payload | 81 7e 00 80 | 0000002a {"id":... | 81 7e 00 80 | 000000
 *                  `- header     `- number, checked                 `- carried over to the next read
 *
 * A frame whose beginning is cut off at the end of a read is carried over: its bytes wait with the
 * connection, and the next read lands behind them. A payload that is not yet there is skipped.
 *
 * When a publication was sent is kept here, by its number, and not in its payload: so a compressed
 * frame, which says nothing without being inflated, is timed too, by being the next one.
 */
#include "crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "publisher.h"
#include "usage.h"

#define READ_MAX     (256 * 1024)
#define EVENTS_MAX   512
#define REQUEST_MAX  4096
#define ANSWER_MAX   2048
#define PUBLISHED    (1U << 20) /* publications that can be under way */
#define BEGIN_MAX    256        /* in a turn: whoever is connected must not wait long to send */
#define PER_ADDRESS  20000      /* connections; there are 28,000 ports for clients */
#define SPREAD_PRIME 1000003ULL /* greater than any count, so coprime to it */

/* The example of RFC 6455 §1.3: the answer to it is known, and no server can tell the difference. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum { OPCODE_CLOSE = 8, OPCODE_PING = 9 };

/* ---- plain or over TLS ---- */

static ssize_t receive(const struct conn *conn, void *bytes, size_t len, bool peek)
{
	if (conn->ssl)
		return secure_receive(conn->ssl, bytes, len, peek);
	ssize_t got = recv(conn->fd, bytes, len, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
	return got < 0 ? -errno : got;
}

static bool send_whole(const struct conn *conn, const void *bytes, size_t len)
{
	ssize_t sent = conn->ssl ? secure_send(conn->ssl, bytes, len)
				 : send(conn->fd, bytes, len, MSG_NOSIGNAL);
	return sent == (ssize_t)len;
}

/* ---- the opening handshake ---- */

static void lose(struct crowd *crowd, struct conn *conn)
{
	if (conn->state == CONN_OPEN) {
		crowd->open--;
		crowd->lost++;
	} else {
		crowd->refused++;
	}
	conn->state = CONN_GONE;
	secure_end(conn->ssl, false);
	close(conn->fd);
}

static void refuse(struct crowd *crowd, struct conn *conn, const char *answer)
{
	if (crowd->refused == 0)
		fprintf(stderr, "load: the first refusal: %.*s\n", (int)strcspn(answer, "\r\n"),
			answer);
	lose(crowd, conn);
}

static void watch(struct crowd *crowd, struct conn *conn, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = conn };
	if (epoll_ctl(crowd->epoll, operation, conn->fd, &event) != 0)
		lose(crowd, conn);
}

/* Each 20,000 have an address of their own; the kernel chooses the ports. */
static void bind_to_source(int fd, uint32_t number)
{
	struct sockaddr_in source = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number / PER_ADDRESS) };
	int on = 1;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	bind(fd, (const struct sockaddr *)&source, sizeof source);
}

static void begin(struct crowd *crowd, struct conn *conn, uint32_t number)
{
	struct sockaddr_in server = { .sin_family = AF_INET,
		.sin_port = htons(crowd->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	conn->state = CONN_CONNECTING;
	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (conn->fd < 0) {
		perror("load: socket");
		exit(1);
	}
	bind_to_source(conn->fd, number);
	if (connect(conn->fd, (const struct sockaddr *)&server, sizeof server) != 0 &&
		errno != EINPROGRESS)
		refuse(crowd, conn, strerror(errno));
	else
		watch(crowd, conn, EPOLL_CTL_ADD, EPOLLOUT);
}

/* Fits into an empty socket buffer, so it is sent whole or not at all. */
static void send_request(struct crowd *crowd, struct conn *conn)
{
	uint32_t number = (uint32_t)(conn - crowd->conns);
	char path[512], request[REQUEST_MAX];
	crowd_expand(crowd->path, number, path, sizeof path);
	int length = snprintf(request, sizeof request,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nOrigin: %s://127.0.0.1:%u\r\n"
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
		"Sec-WebSocket-Version: 13\r\n%s%s%s%s\r\n",
		path, crowd->port, conn->ssl ? "https" : "http", crowd->port, crowd->extra_header,
		crowd->cookies ? "Cookie: " : "", crowd->cookies ? crowd->cookies[number] : "",
		crowd->cookies ? "\r\n" : "");
	if (!send_whole(conn, request, (size_t)length)) {
		refuse(crowd, conn, "the request could not be sent");
		return;
	}
	conn->state = CONN_SHAKING;
}

static void end_secured(struct crowd *crowd, struct conn *conn)
{
	conn->state = CONN_GONE;
	crowd->open++;
	secure_end(conn->ssl, true);
	close(conn->fd);
}

static void secure(struct crowd *crowd, struct conn *conn)
{
	int error = secure_step(&crowd->secure, conn->ssl);
	if (error == -EAGAIN)
		return;
	if (error)
		refuse(crowd, conn, "the TLS handshake failed");
	else if (crowd->only_secures)
		end_secured(crowd, conn);
	else
		send_request(crowd, conn);
}

static void on_connected(struct crowd *crowd, struct conn *conn)
{
	watch(crowd, conn, EPOLL_CTL_MOD, EPOLLIN);
	if (conn->state == CONN_GONE)
		return;
	if (!crowd->is_secure) {
		send_request(crowd, conn);
		return;
	}
	conn->state = CONN_SECURING;
	conn->ssl = secure_begin(&crowd->secure, conn->fd);
	if (conn->ssl)
		secure(crowd, conn);
	else
		refuse(crowd, conn, "no memory for TLS");
}

/* ---- frames ---- */

/* RFC 6455 §5.5.3: a pong has its ping's payload. The mask is zero, so nothing has to be changed. */
static void answer_ping(const struct conn *conn, const uint8_t *payload, size_t length)
{
	uint8_t pong[6 + CARRY_MAX] = { 0x8a, (uint8_t)(0x80 | length) };
	memcpy(pong + 6, payload, length);
	if (!send_whole(conn, pong, 6 + length))
		fprintf(stderr, "load: a ping could not be answered\n");
}

static uint64_t number_in(const uint8_t *payload)
{
	uint64_t number = 0;
	for (int i = 0; i < NUMBER_DIGITS; i++)
		number = number << 4 | (uint64_t)((payload[i] & 15) + (payload[i] >> 6) * 9);
	return number;
}

static void take_publication(struct crowd *crowd, struct conn *conn, const uint8_t *payload,
	bool compressed, int64_t now)
{
	uint64_t number = compressed ? conn->expected : number_in(payload);
	if (number != conn->expected)
		crowd->misordered++;
	conn->expected = number + crowd->stride;
	crowd->deliveries++;
	latency_add(&crowd->latency, now - crowd->published_at[number % PUBLISHED]);
}

struct frame {
	size_t header;
	uint64_t payload;
	size_t wanted; /* bytes of it that must be there before it can be taken */
};

/* False when more bytes are needed to know. */
static bool read_header(const uint8_t *at, size_t left, struct frame *frame)
{
	if (left < 2)
		return false;
	uint8_t length = at[1];
	frame->header = length == 127 ? 10 : length == 126 ? 4 : 2;
	if (left < frame->header)
		return false;
	frame->payload = length < 126 ? length : 0;
	for (size_t i = 2; i < frame->header; i++)
		frame->payload = frame->payload << 8 | at[i];
	size_t looked_at = (at[0] & 8) != 0 || frame->payload < NUMBER_DIGITS
				   ? (size_t)frame->payload
				   : NUMBER_DIGITS;
	frame->wanted = frame->header + looked_at;
	return left >= frame->wanted;
}

/* False when the connection is gone. */
static bool take_frame(struct crowd *crowd, struct conn *conn, const uint8_t *at,
	const struct frame *frame, int64_t now)
{
	const uint8_t *payload = at + frame->header;
	switch (at[0] & 15) {
	case OPCODE_CLOSE:
		if (crowd->lost == 0 && frame->payload >= 2)
			fprintf(stderr, "load: the first close: %d\n",
				payload[0] << 8 | payload[1]);
		lose(crowd, conn);
		return false;
	case OPCODE_PING:
		answer_ping(conn, payload, (size_t)frame->payload);
		return true;
	default:
		if (frame->payload >= NUMBER_DIGITS)
			take_publication(crowd, conn, payload, (at[0] & 0x40) != 0, now);
		return true;
	}
}

static void walk(
	struct crowd *crowd, struct conn *conn, const uint8_t *at, size_t left, int64_t now)
{
	struct frame frame;
	for (;;) {
		size_t step = conn->skip < left ? (size_t)conn->skip : left;
		conn->skip -= step;
		at += step;
		left -= step;
		if (!read_header(at, left, &frame))
			break;
		if (!take_frame(crowd, conn, at, &frame, now))
			return;
		conn->skip = frame.header + frame.payload;
	}
	conn->carried = (uint8_t)left;
	memcpy(conn->carry, at, left);
}

/* False: nothing more is there, or the connection is gone. */
static bool read_some(struct crowd *crowd, struct conn *conn)
{
	uint8_t *fresh = crowd->buffer + CARRY_MAX;
	ssize_t got = receive(conn, fresh, READ_MAX, false);
	if (got == -EAGAIN)
		return false;
	if (got <= 0) {
		lose(crowd, conn);
		return false;
	}
	crowd->bytes += (uint64_t)got;
	uint8_t *begin = fresh - conn->carried;
	memcpy(begin, conn->carry, conn->carried);
	walk(crowd, conn, begin, conn->carried + (size_t)got, clock_now());
	return conn->state == CONN_OPEN;
}

/* A TLS session gives a record at a time, and epoll does not see what it holds. */
static void read_frames(struct crowd *crowd, struct conn *conn)
{
	while (read_some(crowd, conn) && conn->ssl)
		continue;
}

/* ---- the answer ---- */

/* Looks first and takes only the answer, so that frames behind it stay for the next read. */
static void take_answer(struct crowd *crowd, struct conn *conn)
{
	char answer[ANSWER_MAX + 1];
	ssize_t there = receive(conn, answer, ANSWER_MAX, true);
	if (there == -EAGAIN)
		return;
	answer[there > 0 ? there : 0] = '\0';
	const char *end = strstr(answer, "\r\n\r\n");
	if (there > 0 && !end && there < ANSWER_MAX)
		return;
	if (!end || strncmp(answer, "HTTP/1.1 101 ", 13) != 0 || !strstr(answer, ACCEPT)) {
		refuse(crowd, conn, there < 0 ? strerror((int)-there) : answer);
		return;
	}
	receive(conn, answer, (size_t)(end + 4 - answer), false);
	conn->state = CONN_OPEN;
	crowd->open++;
	if (conn->ssl) /* epoll does not see what the session holds already */
		read_frames(crowd, conn);
}

/* ---- the crowd ---- */

static void on_ready(struct crowd *crowd, struct conn *conn)
{
	switch (conn->state) {
	case CONN_CONNECTING:
		on_connected(crowd, conn);
		break;
	case CONN_SECURING:
		secure(crowd, conn);
		break;
	case CONN_SHAKING:
		take_answer(crowd, conn);
		break;
	case CONN_OPEN:
		read_frames(crowd, conn);
		break;
	case CONN_NEW:
	case CONN_GONE:
		break;
	}
}

int crowd_init(struct crowd *crowd)
{
	crowd->epoll = epoll_create1(0);
	crowd->conns = calloc(crowd->count, sizeof *crowd->conns);
	crowd->published_at = calloc(PUBLISHED, sizeof *crowd->published_at);
	crowd->buffer = malloc(CARRY_MAX + READ_MAX);
	crowd->stride = 1;
	if (crowd->epoll < 0 || !crowd->conns || !crowd->published_at || !crowd->buffer)
		return -ENOMEM;
	return crowd->is_secure ? secure_open(&crowd->secure) : 0;
}

void crowd_begin(struct crowd *crowd, uint32_t at_once)
{
	uint32_t under_way = crowd->begun - crowd->open - crowd->refused - crowd->lost;
	uint32_t room = at_once > under_way ? at_once - under_way : 0;
	if (room > BEGIN_MAX)
		room = BEGIN_MAX;
	for (; room > 0 && crowd->begun < crowd->count; room--) {
		uint32_t number = crowd->begun++;
		begin(crowd, &crowd->conns[number], number);
	}
}

bool crowd_is_settled(const struct crowd *crowd)
{
	return crowd->open + crowd->refused + crowd->lost == crowd->count;
}

void crowd_expect_spread(struct crowd *crowd)
{
	crowd->stride = crowd->count;
	for (uint64_t number = 0; number < crowd->count; number++)
		crowd->conns[crowd_receiver(crowd, number)].expected = number;
}

uint32_t crowd_receiver(const struct crowd *crowd, uint64_t number)
{
	return (uint32_t)(number % crowd->count * SPREAD_PRIME % crowd->count);
}

void crowd_published(struct crowd *crowd, uint64_t number)
{
	crowd->published_at[number % PUBLISHED] = clock_now();
}

void crowd_turn(struct crowd *crowd, int64_t deadline)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t left = deadline - clock_now();
	if (left < 0)
		left = 0;
	struct timespec timeout = { .tv_sec = left / SECOND, .tv_nsec = left % SECOND };
	int count = epoll_pwait2(crowd->epoll, events, EVENTS_MAX, &timeout, NULL);
	for (int i = 0; i < count; i++)
		on_ready(crowd, events[i].data.ptr);
}

bool crowd_expand(const char *text, uint32_t n, char *out, size_t size)
{
	const char *place = strstr(text, "{n}");
	int length =
		place ? snprintf(out, size, "%.*s%u%s", (int)(place - text), text, n, place + 3)
		      : snprintf(out, size, "%s", text);
	return length >= 0 && (size_t)length < size;
}

/* Closes by a reset: it leaves no port in TIME_WAIT that the next run would need. */
void crowd_finish(struct crowd *crowd)
{
	const struct linger none = { .l_onoff = 1, .l_linger = 0 };
	for (uint32_t i = 0; i < crowd->count; i++) {
		if (crowd->conns[i].state == CONN_NEW || crowd->conns[i].state == CONN_GONE)
			continue;
		setsockopt(crowd->conns[i].fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
		secure_end(crowd->conns[i].ssl, false);
		close(crowd->conns[i].fd);
	}
	if (crowd->is_secure)
		secure_close(&crowd->secure);
	close(crowd->epoll);
	free(crowd->conns);
	free(crowd->published_at);
	free(crowd->buffer);
}
