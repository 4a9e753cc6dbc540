/* Four characters are three octets. Where the last group stands for fewer, "=" fills it up, and the
 * bits that nobody reads are 0 (RFC 4648 §3.5): else several texts would mean the same, and whoever
 * signs or compares texts would be led past his check. */
#include "sluice/proto/text/base64.h"

#include <errno.h>

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* `n` characters, at most four, as the 24 bits of a group; -1: one of them is none. */
static int32_t read_group(const char *at, size_t n)
{
	int32_t bits = 0;
	for (size_t i = 0; i < 4; i++) {
		int value = i < n ? value_of(at[i]) : 0;
		if (value < 0)
			return -1;
		bits = bits << 6 | value;
	}
	return bits;
}

ssize_t base64_decode(struct slice text, uint8_t *octets, size_t size)
{
	size_t len = 0;
	if (text.len % 4 != 0)
		return -EINVAL;
	for (; text.len; text = slice_skip(text, 4)) {
		size_t n = 4;
		while (text.len == 4 && n > 2 && text.at[n - 1] == '=')
			n--;
		int32_t bits = read_group(text.at, n);
		if (bits < 0 || (bits & ((1 << 8 * (4 - n)) - 1)) != 0)
			return -EINVAL;
		for (size_t i = 0; i + 1 < n; i++) {
			if (len == size)
				return -EMSGSIZE;
			octets[len++] = (uint8_t)(bits >> (16 - 8 * i));
		}
	}
	return (ssize_t)len;
}
