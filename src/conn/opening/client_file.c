/* GET /sluice.js: the browser client of this version. It is the same for everybody and not secret,
 * so a page of any origin may read it and import it as a module. What the page may do is checked
 * when it opens a connection.
 *
 * Browsers may cache it for some minutes. So when the gateway is replaced and all pages reconnect
 * at once, they do not all fetch the script first. */
#include "sluice/conn/opening/client_file.h"

#include "sluice/base/embedded.h"
#include "sluice/conn/opening/refuse.h"
#include "sluice/proto/http/http_answer.h"

#define HEADERS \
	"Cache-Control: public, max-age=300\r\nAccess-Control-Allow-Origin: *\r\n" \
	"Cross-Origin-Resource-Policy: cross-origin\r\nX-Content-Type-Options: nosniff\r\nETag: "

static const struct embedded_file *find(struct slice path)
{
	for (const struct embedded_file *file = embedded_client; file->path; file++)
		if (slice_equal(path, slice_of(file->path)))
			return file;
	return NULL;
}

/* RFC 9110 §13.1.2: a list of tags, compared weakly, or "*". */
static bool has_it(const struct http_request *request, struct slice etag)
{
	struct slice list = { 0 };
	http_request_header(request, SLICE("If-None-Match"), &list);
	while (list.at) {
		struct slice one = slice_trim(slice_cut(&list, ','));
		if (slice_starts_with(one, SLICE("W/")))
			one = slice_skip(one, 2);
		if (slice_equal(one, etag) || slice_equal(one, SLICE("*")))
			return true;
	}
	return false;
}

static int print(
	const struct http_request *request, const struct embedded_file *file, struct buffer *out)
{
	struct buffer headers = { 0 };
	int error = buffer_printf(&headers, HEADERS "%s\r\n", file->etag);
	struct http_answer answer = { .status = 304, .headers = buffer_slice(&headers) };
	if (!has_it(request, slice_of(file->etag))) {
		answer.status = 200;
		answer.type = file->type;
		answer.body = slice_make(file->bytes, file->len);
		answer.head = slice_equal(request->method, SLICE("HEAD"));
	}
	if (!error)
		error = http_answer_print(&answer, out);
	buffer_finish(&headers);
	return error;
}

bool client_file_is_asked(const struct conn *conn)
{
	return find(conn->opening->request.path) != NULL;
}

void client_file_begin(struct conn *conn)
{
	const struct http_request *request = &conn->opening->request;
	struct buffer out = { 0 };
	if (!slice_equal(request->method, SLICE("GET")) &&
		!slice_equal(request->method, SLICE("HEAD")))
		opening_refuse(conn, 405, "only GET is answered here");
	else if (print(request, find(request->path), &out) != 0)
		conn_abort(conn);
	else
		opening_answer(conn, buffer_slice(&out));
	buffer_finish(&out);
}
