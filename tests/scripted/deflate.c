#include "deflate.h"

#include <zlib.h>

enum { ROOM = 4096 };

static const char TAIL[] = "\x00\x00\xff\xff"; /* of every message, and never sent */
enum { TAIL_LEN = 4 };

static unsigned char *octets(struct slice bytes)
{
	return (unsigned char *)(uintptr_t)bytes.at;
}

/* One of zlib's two, with room for what it writes, until it has read everything and written all. */
static void run(z_stream *zlib, int (*work)(z_stream *zlib, int flush), struct slice bytes,
	struct buffer *out)
{
	zlib->next_in = octets(bytes);
	zlib->avail_in = (unsigned)bytes.len;
	do {
		MUST(buffer_reserve(out, ROOM) == 0);
		zlib->next_out = (unsigned char *)out->bytes + out->len;
		zlib->avail_out = ROOM;
		int result = work(zlib, Z_SYNC_FLUSH);
		MUST(result == Z_OK || result == Z_BUF_ERROR);
		out->len += ROOM - zlib->avail_out;
	} while (zlib->avail_out == 0);
	MUST(zlib->avail_in == 0);
}

void deflate_message(struct slice message, struct buffer *payload)
{
	z_stream zlib = { 0 };
	MUST(deflateInit2(&zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
		     Z_DEFAULT_STRATEGY) == Z_OK);
	run(&zlib, deflate, message, payload);
	deflateEnd(&zlib);
	MUST(payload->len >= TAIL_LEN);
	payload->len -= TAIL_LEN;
}

void inflate_message(struct slice payload, unsigned window_bits, struct buffer *message)
{
	z_stream zlib = { 0 };
	MUST(inflateInit2(&zlib, -(int)window_bits) == Z_OK);
	run(&zlib, inflate, payload, message);
	run(&zlib, inflate, slice_make(TAIL, TAIL_LEN), message);
	inflateEnd(&zlib);
}
