/* The test defines send and sendmsg itself, so that it can count writes, and take any number of
 * bytes. */
#include "end.h"
#include "sluice/net/stream.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
	bool takes_everything;
	unsigned calls;
	int fds[256];
} kernel;

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t n = 0;
	kernel.fds[kernel.calls++ % COUNT_OF(kernel.fds)] = fd;
	MUST(flags == MSG_NOSIGNAL);
	if (!kernel.takes_everything)
		return syscall(SYS_sendmsg, fd, message, flags);
	for (size_t i = 0; i < message->msg_iovlen; i++)
		n += (ssize_t)message->msg_iov[i].iov_len;
	return n;
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	struct iovec part = { (void *)(uintptr_t)bytes, len };
	return sendmsg(fd, &(struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 }, flags);
}

static int epoll_calls;

int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __real_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);

int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	epoll_calls++;
	return __real_epoll_ctl(epoll, operation, fd, event);
}

static int setup(void **state)
{
	memset(&kernel, 0, sizeof(kernel));
	return site_open(state);
}

static void socket_pair(int fds[2])
{
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

static int listen_at_a_free_port(struct sockaddr_in *ret_address)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_address = address;
	return fd;
}

static void tcp_pair(int fds[2])
{
	struct sockaddr_in address;
	int listening = listen_at_a_free_port(&address);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&address, sizeof(address)), 0);
	fds[1] = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
	assert_true(fds[1] >= 0);
	close(listening);
}

/* Accepts one end of a pair of Unix sockets, with a send buffer of so many bytes (0: the default).
 * Returns the other end. */
static int accept_end(struct end *end, struct site *site, int send_buffer)
{
	int fds[2];
	socket_pair(fds);
	if (send_buffer)
		setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
	end_accept(end, site, fds[0], NULL);
	return fds[1];
}

/* Reads whatever is there. */
static void drain(int fd, struct buffer *into, size_t max)
{
	char bytes[4096];
	ssize_t n;
	while (max > 0 && (n = recv(fd, bytes, MIN(max, sizeof(bytes)), MSG_DONTWAIT)) > 0) {
		assert_int_equal(buffer_append(into, bytes, (size_t)n), 0);
		max -= (size_t)n;
	}
}

static bool has_received(const struct end *end, const char *text)
{
	return slice_equal(buffer_slice(&end->received), slice_of(text));
}

/* ---- the usual case ---- */

static void opens_reads_and_writes(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	int fds[2];
	char bytes[8];
	tcp_pair(fds);
	end_accept(&end, site, fds[1], NULL);
	assert_int_equal(write(fds[0], "ping", 4), 4);
	RUN_UNTIL(&site->test, has_received(&end, "ping"));
	assert_int_equal(end.opened, 1);
	assert_int_equal(stream_send_bytes(&end.stream, "pong", 4), 0);
	assert_int_equal(stream_queued(&end.stream), 4);
	RUN_UNTIL(&site->test, stream_queued(&end.stream) == 0);
	assert_int_equal(read(fds[0], bytes, sizeof(bytes)), 4);
	assert_memory_equal(bytes, "pong", 4);
	assert_int_equal(end.drained, 0); /* it was not stuck */
	end_finish(&end, site);
	assert_int_equal(read(fds[0], bytes, sizeof(bytes)), 0);
	close(fds[0]);
}

static bool all_has_arrived(const struct end *end, uint32_t acked)
{
	struct stream_progress now = stream_progress(&end->stream);
	return now.outstanding == 0 && now.acked == acked;
}

static void reports_how_far_sent_bytes_have_come(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	int fds[2];
	tcp_pair(fds);
	end_accept(&end, site, fds[1], NULL);
	RUN_UNTIL(&site->test, end.opened == 1);
	struct stream_progress before = stream_progress(&end.stream);
	assert_int_equal(before.outstanding, 0);
	assert_int_equal(stream_send_bytes(&end.stream, "hello", 5), 0);
	assert_int_equal(stream_progress(&end.stream).outstanding, 5);
	RUN_UNTIL(&site->test, all_has_arrived(&end, before.acked + 5));
	end_finish(&end, site);
	close(fds[0]);
}

/* Even more than a turn's budget, as far as the kernel takes it: the owner asks whether the peer is
 * slow. */
static void flush_offers_all_that_the_kernel_takes(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	enum { LEN = 600 * 1024 };
	int fds[2], large = 4 << 20;
	struct buffer received = { 0 };
	char *bytes = pattern(LEN);
	socket_pair(fds);
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof(large));
	end_accept(&end, site, fds[1], NULL);
	stream_flush(&end.stream); /* not open yet */
	RUN_UNTIL(&site->test, end.opened == 1);
	assert_int_equal(stream_send_bytes(&end.stream, bytes, LEN), 0);
	stream_flush(&end.stream);
	/* Only root may have such a large buffer in the kernel; with a smaller one the stream is
	 * stuck. */
	assert_true(stream_queued(&end.stream) == 0 || end.stream.stuck);
	RUN_UNTIL(&site->test, (drain(fds[0], &received, LEN), received.len == LEN));
	assert_memory_equal(received.bytes, bytes, LEN);
	buffer_finish(&received);
	free(bytes);
	end_finish(&end, site);
	close(fds[0]);
}

/* How much of `len` bytes the kernel takes for a peer that does not read. */
static size_t kernel_takes(struct site *site, size_t len)
{
	struct end end = { 0 };
	int fds[2];
	char *bytes = pattern(len);
	tcp_pair(fds);
	end_accept(&end, site, fds[1], NULL);
	assert_int_equal(stream_send_bytes(&end.stream, bytes, len), 0);
	RUN_UNTIL(&site->test, end.stream.stuck);
	uint32_t before;
	do {
		before = stream_queued(&end.stream);
		for (int i = 0; i < 20; i++)
			uv_run(&site->test.loop, UV_RUN_NOWAIT);
		stream_flush(&end.stream);
	} while (stream_queued(&end.stream) < before);
	free(bytes);
	end_finish(&end, site);
	close(fds[0]);
	return len - before;
}

static void keeps_the_kernel_lean_when_much_is_queued(void **state)
{
	assert_in_range(kernel_takes(*state, 8 << 20), 1 << 20, 8 << 20);
	assert_in_range(kernel_takes(*state, 24 << 20), 1, 512 * 1024);
}

static void two_streams_talk_both_ways(void **state)
{
	struct site *site = *state;
	struct end one = { 0 }, other = { .echoes = true };
	enum { LEN = 1 << 20 };
	int fds[2], small = 4096;
	char *bytes = pattern(LEN);
	socket_pair(fds);
	for (size_t i = 0; i < 2; i++)
		setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	end_accept(&one, site, fds[0], NULL);
	end_accept(&other, site, fds[1], NULL);
	end_send_in_pieces(&one, bytes, LEN, 3000); /* before it is open */
	RUN_UNTIL(&site->test, one.received.len == LEN);
	assert_memory_equal(one.received.bytes, bytes, LEN);
	assert_int_equal(one.drained, 1);
	end_finish(&one, site);
	end_finish(&other, site);
	free(bytes);
}

static void gathers_the_sends_of_a_turn_in_one_write(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	struct buffer got = { 0 };
	int peer = accept_end(&end, site, 0);
	RUN_UNTIL(&site->test, end.opened);
	assert_int_equal(kernel.calls, 0);
	for (int i = 0; i < 60; i++)
		assert_int_equal(stream_send_bytes(&end.stream, "abc", 3), 0);
	assert_int_equal(kernel.calls, 0);
	uv_run(&site->test.loop, UV_RUN_NOWAIT);
	assert_int_equal(kernel.calls, 1);
	drain(peer, &got, SIZE_MAX);
	assert_int_equal(got.len, 180);
	/* more parts than fit in one */
	for (int i = 0; i < 150; i++)
		assert_int_equal(stream_send_bytes(&end.stream, "abc", 3), 0);
	uv_run(&site->test.loop, UV_RUN_NOWAIT);
	assert_int_equal(kernel.calls, 1 + 3);
	drain(peer, &got, SIZE_MAX);
	assert_int_equal(got.len, 180 + 450);
	buffer_finish(&got);
	end_finish(&end, site);
	close(peer);
}

/* The peer reads a little at a time: partial writes of every size, and nothing is lost or doubled.
 * "Writable" is watched only while the stream is stuck. */
static void survives_partial_writes(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	struct buffer got = { 0 };
	enum { LEN = 300000 };
	char *bytes = pattern(LEN);
	int peer = accept_end(&end, site, 4096);
	RUN_UNTIL(&site->test, end.opened);
	assert_int_equal(end.stream.watched, EPOLLIN);
	end_send_in_pieces(&end, bytes, LEN, 5000);
	uint32_t before = UINT32_MAX;
	for (size_t sip = 1; got.len < LEN; sip = sip * 3 % 1000 + 1) {
		drain(peer, &got, sip);
		uv_run(&site->test.loop, UV_RUN_NOWAIT);
		assert_true(stream_queued(&end.stream) <= before);
		before = stream_queued(&end.stream);
		assert_int_equal(end.stream.watched, before ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
	assert_memory_equal(got.bytes, bytes, LEN);
	assert_int_equal(end.drained, 1);
	buffer_finish(&got);
	free(bytes);
	end_finish(&end, site);
	close(peer);
}

/* Later bytes follow a whole chunk, although the kernel had taken only a part of it. */
static void drops_the_queue(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	struct buffer got = { 0 };
	enum { PIECE = 5000 };
	char *bytes = pattern(PIECE);
	int peer = accept_end(&end, site, 4096);
	RUN_UNTIL(&site->test, end.opened);
	for (int i = 0; i < 100; i++)
		assert_int_equal(stream_send_bytes(&end.stream, bytes, PIECE), 0);
	RUN_UNTIL(&site->test, stream_is_stuck(&end.stream));
	assert_true(stream_queued(&end.stream) > 90 * PIECE);
	stream_drop_queued(&end.stream);
	assert_true(stream_queued(&end.stream) <= PIECE);
	assert_int_equal(site->shared.queued, stream_queued(&end.stream));
	assert_int_equal(stream_send_bytes(&end.stream, "end", 3), 0);
	while (end.drained == 0) {
		drain(peer, &got, 1000);
		uv_run(&site->test.loop, UV_RUN_NOWAIT);
	}
	drain(peer, &got, SIZE_MAX);
	assert_int_equal(got.len % PIECE, 3);
	assert_true(got.len > PIECE && got.len < 10 * PIECE);
	for (size_t at = 0; at + PIECE <= got.len; at += PIECE)
		assert_memory_equal(got.bytes + at, bytes, PIECE);
	assert_memory_equal(got.bytes + got.len - 3, "end", 3);
	buffer_finish(&got);
	free(bytes);
	end_finish(&end, site);
	close(peer);
}

static void knows_of_unread_bytes(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	int fds[2];
	tcp_pair(fds);
	end_accept(&end, site, fds[1], NULL);
	RUN_UNTIL(&site->test, end.opened);
	assert_false(stream_has_unread(&end.stream));
	stream_pause(&end.stream);
	assert_int_equal(write(fds[0], "ping", 4), 4);
	RUN_UNTIL(&site->test, stream_has_unread(&end.stream));
	stream_resume(&end.stream);
	RUN_UNTIL(&site->test, has_received(&end, "ping"));
	assert_false(stream_has_unread(&end.stream));
	end_finish(&end, site);
	close(fds[0]);
}

/* A stream with megabytes in its queue, and a socket that takes them all, still lets others
 * write. */
static void lets_other_streams_write_while_it_sends_much(void **state)
{
	struct site *site = *state;
	struct end fat = { 0 }, thin = { 0 };
	enum { LEN = 8 << 20 };
	int fat_fds[2], thin_fds[2];
	char *bytes = pattern(LEN);
	socket_pair(fat_fds);
	socket_pair(thin_fds);
	end_accept(&fat, site, fat_fds[0], NULL);
	end_accept(&thin, site, thin_fds[0], NULL);
	RUN_UNTIL(&site->test, fat.opened && thin.opened);
	kernel.takes_everything = true;
	assert_int_equal(stream_send_bytes(&fat.stream, bytes, LEN), 0);
	assert_int_equal(stream_send_bytes(&thin.stream, "x", 1), 0);
	assert_int_equal(write(thin_fds[1], "y", 1), 1);
	uv_run(&site->test.loop, UV_RUN_NOWAIT);
	assert_int_equal(kernel.fds[0], fat_fds[0]);
	assert_int_equal(kernel.fds[1], thin_fds[0]);
	assert_true(stream_queued(&fat.stream) > 0);
	assert_true(has_received(&thin, "y"));
	/* and goes on without an event */
	while (stream_queued(&fat.stream) > 0) {
		uint32_t before = stream_queued(&fat.stream);
		uv_run(&site->test.loop, UV_RUN_NOWAIT);
		assert_true(stream_queued(&fat.stream) < before);
	}
	free(bytes);
	end_finish(&fat, site);
	end_finish(&thin, site);
	close(fat_fds[1]);
	close(thin_fds[1]);
}

static void holds_a_reference_as_long_as_needed(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	struct chunk *chunk = chunk_create("shared", 6);
	int peer = accept_end(&end, site, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(stream_send(&end.stream, chunk), 0);
	assert_int_equal(atomic_load(&chunk->refs), 6);
	RUN_UNTIL(&site->test, stream_queued(&end.stream) == 0);
	assert_int_equal(atomic_load(&chunk->refs), 1);
	assert_int_equal(stream_send(&end.stream, chunk), 0);
	end_finish(&end, site);
	assert_int_equal(atomic_load(&chunk->refs), 1);
	chunk_unref(chunk);
	close(peer);
}

static void pauses_and_resumes_reading(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	int peer = accept_end(&end, site, 0);
	RUN_UNTIL(&site->test, end.opened);
	stream_pause(&end.stream);
	assert_int_equal(write(peer, "later", 5), 5);
	for (int i = 0; i < 5; i++)
		uv_run(&site->test.loop, UV_RUN_ONCE);
	assert_int_equal(end.received.len, 0);
	assert_int_equal(end.stream.watched, 0);
	end.within = true;
	stream_resume(&end.stream);
	stream_pause(&end.stream);
	stream_resume(&end.stream);
	end.within = false;
	RUN_UNTIL(&site->test, has_received(&end, "later"));
	end_finish(&end, site);
	close(peer);
}

/* As each log-in does: it reads the request, pauses until Redis has answered, and goes on. */
static void a_pause_that_nobody_notices_costs_no_call(void **state)
{
	struct site *site = *state;
	struct end end = { .pauses = true };
	int calls = epoll_calls;
	int peer = accept_end(&end, site, 0);
	assert_int_equal(write(peer, "request", 7), 7);
	RUN_UNTIL(&site->test, has_received(&end, "request"));
	for (int i = 0; i < 5; i++)
		uv_run(&site->test.loop, UV_RUN_ONCE);
	end.pauses = false;
	stream_resume(&end.stream);
	assert_int_equal(stream_send_bytes(&end.stream, "answer", 6), 0);
	RUN_UNTIL(&site->test, stream_queued(&end.stream) == 0);
	assert_int_equal(write(peer, ", frame", 7), 7);
	RUN_UNTIL(&site->test, has_received(&end, "request, frame"));
	assert_int_equal(epoll_calls - calls, 1);
	end_finish(&end, site);
	close(peer);
}

/* ---- ends ---- */

static void can_send_after_the_peers_end(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	int fds[2];
	char bytes[8];
	tcp_pair(fds);
	end_accept(&end, site, fds[1], NULL);
	assert_int_equal(write(fds[0], "last", 4), 4);
	shutdown(fds[0], SHUT_WR);
	RUN_UNTIL(&site->test, end.ended);
	assert_true(has_received(&end, "last"));
	assert_int_equal(end.error, 0);
	/* now only the ticker wakes the loop, every 20 ms */
	uint64_t start = uv_hrtime();
	for (int i = 0; i < 5; i++)
		uv_run(&site->test.loop, UV_RUN_ONCE);
	assert_true(uv_hrtime() - start > 50000000);
	assert_int_equal(end.ended, 1);
	assert_int_equal(stream_send_bytes(&end.stream, "reply", 5), 0);
	stream_end(&end.stream);
	RUN_UNTIL(&site->test, end.stream.ended);
	assert_int_equal(read(fds[0], bytes, sizeof(bytes)), 5);
	assert_int_equal(read(fds[0], bytes, sizeof(bytes)), 0);
	end_finish(&end, site);
	close(fds[0]);
}

static void ends_after_the_queue_is_sent(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	struct buffer got = { 0 };
	enum { LEN = 400000 };
	char *bytes = pattern(LEN), byte;
	int peer = accept_end(&end, site, 4096);
	end_send_in_pieces(&end, bytes, LEN, 9000);
	stream_end(&end.stream); /* before it is open, twice */
	stream_end(&end.stream);
	assert_int_equal(stream_send_bytes(&end.stream, "x", 1), -EPIPE);
	while (got.len < LEN) {
		assert_false(end.stream.ended);
		uv_run(&site->test.loop, UV_RUN_NOWAIT);
		drain(peer, &got, 10000);
	}
	RUN_UNTIL(&site->test, end.stream.ended);
	assert_memory_equal(got.bytes, bytes, LEN);
	assert_int_equal(recv(peer, &byte, 1, 0), 0);
	/* the other direction is still open */
	assert_int_equal(write(peer, "more", 4), 4);
	RUN_UNTIL(&site->test, has_received(&end, "more"));
	end_finish(&end, site);
	buffer_finish(&got);
	free(bytes);
	close(peer);
}

static void reset(int fd)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	close(fd);
}

static void a_reset_is_an_error(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	int fds[2];
	tcp_pair(fds);
	end_accept(&end, site, fds[1], NULL);
	RUN_UNTIL(&site->test, end.opened);
	reset(fds[0]);
	RUN_UNTIL(&site->test, end.ended);
	assert_int_equal(end.error, -ECONNRESET);
	assert_string_equal(end.error_text, "connection reset by peer");
	assert_int_equal(stream_send_bytes(&end.stream, "x", 1), -EPIPE);
	stream_resume(&end.stream);
	stream_end(&end.stream);
	for (int i = 0; i < 3; i++)
		uv_run(&site->test.loop, UV_RUN_ONCE);
	assert_int_equal(end.ended, 1);
	end_finish(&end, site);
}

static void notices_a_reset_while_stuck(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	enum { LEN = 16 << 20 };
	int fds[2];
	char *bytes = pattern(LEN);
	tcp_pair(fds);
	end_accept(&end, site, fds[1], NULL);
	stream_pause(&end.stream);
	assert_int_equal(stream_send_bytes(&end.stream, bytes, LEN), 0);
	RUN_UNTIL(&site->test, end.stream.stuck);
	reset(fds[0]);
	RUN_UNTIL(&site->test, end.ended);
	assert_true(end.error == -ECONNRESET || end.error == -EPIPE);
	free(bytes);
	end_finish(&end, site);
}

static void writing_to_a_closed_peer_is_an_error(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	int peer = accept_end(&end, site, 0);
	RUN_UNTIL(&site->test, end.opened);
	stream_pause(&end.stream);
	close(peer);
	assert_int_equal(stream_send_bytes(&end.stream, "x", 1), 0);
	RUN_UNTIL(&site->test, end.ended);
	assert_int_equal(end.error, -EPIPE);
	end_finish(&end, site);
}

/* ---- closing ---- */

static void may_be_closed_in_any_event(void **state)
{
	struct site *site = *state;
	static const enum end_event events[] = { END_OPEN, END_BYTES, END_END, END_DRAINED };
	for (size_t i = 0; i < COUNT_OF(events); i++) {
		struct end end = { .closes_in = events[i] };
		struct buffer got = { 0 };
		enum { LEN = 1 << 20 };
		char *bytes = pattern(LEN);
		int peer = accept_end(&end, site, 0);
		if (events[i] == END_DRAINED)
			end_send_in_pieces(&end, bytes, LEN, 70000);
		else
			assert_int_equal(write(peer, "ab", 2), 2);
		if (events[i] == END_END)
			shutdown(peer, SHUT_WR);
		while (!end.closed) {
			uv_run(&site->test.loop, UV_RUN_ONCE);
			drain(peer, &got, SIZE_MAX);
		}
		end_finish(&end, site);
		buffer_finish(&got);
		free(bytes);
		close(peer);
	}
}

static void may_be_closed_before_it_opens(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	int peer = accept_end(&end, site, 0);
	assert_int_equal(stream_send_bytes(&end.stream, "x", 1), 0);
	end_finish(&end, site);
	assert_int_equal(end.opened, 0);
	close(peer);
}

static void a_bad_descriptor_raises_nothing(void **state)
{
	struct site *site = *state;
	struct end end = { .within = true };
	/* a file cannot be watched */
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_true(stream_accept(&end.stream, &site->shared, fd, NULL, NULL, &end_events) < 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	uv_run(&site->test.loop, UV_RUN_NOWAIT);
}

/* ---- connecting ---- */

static void end_connect(struct end *end, struct site *site, const char *host, uint16_t port)
{
	end->within = true;
	assert_int_equal(
		stream_connect(&end->stream, &site->shared, host, port, "", NULL, &end_events), 0);
	end->within = false;
}

static void connects(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	struct sockaddr_in address;
	char bytes[8];
	int listening = listen_at_a_free_port(&address), without_delay = 0;
	socklen_t len = sizeof(without_delay);
	end_connect(&end, site, "127.0.0.1", ntohs(address.sin_port));
	assert_int_equal(stream_send_bytes(&end.stream, "early", 5), 0);
	RUN_UNTIL(&site->test, end.opened && stream_queued(&end.stream) == 0);
	assert_int_equal(
		getsockopt(end.stream.fd, IPPROTO_TCP, TCP_NODELAY, &without_delay, &len), 0);
	assert_int_not_equal(without_delay, 0);
	int fd = accept(listening, NULL, NULL);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 5);
	assert_int_equal(write(fd, "hello", 5), 5);
	RUN_UNTIL(&site->test, has_received(&end, "hello"));
	end_finish(&end, site);
	close(fd);
	close(listening);
}

static void reports_that_it_cannot_connect(void **state)
{
	struct site *site = *state;
	struct end end = { 0 }, closing = { .closes_in = END_END };
	struct sockaddr_in address;
	int listening = listen_at_a_free_port(&address);
	close(listening);
	end_connect(&end, site, "127.0.0.1", ntohs(address.sin_port));
	RUN_UNTIL(&site->test, end.ended);
	assert_int_equal(end.error, -ECONNREFUSED);
	assert_string_equal(end.error_text, "connection refused");
	assert_int_equal(stream_send_bytes(&end.stream, "x", 1), -EPIPE);
	end_finish(&end, site);
	assert_int_equal(end.opened, 0);

	end_connect(&closing, site, "127.0.0.1", ntohs(address.sin_port));
	RUN_UNTIL(&site->test, closing.closed);
	end_finish(&closing, site);
}

/* At once, after any number of loop turns while connecting, and a little later. */
static void may_be_closed_while_connecting(void **state)
{
	struct site *site = *state;
	struct sockaddr_in address;
	int listening = listen_at_a_free_port(&address);
	for (int turns = 0; turns < 6; turns++) {
		struct end end = { 0 };
		end_connect(&end, site, "127.0.0.1", ntohs(address.sin_port));
		for (int i = 0; i < turns; i++)
			uv_run(&site->test.loop, UV_RUN_ONCE);
		end_finish(&end, site);
	}
	close(listening);
}

/* Only its on_closed keeps the loop alive. */
static void closes_when_nothing_else_keeps_the_loop_alive(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	struct sockaddr_in address;
	int listening = listen_at_a_free_port(&address);
	close(listening);
	end_connect(&end, site, "127.0.0.1", ntohs(address.sin_port));
	RUN_UNTIL(&site->test, end.ended);
	uv_unref((uv_handle_t *)&site->test.ticker);
	stream_close(&end.stream);
	assert_int_equal(uv_run(&site->test.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(end.closed, 1);
}

static void connects_to_a_unix_socket(void **state)
{
	struct site *site = *state;
	struct end end = { 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char long_path[200];
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/sluice-test-%d.sock", getpid());
	unlink(address.sun_path);
	assert_int_equal(stream_connect(&end.stream, &site->shared, "", 0, address.sun_path, NULL,
				 &end_events),
		-ENOENT);
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(
		stream_connect(&end.stream, &site->shared, "", 0, long_path, NULL, &end_events),
		-ENAMETOOLONG);
	int listening = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(stream_connect(&end.stream, &site->shared, "", 0, address.sun_path, NULL,
				 &end_events),
		-ECONNREFUSED);
	assert_int_equal(listen(listening, 1), 0);
	end.within = true;
	assert_int_equal(stream_connect(&end.stream, &site->shared, "", 0, address.sun_path, NULL,
				 &end_events),
		0);
	end.within = false;
	RUN_UNTIL(&site->test, end.opened);
	int fd = accept(listening, NULL, NULL);
	assert_int_equal(write(fd, "hello", 5), 5);
	RUN_UNTIL(&site->test, has_received(&end, "hello"));
	end_finish(&end, site);
	close(fd);
	close(listening);
	unlink(address.sun_path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, site_close)

/* Served in the next turn, it costs no call; only who waits for longer leaves the set. */
static void a_newcomer_that_waits_a_turn_costs_no_call(void **state)
{
	struct site *site = *state;
	struct newcomers *newcomers = &site->shared.newcomers;
	struct end end = { 0 };
	int fds[2];
	socket_pair(fds);
	end_accept(&end, site, fds[0], NULL);
	RUN_UNTIL(&site->test, end.opened);
	int before = epoll_calls;
	newcomers_charge(newcomers, (uint64_t)NEWCOMERS_SLICE_US * 1000);
	assert_int_equal(write(fds[1], "abc", 3), 3);
	while (end.received.len < 3) {
		uv_run(&site->test.loop, UV_RUN_NOWAIT);
		assert_int_equal(epoll_calls, before);
	}
	newcomers->spent_ns = (uint64_t)NEWCOMERS_SLICE_US * 1000;
	assert_true(newcomers_ready(newcomers, &end.newcomer));
	assert_int_equal(write(fds[1], "abc", 3), 3);
	site->shared.sockets.on_ready(&end.stream, EPOLLIN);
	assert_int_equal(end.stream.watched, 0);
	assert_int_equal(epoll_calls, before + 1);
	RUN_UNTIL(&site->test, end.received.len == 6);
	assert_int_equal(end.stream.watched, EPOLLIN);
	end_finish(&end, site);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_reads_and_writes),
		TEST(reports_how_far_sent_bytes_have_come),
		TEST(flush_offers_all_that_the_kernel_takes),
		TEST(keeps_the_kernel_lean_when_much_is_queued),
		TEST(two_streams_talk_both_ways),
		TEST(gathers_the_sends_of_a_turn_in_one_write),
		TEST(survives_partial_writes),
		TEST(drops_the_queue),
		TEST(knows_of_unread_bytes),
		TEST(lets_other_streams_write_while_it_sends_much),
		TEST(holds_a_reference_as_long_as_needed),
		TEST(pauses_and_resumes_reading),
		TEST(a_pause_that_nobody_notices_costs_no_call),
		TEST(a_newcomer_that_waits_a_turn_costs_no_call),
		TEST(can_send_after_the_peers_end),
		TEST(ends_after_the_queue_is_sent),
		TEST(a_reset_is_an_error),
		TEST(notices_a_reset_while_stuck),
		TEST(writing_to_a_closed_peer_is_an_error),
		TEST(may_be_closed_in_any_event),
		TEST(may_be_closed_before_it_opens),
		TEST(a_bad_descriptor_raises_nothing),
		TEST(connects),
		TEST(reports_that_it_cannot_connect),
		TEST(may_be_closed_while_connecting),
		TEST(closes_when_nothing_else_keeps_the_loop_alive),
		TEST(connects_to_a_unix_socket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
