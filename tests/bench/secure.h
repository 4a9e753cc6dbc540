/* TLS 1.2 for the generator, by OpenSSL, so that the client costs less than the server. In a build without
 * OpenSSL secure_open fails. The certificate is not checked. */
#ifndef BENCH_SECURE_H
#define BENCH_SECURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ssl_st; /* one connection, of OpenSSL */

struct secure {
	bool resumes; /* set by the owner: every session after the first is resumed */
	uint64_t resumed;
	struct ssl_ctx_st *context;
	struct ssl_session_st *session;
};

/* 0 or a negative errno; -ENOTSUP: there is no OpenSSL. */
int secure_open(struct secure *secure);
void secure_close(struct secure *secure);

/* For a connected descriptor. NULL: no memory. */
struct ssl_st *secure_begin(const struct secure *secure, int fd);

/* The next step of the TLS handshake: 0; -EAGAIN: it waits for the server; -EPROTO: it has failed. */
int secure_step(struct secure *secure, struct ssl_st *ssl);

/* As recv and send, with a negative errno. `peek`: the bytes stay. */
ssize_t secure_receive(struct ssl_st *ssl, void *bytes, size_t len, bool peek);
ssize_t secure_send(struct ssl_st *ssl, const void *bytes, size_t len);

/* `politely`: with a close_notify. NULL is allowed. */
void secure_end(struct ssl_st *ssl, bool politely);

#endif
