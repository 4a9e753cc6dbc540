#include "sluice/dev/dev_login.h"

#include <stdlib.h>

#include "sluice/proto/text/hex.h"

enum { SESSION_TTL_S = 86400, USER_MAX = 32, SID_BYTES = 24 };

static bool is_name_character(unsigned char c)
{
	return strchr("-_.~", c)
		       ? c != '\0'
		       : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Like encodeURIComponent, but escapes a few characters more. 0 or -ENOMEM. */
static int percent_encode(struct slice text, struct buffer *out)
{
	int error = 0;
	for (size_t i = 0; i < text.len && !error; i++) {
		unsigned char c = (unsigned char)text.at[i];
		error = is_name_character(c) ? buffer_append(out, &c, 1)
					     : buffer_printf(out, "%%%02X", c);
	}
	return error;
}

bool dev_login_is_user(struct slice user)
{
	for (size_t i = 0; i < user.len; i++)
		if (!is_name_character((unsigned char)user.at[i]))
			return false;
	return user.len >= 1 && user.len <= USER_MAX;
}

/* The Set-Cookie line of a new session. 0 or a negative errno. */
static int print_cookie(const struct settings *settings, struct slice sid, struct buffer *out)
{
	char value[SESSION_COOKIE_MAX];
	ssize_t len = session_cookie_sign(settings->session.signature, settings->session.secrets[0],
		sid, value, sizeof(value));
	if (len < 0)
		return (int)len;
	int error = buffer_printf(out, "Set-Cookie: %.*s=", SLICE_ARGS(settings->session.cookie));
	if (!error)
		error = percent_encode(slice_make(value, (size_t)len), out);
	return error ? error
		     : buffer_append_slice(out, SLICE("; Path=/; HttpOnly; SameSite=Lax\r\n"));
}

/* Writes the session and answers with `cookie`. */
static void set_session(struct dev_call *call, struct slice user, struct slice cookie)
{
	char key[SESSION_KEY_MAX], json[256], ttl[16];
	ssize_t key_len = dev_call_session_key(call, key, sizeof(key));
	if (key_len < 0) {
		dev_call_refuse(call, 500, "the session's key is too long\n");
		return;
	}
	int len = snprintf(json, sizeof(json),
		"{\"cookie\":{\"originalMaxAge\":null,\"expires\":null,\"httpOnly\":true,"
		"\"path\":\"/\",\"sameSite\":\"lax\"},\"authenticated\":true,\"userId\":\"%.*s\"}",
		SLICE_ARGS(user));
	snprintf(ttl, sizeof(ttl), "%d", SESSION_TTL_S);
	const struct slice words[] = { SLICE("SET"), slice_make(key, (size_t)key_len),
		slice_make(json, (size_t)len), SLICE("EX"), slice_of(ttl) };
	dev_call_command(call, words, COUNT_OF(words), cookie);
}

static void log_in_as(struct dev_call *call, struct slice user)
{
	uint8_t random[SID_BYTES];
	char sid[2 * SID_BYTES];
	struct buffer cookie = { 0 };
	arc4random_buf(random, sizeof(random));
	hex_print(random, sizeof(random), sid);
	call->sid = slice_make(sid, sizeof(sid));
	if (!dev_login_is_user(user))
		dev_call_refuse(call, 400, "a name of up to 32 letters, digits, - _ . ~\n");
	else if (print_cookie(conn_settings(call->conn), call->sid, &cookie) != 0)
		dev_call_refuse(call, 500, "the cookie cannot be signed\n");
	else
		set_session(call, user, buffer_slice(&cookie));
	buffer_finish(&cookie);
}

void dev_log_in(struct dev_call *call)
{
	const struct session_value_settings paths = { .user = SLICE("user") };
	struct identity identity;
	if (conn_settings(call->conn)->session.n_secrets == 0) {
		dev_call_refuse(call, 500, "there is no secret to sign a cookie with\n");
		return;
	}
	if (identity_parse(&identity, &paths, call->body) != 0) {
		dev_call_refuse(call, 400, "the body must be {\"user\":\"…\"}\n");
		return;
	}
	log_in_as(call, identity.user);
	identity_finish(&identity);
}

void dev_log_out(struct dev_call *call)
{
	char key[SESSION_KEY_MAX], headers[512];
	ssize_t key_len = dev_call_session_key(call, key, sizeof(key));
	snprintf(headers, sizeof(headers),
		"Set-Cookie: %.*s=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0\r\n",
		SLICE_ARGS(conn_settings(call->conn)->session.cookie));
	const struct slice words[] = { SLICE("DEL"), slice_make(key, (size_t)key_len) };
	if (key_len < 0)
		dev_call_refuse(call, 500, "the session's key is too long\n");
	else
		dev_call_command(call, words, COUNT_OF(words), slice_of(headers));
}
