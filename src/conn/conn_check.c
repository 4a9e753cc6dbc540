/* GET {path}/check: would an upgrade be let in?
 *
 * A browser does not tell a page why its WebSocket was refused: not the status, not even whether anybody
 * was there. So the page asks here, with the cookie, the ticket and the channels of the upgrade, and gets
 * 204, or the refusal that the upgrade would get. It is judged by the same code on the same way
 * (conn_admit.c), but takes nothing: quotas are only looked at, but for upgrades_per_second, as it asks as
 * much of Redis as an upgrade; channels are only counted; a ticket stays.
 *
 * Pages of allowed origins may read the answer, and no other page may learn from it whether somebody is
 * logged in. CORS sees to that for fetch(). But any page can have the request sent, with cookies, by an
 * <img> or a <script>, which says no Origin and can tell a success from a failure. Browsers that are not
 * old say by Sec-Fetch-Site what it is (Fetch Metadata §2.4), and no page can change it:
 *
 *	Origin   Sec-Fetch-Site           is
 *	yes                               as with an upgrade
 *	no       same-origin              fetch() of a page of our own host, whose Origin is Host's
 *	no       same-site, cross-site    an element in another page: a page of no origin ("null")
 *	no       none, or no such header  no page: the "none" of `origins` */
#include <errno.h>
#include <stdlib.h>

#include "conn_internal.h"
#include "sluice/proto/http/http_answer.h"
#include "sluice/proto/http/origin.h"

/* ---- what is asked ---- */

bool conn_check_is_asked(const struct conn *conn)
{
	struct slice endpoint = slice_of(conn->conns->settings->path);
	struct slice path = conn->http->request.path;
	if (endpoint.at[endpoint.len - 1] == '/')
		endpoint.len--;
	return slice_starts_with(path, endpoint) &&
	       slice_equal(slice_skip(path, endpoint.len), SLICE("/check"));
}

static bool is_method(const struct conn *conn, struct slice method)
{
	return slice_equal(conn->http->request.method, method);
}

static bool allows(const struct settings *settings, struct slice origin, struct slice host)
{
	return origin_is_allowed(settings->origins, settings->n_origins, origin, host);
}

/* A page of our own host: which of the two schemes it has, a proxy may have kept to itself. */
static bool allows_own_page(const struct settings *settings, struct slice host)
{
	static const char *const schemes[] = { "http://", "https://" };
	bool allowed = false;
	for (size_t i = 0; i < COUNT_OF(schemes) && !allowed; i++) {
		struct buffer origin = { 0 };
		allowed = buffer_printf(&origin, "%s%.*s", schemes[i], SLICE_ARGS(host)) == 0 &&
			  allows(settings, buffer_slice(&origin), host);
		buffer_finish(&origin);
	}
	return allowed;
}

static bool page_is_allowed(const struct conn *conn)
{
	const struct conn_http *http = conn->http;
	const struct settings *settings = conn->conns->settings;
	struct slice site = { 0 };
	size_t n = http_request_header(&http->request, SLICE("Sec-Fetch-Site"), &site);
	if (http->handshake.origin.at || n == 0 || slice_equal(site, SLICE("none")))
		return allows(settings, http->handshake.origin, http->handshake.host);
	if (slice_equal(site, SLICE("same-origin")))
		return allows_own_page(settings, http->handshake.host);
	return allows(settings, SLICE("null"), http->handshake.host);
}

/* What can be said without Redis. 0, or the status to refuse with, and why. */
static int judge(struct conn *conn, bool page_allowed, const char **ret_problem)
{
	*ret_problem = "GET, HEAD and OPTIONS are answered here";
	if (!is_method(conn, SLICE("GET")) && !is_method(conn, SLICE("HEAD")))
		return 405;
	*ret_problem = "draining";
	if (conn->conns->draining)
		return 503;
	*ret_problem = "this Origin is not allowed";
	if (!page_allowed)
		return 403;
	return conn_take_quotas(conn, ret_problem);
}

/* ---- answers ---- */

int conn_check_headers(const struct conn_http *http, int status, struct buffer *out)
{
	int error = buffer_printf(out,
		"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nVary: Origin\r\n%s",
		status == 405 ? "Allow: HEAD, OPTIONS\r\n" : "");
	if (error || !http->reader.at)
		return error;
	return buffer_printf(out,
		"Access-Control-Allow-Origin: %.*s\r\nAccess-Control-Allow-Credentials: true\r\n"
		"Access-Control-Expose-Headers: Retry-After\r\n",
		SLICE_ARGS(http->reader));
}

/* 204, and more headers. */
static void answer(struct conn *conn, struct slice more)
{
	struct buffer headers = { 0 }, out = { 0 };
	int error = conn_check_headers(conn->http, 204, &headers);
	if (!error)
		error = buffer_append_slice(&headers, more);
	const struct http_answer answer = { .status = 204, .headers = buffer_slice(&headers) };
	if (!error)
		error = http_answer_print(&answer, &out);
	if (error)
		conn_abort(conn);
	else
		conn_answer(conn, buffer_slice(&out));
	buffer_finish(&headers);
	buffer_finish(&out);
}

void conn_check_passed(struct conn *conn)
{
	answer(conn, (struct slice){ 0 });
}

/* A page's fetch() needs no preflight unless it adds headers of its own; it gets none of those. */
static void answer_preflight(struct conn *conn)
{
	if (conn->http->reader.at)
		answer(conn, SLICE("Access-Control-Allow-Methods: GET, HEAD\r\n"
				   "Access-Control-Max-Age: 600\r\n"));
	else
		conn_refuse(conn, 403, "this Origin is not allowed");
}

/* ---- the request ---- */

void conn_check_begin(struct conn *conn)
{
	struct conn_http *http = conn->http;
	const char *problem;
	http->is_check = true;
	int status = ws_handshake_check_page(&http->request, &http->handshake, &problem);
	bool allowed = !status && page_is_allowed(conn);
	if (allowed)
		http->reader = http->handshake.origin;
	if (!status && is_method(conn, SLICE("OPTIONS"))) {
		answer_preflight(conn);
		return;
	}
	if (!status)
		status = judge(conn, allowed, &problem);
	if (status)
		conn_refuse(conn, status, problem);
	else
		conn_authenticate(conn);
}

/* ---- channels ---- */

int conn_check_channel(struct conn *conn, struct slice channel)
{
	struct table *asked = &conn->http->asked;
	if (table_count(asked) >= conn->conns->settings->limits.channels)
		return -EDQUOT;
	if (table_find(asked, channel))
		return 0;
	struct table_key *name = calloc(1, sizeof(*name) + channel.len);
	if (!name)
		return -ENOMEM;
	int error = table_add(asked, name, channel);
	if (error)
		free(name);
	return error;
}

void conn_check_end(struct conn_http *http)
{
	TABLE_EACH (name, &http->asked) {
		table_remove(&http->asked, name);
		free(name);
	}
}
