/* Two sessions that talk through two pipes in memory, of any capacity that a test wants. */
#include "certificates.h"
#include "sluice/net/tls/tls_session.h"
#include "unit.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { PIPE_MAX = 65536 };

struct pipe {
	char bytes[PIPE_MAX];
	size_t len, capacity;
	int broken; /* errno */
	bool ended;
};

struct side {
	struct pipe *in, *out;
	struct tls_session *session;
	int handshake;
};

static ssize_t pipe_send(void *context, const void *bytes, size_t len)
{
	struct pipe *pipe = ((struct side *)context)->out;
	size_t n = MIN(len, pipe->capacity - pipe->len);
	if (pipe->broken)
		return -pipe->broken;
	if (n == 0)
		return -EAGAIN;
	memcpy(pipe->bytes + pipe->len, bytes, n);
	pipe->len += n;
	return (ssize_t)n;
}

static ssize_t pipe_receive(void *context, void *bytes, size_t len)
{
	struct pipe *pipe = ((struct side *)context)->in;
	size_t n = MIN(len, pipe->len);
	if (pipe->broken)
		return -pipe->broken;
	if (n == 0)
		return pipe->ended ? 0 : -EAGAIN;
	memcpy(bytes, pipe->bytes, n);
	pipe->len -= n;
	memmove(pipe->bytes, pipe->bytes + n, pipe->len);
	return (ssize_t)n;
}

static const struct tls_io pipe_io = { .send = pipe_send, .receive = pipe_receive };

struct pair {
	struct tls_settings *server_settings, *client_settings;
	struct side server, client;
	struct pipe up, down;
};

static void pair_open(struct pair *pair, const char *name, const char *host, size_t capacity)
{
	char error[TLS_ERROR_MAX], file[32], key[32];
	memset(pair, 0, sizeof(*pair));
	snprintf(file, sizeof(file), "%s.pem", name);
	snprintf(key, sizeof(key), "%s.key", name);
	pair->server_settings =
		tls_server_create(&(struct tls_server){ .certificate_file = certificate(file),
					  .key_file = certificate(key),
					  .purpose = "test" },
			error);
	pair->client_settings = tls_client_create(
		&(struct tls_client){ certificate("ca.pem"), "", "", TLS_VERIFY_FULL }, error);
	assert_non_null(pair->server_settings);
	assert_non_null(pair->client_settings);
	pair->up.capacity = pair->down.capacity = capacity;
	pair->server = (struct side){ .in = &pair->up, .out = &pair->down };
	pair->client = (struct side){ .in = &pair->down, .out = &pair->up };
	pair->server.session =
		tls_session_create(pair->server_settings, NULL, &pipe_io, &pair->server);
	pair->client.session =
		tls_session_create(pair->client_settings, host, &pipe_io, &pair->client);
	assert_non_null(pair->server.session);
	assert_non_null(pair->client.session);
}

static void pair_close(struct pair *pair)
{
	tls_session_destroy(pair->server.session);
	tls_session_destroy(pair->client.session);
	tls_settings_destroy(pair->server_settings);
	tls_settings_destroy(pair->client_settings);
}

static bool is_waiting(int handshake)
{
	return handshake == -EAGAIN || handshake == -EINPROGRESS;
}

static void shake_hands(struct pair *pair)
{
	char byte;
	pair->client.handshake = pair->server.handshake = -EAGAIN;
	for (int i = 0; i < 20000; i++) {
		if (is_waiting(pair->client.handshake))
			pair->client.handshake = tls_session_handshake(pair->client.session);
		else if (pair->client.handshake == 0) /* a session ticket may follow (TLS 1.3) */
			assert_int_equal(tls_session_read(pair->client.session, &byte, 1), -EAGAIN);
		if (is_waiting(pair->server.handshake))
			pair->server.handshake = tls_session_handshake(pair->server.session);
		if (!is_waiting(pair->client.handshake) && !is_waiting(pair->server.handshake))
			return;
		if (pair->client.handshake < 0 && !is_waiting(pair->client.handshake))
			pair->up.ended = true;
	}
	fail_msg("the handshake never ends");
}

static void trusts_by_name_and_authority(void **state)
{
	(void)state;
	static const struct {
		const char *certificate, *host, *refused;
	} rows[] = {
		{ "name", "sluice.test", NULL },
		{ "name", "SLUICE.test", NULL },
		{ "name", "a.wild.test", NULL },
		{ "name", "a.b.wild.test", "expected CN" },
		{ "name", "wild.test", "expected CN" },
		{ "name", "name", "expected CN" },
		{ "name", "other.test", "expected CN" },
		{ "name", "127.0.0.1", "expected CN" },
		{ "name", "", "expected CN" },
		{ "ip", "127.0.0.1", NULL },
		{ "ip", "::1", NULL },
		{ "ip", "0:0:0:0:0:0:0:1", NULL },
		{ "ip", "127.0.0.2", "expected CN" },
		{ "ip", "::2", "expected CN" },
		{ "ip", "sluice.test", "expected CN" },
		{ "trick", "127.0.0.1", "expected CN" },
		{ "expired", "sluice.test", "expired" },
		{ "other", "sluice.test", "not correctly signed by the trusted CA" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static struct pair pair;
		char text[TLS_ERROR_MAX];
		pair_open(&pair, rows[i].certificate, rows[i].host, PIPE_MAX);
		shake_hands(&pair);
		if (rows[i].refused) {
			assert_int_equal(pair.client.handshake, -EPROTO);
			assert_int_not_equal(pair.server.handshake, 0);
			tls_session_error(pair.client.session, text);
			assert_ptr_equal(strstr(text, "certificate verify failed: "), text);
			assert_non_null(strstr(text, rows[i].refused));
			assert_null(strchr(text, '\n'));
		} else {
			assert_int_equal(pair.client.handshake, 0);
			assert_int_equal(pair.server.handshake, 0);
		}
		pair_close(&pair);
	}
}

/* Like a stream: bytes that were not taken are offered again, with more behind them. */
static void carries_bytes_through_narrow_pipes(void **state)
{
	(void)state;
	static const size_t capacities[] = { 1, 7, 100, 5000, PIPE_MAX };
	static char sent[100000], received[100000];
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 7 + i / 256);
	for (size_t i = 0; i < COUNT_OF(capacities); i++) {
		static struct pair pair;
		pair_open(&pair, "name", "sluice.test", capacities[i]);
		shake_hands(&pair);
		assert_int_equal(pair.client.handshake, 0);
		size_t n_sent = 0, n_received = 0, offered = 1;
		while (n_received < sizeof(sent)) {
			if (n_sent < sizeof(sent)) {
				ssize_t n = tls_session_write(pair.client.session, sent + n_sent,
					MIN(offered, sizeof(sent) - n_sent));
				assert_true(n > 0 || n == -EAGAIN);
				n_sent += n > 0 ? (size_t)n : 0;
				offered = n > 0 ? offered % 20000 + 1 : offered + 3;
			}
			ssize_t n =
				tls_session_read(pair.server.session, received + n_received, 3000);
			assert_true(n > 0 || n == -EAGAIN);
			n_received += n > 0 ? (size_t)n : 0;
		}
		assert_int_equal(n_sent, sizeof(sent));
		assert_memory_equal(sent, received, sizeof(sent));
		pair_close(&pair);
	}
}

/* Sends one record through a pipe that takes `first` bytes of it, and then the rest. */
static void send_in_two_parts(struct pair *pair, const char *text, size_t len, size_t first)
{
	pair->up.capacity = first;
	assert_int_equal(tls_session_write(pair->client.session, text, len), -EAGAIN);
	pair->up.capacity = PIPE_MAX;
}

/* Sessions of a thread share record buffers, unless a part of a record is in them. */
static void parts_of_records_do_not_mix(void **state)
{
	(void)state;
	enum { PAIRS = 4, LEN = 9000 };
	static struct pair pairs[PAIRS];
	static char text[PAIRS][LEN], received[LEN];
	for (size_t i = 0; i < PAIRS; i++) {
		memset(text[i], (int)('a' + i), LEN);
		pair_open(&pairs[i], "name", "sluice.test", PIPE_MAX);
		shake_hands(&pairs[i]);
	}
	for (size_t round = 0; round < 50; round++) {
		for (size_t i = 0; i < PAIRS; i++) {
			send_in_two_parts(&pairs[i], text[i], LEN, 1 + round * 180 + i);
			assert_int_equal(
				tls_session_read(pairs[i].server.session, received, LEN), -EAGAIN);
			assert_int_equal(tls_session_write(pairs[i].server.session, "down", 4), 4);
		}
		for (size_t i = PAIRS; i-- > 0;) {
			assert_int_equal(
				tls_session_write(pairs[i].client.session, text[i], LEN), LEN);
			assert_int_equal(
				tls_session_read(pairs[i].client.session, received, LEN), 4);
			assert_int_equal(
				tls_session_read(pairs[i].server.session, received, LEN), LEN);
			assert_memory_equal(received, text[i], LEN);
		}
	}
	for (size_t i = 0; i < PAIRS; i++)
		pair_close(&pairs[i]);
}

/* Both sides of an idle connection, of which a gateway has one. */
static void an_idle_session_takes_less_than_12_kib(void **state)
{
	(void)state;
	enum { PAIRS = 40 };
	static struct pair pairs[PAIRS];
	size_t before = 0;
	for (size_t i = 0; i < PAIRS; i++) {
		pair_open(&pairs[i], "name", "sluice.test", PIPE_MAX);
		shake_hands(&pairs[i]);
		char bytes[8];
		assert_int_equal(tls_session_write(pairs[i].server.session, "idle", 4), 4);
		assert_int_equal(tls_session_read(pairs[i].client.session, bytes, 8), 4);
		if (i == 0)
			before = mallinfo2().uordblks;
	}
	size_t each = (mallinfo2().uordblks - before) / (PAIRS - 1) / 2;
	assert_true(each < 12 * 1024);
	for (size_t i = 0; i < PAIRS; i++)
		pair_close(&pairs[i]);
}

/* What limits.incoming_bytes counts for it. */
static void a_handshake_takes_no_more_memory_than_is_counted_for_it(void **state)
{
	(void)state;
	enum { SESSIONS = 20 };
	static struct pair pair;
	static struct pipe hello;
	struct tls_session *sessions[SESSIONS];
	pair_open(&pair, "name", "sluice.test", PIPE_MAX);
	assert_int_equal(tls_session_handshake(pair.client.session), -EAGAIN);
	hello = pair.up;
	size_t before = mallinfo2().uordblks;
	for (size_t i = 0; i < SESSIONS; i++) {
		pair.up = hello;
		pair.down.len = 0;
		sessions[i] =
			tls_session_create(pair.server_settings, NULL, &pipe_io, &pair.server);
		assert_int_equal(tls_session_handshake(sessions[i]), -EAGAIN);
	}
	assert_in_range((mallinfo2().uordblks - before) / SESSIONS, 0, TLS_HANDSHAKE_BYTES);
	for (size_t i = 0; i < SESSIONS; i++)
		tls_session_destroy(sessions[i]);
	pair_close(&pair);
}

static void tells_an_end_from_a_broken_socket(void **state)
{
	(void)state;
	static struct pair pair;
	char bytes[8];
	pair_open(&pair, "name", "sluice.test", PIPE_MAX);
	shake_hands(&pair);
	assert_int_equal(tls_session_read(pair.server.session, bytes, 8), -EAGAIN);
	assert_int_equal(tls_session_write(pair.client.session, "bye", 3), 3);
	tls_session_end(pair.client.session);
	assert_int_equal(tls_session_read(pair.server.session, bytes, 8), 3);
	assert_int_equal(tls_session_read(pair.server.session, bytes, 8), 0);
	/* the other direction still works */
	assert_int_equal(tls_session_write(pair.server.session, "yes", 3), 3);
	assert_int_equal(tls_session_read(pair.client.session, bytes, 8), 3);
	pair.down.ended = true;
	assert_int_equal(tls_session_read(pair.client.session, bytes, 8), 0);
	pair.down.broken = ECONNRESET;
	assert_int_equal(tls_session_write(pair.server.session, "yes", 3), -ECONNRESET);
	pair_close(&pair);
}

static void notices_tampered_records(void **state)
{
	(void)state;
	static struct pair pair;
	char bytes[64], text[TLS_ERROR_MAX];
	pair_open(&pair, "name", "sluice.test", PIPE_MAX);
	shake_hands(&pair);
	assert_int_equal(tls_session_read(pair.client.session, bytes, 64), -EAGAIN);
	assert_int_equal(tls_session_write(pair.client.session, "transfer 100", 12), 12);
	pair.up.bytes[pair.up.len - 1] ^= 1;
	assert_int_equal(tls_session_read(pair.server.session, bytes, 64), -EPROTO);
	assert_non_null(strstr(tls_session_error(pair.server.session, text), "MAC"));
	pair_close(&pair);
}

/* A ClientHello of TLS 1.1 is answered with alert 70, protocol_version. */
static void rejects_tls_1_1(void **state)
{
	(void)state;
	static const unsigned char hello[] = {
		0x16, 0x03, 0x01, 0x00, 0x2d,       /* record: handshake */
		0x01, 0x00, 0x00, 0x29, 0x03, 0x02, /* ClientHello, TLS 1.1 */
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
		24, 25, 26, 27, 28, 29, 30, 31, 32, /* random */
		0x00,                               /* no session */
		0x00, 0x02, 0xc0, 0x09,             /* ECDHE-ECDSA-AES128-CBC-SHA */
		0x01, 0x00,                         /* no compression */
	};
	static struct pair pair;
	pair_open(&pair, "name", "sluice.test", PIPE_MAX);
	memcpy(pair.up.bytes, hello, sizeof(hello));
	pair.up.len = sizeof(hello);
	assert_int_equal(tls_session_handshake(pair.server.session), -EPROTO);
	assert_int_equal(pair.down.len, 7);
	assert_memory_equal(pair.down.bytes + 5, "\x02\x46", 2);
	pair_close(&pair);
}

/* A warning has no answer, so a peer could begin a handshake and then send warnings for ever. */
static void bounds_what_a_flood_of_warnings_costs(void **state)
{
	(void)state;
	static const unsigned char hello[] = {
		0x16, 0x03, 0x01, 0x00, 0x3f,       /* record: handshake */
		0x01, 0x00, 0x00, 0x3b, 0x03, 0x03, /* ClientHello, TLS 1.2 */
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
		24, 25, 26, 27, 28, 29, 30, 31, 32,             /* random */
		0x00,                                           /* no session */
		0x00, 0x02, 0xc0, 0x2b,                         /* ECDHE-ECDSA-AES128-GCM-SHA256 */
		0x01, 0x00,                                     /* no compression */
		0x00, 0x10,                                     /* extensions */
		0x00, 0x0a, 0x00, 0x04, 0x00, 0x02, 0x00, 0x17, /* group secp256r1 */
		0x00, 0x0d, 0x00, 0x04, 0x00, 0x02, 0x04, 0x03, /* signature ecdsa, sha256 */
	};
	static const char warning[] = { 0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x5a };
	static struct pair pair;
	char text[TLS_ERROR_MAX];
	pair_open(&pair, "name", "sluice.test", PIPE_MAX);
	memcpy(pair.up.bytes, hello, sizeof(hello));
	pair.up.len = sizeof(hello);
	assert_int_equal(tls_session_handshake(pair.server.session), -EAGAIN);
	assert_true(pair.down.len > 0);
	size_t sent = 0, most = 0;
	int result = -EAGAIN;
	while (result == -EAGAIN && sent < 4 * PIPE_MAX) {
		while (pair.up.len + sizeof(warning) <= PIPE_MAX) {
			memcpy(pair.up.bytes + pair.up.len, warning, sizeof(warning));
			pair.up.len += sizeof(warning);
		}
		size_t before = pair.up.len;
		result = tls_session_handshake(pair.server.session);
		sent += before - pair.up.len;
		most = MAX(most, before - pair.up.len);
	}
	assert_in_range(most, 1, 1024);
	assert_int_equal(result, -EPROTO);
	assert_non_null(strstr(tls_session_error(pair.server.session, text), "unexpected message"));
	pair_close(&pair);
}

/* A ClientHello of TLS 1.2 that offers two cipher suites and two groups, by IANA's numbers. */
static size_t make_hello(unsigned char *bytes, const uint16_t suites[2], const uint16_t groups[2])
{
	static const unsigned char hello[] = {
		0x16, 0x03, 0x01, 0x00, 0x45,       /* record: handshake */
		0x01, 0x00, 0x00, 0x41, 0x03, 0x03, /* ClientHello, TLS 1.2 */
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
		24, 25, 26, 27, 28, 29, 30, 31, 32,                         /* random */
		0x00,                                                       /* no session */
		0x00, 0x04, 0x00, 0x00, 0x00, 0x00,                         /* suites */
		0x01, 0x00,                                                 /* no compression */
		0x00, 0x14,                                                 /* extensions */
		0x00, 0x0a, 0x00, 0x06, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, /* groups */
		0x00, 0x0d, 0x00, 0x06, 0x00, 0x04, 0x04, 0x03, 0x04, 0x01, /* sha256 */
	};
	enum { SUITES = 46, GROUPS = 60 };
	memcpy(bytes, hello, sizeof(hello));
	for (size_t i = 0; i < 2; i++) {
		bytes[SUITES + 2 * i] = (unsigned char)(suites[i] >> 8);
		bytes[SUITES + 2 * i + 1] = (unsigned char)suites[i];
		bytes[GROUPS + 2 * i] = (unsigned char)(groups[i] >> 8);
		bytes[GROUPS + 2 * i + 1] = (unsigned char)groups[i];
	}
	return sizeof(hello);
}

/* The content of a handshake message of the server, which puts each into a record of its own. */
static const unsigned char *find_message(const struct pipe *pipe, unsigned char type)
{
	enum { RECORD_HEADER = 5, MESSAGE_HEADER = 4 };
	const unsigned char *bytes = (const unsigned char *)pipe->bytes;
	for (size_t at = 0; at + RECORD_HEADER + MESSAGE_HEADER < pipe->len;) {
		if (bytes[at] == 0x16 && bytes[at + RECORD_HEADER] == type)
			return bytes + at + RECORD_HEADER + MESSAGE_HEADER;
		at += RECORD_HEADER + (size_t)(bytes[at + 3] << 8 | bytes[at + 4]);
	}
	return NULL;
}

enum {
	X25519 = 0x1d,
	P256 = 0x17,
	P384 = 0x18,
	P521 = 0x19,
	ECDSA_AES128_CBC = 0xc009,
	ECDSA_AES128_GCM = 0xc02b,
	ECDSA_AES256_GCM = 0xc02c,
	ECDSA_CHACHA20 = 0xcca9,
	RSA_AES128_GCM = 0xc02f,
	RSA_AES256_GCM = 0xc030,
	RSA_CHACHA20 = 0xcca8,
	RSA_AES128_CBC = 0xc013,
	RSA_AES128_CBC_SHA256 = 0xc027,
	RSA_CAMELLIA128_GCM = 0xc08a,
	STATIC_RSA_AES128_GCM = 0x009c,
	STATIC_RSA_CAMELLIA128 = 0x0041,
	DHE_AES128_GCM = 0x009e,
	DHE_CHACHA20 = 0xccaa,
};

/* "name" has an ECDSA key, "ip" an RSA key. A client lists P-256 for the key of "name", too. */
static void the_server_chooses_suite_and_group(void **state)
{
	(void)state;
	static const struct {
		const char *certificate;
		uint16_t suites[2], groups[2], suite, group;
	} rows[] = {
		{ "name", { ECDSA_AES128_GCM, ECDSA_AES128_CBC }, { P256, P256 }, ECDSA_AES128_GCM,
			P256 },
		{ "name", { ECDSA_AES128_CBC, ECDSA_AES256_GCM }, { P256, X25519 },
			ECDSA_AES256_GCM, X25519 },
		{ "name", { ECDSA_CHACHA20, ECDSA_AES128_GCM }, { P521, P256 }, ECDSA_AES128_GCM,
			P256 },
		{ "name", { ECDSA_CHACHA20, ECDSA_AES256_GCM }, { P384, P256 }, ECDSA_AES256_GCM,
			P256 },
		{ "name", { ECDSA_CHACHA20, ECDSA_CHACHA20 }, { X25519, P256 }, ECDSA_CHACHA20,
			X25519 },
		{ "ip", { STATIC_RSA_AES128_GCM, RSA_AES128_GCM }, { P521, X25519 }, RSA_AES128_GCM,
			X25519 },
		{ "ip", { DHE_AES128_GCM, RSA_AES256_GCM }, { P256, X25519 }, RSA_AES256_GCM,
			X25519 },
		{ "ip", { DHE_CHACHA20, RSA_CHACHA20 }, { P384, P256 }, RSA_CHACHA20, P256 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static struct pair pair;
		pair_open(&pair, rows[i].certificate, "sluice.test", PIPE_MAX);
		pair.up.len =
			make_hello((unsigned char *)pair.up.bytes, rows[i].suites, rows[i].groups);
		assert_int_equal(tls_session_handshake(pair.server.session), -EAGAIN);
		const unsigned char *hello = find_message(&pair.down, 2);
		const unsigned char *key_exchange = find_message(&pair.down, 12);
		assert_non_null(hello);
		assert_non_null(key_exchange);
		const unsigned char *suite = hello + 2 + 32 + 1 + hello[2 + 32];
		assert_int_equal(suite[0] << 8 | suite[1], rows[i].suite);
		assert_int_equal(key_exchange[0], 3); /* named_curve */
		assert_int_equal(key_exchange[1] << 8 | key_exchange[2], rows[i].group);
		pair_close(&pair);
	}
}

static void refuses_costly_groups_and_suites_without_forward_secrecy(void **state)
{
	(void)state;
	static const struct {
		const char *certificate;
		uint16_t suites[2], groups[2];
	} rows[] = {
		{ "name", { ECDSA_AES128_CBC, ECDSA_AES128_CBC }, { X25519, P256 } },
		{ "ip", { RSA_AES128_CBC, RSA_AES128_CBC_SHA256 }, { X25519, P256 } },
		{ "ip", { RSA_CAMELLIA128_GCM, RSA_CAMELLIA128_GCM }, { X25519, P256 } },
		{ "ip", { STATIC_RSA_AES128_GCM, STATIC_RSA_CAMELLIA128 }, { X25519, P256 } },
		{ "ip", { DHE_AES128_GCM, DHE_CHACHA20 }, { X25519, P256 } },
		{ "ip", { RSA_AES128_GCM, RSA_AES256_GCM }, { P521, P384 } },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static struct pair pair;
		pair_open(&pair, rows[i].certificate, "sluice.test", PIPE_MAX);
		pair.up.len =
			make_hello((unsigned char *)pair.up.bytes, rows[i].suites, rows[i].groups);
		assert_int_equal(tls_session_handshake(pair.server.session), -EPROTO);
		assert_null(find_message(&pair.down, 12));
		pair_close(&pair);
	}
}

static void an_early_end_fails_the_handshake(void **state)
{
	(void)state;
	static struct pair pair;
	pair_open(&pair, "name", "sluice.test", PIPE_MAX);
	pair.up.ended = true;
	assert_int_equal(tls_session_handshake(pair.server.session), -ECONNRESET);
	pair_close(&pair);
	pair_open(&pair, "name", "sluice.test", PIPE_MAX);
	memcpy(pair.up.bytes, "GET / HTTP/1.1\r\n", 16);
	pair.up.len = 16;
	assert_int_equal(tls_session_handshake(pair.server.session), -EPROTO);
	pair_close(&pair);
}

static void reports_which_file_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *certificate, *key, *error;
	} rows[] = {
		{ "absent.pem", "name.key", "absent.pem: No such file" },
		{ "name.pem", "absent.key", "absent.key: No such file" },
		{ "nonsense.pem", "name.key", "nonsense.pem: " },
		{ "name.pem", "nonsense.pem", "nonsense.pem: " },
		{ "name.pem", "ip.key", "ip.key: is not the key of the certificate in" },
		{ "name.pem", "other.key", "other.key: is not the key of the certificate in" },
	};
	char error[TLS_ERROR_MAX];
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_null(tls_server_create(
			&(struct tls_server){ .certificate_file = certificate(rows[i].certificate),
				.key_file = certificate(rows[i].key),
				.purpose = "test" },
			error));
		assert_non_null(strstr(error, rows[i].error));
	}
	assert_null(tls_client_create(
		&(struct tls_client){ certificate("absent.pem"), "", "", TLS_VERIFY_FULL }, error));
	assert_non_null(strstr(error, "absent.pem: No such file"));
	assert_null(tls_client_create(
		&(struct tls_client){ certificate("nonsense.pem"), "", "", TLS_VERIFY_FULL },
		error));
	assert_non_null(strstr(error, "nonsense.pem: "));
	tls_settings_destroy(NULL);
	tls_session_destroy(NULL);
}

static void trusts_the_file_named_by_the_environment(void **state)
{
	(void)state;
	char error[TLS_ERROR_MAX];
	assert_int_equal(setenv("SSL_CERT_FILE", certificate("ca.pem"), 1), 0);
	struct tls_settings *settings =
		tls_client_create(&(struct tls_client){ "", "", "", TLS_VERIFY_FULL }, error);
	assert_non_null(settings);
	tls_settings_destroy(settings);
	assert_int_equal(setenv("SSL_CERT_FILE", certificate("absent.pem"), 1), 0);
	assert_null(tls_client_create(&(struct tls_client){ "", "", "", TLS_VERIFY_FULL }, error));
	assert_non_null(strstr(error, "absent.pem: No such file"));
	unsetenv("SSL_CERT_FILE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trusts_by_name_and_authority),
		cmocka_unit_test(carries_bytes_through_narrow_pipes),
		cmocka_unit_test(parts_of_records_do_not_mix),
		cmocka_unit_test(an_idle_session_takes_less_than_12_kib),
		cmocka_unit_test(a_handshake_takes_no_more_memory_than_is_counted_for_it),
		cmocka_unit_test(tells_an_end_from_a_broken_socket),
		cmocka_unit_test(notices_tampered_records),
		cmocka_unit_test(rejects_tls_1_1),
		cmocka_unit_test(bounds_what_a_flood_of_warnings_costs),
		cmocka_unit_test(the_server_chooses_suite_and_group),
		cmocka_unit_test(refuses_costly_groups_and_suites_without_forward_secrecy),
		cmocka_unit_test(an_early_end_fails_the_handshake),
		cmocka_unit_test(reports_which_file_is_wrong),
		cmocka_unit_test(trusts_the_file_named_by_the_environment),
	};
	return cmocka_run_group_tests(tests, certificates_make, certificates_remove);
}
