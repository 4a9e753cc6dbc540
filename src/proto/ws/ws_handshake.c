/* The opening handshake, server side: each sentence of RFC 6455 §4.2.1 about what a client must
 * send is one check here. The checks run from the destination of the request to details, so that
 * the one line of text in a refusal names the mistake that matters most.
 *
 * Stricter than the RFC where two servers could differ: a header that must be single is single, and
 * a Host contains only the characters of a host and port. More lenient where browsers need it:
 * Upgrade and Connection are lists, and their case does not matter (Firefox has sent "keep-alive,
 * Upgrade"). The version is checked before the key, because another version may have another key.
 *
 * Nothing is copied: every result is a slice of the request. The work is linear in the size of the
 * head. */
#include "sluice/proto/ws/ws_handshake.h"

#include <ctype.h>

#include "sluice/proto/text/base64.h"
#include "sluice/proto/text/digest.h"
#include "sluice/proto/ws/ws_subprotocol.h"

static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

enum { KEY_LEN = 24, ACCEPT_SIZE = 29 };

/* Is `wanted` an element of the lists in the headers of this name (RFC 9110 §5.6.1)? */
static bool lists(const struct http_request *request, struct slice name, struct slice wanted)
{
	for (size_t i = 0; i < request->n_headers; i++) {
		struct slice rest = request->headers[i].value;
		if (!slice_equal_nocase(request->headers[i].name, name))
			continue;
		while (rest.at) {
			if (slice_equal_nocase(slice_trim(slice_cut(&rest, ',')), wanted))
				return true;
		}
	}
	return false;
}

static bool is_host(struct slice host)
{
	for (size_t i = 0; i < host.len; i++) {
		if (!isalnum((unsigned char)host.at[i]) &&
			!strchr("-._~%!$&'()*+;=:[]", host.at[i]))
			return false;
	}
	return host.len > 0;
}

/* Base64 of 16 bytes, 22 characters and "=="; the bytes themselves do not matter. */
static bool is_key(struct slice key)
{
	if (key.len != KEY_LEN || key.at[KEY_LEN - 1] != '=' || key.at[KEY_LEN - 2] != '=')
		return false;
	for (size_t i = 0; i < KEY_LEN - 2; i++) {
		if (!isalnum((unsigned char)key.at[i]) && key.at[i] != '+' && key.at[i] != '/')
			return false;
	}
	return true;
}

static const char *check_upgrade(const struct http_request *request)
{
	if (!http_request_header(request, SLICE("Upgrade"), NULL) &&
		!http_request_header(request, SLICE("Sec-WebSocket-Key"), NULL))
		return "this is a WebSocket endpoint; open it with a WebSocket client";
	if (!lists(request, SLICE("Upgrade"), SLICE("websocket")))
		return "Upgrade does not name websocket";
	if (!lists(request, SLICE("Connection"), SLICE("upgrade")))
		return "Connection does not name Upgrade";
	if (http_request_header(request, SLICE("Content-Length"), NULL))
		return "an opening handshake has no body";
	return NULL;
}

static const char *check_host(const struct http_request *request, struct ws_handshake *handshake)
{
	size_t n = http_request_header(request, SLICE("Host"), &handshake->host);
	if (n == 0)
		return "Host is missing";
	if (n > 1)
		return "Host is there more than once";
	return is_host(handshake->host) ? NULL : "Host is not valid";
}

static int check_version(const struct http_request *request, const char **ret_problem)
{
	struct slice version;
	size_t n = http_request_header(request, SLICE("Sec-WebSocket-Version"), &version);
	if (n != 1) {
		*ret_problem = n ? "Sec-WebSocket-Version is there more than once"
				 : "Sec-WebSocket-Version is missing";
		return 400;
	}
	if (slice_equal(version, SLICE("13")))
		return 0;
	*ret_problem = "Sec-WebSocket-Version must be 13";
	return 426;
}

static const char *check_key(const struct http_request *request, struct ws_handshake *handshake)
{
	size_t n = http_request_header(request, SLICE("Sec-WebSocket-Key"), &handshake->key);
	if (n == 0)
		return "Sec-WebSocket-Key is missing";
	if (n > 1)
		return "Sec-WebSocket-Key is there more than once";
	return is_key(handshake->key) ? NULL : "Sec-WebSocket-Key is not 16 bytes in base64";
}

static const char *check_origin(const struct http_request *request, struct ws_handshake *handshake)
{
	size_t n = http_request_header(request, SLICE("Origin"), &handshake->origin);
	return n > 1 ? "Origin is there more than once" : NULL;
}

static const char *check_extensions(
	const struct http_request *request, bool compression, struct ws_handshake *handshake)
{
	if (ws_extension_choose(request, &handshake->extension))
		return "Sec-WebSocket-Extensions is not a list of extensions";
	if (!compression)
		handshake->extension = (struct ws_extension){ 0 };
	return NULL;
}

int ws_handshake_check(const struct http_request *request, bool compression,
	bool (*is_spoken)(struct slice subprotocol), struct ws_handshake *ret_handshake,
	const char **ret_problem)
{
	*ret_handshake = (struct ws_handshake){ 0 };
	*ret_problem = NULL;
	if (!slice_equal(request->method, SLICE("GET"))) {
		*ret_problem = "only GET is answered here";
		return 405;
	}
	*ret_problem = check_upgrade(request);
	if (!*ret_problem)
		*ret_problem = check_host(request, ret_handshake);
	if (*ret_problem)
		return 400;
	int status = check_version(request, ret_problem);
	if (status)
		return status;
	*ret_problem = check_key(request, ret_handshake);
	if (!*ret_problem)
		*ret_problem = check_origin(request, ret_handshake);
	if (!*ret_problem)
		*ret_problem = ws_subprotocol_choose(
			request, is_spoken, &ret_handshake->subprotocol, &ret_handshake->ticket);
	if (!*ret_problem)
		*ret_problem = check_extensions(request, compression, ret_handshake);
	return *ret_problem ? 400 : 0;
}

int ws_handshake_check_page(const struct http_request *request, struct ws_handshake *ret_handshake,
	const char **ret_problem)
{
	*ret_handshake = (struct ws_handshake){ 0 };
	*ret_problem = check_host(request, ret_handshake);
	if (!*ret_problem)
		*ret_problem = check_origin(request, ret_handshake);
	return *ret_problem ? 400 : 0;
}

/* Not by printf, which would take a twentieth of the time of a log-in. */
static const char accepted[] = "HTTP/1.1 101 Switching Protocols\r\n"
			       "Upgrade: websocket\r\n"
			       "Connection: Upgrade\r\n"
			       "Sec-WebSocket-Accept: ";

int ws_handshake_accept(const struct ws_handshake *handshake, struct buffer *answer)
{
	char accept[ACCEPT_SIZE];
	ws_handshake_accept_key(handshake->key, accept);
	size_t before = answer->len;
	int error = buffer_reserve(answer, sizeof(accepted) + ACCEPT_SIZE + 64);
	if (!error)
		error = buffer_append(answer, accepted, sizeof(accepted) - 1);
	if (!error)
		error = buffer_append(answer, accept, ACCEPT_SIZE - 1);
	if (!error)
		error = buffer_append_slice(answer, SLICE("\r\n"));
	if (!error && handshake->subprotocol.at)
		error = buffer_printf(answer, "Sec-WebSocket-Protocol: %.*s\r\n",
			SLICE_ARGS(handshake->subprotocol));
	if (!error)
		error = ws_extension_answer(&handshake->extension, answer);
	if (!error)
		error = buffer_append_slice(answer, SLICE("\r\n"));
	if (error)
		answer->len = before;
	return error;
}

void ws_handshake_accept_key(struct slice key, char accept[29])
{
	char text[KEY_LEN + sizeof(GUID) - 1];
	struct digest digest;
	MUST(key.len == KEY_LEN);
	memcpy(text, key.at, KEY_LEN);
	memcpy(text + KEY_LEN, GUID, sizeof(GUID) - 1);
	/* Only HMAC allocates. */
	MUST(digest_make(DIGEST_SHA1, slice_make(text, sizeof(text)), &digest) == 0);
	struct slice bytes = slice_make((const char *)digest.bytes, digest.len);
	accept[base64_encode(BASE64, bytes, accept)] = '\0';
}
