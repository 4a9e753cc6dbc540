/* The keys of session tickets: new ones each hour, derived from secrets that servers share, or
 * random. For any thread. */
#ifndef SLUICE_NET_TLS_TLS_TICKET_KEYS_H
#define SLUICE_NET_TLS_TLS_TICKET_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

enum {
	TLS_TICKET_BINDING = 32, /* bytes */
	TLS_TICKET_HOUR_MS = 3600 * 1000,
	TLS_TICKET_NAME = 16,
	TLS_TICKET_KEY = 32,
};

struct tls_ticket_key {
	uint8_t name[TLS_TICKET_NAME]; /* is no secret */
	uint8_t key[TLS_TICKET_KEY];
};

/* What the keys of all hours are derived from. */
struct tls_ticket_secrets {
	/* The first encrypts, all decrypt. None: random keys, which nobody else has. They are not
	 * kept, only what is derived from them. */
	const struct slice *secrets;
	size_t n;
	/* A digest of all that a session must have in common with the server that resumes it. */
	uint8_t binding[TLS_TICKET_BINDING];
};

struct tls_ticket_keys; /* opaque */

/* NULL: out of memory. */
struct tls_ticket_keys *tls_ticket_keys_create(const struct tls_ticket_secrets *secrets);

/* Wipes the secrets and all keys. From now on, keys are random. */
void tls_ticket_keys_forget(struct tls_ticket_keys *keys);

/* Wipes them. NULL is allowed. */
void tls_ticket_keys_destroy(struct tls_ticket_keys *keys);

/* `hour`: since 1970. A copy of the key that encrypts in this hour, for the caller to wipe. 0 or
 * an mbedTLS error. */
MUST_CHECK int tls_ticket_keys_to_write(
	struct tls_ticket_keys *keys, int64_t hour, struct tls_ticket_key *ret_key);

/* A copy of the key with this name, if it decrypts in this hour. 0 or an mbedTLS error:
 * MBEDTLS_ERR_SSL_INVALID_MAC, if there is none. */
MUST_CHECK int tls_ticket_keys_to_read(struct tls_ticket_keys *keys, int64_t hour,
	const uint8_t name[TLS_TICKET_NAME], struct tls_ticket_key *ret_key);

#endif
