/* For tls_session.c, which makes sessions from settings. */
#ifndef SLUICE_NET_TLS_TLS_SETTINGS_INTERNAL_H
#define SLUICE_NET_TLS_TLS_SETTINGS_INTERNAL_H

#include <mbedtls/ssl.h>

#include "sluice/net/tls/tls_tickets.h"

struct tls_settings {
	mbedtls_ssl_config config;
	mbedtls_x509_crt
		certificates;        /* a server's chain, or the authorities that a client trusts */
	mbedtls_pk_context key;      /* a server's */
	struct tls_tickets *tickets; /* a server's */
};

#endif
