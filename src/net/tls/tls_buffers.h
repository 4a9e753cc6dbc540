/* The record buffers of established sessions, which those of one thread share. */
#ifndef SLUICE_NET_TLS_TLS_BUFFERS_H
#define SLUICE_NET_TLS_TLS_BUFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mbedtls/ssl.h>

#include "sluice/base/defs.h"
#include "sluice/base/mbed.h"

/* One direction of a session that has no buffer. */
struct tls_buffer {
	uint16_t size; /* of the buffer that it had; 0: it has its buffer */
	uint16_t positions[MBED_BUFFER_POINTERS]; /* of mbedTLS' pointers into it */
};

/* What a session keeps of its buffers when it has none. All zero: it has both. */
struct tls_buffers {
	struct tls_buffer in, out;
	uint8_t counter[8]; /* of records received, which mbedTLS keeps in the buffer */
};

/* Before mbedTLS reads or writes: gives the session the buffers that it lacks. 0, or
 * MBEDTLS_ERR_SSL_ALLOC_FAILED. */
MUST_CHECK int tls_buffers_lend(mbedtls_ssl_context *ssl, struct tls_buffers *kept);

/* Afterwards: takes the buffers back, as far as nothing is in them that the session still needs. */
void tls_buffers_return(mbedtls_ssl_context *ssl, struct tls_buffers *kept);

#endif
