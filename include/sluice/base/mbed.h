/* Everything that differs between mbedTLS 2.28 (Debian 12) and 3.6 (Debian 13). No other file asks
 * for the version. Inline functions only: base is not linked with mbedTLS, its callers are.
 *
 *  - 3.6 wants PSA initialised before TLS 1.3 is used.
 *  - 3.6 wants a source of random bytes where a private key is parsed or checked.
 *  - 2.28 accepts TLS 1.0 by default.
 *  - 3.6 reports a session ticket to a client as if reading had failed.
 *  - A build may lack renegotiation or session tickets, and then lacks the functions to turn them off. */
#ifndef SLUICE_BASE_MBED_H
#define SLUICE_BASE_MBED_H

#include <stdbool.h>
#include <stddef.h>

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#if !defined(MBEDTLS_THREADING_C)
#error "mbedTLS must be built with MBEDTLS_THREADING_C: workers share the private key"
#endif

/* Fills `bytes`. 0 or an mbedTLS error. */
typedef int (*mbed_random_fn)(void *context, unsigned char *bytes, size_t len);

/* Call it before any TLS; further calls do nothing. 0 or an mbedTLS error. */
static inline int mbed_init(void)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	if (psa_crypto_init() != PSA_SUCCESS)
		return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
#endif
	return 0;
}

/* Reads an unencrypted private key in PEM. 0 or an mbedTLS error. */
static inline int mbed_parse_key_file(
	mbedtls_pk_context *key, const char *file, mbed_random_fn random)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return mbedtls_pk_parse_keyfile(key, file, NULL, random, NULL);
#else
	(void)random;
	return mbedtls_pk_parse_keyfile(key, file, NULL);
#endif
}

static inline bool mbed_keys_match(const mbedtls_pk_context *public_key,
	const mbedtls_pk_context *private_key, mbed_random_fn random)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return mbedtls_pk_check_pair(public_key, private_key, random, NULL) == 0;
#else
	(void)random;
	return mbedtls_pk_check_pair(public_key, private_key) == 0;
#endif
}

static inline void mbed_require_tls_1_2(mbedtls_ssl_config *config)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
	mbedtls_ssl_conf_min_version(
		config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

static inline void mbed_disable_renegotiation(mbedtls_ssl_config *config)
{
#if defined(MBEDTLS_SSL_RENEGOTIATION)
	mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#else
	(void)config;
#endif
}

/* For a client. */
static inline void mbed_disable_session_tickets(mbedtls_ssl_config *config)
{
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
	mbedtls_ssl_conf_session_tickets(config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#else
	(void)config;
#endif
}

/* Does this result of mbedtls_ssl_read mean only that the server sent a session ticket? */
static inline bool mbed_is_session_ticket(int result)
{
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
	return result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
	(void)result;
	return false;
#endif
}

#endif
