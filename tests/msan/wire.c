/* Checks that every byte of the codecs' output is initialized.
 *
 * MSan reports a branch on an uninitialized byte, not a copy of it, and on the way to a peer bytes
 * are only copied. (ws CVE-2026-45736 sent memory of the process in a close frame.) So all output
 * that the tests and the stored inputs cause is checked here: the linker routes the codecs' calls
 * through these wrappers (--wrap). */
#include <sanitizer/msan_interface.h>
#include <string.h>

#include "sluice/proto/http/http_answer.h"
#include "sluice/proto/record/session_cookie.h"
#include "sluice/proto/record/session_key.h"
#include "sluice/proto/ws/ws_close.h"
#include "sluice/proto/ws/ws_deflate.h"
#include "sluice/proto/ws/ws_frame.h"
#include "sluice/proto/ws/ws_handshake.h"
#include "sluice/proto/ws/ws_inflate.h"
#include "sluice/redis/redis_url.h"
#include "sluice/redis/resp.h"

__typeof__(ws_frame_format) __real_ws_frame_format, __wrap_ws_frame_format;
__typeof__(ws_frame_format_compressed) __real_ws_frame_format_compressed,
	__wrap_ws_frame_format_compressed;
__typeof__(ws_mask) __real_ws_mask, __wrap_ws_mask;
__typeof__(ws_close_format) __real_ws_close_format, __wrap_ws_close_format;
__typeof__(ws_deflate) __real_ws_deflate, __wrap_ws_deflate;
__typeof__(ws_inflate) __real_ws_inflate, __wrap_ws_inflate;
__typeof__(ws_handshake_accept) __real_ws_handshake_accept, __wrap_ws_handshake_accept;
__typeof__(ws_handshake_accept_key) __real_ws_handshake_accept_key, __wrap_ws_handshake_accept_key;
__typeof__(http_answer_print) __real_http_answer_print, __wrap_http_answer_print;
__typeof__(http_refusal) __real_http_refusal, __wrap_http_refusal;
__typeof__(resp_format) __real_resp_format, __wrap_resp_format;
__typeof__(session_cookie_sign) __real_session_cookie_sign, __wrap_session_cookie_sign;
__typeof__(session_key_format) __real_session_key_format, __wrap_session_key_format;
__typeof__(redis_url_mask) __real_redis_url_mask, __wrap_redis_url_mask;

static void check_appended(const struct buffer *buffer, size_t before)
{
	if (buffer->len > before)
		__msan_check_mem_is_initialized(buffer->bytes + before, buffer->len - before);
}

static ssize_t check_text(const char *text, ssize_t len)
{
	if (len > 0)
		__msan_check_mem_is_initialized(text, (size_t)len);
	return len;
}

size_t __wrap_ws_frame_format(
	uint8_t header[WS_SERVER_HEADER_MAX], enum ws_opcode opcode, bool fin, uint64_t payload_len)
{
	size_t len = __real_ws_frame_format(header, opcode, fin, payload_len);
	__msan_check_mem_is_initialized(header, len);
	return len;
}

size_t __wrap_ws_frame_format_compressed(
	uint8_t header[WS_SERVER_HEADER_MAX], enum ws_opcode opcode, bool fin, uint64_t payload_len)
{
	size_t len = __real_ws_frame_format_compressed(header, opcode, fin, payload_len);
	__msan_check_mem_is_initialized(header, len);
	return len;
}

void __wrap_ws_mask(char *bytes, size_t len, const uint8_t masking_key[4], uint64_t offset)
{
	__real_ws_mask(bytes, len, masking_key, offset);
	__msan_check_mem_is_initialized(bytes, len);
}

size_t __wrap_ws_close_format(char payload[125], unsigned code, struct slice reason)
{
	size_t len = __real_ws_close_format(payload, code, reason);
	__msan_check_mem_is_initialized(payload, len);
	return len;
}

int __wrap_ws_deflate(struct ws_deflater *deflater, unsigned window_bits, struct slice payload,
	void *out, size_t *len)
{
	int error = __real_ws_deflate(deflater, window_bits, payload, out, len);
	if (!error)
		__msan_check_mem_is_initialized(out, *len);
	return error;
}

int __wrap_ws_inflate(struct ws_inflater *inflater, struct slice *input, bool last, uint64_t limit,
	struct slice *ret_bytes)
{
	int result = __real_ws_inflate(inflater, input, last, limit, ret_bytes);
	__msan_check_mem_is_initialized(ret_bytes->at, ret_bytes->len);
	return result;
}

int __wrap_ws_handshake_accept(const struct ws_handshake *handshake, struct buffer *answer)
{
	size_t before = answer->len;
	int error = __real_ws_handshake_accept(handshake, answer);
	check_appended(answer, before);
	return error;
}

void __wrap_ws_handshake_accept_key(struct slice key, char accept[29])
{
	__real_ws_handshake_accept_key(key, accept);
	__msan_check_mem_is_initialized(accept, 29);
}

int __wrap_http_answer_print(const struct http_answer *answer, struct buffer *out)
{
	size_t before = out->len;
	int error = __real_http_answer_print(answer, out);
	check_appended(out, before);
	return error;
}

int __wrap_http_refusal(int status, const char *problem, struct buffer *answer)
{
	size_t before = answer->len;
	int error = __real_http_refusal(status, problem, answer);
	check_appended(answer, before);
	return error;
}

int __wrap_resp_format(struct buffer *out, const struct slice *words, size_t n)
{
	size_t before = out->len;
	int error = __real_resp_format(out, words, n);
	check_appended(out, before);
	return error;
}

ssize_t __wrap_session_cookie_sign(enum session_signature form, struct slice secret,
	struct slice sid, char *value, size_t size)
{
	return check_text(value, __real_session_cookie_sign(form, secret, sid, value, size));
}

ssize_t __wrap_session_key_format(struct slice template, struct slice sid, char *key, size_t size)
{
	return check_text(key, __real_session_key_format(template, sid, key, size));
}

const char *__wrap_redis_url_mask(const struct redis_url *url, char *text, size_t size)
{
	const char *masked = __real_redis_url_mask(url, text, size);
	__msan_check_mem_is_initialized(masked, strlen(masked));
	return masked;
}
