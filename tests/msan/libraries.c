/* Declares the output of libraries initialized.
 *
 * MemorySanitizer knows that a byte is initialized only if the code that wrote it was compiled with
 * MSan. The codecs are, their libraries are not: all output of mbedTLS, cJSON and zlib would look
 * uninitialized. So the linker routes the codecs' calls through this file (--wrap), and each
 * wrapper does two things. It checks that the input of the library is initialized, as the library
 * itself would not be caught reading other bytes. And it declares initialized exactly the bytes
 * that the library says it has written, so a codec that reads beyond a result, or before there is
 * one, is found.
 *
 * libc needs none of this, as MSan's runtime intercepts it. Nor do the others: hiredis makes its
 * replies with calloc and memcpy; llhttp is compiled with the codecs, or else only gives back
 * pointers into its input. */
#include <cjson/cJSON.h>
#include <mbedtls/aes.h>
#include <mbedtls/base64.h>
#include <mbedtls/md.h>
#include <sanitizer/msan_interface.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "sluice/base/mbed.h"

/* The names of functions that are called differently in 2.28 and 3.6. */
#define WRAPPED(name)     WRAPPED_NOW(name)
#define WRAPPED_NOW(name) __wrap_##name
#define REAL(name)        REAL_NOW(name)
#define REAL_NOW(name)    __real_##name

__typeof__(mbedtls_aes_crypt_cbc) __real_mbedtls_aes_crypt_cbc, __wrap_mbedtls_aes_crypt_cbc;
__typeof__(mbedtls_md) __real_mbedtls_md, __wrap_mbedtls_md;
__typeof__(mbedtls_md_hmac) __real_mbedtls_md_hmac, __wrap_mbedtls_md_hmac;
__typeof__(mbedtls_base64_encode) __real_mbedtls_base64_encode, __wrap_mbedtls_base64_encode;
__typeof__(cJSON_ParseWithLengthOpts) __real_cJSON_ParseWithLengthOpts,
	__wrap_cJSON_ParseWithLengthOpts;
__typeof__(deflate) __real_deflate, __wrap_deflate;
__typeof__(inflate) __real_inflate, __wrap_inflate;

int __wrap_mbedtls_aes_crypt_cbc(mbedtls_aes_context *aes, int mode, size_t len,
	unsigned char iv[16], const unsigned char *input, unsigned char *output)
{
	__msan_check_mem_is_initialized(iv, 16);
	__msan_check_mem_is_initialized(input, len);
	int error = __real_mbedtls_aes_crypt_cbc(aes, mode, len, iv, input, output);
	if (!error)
		__msan_unpoison(output, len);
	return error;
}

int __wrap_mbedtls_md(const mbedtls_md_info_t *info, const unsigned char *input, size_t len,
	unsigned char *digest)
{
	__msan_check_mem_is_initialized(input, len);
	int error = __real_mbedtls_md(info, input, len, digest);
	if (!error)
		__msan_unpoison(digest, mbedtls_md_get_size(info));
	return error;
}

int __wrap_mbedtls_md_hmac(const mbedtls_md_info_t *info, const unsigned char *key, size_t key_len,
	const unsigned char *input, size_t len, unsigned char *digest)
{
	__msan_check_mem_is_initialized(key, key_len);
	__msan_check_mem_is_initialized(input, len);
	int error = __real_mbedtls_md_hmac(info, key, key_len, input, len, digest);
	if (!error)
		__msan_unpoison(digest, mbedtls_md_get_size(info));
	return error;
}

#define WRAP_HASH(hash, bytes) \
	int REAL(MBED_CHECKED(hash##_update))(hash##_context *, const unsigned char *, size_t); \
	int WRAPPED(MBED_CHECKED(hash##_update))(hash##_context *, const unsigned char *, size_t); \
	int REAL(MBED_CHECKED(hash##_finish))(hash##_context *, unsigned char *); \
	int WRAPPED(MBED_CHECKED(hash##_finish))(hash##_context *, unsigned char *); \
	int WRAPPED(MBED_CHECKED(hash##_update))( \
		hash##_context * context, const unsigned char *input, size_t len) \
	{ \
		__msan_check_mem_is_initialized(input, len); \
		return REAL(MBED_CHECKED(hash##_update))(context, input, len); \
	} \
	int WRAPPED(MBED_CHECKED(hash##_finish))(hash##_context * context, unsigned char *digest) \
	{ \
		int error = REAL(MBED_CHECKED(hash##_finish))(context, digest); \
		if (!error) \
			__msan_unpoison(digest, bytes); \
		return error; \
	}

WRAP_HASH(mbedtls_sha1, 20)
WRAP_HASH(mbedtls_sha256, 32)

/* mbedTLS ends the text with a NUL that it does not count. */
int __wrap_mbedtls_base64_encode(
	unsigned char *text, size_t size, size_t *ret_len, const unsigned char *bytes, size_t len)
{
	__msan_check_mem_is_initialized(bytes, len);
	int error = __real_mbedtls_base64_encode(text, size, ret_len, bytes, len);
	__msan_unpoison(ret_len, sizeof(*ret_len));
	if (!error)
		__msan_unpoison(text, *ret_len + 1);
	return error;
}

/* The recursion is as deep as the text is nested, which the codecs have limited. */
static void declare_tree(const cJSON *item)
{
	for (; item; item = item->next) {
		__msan_unpoison(item, sizeof(*item));
		if (item->string)
			__msan_unpoison_string(item->string);
		if (item->valuestring)
			__msan_unpoison_string(item->valuestring);
		declare_tree(item->child);
	}
}

cJSON *__wrap_cJSON_ParseWithLengthOpts(
	const char *text, size_t len, const char **ret_end, cJSON_bool whole)
{
	__msan_check_mem_is_initialized(text, len);
	cJSON *tree = __real_cJSON_ParseWithLengthOpts(text, len, ret_end, whole);
	declare_tree(tree);
	return tree;
}

/* Old contents of the output do not count as initialized. Only the consumed input is checked, which
 * is linear however small the steps are. */
static void begin_step(const z_stream *stream)
{
	__msan_poison(stream->next_out, stream->avail_out);
}

static void end_step(const z_stream *stream, const unsigned char *in, const unsigned char *out)
{
	__msan_check_mem_is_initialized(in, (size_t)(stream->next_in - in));
	__msan_unpoison(out, (size_t)(stream->next_out - out));
}

int __wrap_deflate(z_stream *stream, int flush)
{
	const unsigned char *in = stream->next_in, *out = stream->next_out;
	begin_step(stream);
	int status = __real_deflate(stream, flush);
	end_step(stream, in, out);
	return status;
}

int __wrap_inflate(z_stream *stream, int flush)
{
	const unsigned char *in = stream->next_in, *out = stream->next_out;
	begin_step(stream);
	int status = __real_inflate(stream, flush);
	end_step(stream, in, out);
	return status;
}
