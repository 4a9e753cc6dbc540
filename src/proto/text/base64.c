/* Four characters encode three bytes. If the last group encodes fewer, "=" fills it up and the
 * unused bits are 0.
 *
 * Why not mbedTLS' base64, which we link anyway? It encodes one alphabet only, and its decoder is
 * lenient: it skips line ends and the blanks before them, and ignores unused bits, so that several
 * strings decode to the same bytes (RFC 4648 §3.5). A cookie that can be written in two ways passes
 * a check that compares strings in one of them. Refusing what mbedTLS accepts, and translating the
 * alphabet, takes as much code as the whole thing does here. The unit test compares the two.
 *
 * mbedTLS also runs in constant time. Here only the encoder processes a secret (the signature that
 * a cookie should have). The 64 letters are in one cache line, so the cache does not reveal which
 * of them was looked up. */
#include "sluice/proto/text/base64.h"

#include <errno.h>

#include "sluice/base/defs.h"

static const char alphabets[][2 * CACHE_LINE] __attribute__((aligned(CACHE_LINE))) = {
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t base64_encode(enum base64_form form, struct slice bytes, char *text)
{
	const char *alphabet = alphabets[form == BASE64_URL_UNPADDED];
	char *at = text;
	while (bytes.len) {
		size_t n = MIN(bytes.len, 3);
		uint32_t group = 0;
		for (size_t i = 0; i < 3; i++)
			group = group << 8 | (i < n ? (uint8_t)bytes.at[i] : 0);
		for (size_t i = 0; i <= n; i++)
			*at++ = alphabet[group >> (18 - 6 * i) & 63];
		for (size_t i = n; i < 3 && form == BASE64; i++)
			*at++ = '=';
		bytes = slice_skip(bytes, n);
	}
	return (size_t)(at - text);
}

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

/* The first `n` characters, at most four, as the 24 bits of a group; -1: one is not in the
 * alphabet. */
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

ssize_t base64_decode(struct slice text, uint8_t *bytes, size_t size)
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
			bytes[len++] = (uint8_t)(bits >> (16 - 8 * i));
		}
	}
	return (ssize_t)len;
}
