/* For tls_session.c, which makes sessions from settings. */
#ifndef SLUICE_NET_TLS_TLS_SETTINGS_INTERNAL_H
#define SLUICE_NET_TLS_TLS_SETTINGS_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include <mbedtls/ssl.h>

#include "sluice/net/tls/tls_settings.h"
#include "sluice/net/tls/tls_tickets.h"

struct tls_settings {
	mbedtls_ssl_config config;
	mbedtls_x509_crt certificates; /* our own chain; none: an empty struct */
	mbedtls_x509_crt authorities;  /* that a client trusts */
	mbedtls_pk_context key;        /* of our own certificate */
	atomic_size_t key_refs;        /* one is the settings' own, until the key is forgotten */
	bool key_forgotten;
	enum tls_verify verify;      /* a client's */
	struct tls_tickets *tickets; /* a server's */
};

#endif
