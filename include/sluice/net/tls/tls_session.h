/* TLS on one connection: turns plaintext into records and back. It does no I/O of its own: its
 * owner hands in two functions that send and receive. */
#ifndef SLUICE_NET_TLS_TLS_SESSION_H
#define SLUICE_NET_TLS_TLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/defs.h"
#include "sluice/net/tls/tls_settings.h"

enum {
	TLS_RECORD_MAX = 16 * 1024, /* bytes of plaintext in one record, RFC 8446 §5.1 */
	/* of memory that a session takes at most until it is established */
	TLS_HANDSHAKE_BYTES = 40 * 1024,
};

struct tls_session; /* opaque; belongs to its connection's thread */

/* Both return the number of bytes (at least 1), 0 at the end (receive only), -EAGAIN, or another
 * negative errno. */
struct tls_io {
	ssize_t (*send)(void *context, const void *bytes, size_t len);
	ssize_t (*receive)(void *context, void *bytes, size_t len);
};

/* `hostname`: the name or IP address that a client expects in the certificate; NULL for a server.
 * `settings`, `io` and `context` must outlive the session. NULL: out of memory. */
struct tls_session *tls_session_create(struct tls_settings *settings, const char *hostname,
	const struct tls_io *io, void *context);

/* NULL is allowed. */
void tls_session_destroy(struct tls_session *session);

/* The next step of the handshake. 0: done; -EAGAIN: call again when the socket is readable;
 * -EINPROGRESS: call again when it is writable; another negative errno: failed, tls_session_error
 * says why. */
int tls_session_handshake(struct tls_session *session);

/* The handshake is done: did the client resume an earlier session? */
bool tls_session_is_resumed(const struct tls_session *session);

/* Like read(2): bytes; 0 at the peer's close_notify or the end of the socket; -EAGAIN: nothing to
 * read yet; or another negative errno. */
ssize_t tls_session_read(struct tls_session *session, void *bytes, size_t len);

/* Like write(2): bytes; -EAGAIN: the socket took nothing, and the next write must begin with the
 * same bytes and offer at least as many; or another negative errno. */
ssize_t tls_session_write(struct tls_session *session, const void *bytes, size_t len);

/* Sends close_notify, as far as the socket takes it. */
void tls_session_end(struct tls_session *session);

/* The reason why the session failed, in one line: "certificate verify failed: …". Returns
 * `error`. */
const char *tls_session_error(const struct tls_session *session, char error[TLS_ERROR_MAX]);

#endif
