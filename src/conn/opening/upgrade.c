/* From the opening handshake (RFC 6455 §4.2) to the 101. The checks that reveal least and cost
 * least come first:
 *
 *	path 404, handshake 400 405 426, drain 503, origin 403, quotas 429 503
 *	-> authenticate.c: 401 429 503 -> admit.c: 429 403 503 -> 101
 *
 * A page cannot see the status of a refusal. With session.reject "close", a client without a log-in
 * gets a 101 and is closed with 4401 at once, which its page can see. This costs no more than a
 * refusal, and nothing else is sent before the close frame. */
#include "sluice/conn/opening/upgrade.h"

#include "sluice/conn/open/channels.h"
#include "sluice/conn/open/dialects.h"
#include "sluice/conn/open/open.h"
#include "sluice/conn/open/ws.h"
#include "sluice/conn/opening/authenticate.h"
#include "sluice/conn/opening/quotas.h"
#include "sluice/conn/opening/refuse.h"
#include "sluice/proto/http/origin.h"
#include "sluice/proto/ws/ws_close.h"
#ifdef SLUICE_ECHO
#include "sluice/conn/open/echo.h"
#endif

/* ---- the 101 ---- */

/* The parts of the request that outlive it: frames that arrived behind it, and the user. */
struct remains {
	struct buffer early, user;
};

/* Sends the 101, moves the parts that outlive the request to `remains`, and frees the others.
 * False: the connection ends. */
static bool leave_http(struct conn *conn, struct remains *remains)
{
	struct opening *opening = conn->opening;
	struct buffer bytes = { 0 };
	int error = ws_handshake_accept(&opening->handshake, &bytes);
	if (!error)
		error = stream_send_bytes(&conn->stream, bytes.bytes, bytes.len);
	if (!error)
		error = buffer_append_slice(&remains->early, http_request_rest(&opening->request));
	buffer_finish(&bytes);
	if (error) {
		conn_abort(conn);
		return false;
	}
	remains->user = opening->user;
	opening->user = (struct buffer){ 0 };
	opening_leave(conn);
	return true;
}

/* Early frames are read even if the connection is closing: the peer's close frame arrives behind
 * them. */
static void feed_early(struct conn *conn, const struct remains *remains)
{
	if (remains->early.len && conn->phase->on_bytes)
		conn->phase->on_bytes(conn, remains->early.bytes, remains->early.len);
}

/* `problem`: why the connection is closed at once; NULL: it stays open. */
static void accept_as(struct conn *conn, unsigned dialect, const char *problem)
{
	unsigned window_bits = conn->opening->handshake.extension.window_bits;
	struct remains remains = { 0 };
	if (leave_http(conn, &remains)) {
		ws_begin(conn, dialect, window_bits, buffer_slice(&remains.user));
		if (problem && conn_is_open(conn))
			open_close(conn, WS_CLOSE_SESSION_ENDED, slice_of(problem));
		feed_early(conn, &remains);
	}
	buffer_finish(&remains.early);
	buffer_finish(&remains.user);
}

/* ---- the purpose ---- */

static void admitted(struct conn *conn)
{
	accept_as(conn, conn->opening->dialect, NULL);
}

/* The plain dialect has no welcome. */
static void reject(struct conn *conn, const char *problem)
{
	if (conn_settings(conn)->session.reject != SESSION_REJECT_CLOSE) {
		opening_refuse(conn, 401, problem);
		return;
	}
	opening_log_refusal(conn, 401, problem);
	accept_as(conn, 0, problem);
}

static const struct purpose upgrade = {
	.subscribe = channels_subscribe,
	.admitted = admitted,
	.reject = reject,
};

/* The checks that need no Redis. 0, or the status to refuse with, and why. */
static int judge(struct conn *conn, const char **ret_problem)
{
	struct opening *opening = conn->opening;
	const struct settings *settings = conn_settings(conn);
	int status = ws_handshake_check(&opening->request, settings->compression.enabled,
		dialect_is_spoken, &opening->handshake, ret_problem);
	if (status)
		return status;
	*ret_problem = "draining";
	if (conn->shared->draining)
		return 503;
	const struct origin_target target = { opening->handshake.host,
		*settings->tls_certificate != '\0' };
	*ret_problem = "this Origin is not allowed";
	if (!origin_is_allowed(
		    settings->origins, settings->n_origins, opening->handshake.origin, &target))
		return 403;
	return opening_take_quotas(conn, ret_problem);
}

bool upgrade_is_asked(const struct conn *conn)
{
	return slice_equal(conn->opening->request.path, slice_of(conn_settings(conn)->path));
}

void upgrade_begin(struct conn *conn)
{
	struct opening *opening = conn->opening;
	const char *problem;
	opening->purpose = &upgrade;
	int status = judge(conn, &problem);
	opening->dialect = dialect_of_subprotocol(opening->handshake.subprotocol);
	if (status)
		opening_refuse(conn, status, problem);
	else
		authenticate(conn);
}

#ifdef SLUICE_ECHO
bool upgrade_echo_is_asked(const struct conn *conn)
{
	return slice_equal(conn->opening->request.path, SLICE("/echo"));
}

void upgrade_echo_begin(struct conn *conn)
{
	struct opening *opening = conn->opening;
	const char *problem;
	opening->purpose = &upgrade;
	int status = judge(conn, &problem);
	if (!status)
		status = echo_prepare(conn, opening->request.query,
			opening->handshake.extension.window_bits, &problem);
	if (status)
		opening_refuse(conn, status, problem);
	else
		accept_as(conn, dialect_of_echo(), NULL);
}
#endif
