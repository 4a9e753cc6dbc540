/* Requests of the demo page.
 *
 *	GET  /             the page; its scripts and styles are served by their names
 *	GET  /info         {"redis_port":N,"version":"…"}
 *	GET  /session      {"user":"…"}; null: not logged in
 *	POST /login        {"user":"…"}: SET sess:… as express-session would, and its signed cookie
 *	POST /logout       DEL, and the cookie is cleared
 *	POST /publish?channel=…   PUBLISHes the body, whatever it is; only with a session
 */
#include "sluice/dev/dev_site.h"

#include "sluice/base/embedded.h"
#include "sluice/dev/dev_call.h"
#include "sluice/dev/dev_login.h"
#include "sluice/proto/http/origin.h"

/* ---- requests that need a session ---- */

static void publish(struct dev_call *call, const struct identity *identity)
{
	const struct slice words[] = { SLICE("PUBLISH"), call->channel, call->body };
	if (identity)
		dev_call_command(call, words, COUNT_OF(words), SLICE(""));
	else
		dev_call_refuse(call, 401, "not logged in\n");
}

static void show_session(struct dev_call *call, const struct identity *identity)
{
	char body[128] = "{\"user\":null}";
	if (identity && dev_login_is_user(identity->user))
		snprintf(body, sizeof(body), "{\"user\":\"%.*s\"}", SLICE_ARGS(identity->user));
	dev_call_answer(call, 200, "application/json", SLICE(""), slice_of(body));
}

/* ---- requests ---- */

/* Another site's page must not be able to log a developer in or out, or to publish. */
static bool is_own_page(const struct http_request *request)
{
	static const struct slice allowed[] = { SLICE("same-host"), SLICE("none") };
	struct slice origin = { 0 }, host = { 0 };
	http_request_header(request, SLICE("Origin"), &origin);
	http_request_header(request, SLICE("Host"), &host);
	const struct origin_target target = { .host = host };
	return origin_is_allowed(allowed, COUNT_OF(allowed), origin, &target);
}

static void post(struct conn *conn, const struct http_request *request, void **ret_call)
{
	if (!is_own_page(request)) {
		dev_refuse(conn, 403, "only for the page itself\n");
		return;
	}
	struct dev_call *call = dev_call_begin(conn, request);
	*ret_call = call;
	if (!call)
		dev_refuse(conn, 500, "out of memory\n");
	else if (slice_equal(request->path, SLICE("/login")))
		dev_log_in(call);
	else if (slice_equal(request->path, SLICE("/logout")))
		dev_log_out(call);
	else if (slice_equal(request->path, SLICE("/publish")) &&
		 channel_name_is_valid(call->channel))
		dev_call_find_session(call, publish);
	else
		dev_call_refuse(
			call, 404, "POST goes to /login, /logout and /publish?channel=NAME\n");
}

static void show_info(struct conn *conn, const uint16_t *redis_port)
{
	char body[128];
	int len = snprintf(body, sizeof(body), "{\"redis_port\":%u,\"version\":\"%s\"}",
		*redis_port, SLUICE_VERSION);
	dev_answer(conn, 200, "application/json", SLICE(""), slice_make(body, (size_t)len));
}

static void show_file(struct conn *conn, struct slice path)
{
	for (const struct embedded_file *file = embedded_page; file->path; file++) {
		if (slice_equal(path, slice_of(file->path))) {
			dev_answer(conn, 200, file->type, SLICE(""),
				slice_make(file->bytes, file->len));
			return;
		}
	}
	dev_refuse(conn, 404, "nothing is here; the demo page is at /\n");
}

static void get(
	void *context, struct conn *conn, const struct http_request *request, void **ret_call)
{
	if (slice_equal(request->path, SLICE("/info"))) {
		show_info(conn, context);
	} else if (slice_equal(request->path, SLICE("/session"))) {
		struct dev_call *call = dev_call_begin(conn, request);
		*ret_call = call;
		if (call)
			dev_call_find_session(call, show_session);
		else
			dev_refuse(conn, 500, "out of memory\n");
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
		dev_refuse(conn, 405, "GET and POST are known here\n");
}

/* The call continues until the session or the reply arrives, and then ends without an answer. The
 * request's memory goes now: without a connection the call does not look at it. */
static void on_gone(void *context, void *call)
{
	(void)context;
	if (call)
		((struct dev_call *)call)->conn = NULL;
}

struct site dev_site(const uint16_t *redis_port)
{
	return (struct site){
		.context = (void *)(uintptr_t)redis_port,
		.on_request = on_request,
		.on_gone = on_gone,
	};
}
