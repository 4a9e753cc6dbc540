#include "sluice/dev/dev_call.h"

#include <stdlib.h>

#include "sluice/auth/credentials.h"
#include "sluice/process/page.h"
#include "sluice/proto/text/percent.h"
#include "sluice/redis/reply.h"

#define SECURITY_HEADERS \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; " \
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'\r\n" \
	"X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCache-Control: " \
	"no-store\r\n"

/* Without memory `out` stays empty, and the connection ends without an answer. */
static void print(
	struct buffer *out, int status, const char *type, struct slice headers, struct slice body)
{
	struct buffer all = { 0 };
	int error = buffer_append_slice(&all, SLICE(SECURITY_HEADERS));
	if (!error)
		error = buffer_append_slice(&all, headers);
	if (error || page_print(out, status, type, buffer_slice(&all), body) != 0)
		buffer_finish(out);
	buffer_finish(&all);
}

void dev_answer(
	struct conn *conn, int status, const char *type, struct slice headers, struct slice body)
{
	struct buffer out = { 0 };
	print(&out, status, type, headers, body);
	site_answer(conn, buffer_slice(&out));
	buffer_finish(&out);
}

void dev_refuse(struct conn *conn, int status, const char *why)
{
	dev_answer(conn, status, "text/plain; charset=utf-8", SLICE(""), slice_of(why));
}

/* ---- the end of a call ---- */

static void end(struct dev_call *call)
{
	buffer_finish(&call->answer);
	free(call);
}

void dev_call_answer(struct dev_call *call, int status, const char *type, struct slice headers,
	struct slice body)
{
	if (call->conn)
		dev_answer(call->conn, status, type, headers, body);
	end(call);
}

void dev_call_refuse(struct dev_call *call, int status, const char *why)
{
	if (call->conn)
		dev_refuse(call->conn, status, why);
	end(call);
}

/* ---- Redis ---- */

static void on_reply(void *context, const struct redisReply *reply)
{
	struct dev_call *call = context;
	if (!reply || reply->type == REDIS_REPLY_ERROR) {
		dev_call_refuse(call, 503, "Redis did not take it\n");
		return;
	}
	if (call->conn)
		site_answer(call->conn, buffer_slice(&call->answer));
	end(call);
}

void dev_call_command(
	struct dev_call *call, const struct slice *words, size_t n, struct slice headers)
{
	struct redis_link *link = sessions_link(call->conn->shared->sessions);
	print(&call->answer, 204, "text/plain", headers, SLICE(""));
	if (redis_link_command(link, words, n, on_reply, call) != 0)
		dev_call_refuse(call, 503, "Redis cannot be reached\n");
}

static void on_session(struct session_waiter *waiter, enum session_result result,
	struct session *session, const struct identity *identity)
{
	(void)session;
	struct dev_call *call = container_of(waiter, struct dev_call, waiter);
	if (result == SESSION_UNAVAILABLE || !call->conn)
		dev_call_refuse(call, 503, "Redis cannot be reached\n");
	else
		call->with_session(call, identity);
}

void dev_call_find_session(struct dev_call *call,
	void (*with_session)(struct dev_call *call, const struct identity *identity))
{
	call->with_session = with_session;
	if (!call->sid.at)
		with_session(call, NULL);
	else if (sessions_look_up(call->conn->shared->sessions, call->sid, &call->waiter) != 0)
		dev_call_refuse(call, 503, "Redis cannot be reached\n");
}

ssize_t dev_call_session_key(const struct dev_call *call, char *key, size_t size)
{
	return session_key_format(conn_settings(call->conn)->session.key, call->sid, key, size);
}

/* ---- the request ---- */

/* The channel of "channel=…", which is all that the query may hold. */
static void find_channel(struct dev_call *call, struct slice query)
{
	struct slice value = query;
	struct slice name = slice_cut(&value, '=');
	if (!slice_equal(name, SLICE("channel")) || value.len > sizeof(call->name))
		return;
	ssize_t len = percent_decode(value, call->name, sizeof(call->name));
	call->channel = slice_make(call->name, len < 0 ? 0 : (size_t)len);
}

struct dev_call *dev_call_begin(struct conn *conn, const struct http_request *request)
{
	struct dev_call *call = calloc(1, sizeof(*call));
	if (!call)
		return NULL;
	call->conn = conn;
	call->waiter.on_result = on_session;
	call->body = slice_make(http_request_rest(request).at,
		MIN(http_request_rest(request).len, request->content_length));
	const char *problem;
	size_t at = 0;
	if (credentials_session_id(
		    conn_settings(conn), request, &at, call->cookie, &call->sid, &problem) != 0)
		call->sid = (struct slice){ 0 };
	find_channel(call, request->query);
	return call;
}
