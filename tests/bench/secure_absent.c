/* In place of secure.c where OpenSSL is not installed. */
#include "secure.h"

#include <errno.h>
#include <stddef.h>

int secure_open(struct secure *secure)
{
	(void)secure;
	return -ENOTSUP;
}

void secure_close(struct secure *secure)
{
	(void)secure;
}

struct ssl_st *secure_begin(const struct secure *secure, int fd)
{
	(void)secure, (void)fd;
	return NULL;
}

int secure_step(struct secure *secure, struct ssl_st *ssl)
{
	(void)secure, (void)ssl;
	return -EPROTO;
}

ssize_t secure_receive(struct ssl_st *ssl, void *bytes, size_t len, bool peek)
{
	(void)ssl, (void)bytes, (void)len, (void)peek;
	return -EPROTO;
}

ssize_t secure_send(struct ssl_st *ssl, const void *bytes, size_t len)
{
	(void)ssl, (void)bytes, (void)len;
	return -EPROTO;
}

void secure_end(struct ssl_st *ssl, bool politely)
{
	(void)ssl, (void)politely;
}
