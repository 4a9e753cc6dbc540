/* TLS on one connection, by mbedTLS.
 *
 * Every failure of the protocol is -EPROTO, and the session keeps the reason; failures of the
 * socket keep their errno.
 *
 * The peer's name. mbedTLS 2.28 does not know IP addresses in certificates, and would compare an
 * address with the certificate's names. So an address matches only an iPAddress entry (RFC 6125
 * §6.4), which we look up ourselves; mbedTLS checks names. If no name is set, 2.28 checks nothing
 * and 3.6 refuses, so a client always sets one.
 *
 * Fairness. mbedTLS continues to read within one call until it has something to return. A warning
 * is a record like any other, so a peer that sends only warnings could occupy the thread. Therefore
 * one call receives a bounded number of times (a record takes two), and then reports that there is
 * nothing to read; as the socket is still readable, the next call continues. A peer that sends
 * BARREN_MAX bytes without one byte of application data fails: otherwise it would be busy for
 * ever. */
#include "sluice/net/tls/tls_session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>

#include "sluice/base/mbed.h"
#include "tls_buffers.h"
#include "tls_settings_internal.h"

enum { RECEIVES_A_CALL = 32, BARREN_MAX = 65536 };

struct tls_session {
	mbedtls_ssl_context ssl;
	struct tls_buffers buffers; /* what it keeps of them while it has none */
	const struct tls_io *io;
	void *context;
	size_t unfinished;     /* bytes of the write that must be offered again */
	size_t barren;         /* bytes received since the last byte of application data */
	unsigned receives;     /* of the call under way */
	bool sent_certificate; /* of a server */
	bool has_ref;          /* to its settings, until the handshake is over */
	unsigned char ip[sizeof(struct in6_addr)]; /* the address that is expected */
	size_t ip_len;                             /* 0: a name is expected */
	int error;                                 /* mbedTLS' */
	int io_error;                              /* errno, negative */
};

/* ---- bytes from and to the socket ---- */

static int send_bytes(void *context, const unsigned char *bytes, size_t len)
{
	struct tls_session *session = context;
	ssize_t n = session->io->send(session->context, bytes, MIN(len, (size_t)INT_MAX));
	if (n >= 0)
		return (int)n;
	if (n == -EAGAIN)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	session->io_error = (int)n;
	return MBEDTLS_ERR_NET_SEND_FAILED;
}

static int receive_bytes(void *context, unsigned char *bytes, size_t len)
{
	struct tls_session *session = context;
	if (session->barren > BARREN_MAX)
		return MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE;
	if (session->receives == RECEIVES_A_CALL)
		return MBEDTLS_ERR_SSL_WANT_READ;
	session->receives++;
	ssize_t n = session->io->receive(session->context, bytes, MIN(len, (size_t)INT_MAX));
	if (n >= 0) {
		session->barren += (size_t)n;
		return (int)n;
	}
	if (n == -EAGAIN)
		return MBEDTLS_ERR_SSL_WANT_READ;
	session->io_error = (int)n;
	return MBEDTLS_ERR_NET_RECV_FAILED;
}

/* ---- the name or address that the certificate must have ---- */

static bool certificate_has_ip(
	const mbedtls_x509_crt *certificate, const struct tls_session *session)
{
	enum { IP_ADDRESS = 7 }; /* a choice of GeneralName, RFC 5280 §4.2.1.6 */
	for (const mbedtls_x509_sequence *name = &certificate->subject_alt_names; name;
		name = name->next)
		if (name->buf.tag == (MBEDTLS_ASN1_CONTEXT_SPECIFIC | IP_ADDRESS) &&
			name->buf.len == session->ip_len &&
			memcmp(name->buf.p, session->ip, session->ip_len) == 0)
			return true;
	return false;
}

/* Called for each certificate of the chain; 0 is the peer's own. */
static int verify_ip(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	struct tls_session *session = context;
	if (depth != 0)
		return 0;
	if (certificate_has_ip(certificate, session))
		*flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
	else
		*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	return 0;
}

/* Whatever its name. */
static int verify_any_name(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	(void)context;
	(void)certificate;
	if (depth == 0)
		*flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
	return 0;
}

/* The server is told the host in any case, because it may have several certificates. */
static int expect_host(struct tls_session *session, const char *hostname, enum tls_verify verify)
{
	if (inet_pton(AF_INET, hostname, session->ip) == 1)
		session->ip_len = sizeof(struct in_addr);
	else if (inet_pton(AF_INET6, hostname, session->ip) == 1)
		session->ip_len = sizeof(struct in6_addr);
	if (verify == TLS_VERIFY_CA)
		mbedtls_ssl_set_verify(&session->ssl, verify_any_name, session);
	else if (session->ip_len > 0)
		mbedtls_ssl_set_verify(&session->ssl, verify_ip, session);
	return mbedtls_ssl_set_hostname(&session->ssl, hostname);
}

/* ---- the session ---- */

static void drop_ref(struct tls_session *session)
{
	uintptr_t config = (uintptr_t)mbed_config(&session->ssl);
	if (session->has_ref)
		tls_settings_unref(container_of(config, struct tls_settings, config));
	session->has_ref = false;
}

struct tls_session *tls_session_create(
	struct tls_settings *settings, const char *hostname, const struct tls_io *io, void *context)
{
	struct tls_session *session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->io = io;
	session->context = context;
	mbedtls_ssl_init(&session->ssl);
	mbedtls_ssl_set_bio(&session->ssl, session, send_bytes, receive_bytes, NULL);
	int result = mbedtls_ssl_setup(&session->ssl, &settings->config);
	if (result == 0)
		tls_settings_ref(settings);
	session->has_ref = result == 0;
	if (result == 0 && hostname)
		result = expect_host(session, hostname, settings->verify);
	if (result == 0)
		return session;
	tls_session_destroy(session);
	return NULL;
}

void tls_session_destroy(struct tls_session *session)
{
	if (!session)
		return;
	drop_ref(session);
	mbedtls_ssl_free(&session->ssl);
	free(session);
}

/* Keeps mbedTLS' `error` for tls_session_error, and returns the errno that stands for it. */
static int fail(struct tls_session *session, int error)
{
	session->error = error;
	if (session->io_error < 0)
		return session->io_error;
	if (error == MBEDTLS_ERR_SSL_ALLOC_FAILED)
		return -ENOMEM;
	if (error == MBEDTLS_ERR_SSL_CONN_EOF)
		return -ECONNRESET;
	return -EPROTO;
}

static int take_steps(struct tls_session *session)
{
	int result = 0, state;
	while (result == 0 &&
		(state = mbed_handshake_state(&session->ssl)) != MBEDTLS_SSL_HANDSHAKE_OVER) {
		session->sent_certificate |= state == MBEDTLS_SSL_SERVER_CERTIFICATE;
		result = mbedtls_ssl_handshake_step(&session->ssl);
	}
	return result;
}

int tls_session_handshake(struct tls_session *session)
{
	session->receives = 0;
	tls_tickets_handshake(&session->ssl);
	int result = take_steps(session);
	tls_tickets_handshake(NULL);
	tls_buffers_return(&session->ssl, &session->buffers);
	if (result == 0) {
		drop_ref(session);
		return 0;
	}
	if (result == MBEDTLS_ERR_SSL_WANT_READ)
		return -EAGAIN;
	if (result == MBEDTLS_ERR_SSL_WANT_WRITE)
		return -EINPROGRESS;
	return fail(session, result);
}

/* Only a full handshake has the step in which the server sends its certificate. */
bool tls_session_is_resumed(const struct tls_session *session)
{
	return !session->sent_certificate;
}

ssize_t tls_session_read(struct tls_session *session, void *bytes, size_t len)
{
	int result = tls_buffers_lend(&session->ssl, &session->buffers);
	session->receives = 0;
	if (result < 0)
		return fail(session, result);
	do {
		result = mbedtls_ssl_read(&session->ssl, bytes, len);
	} while (mbed_is_session_ticket(result));
	tls_buffers_return(&session->ssl, &session->buffers);
	if (result >= 0) {
		session->barren = 0;
		return result;
	}
	if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || result == MBEDTLS_ERR_SSL_CONN_EOF)
		return 0;
	if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE)
		return -EAGAIN;
	return fail(session, result);
}

/* mbedTLS keeps a record that the socket did not take. When a later call sends it, mbedTLS returns
 * the length that was passed to that call, so we pass the length of the record's content. */
ssize_t tls_session_write(struct tls_session *session, const void *bytes, size_t len)
{
	MUST(len >= session->unfinished);
	if (session->unfinished > 0)
		len = session->unfinished;
	int result = tls_buffers_lend(&session->ssl, &session->buffers);
	if (result < 0)
		return fail(session, result);
	result = mbedtls_ssl_write(&session->ssl, bytes, len);
	tls_buffers_return(&session->ssl, &session->buffers);
	bool again = result == MBEDTLS_ERR_SSL_WANT_WRITE || result == MBEDTLS_ERR_SSL_WANT_READ;
	session->unfinished = again ? len : 0;
	if (again)
		return -EAGAIN;
	return result < 0 ? fail(session, result) : result;
}

void tls_session_end(struct tls_session *session)
{
	if (tls_buffers_lend(&session->ssl, &session->buffers) == 0)
		mbedtls_ssl_close_notify(&session->ssl);
	tls_buffers_return(&session->ssl, &session->buffers);
}

const char *tls_session_error(const struct tls_session *session, char error[TLS_ERROR_MAX])
{
	if (session->error != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
		mbedtls_strerror(session->error, error, TLS_ERROR_MAX);
		return error;
	}
	int used = snprintf(error, TLS_ERROR_MAX, "certificate verify failed: ");
	mbedtls_x509_crt_verify_info(error + used, TLS_ERROR_MAX - (size_t)used, "",
		mbedtls_ssl_get_verify_result(&session->ssl));
	/* mbedTLS ends each reason with a line feed */
	for (char *feed; (feed = strchr(error, '\n'));)
		*feed = feed[1] ? ' ' : '\0';
	return error;
}
