#include "sluice/process/page.h"

#include "sluice/proto/http/http_answer.h"

int page_print(
	struct buffer *out, int status, const char *type, struct slice headers, struct slice body)
{
	int error = buffer_printf(out,
		"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		"%.*sConnection: close\r\n\r\n",
		status, http_status_text(status), type, body.len, SLICE_ARGS(headers));
	return error ? error : buffer_append_slice(out, body);
}
