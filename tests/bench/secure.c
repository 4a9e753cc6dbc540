#include "secure.h"

#include <errno.h>
#include <openssl/ssl.h>

/* TLS 1.2 and one suite for each kind of key: all servers do the same work, whatever they would prefer. */
#define SUITES "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"

int secure_open(struct secure *secure)
{
	char groups[] = "X25519:P-256"; /* a certificate on P-256 needs its group too */
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (!context)
		return -ENOMEM;
	secure->context = context;
	SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_cipher_list(context, SUITES) != 1 ||
		SSL_CTX_set1_groups_list(context, groups) != 1)
		return -EINVAL;
	return 0;
}

void secure_close(struct secure *secure)
{
	SSL_SESSION_free(secure->session);
	SSL_CTX_free(secure->context);
}

struct ssl_st *secure_begin(const struct secure *secure, int fd)
{
	SSL *ssl = SSL_new(secure->context);
	if (!ssl)
		return NULL;
	if (SSL_set_fd(ssl, fd) != 1 ||
		(secure->session && SSL_set_session(ssl, secure->session) != 1)) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

int secure_step(struct secure *secure, struct ssl_st *ssl)
{
	int result = SSL_do_handshake(ssl);
	if (result != 1)
		return SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ ? -EAGAIN : -EPROTO;
	secure->resumed += SSL_session_reused(ssl) == 1;
	if (secure->resumes && !secure->session)
		secure->session = SSL_get1_session(ssl);
	return 0;
}

ssize_t secure_receive(struct ssl_st *ssl, void *bytes, size_t len, bool peek)
{
	int got = peek ? SSL_peek(ssl, bytes, (int)len) : SSL_read(ssl, bytes, (int)len);
	if (got > 0)
		return got;
	switch (SSL_get_error(ssl, got)) {
	case SSL_ERROR_WANT_READ:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		return -EPROTO;
	}
}

ssize_t secure_send(struct ssl_st *ssl, const void *bytes, size_t len)
{
	int sent = SSL_write(ssl, bytes, (int)len);
	return sent > 0 ? sent : -EPROTO;
}

void secure_end(struct ssl_st *ssl, bool politely)
{
	if (ssl && politely)
		SSL_shutdown(ssl);
	SSL_free(ssl);
}
