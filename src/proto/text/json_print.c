#include "sluice/proto/text/json_print.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/proto/text/hex.h"
#include "sluice/proto/text/utf8.h"

int json_print(struct json_printer *printer, struct slice json)
{
	if (printer->muted)
		return 0;
	if (json.len > printer->max || printer->out->len > printer->max - json.len)
		return -EMSGSIZE;
	return buffer_append_slice(printer->out, json);
}

bool json_print_can_hold(struct slice text)
{
	return utf8_is_valid(text) && !(text.len && memchr(text.at, '\0', text.len));
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

int json_print_text(struct json_printer *printer, struct slice text)
{
	if (!json_print_can_hold(text))
		return json_print(printer, SLICE("{}"));
	return json_print_string(printer, text);
}

int json_print_name(struct json_printer *printer, bool more, struct slice name)
{
	int error = more ? json_print(printer, SLICE(",")) : 0;
	if (!error)
		error = json_print_string(printer, name);
	return error ? error : json_print(printer, SLICE(":"));
}

int json_print_double(struct json_printer *printer, double number)
{
	char text[32];
	if (!isfinite(number))
		return json_print(printer, SLICE("null"));
	int len = 0;
	for (int digits = 15; digits <= 17; digits++) {
		len = snprintf(text, sizeof(text), "%.*g", digits, number);
		/* compared as bytes: 0.0 and -0.0 are equal */
		double again = strtod(text, NULL);
		if (memcmp(&again, &number, sizeof(number)) == 0)
			break;
	}
	return json_print(printer, slice_make(text, (size_t)len));
}
