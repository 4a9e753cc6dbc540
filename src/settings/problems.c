#include "problems.h"

#include <stdarg.h>
#include <string.h>

enum { PROBLEMS_MAX = 25, MESSAGE_MAX = 1024, SHOWN_MAX = 60 };

static int print_place(struct buffer *lines, struct place place)
{
	if (!place.name)
		return 0;
	if (!place.line)
		return buffer_printf(lines, "%s: ", place.name);
	return buffer_printf(lines, "%s:%u: ", place.name, place.line);
}

/* A key or a file name may contain anything, but a problem is one line. */
static void replace_control_characters(struct buffer *lines, size_t begin)
{
	for (size_t i = begin; i + 1 < lines->len; i++) {
		if ((unsigned char)lines->bytes[i] < ' ')
			lines->bytes[i] = '?';
	}
}

void problems_add(struct problems *problems, struct place place, const char *format, ...)
{
	if (++problems->n > PROBLEMS_MAX)
		return;
	char message[MESSAGE_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);

	size_t begin = problems->lines->len;
	if (print_place(problems->lines, place) != 0 ||
		buffer_printf(problems->lines, "%s\n", message) != 0)
		problems->no_memory = true;
	replace_control_characters(problems->lines, begin);
}

bool problems_are_many(const struct problems *problems)
{
	return problems->n > PROBLEMS_MAX;
}

void problems_finish(struct problems *problems)
{
	int error = 0;
	if (problems->no_memory)
		error = buffer_printf(problems->lines, "out of memory\n");
	else if (problems_are_many(problems))
		error = buffer_printf(problems->lines, "… and more\n");
	(void)error;
}

size_t problems_shown_length(const char *string)
{
	size_t len = strnlen(string, SHOWN_MAX + 1);
	if (len <= SHOWN_MAX)
		return len;
	while (len > 0 && ((unsigned char)string[len] & 0xc0) == 0x80)
		len--;
	return len;
}
