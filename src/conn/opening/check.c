/* GET {path}/check: would an upgrade be accepted?
 *
 * A browser does not tell a page why its WebSocket was refused: neither the status nor whether a
 * server answered at all. So the page asks here, with the cookie, the ticket and the channels of
 * the upgrade. The answer is 204, or the refusal that the upgrade would get. The check runs through
 * the same code (authenticate.c, admit.c), but takes nothing: quotas are only read, channels are
 * only counted, and a ticket is not taken. It does count for upgrades_per_second, because it costs
 * Redis as much as an upgrade.
 *
 * Pages of allowed origins may read the answer. No other page may learn whether the user is logged
 * in. For fetch(), CORS ensures that. But any page can send the request, with cookies, by an <img>
 * or a <script>, which sends no Origin and can tell success from failure. Current browsers describe
 * such a request in Sec-Fetch-Site (Fetch Metadata §2.4), which pages cannot change:
 *
 *	Origin   Sec-Fetch-Site           is
 *	yes                               as with an upgrade
 *	no       same-origin              fetch() of a page of our own host, whose Origin is Host's
 *	no       same-site, cross-site    an element in another page: a page of no origin ("null")
 *	no       none, or no such header  no page: the "none" of `origins` */
#include "sluice/conn/opening/check.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/conn/opening/authenticate.h"
#include "sluice/conn/opening/quotas.h"
#include "sluice/conn/opening/refuse.h"
#include "sluice/proto/http/http_answer.h"
#include "sluice/proto/http/origin.h"

/* ---- what is asked ---- */

bool check_is_asked(const struct conn *conn)
{
	struct slice endpoint = slice_of(conn_settings(conn)->path);
	struct slice path = conn->opening->request.path;
	if (endpoint.at[endpoint.len - 1] == '/')
		endpoint.len--;
	return slice_starts_with(path, endpoint) &&
	       slice_equal(slice_skip(path, endpoint.len), SLICE("/check"));
}

static bool is_method(const struct conn *conn, struct slice method)
{
	return slice_equal(conn->opening->request.method, method);
}

static bool allows(const struct settings *settings, struct slice origin, struct slice host)
{
	const struct origin_target target = { host, *settings->tls_certificate != '\0' };
	return origin_is_allowed(settings->origins, settings->n_origins, origin, &target);
}

/* A page of our own host. Without TLS of our own we cannot know whether its scheme is http or
 * https. */
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
	const struct opening *opening = conn->opening;
	const struct settings *settings = conn_settings(conn);
	struct slice site = { 0 };
	size_t n = http_request_header(&opening->request, SLICE("Sec-Fetch-Site"), &site);
	if (opening->handshake.origin.at || n == 0 || slice_equal(site, SLICE("none")))
		return allows(settings, opening->handshake.origin, opening->handshake.host);
	if (slice_equal(site, SLICE("same-origin")))
		return allows_own_page(settings, opening->handshake.host);
	return allows(settings, SLICE("null"), opening->handshake.host);
}

/* The checks that need no Redis. 0, or the status to refuse with, and why. */
static int judge(struct conn *conn, bool page_allowed, const char **ret_problem)
{
	*ret_problem = "GET, HEAD and OPTIONS are answered here";
	if (!is_method(conn, SLICE("GET")) && !is_method(conn, SLICE("HEAD")))
		return 405;
	*ret_problem = "draining";
	if (conn->shared->draining)
		return 503;
	*ret_problem = "this Origin is not allowed";
	if (!page_allowed)
		return 403;
	return opening_take_quotas(conn, ret_problem);
}

/* ---- answers ---- */

static int write_headers(const struct opening *opening, int status, struct buffer *out)
{
	int error = buffer_printf(out,
		"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nVary: Origin\r\n%s",
		status == 405 ? "Allow: HEAD, OPTIONS\r\n" : "");
	if (error || !opening->reader.at)
		return error;
	return buffer_printf(out,
		"Access-Control-Allow-Origin: %.*s\r\nAccess-Control-Allow-Credentials: true\r\n"
		"Access-Control-Expose-Headers: Retry-After\r\n",
		SLICE_ARGS(opening->reader));
}

/* 204, and more headers. */
static void answer(struct conn *conn, struct slice more)
{
	struct buffer headers = { 0 }, out = { 0 };
	int error = write_headers(conn->opening, 204, &headers);
	if (!error)
		error = buffer_append_slice(&headers, more);
	const struct http_answer answer = { .status = 204, .headers = buffer_slice(&headers) };
	if (!error)
		error = http_answer_print(&answer, &out);
	if (error)
		conn_abort(conn);
	else
		opening_answer(conn, buffer_slice(&out));
	buffer_finish(&headers);
	buffer_finish(&out);
}

static void admitted(struct conn *conn)
{
	answer(conn, (struct slice){ 0 });
}

/* A page's fetch() needs no preflight unless it adds headers of its own, and those are not
 * allowed. */
static void answer_preflight(struct conn *conn)
{
	if (conn->opening->reader.at)
		answer(conn, SLICE("Access-Control-Allow-Methods: GET, HEAD\r\n"
				   "Access-Control-Max-Age: 600\r\n"));
	else
		opening_refuse(conn, 403, "this Origin is not allowed");
}

/* ---- channels ---- */

static int subscribe(struct conn *conn, struct slice channel)
{
	struct table *asked = &conn->opening->asked;
	if (table_count(asked) >= conn_settings(conn)->limits.channels)
		return -EDQUOT;
	if (table_find(asked, channel))
		return 0;
	if (!bridge_has_room(conn->shared->bridge, channel))
		return -ENOSPC;
	if (bridge_is_refused(conn->shared->bridge, channel))
		return -EPERM;
	struct table_key *name = calloc(1, sizeof(*name) + channel.len);
	if (!name)
		return -ENOMEM;
	int error = table_add(asked, name, channel);
	if (error)
		free(name);
	return error;
}

static void reject(struct conn *conn, const char *problem)
{
	opening_refuse(conn, 401, problem);
}

static const struct purpose check = {
	.subscribe = subscribe,
	.admitted = admitted,
	.reject = reject,
	.write_headers = write_headers,
	.only_looks = true,
};

/* ---- the request ---- */

void check_begin(struct conn *conn)
{
	struct opening *opening = conn->opening;
	const char *problem;
	opening->purpose = &check;
	int status = ws_handshake_check_page(&opening->request, &opening->handshake, &problem);
	bool allowed = !status && page_is_allowed(conn);
	if (allowed)
		opening->reader = opening->handshake.origin;
	if (!status && is_method(conn, SLICE("OPTIONS"))) {
		answer_preflight(conn);
		return;
	}
	if (!status)
		status = judge(conn, allowed, &problem);
	if (status)
		opening_refuse(conn, status, problem);
	else
		authenticate(conn);
}
