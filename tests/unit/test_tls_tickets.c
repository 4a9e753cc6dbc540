/* A client of mbedTLS that connects to servers in turn, through two pipes in memory. */
#include "certificates.h"
#include "sluice/base/mbed.h"
#include "sluice/net/tls/tls_session.h"
#include "sluice/net/tls/tls_tickets.h"
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include <mbedtls/net_sockets.h>

enum { PIPE_MAX = 65536, HOUR = 3600 * 1000, TICKET_MAX = 2048 };

/* ---- a stopped clock ---- */

static int64_t now = 480000 * (int64_t)HOUR + HOUR / 2;

static int64_t now_ms(void)
{
	return now;
}

/* ---- servers ---- */

static const struct slice one = { "the first secret, 32 bytes long.", 32 };
static const struct slice two = { "another secret, 32 bytes as well", 32 };

static struct tls_settings *make_server(
	const char *name, const char *purpose, const struct slice *secrets, size_t n)
{
	char error[TLS_ERROR_MAX], file[32], key[32];
	snprintf(file, sizeof(file), "%s.pem", name);
	snprintf(key, sizeof(key), "%s.key", name);
	struct tls_server server = {
		.certificate_file = certificate(file),
		.key_file = certificate(key),
		.purpose = purpose,
		.ticket_secrets = secrets,
		.n_ticket_secrets = n,
		.now_ms = now_ms,
	};
	struct tls_settings *settings = tls_server_create(&server, error);
	assert_non_null(settings);
	return settings;
}

/* ---- a connection ---- */

struct pipe {
	unsigned char bytes[PIPE_MAX];
	size_t len;
};

static struct pipe up, down;

static void put(struct pipe *pipe, const void *bytes, size_t len)
{
	assert_true(len <= PIPE_MAX - pipe->len);
	memcpy(pipe->bytes + pipe->len, bytes, len);
	pipe->len += len;
}

static size_t take(struct pipe *pipe, void *bytes, size_t len)
{
	size_t n = MIN(len, pipe->len);
	memcpy(bytes, pipe->bytes, n);
	pipe->len -= n;
	memmove(pipe->bytes, pipe->bytes + n, pipe->len);
	return n;
}

static ssize_t server_send(void *context, const void *bytes, size_t len)
{
	(void)context;
	put(&down, bytes, len);
	return (ssize_t)len;
}

static ssize_t server_receive(void *context, void *bytes, size_t len)
{
	(void)context;
	size_t n = take(&up, bytes, len);
	return n ? (ssize_t)n : -EAGAIN;
}

static const struct tls_io server_io = { .send = server_send, .receive = server_receive };

static int client_send(void *context, const unsigned char *bytes, size_t len)
{
	(void)context;
	put(&up, bytes, len);
	return (int)len;
}

static int client_receive(void *context, unsigned char *bytes, size_t len)
{
	(void)context;
	size_t n = take(&down, bytes, len);
	return n ? (int)n : MBEDTLS_ERR_SSL_WANT_READ;
}

static int random_bytes(void *context, unsigned char *bytes, size_t len)
{
	(void)context;
	return getrandom(bytes, len, 0) == (ssize_t)len ? 0 : -1;
}

/* Called when a server shows its certificate: in a full handshake only. */
static int on_certificate(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	(void)certificate;
	(void)depth;
	*(bool *)context = true;
	*flags = 0;
	return 0;
}

struct client {
	mbedtls_ssl_config config;
	mbedtls_ssl_session session;
	bool has_session, tls_1_2, saw_certificate;
};

static void client_init(struct client *client, bool tls_1_2)
{
	memset(client, 0, sizeof(*client));
	assert_int_equal(mbed_init(), 0);
	mbedtls_ssl_config_init(&client->config);
	mbedtls_ssl_session_init(&client->session);
	assert_int_equal(mbedtls_ssl_config_defaults(&client->config, MBEDTLS_SSL_IS_CLIENT,
				 MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
		0);
	mbedtls_ssl_conf_rng(&client->config, random_bytes, NULL);
	mbedtls_ssl_conf_authmode(&client->config, MBEDTLS_SSL_VERIFY_OPTIONAL);
	mbedtls_ssl_conf_verify(&client->config, on_certificate, &client->saw_certificate);
	mbed_signal_session_tickets(&client->config);
	mbed_require_tls_1_2(&client->config);
	if (tls_1_2)
		mbed_refuse_tls_1_3(&client->config);
}

static void client_finish(struct client *client)
{
	mbedtls_ssl_session_free(&client->session);
	mbedtls_ssl_config_free(&client->config);
}

static void shake_hands(mbedtls_ssl_context *ssl, struct tls_session *server)
{
	int client_result = -1, server_result = -EAGAIN;
	for (int i = 0; i < 100 && (client_result != 0 || server_result != 0); i++) {
		if (client_result != 0) {
			client_result = mbedtls_ssl_handshake(ssl);
			assert_true(
				client_result == 0 || client_result == MBEDTLS_ERR_SSL_WANT_READ);
		}
		if (server_result != 0) {
			server_result = tls_session_handshake(server);
			assert_true(server_result == 0 || server_result == -EAGAIN);
		}
	}
	assert_int_equal(client_result, 0);
	assert_int_equal(server_result, 0);
}

/* Both directions carry a byte; in TLS 1.3, the tickets come first. */
static void talk(mbedtls_ssl_context *ssl, struct tls_session *server)
{
	char bytes[4];
	int result;
	assert_int_equal(tls_session_write(server, "s", 1), 1);
	do {
		result = mbedtls_ssl_read(ssl, (unsigned char *)bytes, sizeof(bytes));
	} while (mbed_is_session_ticket(result) ||
		 (result == MBEDTLS_ERR_SSL_WANT_READ && down.len > 0));
	assert_int_equal(result, 1);
	assert_int_equal(mbedtls_ssl_write(ssl, (const unsigned char *)"c", 1), 1);
	assert_int_equal(tls_session_read(server, bytes, sizeof(bytes)), 1);
}

/* Connects with the session that the client has, if any. Has it been resumed? The client keeps the
 * session that it has now. */
static bool resumes(struct client *client, struct tls_settings *settings)
{
	mbedtls_ssl_context ssl;
	up.len = down.len = 0;
	struct tls_session *server = tls_session_create(settings, NULL, &server_io, NULL);
	assert_non_null(server);
	mbedtls_ssl_init(&ssl);
	assert_int_equal(mbedtls_ssl_setup(&ssl, &client->config), 0);
	assert_int_equal(mbedtls_ssl_set_hostname(&ssl, "sluice.test"), 0);
	mbedtls_ssl_set_bio(&ssl, NULL, client_send, client_receive, NULL);
	if (client->has_session)
		assert_int_equal(mbedtls_ssl_set_session(&ssl, &client->session), 0);
	client->saw_certificate = false;
	shake_hands(&ssl, server);
	talk(&ssl, server);
	mbedtls_ssl_session_free(&client->session);
	mbedtls_ssl_session_init(&client->session);
	assert_int_equal(mbedtls_ssl_get_session(&ssl, &client->session), 0);
	client->has_session = true;
	mbedtls_ssl_free(&ssl);
	tls_session_destroy(server);
	return !client->saw_certificate;
}

/* Connects to the first, and then, with the session, to the second. */
static bool crosses(struct tls_settings *from, struct tls_settings *to, bool tls_1_2)
{
	struct client client;
	client_init(&client, tls_1_2);
	assert_false(resumes(&client, from));
	bool crossed = resumes(&client, to);
	client_finish(&client);
	return crossed;
}

/* ---- tests of handshakes ---- */

static void a_session_resumes_where_its_secret_is_known(void **state)
{
	(void)state;
	const struct slice first[] = { one }, other[] = { two }, rotated[] = { two, one };
	const struct {
		const struct slice *secrets;
		size_t n;
		const char *certificate, *purpose;
		bool resumed;
	} rows[] = {
		{ first, 1, "name", "test", true },
		{ rotated, 2, "name", "test", true },
		{ other, 1, "name", "test", false },
		{ NULL, 0, "name", "test", false },
		{ first, 1, "other", "test", false },
		{ first, 1, "ip", "test", false },
		{ first, 1, "name", "another", false },
	};
	struct tls_settings *from = make_server("name", "test", first, 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct tls_settings *to = make_server(
			rows[i].certificate, rows[i].purpose, rows[i].secrets, rows[i].n);
		assert_int_equal(crosses(from, to, true), rows[i].resumed);
		assert_int_equal(crosses(from, to, false), rows[i].resumed);
		tls_settings_destroy(to);
	}
	tls_settings_destroy(from);
}

static void the_first_secret_encrypts(void **state)
{
	(void)state;
	const struct slice first[] = { one }, rotated[] = { two, one };
	struct tls_settings *old = make_server("name", "test", first, 1);
	struct tls_settings *new = make_server("name", "test", rotated, 2);
	assert_false(crosses(new, old, true));
	assert_true(crosses(new, new, true));
	tls_settings_destroy(old);
	tls_settings_destroy(new);
}

static void without_secrets_a_session_resumes_at_its_own_server(void **state)
{
	(void)state;
	struct tls_settings *a = make_server("name", "test", NULL, 0);
	struct tls_settings *b = make_server("name", "test", NULL, 0);
	for (int tls_1_2 = 0; tls_1_2 < 2; tls_1_2++) {
		assert_true(crosses(a, a, tls_1_2));
		assert_false(crosses(a, b, tls_1_2));
	}
	tls_settings_destroy(a);
	tls_settings_destroy(b);
}

static void a_session_resumes_again_and_again(void **state)
{
	(void)state;
	const struct slice first[] = { one };
	struct tls_settings *settings = make_server("name", "test", first, 1);
	for (int tls_1_2 = 0; tls_1_2 < 2; tls_1_2++) {
		struct client client;
		client_init(&client, tls_1_2);
		assert_false(resumes(&client, settings));
		for (int i = 0; i < 5; i++)
			assert_true(resumes(&client, settings));
		client_finish(&client);
	}
	tls_settings_destroy(settings);
}

/* A handshake may be under way when the configuration is read again. */
static void forgotten_secrets_decrypt_nothing_but_harm_no_handshake(void **state)
{
	(void)state;
	const struct slice first[] = { one };
	for (int tls_1_2 = 0; tls_1_2 < 2; tls_1_2++) {
		struct tls_settings *from = make_server("name", "test", first, 1);
		struct tls_settings *to = make_server("name", "test", first, 1);
		struct client client;
		client_init(&client, tls_1_2);
		assert_false(resumes(&client, from));
		tls_server_forget_secrets(from);
		assert_false(resumes(&client, from));
		assert_false(resumes(&client, to));
		client_finish(&client);
		tls_settings_destroy(from);
		tls_settings_destroy(to);
	}
}

/* ---- tests of tickets ---- */

struct ticket {
	unsigned char bytes[TICKET_MAX];
	size_t len;
	uint32_t lifetime;
};

/* The session of a client that has connected once. */
static void make_session(struct client *client, bool tls_1_2)
{
	struct tls_settings *settings = make_server("name", "test", NULL, 0);
	client_init(client, tls_1_2);
	assert_false(resumes(client, settings));
	tls_settings_destroy(settings);
}

static struct tls_tickets *make_tickets(const struct slice *secrets, size_t n)
{
	struct tls_ticket_secrets given = { .secrets = secrets, .n = n };
	struct tls_tickets *tickets = tls_tickets_create(&given, now_ms);
	assert_non_null(tickets);
	return tickets;
}

static void write_ticket(
	struct tls_tickets *tickets, const struct client *client, struct ticket *ret_ticket)
{
	assert_int_equal(
		tls_tickets_write(tickets, &client->session, ret_ticket->bytes,
			ret_ticket->bytes + TICKET_MAX, &ret_ticket->len, &ret_ticket->lifetime),
		0);
}

static bool is_good(struct tls_tickets *tickets, const struct ticket *ticket)
{
	struct ticket copy = *ticket;
	mbedtls_ssl_session session;
	mbedtls_ssl_session_init(&session);
	int result = tls_tickets_read(tickets, &session, copy.bytes, copy.len);
	mbedtls_ssl_session_free(&session);
	return result == 0;
}

static void a_ticket_lives_until_the_next_hour_ends(void **state)
{
	(void)state;
	static const struct {
		int64_t written, read; /* ms from the beginning of an hour */
		uint32_t lifetime;     /* s */
		bool good;
	} rows[] = {
		{ 0, 0, 7200, true },
		{ 0, HOUR - 1, 7200, true },
		{ 0, HOUR, 7200, true },
		{ 0, 2 * HOUR - 1, 7200, true },
		{ 0, 2 * HOUR, 7200, false },
		{ 0, 3 * HOUR, 7200, false },
		{ 0, 1000 * (int64_t)HOUR, 7200, false },
		{ HOUR - 1000, HOUR, 3601, true },
		{ HOUR - 1000, 2 * HOUR - 1, 3601, true },
		{ HOUR - 1000, 2 * HOUR, 3601, false },
		{ HOUR / 2, HOUR / 2 - 5000, 5400, true }, /* of a clock that is ahead */
		{ 0, -1, 7200, false },
	};
	const struct slice first[] = { one };
	int64_t start = now, hour = now / HOUR * HOUR;
	struct client client;
	make_session(&client, true);
	for (size_t n = 0; n < 2; n++)
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			struct ticket ticket;
			struct tls_tickets *tickets = make_tickets(first, n);
			now = hour + rows[i].written;
			write_ticket(tickets, &client, &ticket);
			assert_int_equal(ticket.lifetime, rows[i].lifetime);
			now = hour + rows[i].read;
			assert_int_equal(is_good(tickets, &ticket), rows[i].good);
			tls_tickets_destroy(tickets);
		}
	now = start;
	client_finish(&client);
}

static void a_forged_or_truncated_ticket_is_refused(void **state)
{
	(void)state;
	const struct slice first[] = { one };
	struct ticket ticket, forged;
	struct client client;
	struct tls_tickets *tickets = make_tickets(first, 1);
	make_session(&client, true);
	write_ticket(tickets, &client, &ticket);
	assert_true(is_good(tickets, &ticket));
	for (size_t i = 0; i < ticket.len; i++) {
		forged = ticket;
		forged.bytes[i] ^= 1;
		assert_false(is_good(tickets, &forged));
		forged = ticket;
		forged.len = i;
		assert_false(is_good(tickets, &forged));
	}
	for (forged = ticket; forged.len < TICKET_MAX; forged.len++)
		assert_int_equal(is_good(tickets, &forged), forged.len == ticket.len);
	tls_tickets_destroy(tickets);
	client_finish(&client);
}

static void no_two_tickets_are_equal_and_none_shows_its_session(void **state)
{
	(void)state;
	const struct slice first[] = { one };
	struct ticket a, b;
	struct client client;
	unsigned char plain[TICKET_MAX];
	size_t len;
	struct tls_tickets *tickets = make_tickets(first, 1);
	make_session(&client, true);
	write_ticket(tickets, &client, &a);
	write_ticket(tickets, &client, &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.bytes, b.bytes, 16); /* the key's name */
	assert_memory_not_equal(a.bytes + 16, b.bytes + 16, 12);
	assert_memory_not_equal(a.bytes + 28, b.bytes + 28, a.len - 28);
	assert_int_equal(mbedtls_ssl_session_save(&client.session, plain, sizeof(plain), &len), 0);
	assert_null(memmem(a.bytes, a.len, plain + len / 2, 16));
	tls_tickets_destroy(tickets);
	client_finish(&client);
}

/* As if the client had offered the session's suite. */
static void put_client_hello(mbedtls_ssl_context *ssl, const mbedtls_ssl_session *session)
{
	unsigned char hello[64] = { 1 }, *suites = hello + 4 + 2 + 32 + 1;
	suites[1] = 2;
	suites[2] = (unsigned char)(mbed_session_suite(session) >> 8);
	suites[3] = (unsigned char)mbed_session_suite(session);
	memcpy(ssl->MBEDTLS_PRIVATE(in_msg), hello, sizeof(hello));
}

/* Else a session of TLS 1.3, which has no master secret, would be resumed in TLS 1.2 without one. */
static void a_ticket_is_for_its_version_of_tls(void **state)
{
	(void)state;
	const struct slice first[] = { one };
	struct tls_settings *settings = make_server("name", "test", NULL, 0);
	struct tls_tickets *tickets = make_tickets(first, 1);
	struct client clients[2];
	mbedtls_ssl_context handshakes[2];
	struct tls_session *servers[2];
	struct ticket ticket;
	for (size_t i = 0; i < 2; i++) {
		up.len = down.len = 0;
		client_init(&clients[i], i == 0);
		assert_false(resumes(&clients[i], settings));
		servers[i] = tls_session_create(settings, NULL, &server_io, NULL);
		mbedtls_ssl_init(&handshakes[i]);
		assert_int_equal(mbedtls_ssl_setup(&handshakes[i], &clients[i].config), 0);
		assert_int_equal(mbedtls_ssl_set_hostname(&handshakes[i], "sluice.test"), 0);
		mbedtls_ssl_set_bio(&handshakes[i], NULL, client_send, client_receive, NULL);
		shake_hands(&handshakes[i], servers[i]);
	}
	bool differ = strcmp(mbedtls_ssl_get_version(&handshakes[0]),
			      mbedtls_ssl_get_version(&handshakes[1])) != 0;
	for (size_t i = 0; i < 4; i++) {
		write_ticket(tickets, &clients[i / 2], &ticket);
		put_client_hello(&handshakes[i % 2], &clients[i / 2].session);
		tls_tickets_handshake(&handshakes[i % 2]);
		assert_int_equal(is_good(tickets, &ticket), i / 2 == i % 2 || !differ);
		tls_tickets_handshake(NULL);
	}
	for (size_t i = 0; i < 2; i++) {
		mbedtls_ssl_free(&handshakes[i]);
		tls_session_destroy(servers[i]);
		client_finish(&clients[i]);
	}
	tls_tickets_destroy(tickets);
	tls_settings_destroy(settings);
}

/* The hour before the first one of the clock must not be taken for one that has its keys. */
static void no_key_is_zero_in_1970(void **state)
{
	(void)state;
	static const uint8_t zero[TLS_TICKET_NAME];
	struct tls_ticket_keys *keys =
		tls_ticket_keys_create(&(struct tls_ticket_secrets){ .n = 0 });
	struct tls_ticket_key key;
	assert_non_null(keys);
	assert_int_not_equal(tls_ticket_keys_to_read(keys, 0, zero, &key), 0);
	tls_ticket_keys_destroy(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_resumes_where_its_secret_is_known),
		cmocka_unit_test(the_first_secret_encrypts),
		cmocka_unit_test(without_secrets_a_session_resumes_at_its_own_server),
		cmocka_unit_test(a_session_resumes_again_and_again),
		cmocka_unit_test(forgotten_secrets_decrypt_nothing_but_harm_no_handshake),
		cmocka_unit_test(a_ticket_lives_until_the_next_hour_ends),
		cmocka_unit_test(a_forged_or_truncated_ticket_is_refused),
		cmocka_unit_test(no_two_tickets_are_equal_and_none_shows_its_session),
		cmocka_unit_test(a_ticket_is_for_its_version_of_tls),
		cmocka_unit_test(no_key_is_zero_in_1970),
	};
	return cmocka_run_group_tests(tests, certificates_make, certificates_remove);
}
