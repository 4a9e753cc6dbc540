#include "sluice/proto/text/percent.h"

#include <errno.h>

#include "sluice/proto/text/hex.h"

/* The byte that the escape at the front of `text` stands for; -1: it is no escape. */
static int escaped_byte(struct slice text)
{
	if (text.len < 3)
		return -1;
	int high = hex_digit(text.at[1]), low = hex_digit(text.at[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

ssize_t percent_decode(struct slice text, char *decoded, size_t size)
{
	size_t len = 0;
	while (text.len) {
		bool escape = text.at[0] == '%';
		int byte = escape ? escaped_byte(text) : (unsigned char)text.at[0];
		if (byte < 0)
			return -EINVAL;
		if (len == size)
			return -EMSGSIZE;
		decoded[len++] = (char)byte;
		text = slice_skip(text, escape ? 3 : 1);
	}
	return (ssize_t)len;
}
