/* TLS by mbedTLS: the settings, made once and shared by threads, and a session, which turns the
 * bytes of one connection into others. TLS 1.2 at least, 1.3 where mbedTLS has it; ALPN http/1.1
 * only on the server's side; no renegotiation. The session does no I/O of its own: it is given two
 * functions. */
#ifndef SLUICE_NET_TLS_H
#define SLUICE_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/defs.h"

enum { TLS_ERROR_MAX = 256 };

struct tls_settings; /* opaque; read-only after creation, any thread */
struct tls_session;  /* opaque */

/* From PEM files (the certificate with its chain). NULL: `error` says what is wrong, naming the
 * file. */
struct tls_settings *tls_server_create(
	const char *certificate_file, const char *key_file, char error[TLS_ERROR_MAX]);

/* `ca_file`: PEM of whom to trust; "": the file that $SSL_CERT_FILE names, else the system's list.
 * The peer's certificate is always verified. */
struct tls_settings *tls_client_create(const char *ca_file, char error[TLS_ERROR_MAX]);

/* No session may be left. NULL is allowed. */
void tls_settings_destroy(struct tls_settings *settings);

/* Both give the number of bytes (at least 1), 0 at the end (receive only), -EAGAIN, or another
 * negative errno. */
struct tls_io {
	ssize_t (*send)(void *context, const void *bytes, size_t len);
	ssize_t (*receive)(void *context, void *bytes, size_t len);
};

/* `hostname`: whom a client expects (a DNS name or an IP address); NULL on the server's side.
 * `io` and `context` must outlive the session. NULL: no memory. */
struct tls_session *tls_session_create(struct tls_settings *settings, const char *hostname,
	const struct tls_io *io, void *context);
void tls_session_destroy(struct tls_session *session);

/* The next step of the handshake: 0 done; -EAGAIN: wait for more to read; -EINPROGRESS: wait until
 * the socket can be written; else failed, for the reason that tls_session_error tells. */
int tls_session_handshake(struct tls_session *session);

/* Like read(2) and write(2): bytes, 0 at the peer's close_notify or the end (read), -EAGAIN (read:
 * nothing there; write: the socket took nothing; the next write must begin with the same bytes and
 * offer at least as many), or another negative errno. */
ssize_t tls_session_read(struct tls_session *session, void *bytes, size_t len);
ssize_t tls_session_write(struct tls_session *session, const void *bytes, size_t len);

/* Sends close_notify, as far as the socket takes it. */
void tls_session_end(struct tls_session *session);

/* Why the session failed, in one line: "certificate verify failed: …". */
const char *tls_session_error(const struct tls_session *session, char error[TLS_ERROR_MAX]);

#endif
