#include "sluice/proto/http/http_answer.h"

/* Headers that a status requires: RFC 9110 §15.5.6, §15.5.22 (a 426 names the protocol to upgrade
 * to); RFC 6455 §4.4. */
static const char *extra_headers(int status)
{
	switch (status) {
	case 405:
		return "Allow: GET\r\n";
	case 426:
		return "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n";
	case 429:
	case 503:
		return "Retry-After: 1\r\n";
	default:
		return "";
	}
}

/* RFC 9110 §8.6, §15.4.5: without content there is no Content-Length. */
static int print_content(const struct http_answer *answer, struct buffer *out)
{
	if (!answer->type)
		return buffer_append_slice(out, SLICE("\r\n"));
	int error = buffer_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
		answer->type, answer->body.len);
	return error || answer->head ? error : buffer_append_slice(out, answer->body);
}

int http_answer_print(const struct http_answer *answer, struct buffer *out)
{
	size_t before = out->len;
	int error = buffer_printf(out, "HTTP/1.1 %d %s\r\nConnection: close\r\n%s", answer->status,
		http_status_text(answer->status), extra_headers(answer->status));
	if (!error)
		error = buffer_append_slice(out, answer->headers);
	if (!error)
		error = print_content(answer, out);
	if (error)
		out->len = before;
	return error;
}

int http_refusal(int status, const char *problem, struct buffer *answer)
{
	struct buffer line = { 0 };
	int error = buffer_printf(&line, "%s\n", problem);
	if (!error)
		error = http_answer_print(&(const struct http_answer){ .status = status,
						  .type = "text/plain; charset=utf-8",
						  .body = buffer_slice(&line) },
			answer);
	buffer_finish(&line);
	return error;
}

const char *http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 204, "No Content" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return "";
}
