/* Random bytes from the kernel, in the form that mbedTLS asks for. */
#ifndef SLUICE_NET_TLS_TLS_RANDOM_H
#define SLUICE_NET_TLS_TLS_RANDOM_H

#include <stddef.h>

/* Fills `bytes`; `context` is not used. Has no state, so threads share it. 0 or an mbedTLS error. */
int tls_random(void *context, unsigned char *bytes, size_t len);

#endif
