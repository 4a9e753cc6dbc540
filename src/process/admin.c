/* Each connection gets one request and one answer: a probe or Prometheus asks only once in a few
 * seconds. The admin port runs on the main thread's own loop, so it answers while every worker is
 * busy, and a slow reader delays no browser.
 *
 * Few connections are open at a time. One more closes the oldest, which is either hung or slow, so
 * whoever holds many silent connections takes no descriptors from the links to Redis and shuts no
 * probe out. */
#include "sluice/process/admin.h"

#include <stdlib.h>
#include <unistd.h>

#include "sluice/process/page.h"
#include "sluice/proto/http/http_answer.h"
#include "sluice/proto/http/http_request.h"

enum { REQUEST_MS = 2000, ANSWER_MS = 2000, HEADER_BYTES = 8192 };

struct admin_conn {
	struct stream stream;
	struct list link;
	struct admin *admin;
	struct deadline deadline;
	struct http_request request;
	bool answered, closing;
};

static struct admin_conn *of_stream(struct stream *stream)
{
	return container_of(stream, struct admin_conn, stream);
}

/* Its descriptor is free at once; the memory follows. */
static void close_conn(struct admin_conn *conn)
{
	if (conn->closing)
		return;
	conn->closing = true;
	list_remove(&conn->link);
	conn->admin->n--;
	deadline_clear(conn->admin->deadlines, &conn->deadline);
	stream_close(&conn->stream);
}

static void on_due(struct deadline *deadline)
{
	close_conn(container_of(deadline, struct admin_conn, deadline));
}

static int print_page(struct buffer *out, int status, const char *type, struct slice body)
{
	return page_print(out, status, type, SLICE("Cache-Control: no-store\r\n"), body);
}

static int print_ready(const struct admin *admin, struct buffer *out)
{
	struct status *process = admin->status;
	struct buffer reasons = { 0 };
	status_watch(process, uv_now(admin->shared->loop));
	int error = status_print_reasons(process, &reasons);
	int status = reasons.len ? 503 : 200;
	struct slice body = reasons.len ? buffer_slice(&reasons) : SLICE("ready\n");
	if (!error)
		error = print_page(out, status, "text/plain; charset=utf-8", body);
	buffer_finish(&reasons);
	return error;
}

static int print_metrics(const struct status *process, struct buffer *out)
{
	struct buffer metrics = { 0 };
	int error = status_print_metrics(process, &metrics);
	if (!error)
		error = print_page(out, 200, "text/plain; version=0.0.4; charset=utf-8",
			buffer_slice(&metrics));
	buffer_finish(&metrics);
	return error;
}

static int print_answer(const struct admin_conn *conn, int status, struct buffer *out)
{
	struct slice path = conn->request.path;
	if (status != 1)
		return http_refusal(status, "not a valid HTTP request", out);
	if (!slice_equal(conn->request.method, SLICE("GET")))
		return http_refusal(405, "only GET is known here", out);
	if (slice_equal(path, SLICE("/livez")))
		return print_page(out, 200, "text/plain; charset=utf-8", SLICE("alive\n"));
	if (slice_equal(path, SLICE("/readyz")))
		return print_ready(conn->admin, out);
	if (slice_equal(path, SLICE("/metrics")))
		return print_metrics(conn->admin->status, out);
	return http_refusal(404, "there are /livez, /readyz and /metrics", out);
}

static void on_open(struct stream *stream)
{
	(void)stream; /* the peer sends first */
}

static void end_after_answer(struct admin_conn *conn)
{
	deadline_set(conn->admin->deadlines, &conn->deadline, ANSWER_MS, on_due);
	stream_end(&conn->stream);
}

static void on_bytes(struct stream *stream, char *bytes, size_t len)
{
	struct admin_conn *conn = of_stream(stream);
	if (conn->answered)
		return;
	int status = http_request_feed(&conn->request, bytes, len);
	if (status == 0)
		return;
	conn->answered = true;
	struct buffer out = { 0 };
	if (print_answer(conn, status, &out) != 0 ||
		stream_send_bytes(stream, out.bytes, out.len) != 0)
		close_conn(conn);
	else
		end_after_answer(conn);
	buffer_finish(&out);
}

static void on_end(struct stream *stream, int error)
{
	(void)error;
	close_conn(of_stream(stream));
}

static void on_closed(struct stream *stream)
{
	struct admin_conn *conn = of_stream(stream);
	http_request_finish(&conn->request);
	free(conn);
}

static const struct stream_events stream_events = {
	.on_open = on_open,
	.on_bytes = on_bytes,
	.on_end = on_end,
	.on_closed = on_closed,
};

static void on_accept(struct listener *listener, int fd, const struct sockaddr_storage *peer)
{
	(void)peer;
	struct admin *admin = listener->owner;
	if (admin->n >= ADMIN_CONNS_MAX)
		close_conn(container_of(admin->conns.next, struct admin_conn, link));
	struct admin_conn *conn = calloc(1, sizeof(*conn));
	if (!conn) {
		close(fd);
		return;
	}
	conn->admin = admin;
	http_request_init(&conn->request, HEADER_BYTES);
	if (stream_accept(&conn->stream, admin->shared, fd, NULL, NULL, &stream_events) != 0) {
		http_request_finish(&conn->request);
		free(conn);
		return;
	}
	list_append(&admin->conns, &conn->link);
	admin->n++;
	deadline_set(admin->deadlines, &conn->deadline, REQUEST_MS, on_due);
}

static const struct listener_events listener_events = { .on_accept = on_accept };

int admin_open(struct admin *admin, struct stream_loop *shared, struct deadlines *deadlines,
	int listening_fd, struct status *status)
{
	*admin = (struct admin){ .shared = shared, .deadlines = deadlines, .status = status };
	list_init(&admin->conns);
	return listener_open(
		&admin->listener, shared->loop, deadlines, listening_fd, &listener_events, admin);
}

void admin_close(struct admin *admin)
{
	listener_close(&admin->listener);
	LIST_EACH_SAFE (node, &admin->conns)
		close_conn(container_of(node, struct admin_conn, link));
}
