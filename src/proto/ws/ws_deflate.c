/* Compresses what the server sends. Every message stands for itself (server_no_context_takeover),
 * so the result is good for every peer with the same window, and a worker needs one z_stream per
 * window instead of one per connection. A z_stream takes 260 KiB for the largest window; it is
 * created on first use, and reset before each message.
 *
 * RFC 7692 §7.2.1: deflate, flush with an empty stored block, and remove its last four bytes, 00 00
 * ff ff, which the peer appends again.
 *
 * A window of 8 bits: zlib cannot write raw deflate for 256 bytes, it writes for 512. Yet it never
 * looks back further than the window less 262 bytes (MIN_LOOKAHEAD: the longest match and what
 * finding one needs), which leaves 250. So its output for 9 bits can be read with 8, and a peer
 * that asks for 8 bits gets it; test_ws_deflate reads it with a window of 256 bytes. */
#include "sluice/proto/ws/ws_deflate.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "sluice/proto/ws/ws_extension.h"

enum { ZLIB_BITS_MIN = 9, WINDOWS = WS_WINDOW_BITS_MAX - ZLIB_BITS_MIN + 1, MEMORY_LEVEL = 8 };

static const uint8_t TAIL[] = { 0x00, 0x00, 0xFF, 0xFF };

struct ws_deflater {
	z_stream streams[WINDOWS]; /* without a state: not created yet */
	uint64_t count;
};

/* A reset stream; NULL: out of memory. */
static z_stream *stream_for(struct ws_deflater *deflater, unsigned window_bits)
{
	MUST(window_bits >= WS_WINDOW_BITS_MIN && window_bits <= WS_WINDOW_BITS_MAX);
	int bits = MAX((int)window_bits, ZLIB_BITS_MIN);
	z_stream *stream = &deflater->streams[bits - ZLIB_BITS_MIN];
	if (!stream->state) {
		/* Negative bits: raw deflate, without zlib's header and checksum. */
		int status = deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -bits,
			MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
		return status == Z_OK ? stream : NULL;
	}
	MUST(deflateReset(stream) == Z_OK);
	return stream;
}

struct ws_deflater *ws_deflater_create(void)
{
	return calloc(1, sizeof(struct ws_deflater));
}

void ws_deflater_destroy(struct ws_deflater *deflater)
{
	if (!deflater)
		return;
	for (size_t i = 0; i < WINDOWS; i++) {
		if (deflater->streams[i].state)
			deflateEnd(&deflater->streams[i]);
	}
	free(deflater);
}

int ws_deflate(struct ws_deflater *deflater, unsigned window_bits, struct slice payload, void *out,
	size_t *len)
{
	uInt room = (uInt)MIN(*len, UINT_MAX);
	if (payload.len > UINT_MAX)
		return -E2BIG;
	z_stream *stream = stream_for(deflater, window_bits);
	if (!stream)
		return -ENOMEM;
	deflater->count++;
	stream->next_in = (const uint8_t *)payload.at;
	stream->avail_in = (uInt)payload.len;
	stream->next_out = out;
	stream->avail_out = room;
	/* The flush is complete only if there is room left. */
	if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || !stream->avail_out)
		return -E2BIG;
	size_t used = room - stream->avail_out;
	MUST(used > sizeof(TAIL) && !memcmp((char *)out + used - sizeof(TAIL), TAIL, sizeof(TAIL)));
	*len = used - sizeof(TAIL);
	return 0;
}

uint64_t ws_deflater_count(const struct ws_deflater *deflater)
{
	return deflater->count;
}
