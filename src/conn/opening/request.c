/* Receives the request, and dispatches it by its path. */
#include "sluice/conn/opening/request.h"

#include <unistd.h>

#include "sluice/base/limit.h"
#include "sluice/conn/opening/check.h"
#include "sluice/conn/opening/client_file.h"
#include "sluice/conn/opening/half_open.h"
#include "sluice/conn/opening/refuse.h"
#include "sluice/conn/opening/site.h"
#include "sluice/conn/opening/upgrade.h"
#include "sluice/net/address.h"

/* The first row whose path matches handles the request. */
static const struct {
	bool (*is_asked)(const struct conn *conn);
	void (*begin)(struct conn *conn);
} targets[] = {
#ifdef SLUICE_ECHO
	{ upgrade_echo_is_asked, upgrade_echo_begin },
#endif
	{ upgrade_is_asked, upgrade_begin },
	{ check_is_asked, check_begin },
	{ client_file_is_asked, client_file_begin },
	{ site_is_asked, site_begin },
};

static void dispatch(struct conn *conn)
{
	opening_leave_half_open(conn->opening);
	stream_admit(&conn->stream);
	conn->opening->complete = true;
	for (size_t i = 0; i < COUNT_OF(targets); i++)
		if (targets[i].is_asked(conn)) {
			targets[i].begin(conn);
			return;
		}
	opening_refuse(conn, 404, "nothing is here: the WebSocket endpoint has another path");
}

/* The memory of a request that has not arrived completely, or waits for Redis. Until then a TLS session
 * counts as if its handshake were under way. */
static int count_memory(struct conn *conn)
{
	struct opening *opening = conn->opening;
	size_t tls = stream_has_tls(&conn->stream) ? TLS_HANDSHAKE_BYTES : 0;
	return conn_holds_request(
		conn, sizeof(*opening) + tls + http_request_holds(&opening->request));
}

/* Without an allocation: it has a holding since it was accepted. */
static void on_handshake(struct conn *conn)
{
	MUST(count_memory(conn) == 0);
}

/* Only requests to a site may have a body; the endpoint refuses a body by the header alone. */
static bool body_is_here(const struct conn *conn)
{
	const struct http_request *request = &conn->opening->request;
	return !conn->shared->opening->site || !request->has_body ||
	       http_request_rest(request).len >= request->content_length;
}

static void on_bytes(struct conn *conn, char *bytes, size_t len)
{
	struct opening *opening = conn->opening;
	opening->begun = true;
	int status = http_request_feed(&opening->request, bytes, len);
	if (count_memory(conn) != 0) {
		conn_abort(conn);
		return;
	}
	if (status == 0)
		return;
	if (status == 431)
		limit_hit(conn->shared->metrics, METRIC_LIMIT_HEADER_BYTES);
	if (status != 1)
		opening_refuse(conn, status,
			status == 431 ? "the request's headers are too large"
				      : "not a valid HTTP request");
	else if (body_is_here(conn))
		dispatch(conn);
	else if (opening->request.content_length > conn_settings(conn)->limits.header_bytes)
		opening_refuse(conn, 400, "the request's body is too large");
}

/* During a drain a request that has not arrived is given up. */
static void on_drain(struct conn *conn)
{
	opening_give_up(conn, 503, "draining");
}

static const struct conn_phase awaited = {
	.on_handshake = on_handshake,
	.on_bytes = on_bytes,
	.on_end = opening_on_end,
	.on_limit = opening_on_limit,
	.on_drain = on_drain,
	.leave = opening_leave,
};

void request_begin(struct conn_shared *shared, int fd, const struct sockaddr_storage *peer)
{
	struct opening *opening = pool_take(&shared->opening->pool);
	if (!opening) {
		close(fd);
		return;
	}
	address_peer(peer, opening->peer);
	opening->newcomer.address = opening->peer;
	struct conn *conn = conn_open(shared, fd, &opening->newcomer);
	if (!conn) {
		pool_give(&shared->opening->pool, opening);
		return;
	}
	opening->conn = conn;
	http_request_init(&opening->request, shared->settings->limits.header_bytes);
	conn->opening = opening;
	conn_enter(conn, &awaited);
	half_open_begin(conn);
	if (count_memory(conn) != 0)
		conn_abort(conn);
}
