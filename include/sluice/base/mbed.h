/* Everything that differs between mbedTLS 2.28 (Debian 12) and 3.6 (Debian 13). No other file asks
 * for the version. Inline functions only: base is not linked with mbedTLS, its callers are.
 *
 *  - 3.6 wants PSA initialised before TLS 1.3 is used.
 *  - 3.6 wants a source of random bytes where a private key is parsed or checked.
 *  - 2.28 accepts TLS 1.0 by default.
 *  - A server of 2.28 always follows its own order of cipher suites.
 *  - 2.28 names groups by numbers of its own, 3.6 by IANA's.
 *  - A server of 3.6 may resume a TLS 1.3 session without a new key exchange.
 *  - 3.6 may resume a session under another version of TLS than the ticket was for.
 *  - 3.6 compares a ticket's age with a clock that started with the machine.
 *  - 3.6 reports a session ticket to a client as if reading had failed.
 *  - 2.28's digests that report errors have names that end with _ret.
 *  - A build may lack renegotiation, and then lacks the function to turn it off.
 *  - 3.6 calls the members of its structs private, and gives records room for connection ids. */
#ifndef SLUICE_BASE_MBED_H
#define SLUICE_BASE_MBED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mbedtls/pk.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/version.h>
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#if !defined(MBEDTLS_THREADING_C)
#error "mbedTLS must be built with MBEDTLS_THREADING_C: workers share the private key"
#endif

#if !defined(MBEDTLS_SSL_SESSION_TICKETS) || !defined(MBEDTLS_HKDF_C) || !defined(MBEDTLS_GCM_C)
#error "mbedTLS must be built with MBEDTLS_SSL_SESSION_TICKETS, MBEDTLS_HKDF_C and MBEDTLS_GCM_C"
#endif

#if !defined(MBEDTLS_PRIVATE)
#define MBEDTLS_PRIVATE(member) member
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

/* After mbed_require_tls_1_2: no other version. */
static inline void mbed_refuse_tls_1_3(mbedtls_ssl_config *config)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
	(void)config;
#endif
}

/* For a server: ECDHE with an AEAD only, the preferred one first. Ends with 0. */
static const int mbed_suites[] = {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#endif
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	0,
};

/* Its order counts, not the client's. */
static inline void mbed_restrict_suites(mbedtls_ssl_config *config)
{
	mbedtls_ssl_conf_ciphersuites(config, mbed_suites);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	mbedtls_ssl_conf_preference_order(config, MBEDTLS_SSL_SRV_CIPHERSUITE_ORDER_SERVER);
#endif
}

/* The two groups that are cheapest for a server, the cheaper one first. */
static inline void mbed_restrict_groups(mbedtls_ssl_config *config)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	static const uint16_t groups[] = { MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
		MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE };
	mbedtls_ssl_conf_groups(config, groups);
#else
	static const mbedtls_ecp_group_id groups[] = { MBEDTLS_ECP_DP_CURVE25519,
		MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE };
	mbedtls_ssl_conf_curves(config, groups);
#endif
}

/* For a server that resumes sessions. */
static inline void mbed_require_key_exchange(mbedtls_ssl_config *config)
{
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
	mbedtls_ssl_conf_tls13_key_exchange_modes(
		config, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
#else
	(void)config;
#endif
}

/* ---- the record buffers of a context (net/tls/tls_buffers) ---- */

#if ((MBEDTLS_VERSION_NUMBER >= 0x021c0000 && MBEDTLS_VERSION_NUMBER < 0x021d0000) || \
	(MBEDTLS_VERSION_NUMBER >= 0x03060000 && MBEDTLS_VERSION_NUMBER < 0x03070000)) && \
	!defined(MBEDTLS_PLATFORM_MEMORY) && !defined(MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH) && \
	!defined(MBEDTLS_ZLIB_SUPPORT) && !defined(MBEDTLS_SSL_HW_RECORD_ACCEL)
#define MBED_BUFFERS_ARE_KNOWN 1
#else
#define MBED_BUFFERS_ARE_KNOWN 0
#endif

enum { MBED_BUFFER_POINTERS = 6 };

/* One direction: mbedTLS' pointer to the buffer, and those into it. */
struct mbed_buffer {
	unsigned char **start, **pointers[MBED_BUFFER_POINTERS];
	size_t n;
	unsigned char **counter; /* one of the pointers: the number of the next record */
	bool is_empty;           /* holds no part of a record that is still needed */
};

/* Is the handshake over, and have the session tickets that follow it in TLS 1.3 been sent? */
static inline bool mbed_is_established(const mbedtls_ssl_context *ssl)
{
	return ssl->MBEDTLS_PRIVATE(state) == MBEDTLS_SSL_HANDSHAKE_OVER;
}

static inline struct mbed_buffer mbed_in_buffer(mbedtls_ssl_context *ssl)
{
	bool is_empty = ssl->MBEDTLS_PRIVATE(in_left) == 0 && mbedtls_ssl_check_pending(ssl) == 0;
#if MBEDTLS_VERSION_NUMBER >= 0x03060300
	is_empty = is_empty && ssl->MBEDTLS_PRIVATE(badmac_seen_or_in_hsfraglen) == 0;
#endif
	return (struct mbed_buffer){
		.start = &ssl->MBEDTLS_PRIVATE(in_buf),
		.counter = &ssl->MBEDTLS_PRIVATE(in_ctr),
		.is_empty = is_empty,
		.pointers = {
			&ssl->MBEDTLS_PRIVATE(in_ctr),
			&ssl->MBEDTLS_PRIVATE(in_hdr),
			&ssl->MBEDTLS_PRIVATE(in_len),
			&ssl->MBEDTLS_PRIVATE(in_iv),
			&ssl->MBEDTLS_PRIVATE(in_msg),
#if defined(MBEDTLS_SSL_DTLS_CONNECTION_ID)
			&ssl->MBEDTLS_PRIVATE(in_cid),
		},
		.n = 6,
#else
		},
		.n = 5,
#endif
	};
}

static inline struct mbed_buffer mbed_out_buffer(mbedtls_ssl_context *ssl)
{
	return (struct mbed_buffer){
		.start = &ssl->MBEDTLS_PRIVATE(out_buf),
		.counter = &ssl->MBEDTLS_PRIVATE(out_ctr),
		.is_empty = ssl->MBEDTLS_PRIVATE(out_left) == 0,
		.pointers = {
			&ssl->MBEDTLS_PRIVATE(out_ctr),
			&ssl->MBEDTLS_PRIVATE(out_hdr),
			&ssl->MBEDTLS_PRIVATE(out_len),
			&ssl->MBEDTLS_PRIVATE(out_iv),
			&ssl->MBEDTLS_PRIVATE(out_msg),
#if defined(MBEDTLS_SSL_DTLS_CONNECTION_ID)
			&ssl->MBEDTLS_PRIVATE(out_cid),
		},
		.n = 6,
#else
		},
		.n = 5,
#endif
	};
}

/* Is the session of the version of TLS that this handshake has negotiated? */
static inline bool mbed_session_is_for(
	const mbedtls_ssl_session *session, const mbedtls_ssl_context *handshake)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return session->MBEDTLS_PRIVATE(tls_version) == mbedtls_ssl_get_version_number(handshake);
#else
	(void)session;
	(void)handshake;
	return true;
#endif
}

static inline bool mbed_is_tls_1_2(const mbedtls_ssl_context *handshake)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return mbedtls_ssl_get_version_number(handshake) == MBEDTLS_SSL_VERSION_TLS1_2;
#else
	(void)handshake;
	return true;
#endif
}

/* By its number in IANA's list. */
static inline int mbed_session_suite(const mbedtls_ssl_session *session)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return mbedtls_ssl_session_get_ciphersuite_id(session);
#else
	return session->ciphersuite;
#endif
}

/* Do both suites sign with the same kind of key? */
static inline bool mbed_suites_are_alike(int a, int b)
{
	const mbedtls_ssl_ciphersuite_t *first = mbedtls_ssl_ciphersuite_from_id(a);
	const mbedtls_ssl_ciphersuite_t *second = mbedtls_ssl_ciphersuite_from_id(b);
	return first && second &&
	       first->MBEDTLS_PRIVATE(key_exchange) == second->MBEDTLS_PRIVATE(key_exchange);
}

/* The ClientHello of a server's handshake, while mbedTLS reads its extensions; it has checked the
 * other fields. */
static inline const unsigned char *mbed_client_hello(const mbedtls_ssl_context *handshake)
{
	return handshake->MBEDTLS_PRIVATE(in_msg);
}

/* How long ago the ticket with this session was written, in milliseconds. */
static inline void mbed_session_set_age(mbedtls_ssl_session *session, int64_t age)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000 && defined(MBEDTLS_HAVE_TIME)
	session->MBEDTLS_PRIVATE(ticket_creation_time) = mbedtls_ms_time() - age;
#else
	(void)session;
	(void)age;
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

/* For a client: mbedtls_ssl_read reports session tickets. */
static inline void mbed_signal_session_tickets(mbedtls_ssl_config *config)
{
#if defined(MBEDTLS_SSL_PROTO_TLS1_3) && MBEDTLS_VERSION_NUMBER >= 0x03060100
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
		config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#else
	(void)config;
#endif
}

/* What the context was set up with. */
static inline const mbedtls_ssl_config *mbed_config(const mbedtls_ssl_context *ssl)
{
	return ssl->MBEDTLS_PRIVATE(conf);
}

/* Where the handshake stands. */
static inline int mbed_handshake_state(const mbedtls_ssl_context *ssl)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return ssl->MBEDTLS_PRIVATE(state);
#else
	return ssl->state;
#endif
}

/* ---- digests: 2.28 has these names for functions that cannot fail ---- */

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define MBED_CHECKED(name) name
#else
#define MBED_CHECKED(name) name##_ret
#endif

static inline int mbed_sha1_starts(mbedtls_sha1_context *hash)
{
	return MBED_CHECKED(mbedtls_sha1_starts)(hash);
}

static inline int mbed_sha1_update(
	mbedtls_sha1_context *hash, const unsigned char *bytes, size_t len)
{
	return MBED_CHECKED(mbedtls_sha1_update)(hash, bytes, len);
}

static inline int mbed_sha1_finish(mbedtls_sha1_context *hash, unsigned char *digest)
{
	return MBED_CHECKED(mbedtls_sha1_finish)(hash, digest);
}

static inline int mbed_sha256_starts(mbedtls_sha256_context *hash)
{
	return MBED_CHECKED(mbedtls_sha256_starts)(hash, 0);
}

static inline int mbed_sha256_update(
	mbedtls_sha256_context *hash, const unsigned char *bytes, size_t len)
{
	return MBED_CHECKED(mbedtls_sha256_update)(hash, bytes, len);
}

static inline int mbed_sha256_finish(mbedtls_sha256_context *hash, unsigned char *digest)
{
	return MBED_CHECKED(mbedtls_sha256_finish)(hash, digest);
}

/* ---- session tickets ---- */

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
