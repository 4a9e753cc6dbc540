/* Requests of the demo page.
 *
 *	GET  /             the page; its scripts and styles are served by their names
 *	GET  /info         {"redis_port":N,"version":"…"}
 *	GET  /session      {"user":"…"}; null: not logged in
 *	POST /login        {"user":"…"}: SET sess:… as express-session would, and its signed cookie
 *	POST /logout       DEL, and the cookie is cleared
 *	POST /publish?channel=…   PUBLISH of the body, whatever it is; only with a session
 *
 * What needs Redis is a `call`: it waits for the session or for a reply and answers then, unless the
 * browser has gone meanwhile, in which case it only ends itself. */
#include "sluice/dev/dev_site.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/auth/credentials.h"
#include "sluice/base/embedded.h"
#include "sluice/proto/http/cookie.h"
#include "sluice/proto/http/http_answer.h"
#include "sluice/proto/http/origin.h"
#include "sluice/proto/text/percent.h"

enum { SESSION_TTL_S = 86400, USER_MAX = 32, SID_BYTES = 24 };

#define SECURITY_HEADERS \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; " \
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'\r\n" \
	"X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCache-Control: " \
	"no-store\r\n"

struct call {
	struct conn *conn; /* NULL: the browser has gone */
	struct session_waiter waiter;
	/* What is done once the session is known (NULL: there is none); it answers or begins a command. */
	void (*with_session)(struct call *call, const struct identity *identity);
	struct slice sid, channel, body;
	char cookie[SESSION_COOKIE_MAX], name[CHANNEL_NAME_MAX * 3];
	struct buffer answer; /* once the command has succeeded */
};

/* ---- answers ---- */

static void print(
	struct buffer *out, int status, const char *headers, const char *type, struct slice body)
{
	if (buffer_printf(out,
		    "HTTP/1.1 %d %s\r\n" SECURITY_HEADERS "%sContent-Type: %s\r\n"
		    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		    status, http_status_text(status), headers, type, body.len) != 0 ||
		buffer_append_slice(out, body) != 0)
		buffer_finish(out);
}

static void answer(
	struct conn *conn, int status, const char *headers, const char *type, struct slice body)
{
	struct buffer out = { 0 };
	print(&out, status, headers, type, body);
	conn_answer(conn, buffer_slice(&out));
	buffer_finish(&out);
}

static void refuse(struct conn *conn, int status, const char *why)
{
	answer(conn, status, "", "text/plain; charset=utf-8", slice_of(why));
}

static void end_call(struct call *call)
{
	buffer_finish(&call->answer);
	free(call);
}

static void refuse_call(struct call *call, int status, const char *why)
{
	if (call->conn)
		refuse(call->conn, status, why);
	end_call(call);
}

/* ---- commands ---- */

static void on_reply(void *context, const struct redisReply *reply)
{
	struct call *call = context;
	bool failed = !reply || reply->type == REDIS_REPLY_ERROR;
	if (failed) {
		refuse_call(call, 503, "Redis did not take it\n");
		return;
	}
	if (call->conn)
		conn_answer(call->conn, buffer_slice(&call->answer));
	end_call(call);
}

static void command(struct call *call, const struct slice *words, size_t n)
{
	struct conns *conns = conn_conns(call->conn);
	if (redis_link_command(conns->sessions->setup.link, words, n, on_reply, call) != 0)
		refuse_call(call, 503, "Redis cannot be reached\n");
}

static ssize_t session_key(const struct call *call, char *key, size_t size)
{
	return session_key_format(
		conn_conns(call->conn)->settings->session.key, call->sid, key, size);
}

/* ---- log-in and log-out ---- */

static bool is_name_character(unsigned char c)
{
	return strchr("-_.~", c)
		       ? c != '\0'
		       : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* As encodeURIComponent writes it, near enough. 0 or -ENOMEM. */
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
		     : buffer_append_slice(out, SLICE("; Path=/; HttpOnly; SameSite=Lax\r\n\0"));
}

static void make_sid(char sid[2 * SID_BYTES + 1])
{
	unsigned char random[SID_BYTES];
	arc4random_buf(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(sid + 2 * i, 3, "%02x", random[i]);
}

/* A name that needs no escaping, in JSON or anywhere. */
static bool is_user(struct slice user)
{
	for (size_t i = 0; i < user.len; i++)
		if (!is_name_character((unsigned char)user.at[i]))
			return false;
	return user.len >= 1 && user.len <= USER_MAX;
}

static void set_session(struct call *call, struct slice user)
{
	char key[SESSION_KEY_MAX], json[256], ttl[16];
	ssize_t key_len = session_key(call, key, sizeof(key));
	if (key_len < 0) {
		refuse_call(call, 500, "the session's key is too long\n");
		return;
	}
	int len = snprintf(json, sizeof(json),
		"{\"cookie\":{\"originalMaxAge\":null,\"expires\":null,\"httpOnly\":true,"
		"\"path\":\"/\",\"sameSite\":\"lax\"},\"authenticated\":true,\"userId\":\"%.*s\"}",
		SLICE_ARGS(user));
	snprintf(ttl, sizeof(ttl), "%d", SESSION_TTL_S);
	const struct slice words[] = { SLICE("SET"), slice_make(key, (size_t)key_len),
		slice_make(json, (size_t)len), SLICE("EX"), slice_of(ttl) };
	command(call, words, COUNT_OF(words));
}

static void log_in(struct call *call)
{
	const struct session_value_settings paths = { .user = SLICE("user") };
	const struct settings *settings = conn_conns(call->conn)->settings;
	struct identity identity;
	char sid[2 * SID_BYTES + 1];
	struct buffer cookie = { 0 };
	if (settings->session.n_secrets == 0) {
		refuse_call(call, 500, "there is no secret to sign a cookie with\n");
		return;
	}
	if (identity_parse(&identity, &paths, call->body) != 0) {
		refuse_call(call, 400, "the body must be {\"user\":\"…\"}\n");
		return;
	}
	make_sid(sid);
	call->sid = slice_of(sid);
	if (!is_user(identity.user)) {
		refuse_call(call, 400, "a name of up to 32 letters, digits, - _ . ~\n");
	} else if (print_cookie(settings, call->sid, &cookie) != 0) {
		refuse_call(call, 500, "the cookie cannot be signed\n");
	} else {
		print(&call->answer, 204, cookie.bytes, "text/plain", (struct slice){ 0 });
		set_session(call, identity.user);
	}
	buffer_finish(&cookie);
	identity_finish(&identity);
}

static void log_out(struct call *call)
{
	char key[SESSION_KEY_MAX], headers[512];
	ssize_t key_len = session_key(call, key, sizeof(key));
	snprintf(headers, sizeof(headers),
		"Set-Cookie: %.*s=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0\r\n",
		SLICE_ARGS(conn_conns(call->conn)->settings->session.cookie));
	print(&call->answer, 204, headers, "text/plain", (struct slice){ 0 });
	const struct slice words[] = { SLICE("DEL"), slice_make(key, (size_t)key_len) };
	if (key_len < 0)
		refuse_call(call, 500, "the session's key is too long\n");
	else
		command(call, words, COUNT_OF(words));
}

/* ---- what asks for the session ---- */

static void publish(struct call *call, const struct identity *identity)
{
	if (!identity) {
		refuse_call(call, 401, "not logged in\n");
		return;
	}
	print(&call->answer, 204, "", "text/plain", (struct slice){ 0 });
	const struct slice words[] = { SLICE("PUBLISH"), call->channel, call->body };
	command(call, words, COUNT_OF(words));
}

static void show_session(struct call *call, const struct identity *identity)
{
	char body[128] = "{\"user\":null}";
	if (identity && is_user(identity->user))
		snprintf(body, sizeof(body), "{\"user\":\"%.*s\"}", SLICE_ARGS(identity->user));
	answer(call->conn, 200, "", "application/json", slice_of(body));
	end_call(call);
}

static void on_session(struct session_waiter *waiter, enum session_result result,
	struct session *session, const struct identity *identity)
{
	(void)session;
	struct call *call = container_of(waiter, struct call, waiter);
	if (result == SESSION_UNAVAILABLE || !call->conn)
		refuse_call(call, 503, "Redis cannot be reached\n");
	else
		call->with_session(call, identity);
}

static void find_session(
	struct call *call, void (*with_session)(struct call *call, const struct identity *identity))
{
	call->with_session = with_session;
	if (!call->sid.at)
		with_session(call, NULL);
	else if (sessions_look_up(conn_conns(call->conn)->sessions, call->sid, &call->waiter) != 0)
		refuse_call(call, 503, "Redis cannot be reached\n");
}

/* ---- requests ---- */

/* The channel of "channel=…", the only thing in the query. */
static void find_channel(struct call *call, struct slice query)
{
	struct slice value = query;
	struct slice name = slice_cut(&value, '=');
	if (!slice_equal(name, SLICE("channel")) || value.len > sizeof(call->name))
		return;
	ssize_t len = percent_decode(value, call->name, sizeof(call->name));
	call->channel = slice_make(call->name, len < 0 ? 0 : (size_t)len);
}

static struct call *begin_call(struct conn *conn, const struct http_request *request)
{
	struct call *call = calloc(1, sizeof(*call));
	if (!call)
		return NULL;
	call->conn = conn;
	call->waiter.on_result = on_session;
	call->body = slice_make(http_request_rest(request).at,
		MIN(http_request_rest(request).len, request->content_length));
	const char *problem;
	if (credentials_session_id(
		    conn_conns(conn)->settings, request, call->cookie, &call->sid, &problem) != 0)
		call->sid = (struct slice){ 0 };
	find_channel(call, request->query);
	return call;
}

/* Another site's page must not be able to log a developer in or out, or to publish. */
static bool is_own_page(const struct http_request *request)
{
	static const struct slice allowed[] = { SLICE("same-host"), SLICE("none") };
	struct slice origin = { 0 }, host = { 0 };
	http_request_header(request, SLICE("Origin"), &origin);
	http_request_header(request, SLICE("Host"), &host);
	return origin_is_allowed(allowed, COUNT_OF(allowed), origin, host);
}

static void post(struct conn *conn, const struct http_request *request, void **ret_call)
{
	if (!is_own_page(request)) {
		refuse(conn, 403, "only for the page itself\n");
		return;
	}
	struct call *call = begin_call(conn, request);
	*ret_call = call;
	if (!call)
		refuse(conn, 500, "out of memory\n");
	else if (slice_equal(request->path, SLICE("/login")))
		log_in(call);
	else if (slice_equal(request->path, SLICE("/logout")))
		log_out(call);
	else if (slice_equal(request->path, SLICE("/publish")) &&
		 channel_name_is_valid(call->channel))
		find_session(call, publish);
	else
		refuse_call(call, 404, "POST goes to /login, /logout and /publish?channel=NAME\n");
}

static void show_info(struct conn *conn, const uint16_t *redis_port)
{
	char body[128];
	int len = snprintf(body, sizeof(body), "{\"redis_port\":%u,\"version\":\"%s\"}",
		*redis_port, SLUICE_VERSION);
	answer(conn, 200, "", "application/json", slice_make(body, (size_t)len));
}

static void show_file(struct conn *conn, struct slice path)
{
	for (const struct embedded_file *file = embedded_page; file->path; file++) {
		if (slice_equal(path, slice_of(file->path))) {
			answer(conn, 200, "", file->type, slice_make(file->bytes, file->len));
			return;
		}
	}
	refuse(conn, 404, "nothing is here; the demo page is at /\n");
}

static void get(
	void *context, struct conn *conn, const struct http_request *request, void **ret_call)
{
	if (slice_equal(request->path, SLICE("/info"))) {
		show_info(conn, context);
	} else if (slice_equal(request->path, SLICE("/session"))) {
		struct call *call = begin_call(conn, request);
		*ret_call = call;
		if (call)
			find_session(call, show_session);
		else
			refuse(conn, 500, "out of memory\n");
	} else {
		show_file(conn, request->path);
	}
}

static void on_request(
	void *context, struct conn *conn, const struct http_request *request, void **call)
{
	if (slice_equal(request->method, SLICE("GET")))
		get(context, conn, request, call);
	else if (slice_equal(request->method, SLICE("POST")))
		post(conn, request, call);
	else
		refuse(conn, 405, "GET and POST are known here\n");
}

/* A call that waits for the session ends with its answer; so does one that waits for a reply. The
 * request's memory goes now, but neither looks at it again without a connection. */
static void on_gone(void *context, void *call)
{
	(void)context;
	if (call)
		((struct call *)call)->conn = NULL;
}

struct site dev_site(const uint16_t *redis_port)
{
	return (struct site){
		.context = (void *)(uintptr_t)redis_port,
		.on_request = on_request,
		.on_gone = on_gone,
	};
}
