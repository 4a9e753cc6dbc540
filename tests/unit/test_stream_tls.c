/* Streams over TLS, server and client in one loop. The test defines recv itself, so that it can
 * hold bytes that have left the kernel. */
#include "certificates.h"
#include "end.h"
#include "sluice/net/stream.h"
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	int fd; /* whose bytes are held; 0: none */
	struct buffer bytes;
} hoard;

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
	if (fd != hoard.fd || hoard.bytes.len == 0)
		return syscall(SYS_recvfrom, fd, bytes, len, flags, NULL, NULL);
	len = MIN(len, hoard.bytes.len);
	memcpy(bytes, hoard.bytes.bytes, len);
	hoard.bytes.len -= len;
	memmove(hoard.bytes.bytes, hoard.bytes.bytes + len, hoard.bytes.len);
	return (ssize_t)len;
}

/* Takes whatever is in the socket. */
static void hoard_more(void)
{
	char bytes[16384];
	ssize_t n;
	while ((n = syscall(SYS_recvfrom, hoard.fd, bytes, sizeof(bytes), MSG_DONTWAIT, NULL,
			NULL)) > 0)
		assert_int_equal(buffer_append(&hoard.bytes, bytes, (size_t)n), 0);
}

static struct tls_settings *server_settings, *client_settings;
static int listening;
static uint16_t port;

static int prepare(void **state)
{
	char error[TLS_ERROR_MAX];
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (certificates_make(state) < 0)
		return -1;
	server_settings =
		tls_server_create(&(struct tls_server){ .certificate_file = certificate("ip.pem"),
					  .key_file = certificate("ip.key"),
					  .purpose = "test" },
			error);
	client_settings = tls_client_create(
		&(struct tls_client){ certificate("ca.pem"), "", "", TLS_VERIFY_FULL }, error);
	listening = socket(AF_INET, SOCK_STREAM, 0);
	if (!server_settings || !client_settings ||
		bind(listening, (struct sockaddr *)&address, len) < 0 || listen(listening, 8) < 0 ||
		getsockname(listening, (struct sockaddr *)&address, &len) < 0)
		return -1;
	port = ntohs(address.sin_port);
	return 0;
}

static int clean_up(void **state)
{
	close(listening);
	tls_settings_destroy(server_settings);
	tls_settings_destroy(client_settings);
	return certificates_remove(state);
}

static void connect_ends(struct end *server, struct end *client, struct site *site,
	struct tls_settings *by_client, int buffer_size)
{
	client->within = true;
	assert_int_equal(stream_connect(&client->stream, &site->shared, "127.0.0.1", port, "",
				 by_client, &end_events),
		0);
	client->within = false;
	RUN_UNTIL(&site->test, client->stream.fd >= 0);
	int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	if (buffer_size) {
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof(buffer_size));
		setsockopt(client->stream.fd, SOL_SOCKET, SO_SNDBUF, &buffer_size,
			sizeof(buffer_size));
	}
	end_accept(server, site, fd, server_settings);
}

static void carries_a_mebibyte_both_ways(void **state)
{
	struct site *site = *state;
	enum { LEN = 1 << 20 };
	static const size_t pieces[] = { 100, 3000, 16384, 70000, LEN };
	char *up = pattern(LEN), *down = pattern(2 * LEN);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		struct end server = { 0 }, client = { 0 };
		connect_ends(&server, &client, site, client_settings, 4096);
		end_send_in_pieces(&client, up, LEN, pieces[i]); /* before it is open */
		RUN_UNTIL(&site->test, server.opened && client.opened);
		end_send_in_pieces(&server, down + LEN, LEN, pieces[i]);
		RUN_UNTIL(&site->test, server.received.len == LEN && client.received.len == LEN);
		assert_memory_equal(server.received.bytes, up, LEN);
		assert_memory_equal(client.received.bytes, down + LEN, LEN);
		assert_int_equal(server.drained, 1);
		assert_int_equal(client.drained, 1);
		assert_int_equal(server.stream.watched, EPOLLIN);
		end_finish(&server, site);
		end_finish(&client, site);
	}
	free(up);
	free(down);
}

/* 100 sends of 100 bytes leave in one record, as the bytes in the socket show. */
static void gathers_small_sends_into_one_record(void **state)
{
	struct site *site = *state;
	struct end server = { 0 }, client = { 0 };
	char bytes[32768];
	connect_ends(&server, &client, site, client_settings, 0);
	RUN_UNTIL(&site->test, server.opened && client.opened);
	/* With TLS 1.3 the server's session ticket comes first: it is read before the pause. */
	assert_int_equal(stream_send_bytes(&server.stream, "x", 1), 0);
	RUN_UNTIL(&site->test, client.received.len == 1);
	stream_pause(&client.stream);
	for (int i = 0; i < 100; i++)
		assert_int_equal(stream_send_bytes(&server.stream, bytes, 100), 0);
	RUN_UNTIL(&site->test, stream_queued(&server.stream) == 0);
	ssize_t n = recv(client.stream.fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	assert_true(n > 10000 && n < 10000 + 100);
	stream_resume(&client.stream);
	RUN_UNTIL(&site->test, client.received.len == 1 + 10000);
	end_finish(&server, site);
	end_finish(&client, site);
}

/* A record that has begun is finished, so that the peer can read what follows. */
static void drops_the_queue_behind_a_whole_record(void **state)
{
	struct site *site = *state;
	enum { PIECE = 5000 };
	struct end server = { 0 }, client = { 0 };
	char *bytes = pattern(PIECE);
	connect_ends(&server, &client, site, client_settings, 4096);
	RUN_UNTIL(&site->test, server.opened && client.opened);
	stream_pause(&client.stream);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(stream_send_bytes(&server.stream, bytes, PIECE), 0);
	RUN_UNTIL(&site->test, stream_is_stuck(&server.stream));
	stream_drop_queued(&server.stream);
	assert_true(stream_queued(&server.stream) < 16384 + PIECE);
	assert_int_equal(stream_send_bytes(&server.stream, "end", 3), 0);
	stream_resume(&client.stream);
	RUN_UNTIL(&site->test, server.drained == 1 && client.received.len % PIECE == 3);
	for (size_t at = 0; at + PIECE <= client.received.len; at += PIECE)
		assert_memory_equal(client.received.bytes + at, bytes, PIECE);
	assert_memory_equal(client.received.bytes + client.received.len - 3, "end", 3);
	free(bytes);
	end_finish(&server, site);
	end_finish(&client, site);
}

static void pauses_in_the_middle_of_a_record(struct stream *stream, char *bytes, size_t len)
{
	end_on_bytes(stream, bytes, len);
	stream_pause(stream);
}

static const struct stream_events pausing = {
	.on_open = end_on_open,
	.on_bytes = pauses_in_the_middle_of_a_record,
	.on_end = end_on_end,
	.on_closed = end_on_closed,
};

/* Bytes that were decrypted before the pause arrive after it, although the socket has no more
 * events. */
static void resumes_with_bytes_held_by_the_session(void **state)
{
	struct site *site = *state;
	struct end server = { 0 }, client = { 0 };
	char *bytes = pattern(16000);
	connect_ends(&server, &client, site, client_settings, 0);
	RUN_UNTIL(&site->test, server.opened && client.opened);
	server.stream.events = &pausing;
	site->shared.read_buffer_size = 1000; /* a record arrives in sixteen parts */
	assert_int_equal(stream_send_bytes(&client.stream, bytes, 16000), 0);
	for (size_t part = 1; part <= 16; part++) {
		RUN_UNTIL(&site->test, server.received.len == 1000 * part);
		for (int i = 0; i < 3; i++)
			uv_run(&site->test.loop, UV_RUN_ONCE);
		assert_int_equal(server.received.len, 1000 * part);
		assert_false(list_is_linked(&server.stream.task.link)); /* it does not spin */
		stream_resume(&server.stream);
	}
	assert_memory_equal(server.received.bytes, bytes, 16000);
	free(bytes);
	end_finish(&server, site);
	end_finish(&client, site);
}

/* More than a stream reads at a time, and a silent socket: the stream continues by itself. */
static void reads_on_while_the_socket_is_silent(void **state)
{
	struct site *site = *state;
	enum { LEN = 600000 };
	struct end server = { 0 }, client = { 0 };
	char *bytes = pattern(LEN);
	connect_ends(&server, &client, site, client_settings, 0);
	RUN_UNTIL(&site->test, server.opened && client.opened);
	server.stream.events = &pausing;
	assert_int_equal(stream_send_bytes(&client.stream, bytes, 1), 0);
	RUN_UNTIL(&site->test, !server.stream.reading);
	server.stream.events = &end_events;
	hoard.fd = server.stream.fd;
	end_send_in_pieces(&client, bytes + 1, LEN - 1, 70000);
	/* the bytes that have left the client are in the kernel, or here */
	while (stream_queued(&client.stream) > 0 || hoard.bytes.len < LEN) {
		hoard_more();
		uv_run(&site->test.loop, UV_RUN_NOWAIT);
	}
	stream_resume(&server.stream);
	RUN_UNTIL(&site->test, server.received.len == LEN);
	assert_memory_equal(server.received.bytes, bytes, LEN);
	hoard.fd = 0;
	buffer_finish(&hoard.bytes);
	free(bytes);
	end_finish(&server, site);
	end_finish(&client, site);
}

/* A record costs its receiver much, however little is in it: a stream takes a bounded number of them
 * at a time, and a newcomer only in its share of the turn. */
static void reads_few_records_at_a_time_however_small_they_are(void **state)
{
	struct site *site = *state;
	enum { RECORDS = 2000, RECORD_MIN = 23 };
	struct end server = { 0 }, client = { 0 };
	connect_ends(&server, &client, site, client_settings, 0);
	RUN_UNTIL(&site->test, server.opened && client.opened);
	server.stream.events = &pausing;
	assert_int_equal(stream_send_bytes(&client.stream, "x", 1), 0);
	RUN_UNTIL(&site->test, !server.stream.reading);
	server.stream.events = &end_events;
	hoard.fd = server.stream.fd;
	for (int i = 0; i < RECORDS; i++) {
		assert_int_equal(stream_send_bytes(&client.stream, "x", 1), 0);
		stream_flush(&client.stream);
	}
	while (stream_queued(&client.stream) > 0 || hoard.bytes.len < RECORDS * RECORD_MIN) {
		hoard_more();
		uv_run(&site->test.loop, UV_RUN_NOWAIT);
	}
	stream_resume(&server.stream);
	uv_run(&site->test.loop, UV_RUN_NOWAIT);
	assert_in_range(server.received.len, 2, RECORDS / 2);
	assert_true(server.stream.is_newcomer && site->shared.newcomers.spent_ns > 0);
	RUN_UNTIL(&site->test, server.received.len == 1 + RECORDS);
	hoard.fd = 0;
	buffer_finish(&hoard.bytes);
	end_finish(&server, site);
	end_finish(&client, site);
}

static void ends_with_close_notify(void **state)
{
	struct site *site = *state;
	struct end server = { 0 }, client = { 0 };
	connect_ends(&server, &client, site, client_settings, 0);
	RUN_UNTIL(&site->test, server.opened && client.opened);
	assert_int_equal(stream_send_bytes(&server.stream, "bye", 3), 0);
	stream_end(&server.stream);
	RUN_UNTIL(&site->test, client.ended);
	assert_int_equal(client.error, 0);
	assert_int_equal(client.received.len, 3);
	assert_int_equal(server.ended, 0);
	assert_int_equal(stream_send_bytes(&client.stream, "too", 3), 0);
	stream_end(&client.stream);
	RUN_UNTIL(&site->test, server.ended);
	assert_int_equal(server.error, 0);
	assert_int_equal(server.received.len, 3);
	end_finish(&server, site);
	end_finish(&client, site);
}

static void rejects_an_untrusted_certificate(void **state)
{
	struct site *site = *state;
	char error[TLS_ERROR_MAX];
	struct end server = { 0 }, client = { 0 };
	struct tls_settings *others = tls_client_create(
		&(struct tls_client){ certificate("other-ca.pem"), "", "", TLS_VERIFY_FULL },
		error);
	assert_non_null(others);
	connect_ends(&server, &client, site, others, 0);
	RUN_UNTIL(&site->test, client.ended && server.ended);
	assert_int_equal(client.opened, 0);
	assert_int_equal(client.error, -EPROTO);
	assert_non_null(strstr(client.error_text, "certificate verify failed: "));
	assert_non_null(strstr(client.error_text, "not correctly signed by the trusted CA"));
	assert_true(server.error < 0);
	end_finish(&server, site);
	end_finish(&client, site);
	tls_settings_destroy(others);
}

static void rejects_a_certificate_for_another_host(void **state)
{
	struct site *site = *state;
	struct end server = { 0 }, client = { 0 };
	struct tls_settings *good = server_settings;
	char error[TLS_ERROR_MAX];
	server_settings =
		tls_server_create(&(struct tls_server){ .certificate_file = certificate("name.pem"),
					  .key_file = certificate("name.key"),
					  .purpose = "test" },
			error);
	assert_non_null(server_settings);
	connect_ends(&server, &client, site, client_settings, 0);
	RUN_UNTIL(&site->test, client.ended && server.ended);
	assert_int_equal(client.opened, 0);
	assert_int_equal(client.error, -EPROTO);
	assert_non_null(strstr(client.error_text, "expected CN"));
	end_finish(&server, site);
	end_finish(&client, site);
	tls_settings_destroy(server_settings);
	server_settings = good;
}

static void rejects_bytes_that_are_not_tls(void **state)
{
	struct site *site = *state;
	struct end server = { 0 }, client = { 0 };
	connect_ends(&server, &client, site, NULL, 0);
	assert_int_equal(stream_send_bytes(&client.stream, "GET / HTTP/1.1\r\n\r\n", 18), 0);
	RUN_UNTIL(&site->test, server.ended);
	assert_int_equal(server.error, -EPROTO);
	assert_int_equal(server.opened, 0);
	end_finish(&server, site);
	end_finish(&client, site);
}

static void the_peer_may_leave_during_the_handshake(void **state)
{
	struct site *site = *state;
	struct end server = { 0 }, client = { 0 };
	connect_ends(&server, &client, site, NULL, 0);
	assert_int_equal(stream_send_bytes(&client.stream, "\x16\x03\x01\x02", 4), 0);
	stream_end(&client.stream);
	RUN_UNTIL(&site->test, server.ended);
	assert_int_equal(server.error, -ECONNRESET);
	end_finish(&server, site);
	end_finish(&client, site);
}

/* ---- before the handshake ---- */

/* A socket whose peer is a bare descriptor. */
static int accept_bare(struct end *server, struct site *site)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	end_accept(server, site, accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC),
		server_settings);
	return fd;
}

/* What a client sends first, as it leaves the client. */
static size_t take_hello(struct site *site, char *bytes, size_t size)
{
	struct end client = { 0 };
	assert_int_equal(stream_connect(&client.stream, &site->shared, "127.0.0.1", port, "",
				 client_settings, &end_events),
		0);
	RUN_UNTIL(&site->test, client.stream.fd >= 0);
	int fd = accept(listening, NULL, NULL);
	ssize_t n = -1;
	RUN_UNTIL(&site->test, (n = recv(fd, bytes, size, MSG_DONTWAIT)) > 0);
	close(fd);
	end_finish(&client, site);
	return (size_t)n;
}

static unsigned turns_done;

static void count_turn(uv_check_t *check)
{
	(void)check;
	turns_done++;
}

static void spends_nothing_on_silence_or_on_a_part_of_a_client_hello(void **state)
{
	struct site *site = *state;
	struct end server = { 0 };
	char hello[4096];
	size_t len = take_hello(site, hello, sizeof(hello));
	int fd = accept_bare(&server, site);
	static const size_t parts[] = { 0, 1, 4, 5, 6, 100 };
	size_t sent = 0;
	uv_check_t check;
	uv_check_init(&site->test.loop, &check);
	uv_check_start(&check, count_turn);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		assert_int_equal(send(fd, hello + sent, parts[i] - sent, 0), parts[i] - sent);
		sent = parts[i];
		for (turns_done = 0; turns_done < 5;)
			uv_run(&site->test.loop, UV_RUN_ONCE);
		assert_null(server.stream.tls);
		assert_false(stream_has_unread(&server.stream) && sent);
	}
	/* and the loop sleeps meanwhile: its ticker alone ends a turn, every 20 ms */
	uint64_t before = uv_hrtime();
	for (turns_done = 0; turns_done < 5;)
		uv_run(&site->test.loop, UV_RUN_ONCE);
	assert_true(uv_hrtime() - before > 4 * 15000000ULL);
	assert_int_equal(send(fd, hello + sent, len - sent, 0), len - sent);
	RUN_UNTIL(&site->test, server.stream.tls);
	char answer[16];
	RUN_UNTIL(&site->test, recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0);
	assert_int_equal(answer[0], 22); /* a handshake message, not an alert */
	assert_int_equal(server.ended, 0);
	close(fd);
	uv_close((uv_handle_t *)&check, NULL);
	end_finish(&server, site);
}

static void does_not_answer_a_client_hello_whose_sender_has_left(void **state)
{
	struct site *site = *state;
	char hello[4096];
	size_t len = take_hello(site, hello, sizeof(hello));
	for (int resets = 0; resets <= 1; resets++) {
		struct end server = { 0 };
		int fd = accept_bare(&server, site);
		assert_int_equal(send(fd, hello, len, 0), len);
		const struct linger at_once = { .l_onoff = resets };
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		resets ? close(fd) : shutdown(fd, SHUT_WR);
		RUN_UNTIL(&site->test, server.ended);
		assert_int_equal(server.error, -ECONNRESET);
		assert_null(server.stream.tls);
		if (!resets) {
			assert_int_equal(
				recv(fd, hello, 1, MSG_DONTWAIT), -1); /* not even an alert */
			close(fd);
		}
		end_finish(&server, site);
	}
}

/* After any number of loop turns, and in any event. */
static void may_be_closed_at_any_time(void **state)
{
	struct site *site = *state;
	for (int turns = 0; turns < 12; turns++) {
		struct end server = { 0 }, client = { 0 };
		connect_ends(&server, &client, site, client_settings, 0);
		assert_int_equal(stream_send_bytes(&client.stream, "x", 1), 0);
		for (int i = 0; i < turns; i++)
			uv_run(&site->test.loop, UV_RUN_NOWAIT);
		end_finish(turns % 2 ? &server : &client, site);
		end_finish(turns % 2 ? &client : &server, site);
	}
	for (enum end_event event = END_OPEN; event <= END_END; event++) {
		struct end server = { .closes_in = event }, client = { 0 };
		connect_ends(&server, &client, site, client_settings, 0);
		assert_int_equal(stream_send_bytes(&client.stream, "x", 1), 0);
		stream_end(&client.stream);
		RUN_UNTIL(&site->test, server.closed);
		end_finish(&server, site);
		end_finish(&client, site);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_open, site_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(carries_a_mebibyte_both_ways),
		TEST(gathers_small_sends_into_one_record),
		TEST(resumes_with_bytes_held_by_the_session),
		TEST(reads_on_while_the_socket_is_silent),
		TEST(reads_few_records_at_a_time_however_small_they_are),
		TEST(drops_the_queue_behind_a_whole_record),
		TEST(ends_with_close_notify),
		TEST(rejects_an_untrusted_certificate),
		TEST(rejects_a_certificate_for_another_host),
		TEST(rejects_bytes_that_are_not_tls),
		TEST(the_peer_may_leave_during_the_handshake),
		TEST(spends_nothing_on_silence_or_on_a_part_of_a_client_hello),
		TEST(does_not_answer_a_client_hello_whose_sender_has_left),
		TEST(may_be_closed_at_any_time),
	};
	return cmocka_run_group_tests(tests, prepare, clean_up);
}
