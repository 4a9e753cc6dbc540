/* TLS settings, made once from certificate files and shared by all threads. TLS 1.2 at least, 1.3
 * where mbedTLS has it; no renegotiation, no session tickets for a client. A server offers http/1.1
 * by ALPN. It chooses the cipher suite and the group by its own order: ECDHE with an AEAD, over
 * X25519 or else P-256; it refuses a client that offers none of them. Its key is ECDSA or RSA. Its
 * clients can resume a session by a ticket for one hour at least and two at most, in any thread, and
 * at any server that has the same secrets, purpose and certificate. */
#ifndef SLUICE_NET_TLS_TLS_SETTINGS_H
#define SLUICE_NET_TLS_TLS_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

enum { TLS_ERROR_MAX = 256 }; /* bytes of an error text, with its NUL */

struct tls_settings; /* opaque; for any thread once created */

struct tls_server {
	const char *certificate_file; /* PEM: the certificate, followed by its chain */
	const char *key_file;         /* PEM */
	/* The first encrypts session tickets, all decrypt. None: tickets are for these settings
	 * only. Only what is derived from them is kept. */
	const struct slice *ticket_secrets;
	size_t n_ticket_secrets;
	const char *purpose;     /* what the server is for: a name, which sessions do not cross */
	int64_t (*now_ms)(void); /* since 1970 in UTC; NULL: the system's clock */
};

/* NULL: `error` says what is wrong and names the file. */
struct tls_settings *tls_server_create(const struct tls_server *server, char error[TLS_ERROR_MAX]);

/* Wipes what was derived from the secrets, in a server whose settings have been replaced; a
 * handshake under way may continue, as without secrets. */
void tls_server_forget_secrets(struct tls_settings *settings);

/* Wipes the private key of a server as soon as no handshake needs it any more. From now on only those
 * who have a reference may begin a session. May be called twice, always in the same thread. */
void tls_server_forget_key(struct tls_settings *settings);

/* A reference keeps the private key for a session that will begin. References may be taken by who has
 * the newest settings, and dropped, in any thread. */
void tls_settings_ref(struct tls_settings *settings);
void tls_settings_unref(struct tls_settings *settings);

/* What a client checks of the server's certificate. */
enum tls_verify {
	TLS_VERIFY_FULL, /* that an authority has signed it, and that it names the host */
	TLS_VERIFY_CA,   /* that an authority has signed it */
	TLS_VERIFY_NONE, /* nothing: whoever is on the way can read and change everything */
};

struct tls_client {
	/* PEM of the trusted authorities; "": the file that $SSL_CERT_FILE names, else the system's
	 * list. */
	const char *ca_file;
	const char *certificate_file, *key_file; /* the client's own, PEM; both "", or both files */
	enum tls_verify verify;
};

/* NULL: see above. */
struct tls_settings *tls_client_create(const struct tls_client *client, char error[TLS_ERROR_MAX]);

/* No session may be left that uses them. NULL is allowed. */
void tls_settings_destroy(struct tls_settings *settings);

#endif
