#include "sluice/proto/text/json_print.h"

#include <errno.h>

#include "sluice/proto/text/hex.h"

int json_print(struct json_printer *printer, struct slice json)
{
	if (json.len > printer->max || printer->out->len > printer->max - json.len)
		return -EMSGSIZE;
	return buffer_append_slice(printer->out, json);
}

/* RFC 8259 §7. */
static bool needs_escape(char c)
{
	return c == '"' || c == '\\' || (unsigned char)c < ' ';
}

static int print_escape(struct json_printer *printer, char c)
{
	uint8_t byte = (uint8_t)c;
	const char quoted[] = { '\\', c };
	char control[] = "\\u00xx";
	hex_print(&byte, 1, control + 4);
	return json_print(
		printer, byte < ' ' ? slice_of(control) : slice_make(quoted, sizeof(quoted)));
}

int json_print_string(struct json_printer *printer, struct slice text)
{
	int error = json_print(printer, SLICE("\""));
	while (text.len && !error) {
		size_t plain = 0;
		while (plain < text.len && !needs_escape(text.at[plain]))
			plain++;
		error = json_print(printer, slice_make(text.at, plain));
		text = slice_skip(text, plain);
		if (text.len && !error) {
			error = print_escape(printer, text.at[0]);
			text = slice_skip(text, 1);
		}
	}
	return error ? error : json_print(printer, SLICE("\""));
}
