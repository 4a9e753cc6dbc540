/* mbedTLS gives each session two buffers for a whole record, 16.3 KiB each, and keeps them until it
 * ends. It uses them for microseconds at a time. So when a session is established, and no part of a
 * record is in them, we take them out of mbedTLS' context, and put them back for the next call. One
 * pair serves all sessions of a thread, and stays in the CPU's cache. A session keeps its buffer only
 * while half a record is in it: one that has not arrived yet, or that the socket has not taken.
 *
 * mbedTLS has no function for this. It can give buffers of the size that is needed
 * (MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH), but Debian builds it without; it can save a whole context
 * (mbedtls_ssl_context_save), but only for DTLS. So this is the one place that writes to the members
 * of mbedtls_ssl_context:
 *  - in_buf and out_buf are NULL in the meantime. mbedtls_ssl_free knows that, for it has to free a
 *    context whose set-up has failed.
 *  - All other pointers to buffers keep their distance from the beginning.
 *  - Of the content, only the counter of received records must survive.
 * The versions for which this has been read and tried are listed below; with another one, or with
 * another allocator, sessions simply keep their buffers.
 *
 * No client's text is left in a buffer for the next client: mbedTLS erases what mbedtls_ssl_read has
 * handed out, and what is sent is encrypted in place. */
#include "tls_buffers.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/platform.h>

#if MBED_BUFFERS_ARE_KNOWN

/* A buffer of each direction that no session has. */
struct spare {
	unsigned char *in, *out;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void destroy_spare(void *context)
{
	struct spare *spare = context;
	mbedtls_free(spare->in);
	mbedtls_free(spare->out);
	free(spare);
}

static void create_key(void)
{
	has_key = pthread_key_create(&key, destroy_spare) == 0;
}

/* This thread's; NULL: out of memory. */
static struct spare *find_spare(void)
{
	pthread_once(&once, create_key);
	if (!has_key)
		return NULL;
	struct spare *spare = pthread_getspecific(key);
	if (spare)
		return spare;
	spare = calloc(1, sizeof(*spare));
	if (spare && pthread_setspecific(key, spare) == 0)
		return spare;
	free(spare);
	return NULL;
}

/* ---- one direction ---- */

static int lend(struct mbed_buffer *buffer, struct tls_buffer *kept, unsigned char **spare)
{
	unsigned char *bytes = *spare;
	if (bytes)
		*spare = NULL;
	else
		bytes = mbedtls_calloc(1, kept->size);
	if (!bytes)
		return MBEDTLS_ERR_SSL_ALLOC_FAILED;
	*buffer->start = bytes;
	for (size_t i = 0; i < buffer->n; i++)
		*buffer->pointers[i] = bytes + kept->positions[i];
	kept->size = 0;
	return 0;
}

static void take_back(struct mbed_buffer *buffer, struct tls_buffer *kept, unsigned char **spare)
{
	unsigned char *bytes = *buffer->start;
	kept->size = (uint16_t)malloc_usable_size(bytes);
	for (size_t i = 0; i < buffer->n; i++) {
		kept->positions[i] = (uint16_t)(*buffer->pointers[i] - bytes);
		*buffer->pointers[i] = NULL;
	}
	*buffer->start = NULL;
	if (*spare)
		mbedtls_free(bytes);
	else
		*spare = bytes;
}

/* ---- both ---- */

int tls_buffers_lend(mbedtls_ssl_context *ssl, struct tls_buffers *kept)
{
	if (!kept->in.size && !kept->out.size)
		return 0;
	struct spare *spare = find_spare();
	struct mbed_buffer in = mbed_in_buffer(ssl), out = mbed_out_buffer(ssl);
	int result = spare ? 0 : MBEDTLS_ERR_SSL_ALLOC_FAILED;
	if (result == 0 && kept->in.size) {
		result = lend(&in, &kept->in, &spare->in);
		if (result == 0)
			memcpy(*in.counter, kept->counter, sizeof(kept->counter));
	}
	if (result == 0 && kept->out.size)
		result = lend(&out, &kept->out, &spare->out);
	return result;
}

void tls_buffers_return(mbedtls_ssl_context *ssl, struct tls_buffers *kept)
{
	if (!mbed_is_established(ssl))
		return;
	struct spare *spare = find_spare();
	struct mbed_buffer in = mbed_in_buffer(ssl), out = mbed_out_buffer(ssl);
	if (!spare)
		return;
	if (*in.start && in.is_empty) {
		memcpy(kept->counter, *in.counter, sizeof(kept->counter));
		take_back(&in, &kept->in, &spare->in);
	}
	if (*out.start && out.is_empty)
		take_back(&out, &kept->out, &spare->out);
}

#else

int tls_buffers_lend(mbedtls_ssl_context *ssl, struct tls_buffers *kept)
{
	(void)ssl;
	(void)kept;
	return 0;
}

void tls_buffers_return(mbedtls_ssl_context *ssl, struct tls_buffers *kept)
{
	(void)ssl;
	(void)kept;
}

#endif
