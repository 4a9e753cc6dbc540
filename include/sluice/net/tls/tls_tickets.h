/* Session tickets of a TLS server (RFC 5077; RFC 8446 §4.6.1): a client shows one to resume its
 * session without certificate and signature. Servers that are given the same secrets, purpose and
 * certificate accept each other's tickets. A ticket is valid for one hour at least and two at most,
 * whatever its client says. One that cannot be used, for whatever reason, leads to a full
 * handshake. */
#ifndef SLUICE_NET_TLS_TLS_TICKETS_H
#define SLUICE_NET_TLS_TLS_TICKETS_H

#include <stddef.h>
#include <stdint.h>

#include <mbedtls/ssl.h>

#include "sluice/base/defs.h"
#include "sluice/net/tls/tls_ticket_keys.h"

struct tls_tickets; /* opaque; for any thread once created */

/* `now_ms`: since 1970 in UTC; NULL: the system's clock. NULL: out of memory. */
struct tls_tickets *tls_tickets_create(
	const struct tls_ticket_secrets *secrets, int64_t (*now_ms)(void));

/* Wipes the secrets. From now on the tickets are like those that were created without any. */
void tls_tickets_forget(struct tls_tickets *tickets);

/* Wipes the secrets. NULL is allowed. */
void tls_tickets_destroy(struct tls_tickets *tickets);

/* The handshake that this thread is about to continue, or NULL when it has returned:
 * tls_tickets_read needs to know more than mbedTLS tells it. */
void tls_tickets_handshake(const mbedtls_ssl_context *ssl);

/* For mbedtls_ssl_conf_session_tickets_cb; the context is a struct tls_tickets. */
mbedtls_ssl_ticket_write_t tls_tickets_write;
mbedtls_ssl_ticket_parse_t tls_tickets_read;

#endif
