#include "tls_random.h"

#include <errno.h>
#include <sys/random.h>

#include <mbedtls/ssl.h>

int tls_random(void *context, unsigned char *bytes, size_t len)
{
	(void)context;
	while (len > 0) {
		ssize_t n = getrandom(bytes, len, 0);
		if (n < 0 && errno != EINTR)
			return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}
