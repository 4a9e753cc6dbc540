/* TLS by mbedTLS, versions 2.28 and 3.6.
 *
 *	settings (one, all threads)          session (one a connection, its thread)
 *	  ssl_config, certificates, key  <---  ssl_context: 40 KB of record buffers, by mbedTLS
 *
 * Settings are only read after they were made. That is enough to share them: our source of random
 * bytes is the kernel and has no state, private RSA operations lock the key themselves (so mbedTLS
 * must be built with threads), and those on elliptic curves work on a copy of the key (2.28) or keep
 * nothing in it (3.6).
 *
 * The two versions differ where it matters most, so nothing is left to defaults:
 *  - 2.28 would speak TLS 1.0: the minimum is set.
 *  - 2.28 does not know IP addresses in certificates, and would compare an address with the
 *    certificate's names. Here an address only ever matches an iPAddress entry (RFC 6125 §6.4), by
 *    our own look at the certificate; names are mbedTLS' business.
 *  - 2.28 checks no name when none is set, 3.6 refuses: a client always sets one.
 *  - 3.6 has TLS 1.3, which needs PSA's initialisation, and tells a client of session tickets as if
 *    it were an error of reading.
 *
 * Every failure of the protocol is -EPROTO with the reason in the session; failures of the socket
 * keep their errno.
 *
 * mbedTLS reads on within one call for as long as nothing comes of what it reads: a warning is a
 * record like any other, and one peer that sends nothing else would have the thread for himself. So
 * a call receives a bounded number of times (a record takes two), after which it is as if nothing
 * were there; the socket tells at once that there is. And who has sent that much without a byte of
 * his own in it has failed: he would be neither idle nor ever done. */
#include "sluice/net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#if !defined(MBEDTLS_THREADING_C)
#error "mbedTLS must be built with MBEDTLS_THREADING_C: workers share the private key"
#endif

enum { RECEIVES_A_CALL = 32, BARREN_MAX = 65536 };

struct tls_settings {
	mbedtls_ssl_config config;
	mbedtls_x509_crt certificates; /* a server's chain, or whom a client trusts */
	mbedtls_pk_context key;        /* a server's */
};

struct tls_session {
	mbedtls_ssl_context ssl;
	const struct tls_io *io;
	void *context;
	size_t unfinished; /* bytes of the write that must be offered again */
	size_t barren;     /* bytes received since the last that was the peer's own */
	unsigned receives; /* of the call under way */
	unsigned char ip[sizeof(struct in6_addr)]; /* of the host that is expected */
	size_t ip_len;                             /* 0: the host is a name */
	int error;                                 /* mbedTLS' */
	int io_error;                              /* errno, negative */
};

/* ---- settings ---- */

static int random_bytes(void *context, unsigned char *bytes, size_t len)
{
	(void)context;
	while (len > 0) {
		ssize_t n = getrandom(bytes, len, 0);
		if (n < 0 && errno != EINTR)
			return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static void describe(char error[TLS_ERROR_MAX], const char *file, int code)
{
	char reason[TLS_ERROR_MAX / 2];
	mbedtls_strerror(code, reason, sizeof(reason));
	snprintf(error, TLS_ERROR_MAX, "%s: %s", file, reason);
}

static bool is_readable(const char *file, char error[TLS_ERROR_MAX])
{
	if (access(file, R_OK) == 0)
		return true;
	snprintf(error, TLS_ERROR_MAX, "%s: %s", file, strerror(errno));
	return false;
}

/* mbedTLS gives the number of certificates in the file that it could not read. */
static bool load_certificates(
	mbedtls_x509_crt *certificates, const char *file, bool all, char error[TLS_ERROR_MAX])
{
	if (!is_readable(file, error))
		return false;
	int result = mbedtls_x509_crt_parse_file(certificates, file);
	if (result == 0 || (result > 0 && !all && certificates->version > 0))
		return true;
	if (result < 0)
		describe(error, file, result);
	else
		snprintf(error, TLS_ERROR_MAX, "%s: %d of its certificates cannot be read", file,
			result);
	return false;
}

static int parse_key(mbedtls_pk_context *key, const char *file)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return mbedtls_pk_parse_keyfile(key, file, NULL, random_bytes, NULL);
#else
	return mbedtls_pk_parse_keyfile(key, file, NULL);
#endif
}

static int check_pair(const mbedtls_pk_context *public, const mbedtls_pk_context *private)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return mbedtls_pk_check_pair(public, private, random_bytes, NULL);
#else
	return mbedtls_pk_check_pair(public, private);
#endif
}

static bool load_key(struct tls_settings *settings, const char *certificate_file, const char *file,
	char error[TLS_ERROR_MAX])
{
	if (!is_readable(file, error))
		return false;
	int result = parse_key(&settings->key, file);
	if (result < 0) {
		describe(error, file, result);
		return false;
	}
	if (check_pair(&settings->certificates.pk, &settings->key) == 0)
		return true;
	snprintf(error, TLS_ERROR_MAX, "%s: is not the key of the certificate in %s", file,
		certificate_file);
	return false;
}

static int configure(mbedtls_ssl_config *config, int endpoint)
{
	int result = mbedtls_ssl_config_defaults(
		config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
	mbedtls_ssl_conf_rng(config, random_bytes, NULL);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
	mbedtls_ssl_conf_min_version(
		config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
#if defined(MBEDTLS_SSL_RENEGOTIATION)
	mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
	return result;
}

static struct tls_settings *settings_create(int endpoint, char error[TLS_ERROR_MAX])
{
	struct tls_settings *settings = calloc(1, sizeof(*settings));
	if (!settings) {
		snprintf(error, TLS_ERROR_MAX, "no memory");
		return NULL;
	}
	mbedtls_ssl_config_init(&settings->config);
	mbedtls_x509_crt_init(&settings->certificates);
	mbedtls_pk_init(&settings->key);
	int result = 0;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	if (psa_crypto_init() != PSA_SUCCESS)
		result = MBEDTLS_ERR_SSL_INTERNAL_ERROR;
#endif
	if (result == 0)
		result = configure(&settings->config, endpoint);
	if (result == 0)
		return settings;
	describe(error, "TLS", result);
	tls_settings_destroy(settings);
	return NULL;
}

struct tls_settings *tls_server_create(
	const char *certificate_file, const char *key_file, char error[TLS_ERROR_MAX])
{
	/* HTTP/2's WebSockets (RFC 8441) are not spoken here */
	static const char *protocols[] = { "http/1.1", NULL };
	struct tls_settings *settings = settings_create(MBEDTLS_SSL_IS_SERVER, error);
	if (!settings)
		return NULL;
	if (!load_certificates(&settings->certificates, certificate_file, true, error) ||
		!load_key(settings, certificate_file, key_file, error)) {
		tls_settings_destroy(settings);
		return NULL;
	}
	int result = mbedtls_ssl_conf_own_cert(
		&settings->config, &settings->certificates, &settings->key);
	if (result == 0)
		result = mbedtls_ssl_conf_alpn_protocols(&settings->config, protocols);
	if (result == 0)
		return settings;
	describe(error, certificate_file, result);
	tls_settings_destroy(settings);
	return NULL;
}

/* Where systems keep the list of whom they trust. */
static const char *system_list(void)
{
	static const char *const files[] = {
		"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine */
		"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
		"/etc/ssl/ca-bundle.pem",             /* SUSE */
		"/etc/ssl/cert.pem",
	};
	const char *named = getenv("SSL_CERT_FILE");
	if (named && *named)
		return named;
	for (size_t i = 0; i < COUNT_OF(files); i++)
		if (access(files[i], R_OK) == 0)
			return files[i];
	return files[0];
}

struct tls_settings *tls_client_create(const char *ca_file, char error[TLS_ERROR_MAX])
{
	bool given = *ca_file != '\0';
	struct tls_settings *settings = settings_create(MBEDTLS_SSL_IS_CLIENT, error);
	if (!settings)
		return NULL;
	/* in a system's list some certificate may be of a kind that mbedTLS does not know */
	if (!load_certificates(
		    &settings->certificates, given ? ca_file : system_list(), given, error)) {
		tls_settings_destroy(settings);
		return NULL;
	}
	mbedtls_ssl_conf_authmode(&settings->config, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_ca_chain(&settings->config, &settings->certificates, NULL);
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
	mbedtls_ssl_conf_session_tickets(&settings->config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
	return settings;
}

void tls_settings_destroy(struct tls_settings *settings)
{
	if (!settings)
		return;
	mbedtls_ssl_config_free(&settings->config);
	mbedtls_x509_crt_free(&settings->certificates);
	mbedtls_pk_free(&settings->key);
	free(settings);
}

/* ---- session ---- */

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

static bool certificate_has_ip(
	const mbedtls_x509_crt *certificate, const struct tls_session *session)
{
	enum { IP_ADDRESS = 7 }; /* GeneralName's choice, RFC 5280 §4.2.1.6 */
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

static int expect_host(struct tls_session *session, const char *hostname)
{
	if (inet_pton(AF_INET, hostname, session->ip) == 1)
		session->ip_len = sizeof(struct in_addr);
	else if (inet_pton(AF_INET6, hostname, session->ip) == 1)
		session->ip_len = sizeof(struct in6_addr);
	if (session->ip_len > 0)
		mbedtls_ssl_set_verify(&session->ssl, verify_ip, session);
	return mbedtls_ssl_set_hostname(&session->ssl, hostname);
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
	if (result == 0 && hostname)
		result = expect_host(session, hostname);
	if (result == 0)
		return session;
	tls_session_destroy(session);
	return NULL;
}

void tls_session_destroy(struct tls_session *session)
{
	if (!session)
		return;
	mbedtls_ssl_free(&session->ssl);
	free(session);
}

/* Which errno stands for mbedTLS' `error`. */
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

int tls_session_handshake(struct tls_session *session)
{
	session->receives = 0;
	int result = mbedtls_ssl_handshake(&session->ssl);
	if (result == 0)
		return 0;
	if (result == MBEDTLS_ERR_SSL_WANT_READ)
		return -EAGAIN;
	if (result == MBEDTLS_ERR_SSL_WANT_WRITE)
		return -EINPROGRESS;
	return fail(session, result);
}

static bool is_session_ticket(int result)
{
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
	return result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
	(void)result;
	return false;
#endif
}

ssize_t tls_session_read(struct tls_session *session, void *bytes, size_t len)
{
	int result;
	session->receives = 0;
	do {
		result = mbedtls_ssl_read(&session->ssl, bytes, len);
	} while (is_session_ticket(result));
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

/* mbedTLS keeps the record that the socket did not take, and when it is gone answers with the
 * length that it is asked about then: so it must be asked about the length that is in the record.
 */
ssize_t tls_session_write(struct tls_session *session, const void *bytes, size_t len)
{
	MUST(len >= session->unfinished);
	if (session->unfinished > 0)
		len = session->unfinished;
	int result = mbedtls_ssl_write(&session->ssl, bytes, len);
	bool again = result == MBEDTLS_ERR_SSL_WANT_WRITE || result == MBEDTLS_ERR_SSL_WANT_READ;
	session->unfinished = again ? len : 0;
	if (again)
		return -EAGAIN;
	return result < 0 ? fail(session, result) : result;
}

void tls_session_end(struct tls_session *session)
{
	mbedtls_ssl_close_notify(&session->ssl);
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
	/* a line for each reason, a line feed behind each */
	for (char *feed; (feed = strchr(error, '\n'));)
		*feed = feed[1] ? ' ' : '\0';
	return error;
}
