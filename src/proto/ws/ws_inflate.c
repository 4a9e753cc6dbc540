/* Inflates messages from browsers. A few bytes can inflate to a thousand times as many, and the
 * state takes 40 KiB. Both are bounded here, whatever is sent:
 *
 * Memory. An inflater is taken when the first byte of a compressed message arrives and given back
 * with its last (client_no_context_takeover: nothing is kept between messages). So idle connections
 * own none, and a worker needs as many as messages are half arrived, which limits.incoming_bytes
 * bounds. A few are kept for later messages; the others are freed.
 *
 * Output. Each step fills at most the pool's scratch buffer, and goes at most one byte beyond the
 * message's limit: that byte shows that the message is too long, and the rest is not inflated.
 *
 * Time. The reader pays for the output in frames of its allowance. A step consumes input or produces output, so the time is linear in both; empty blocks are
 * paid for by the bytes that they are made of. A block with BFINAL ends zlib's stream but not the
 * message (RFC 7692 §7.2.3.4); the stream then continues with its window: a new window would cost
 * 32 KiB of copying for each of these two-byte blocks.
 *
 * The end. The tail that the sender removed, 00 00 ff ff, is fed after the last byte. The message
 * is complete if a block, or the padding after BFINAL, ends on its very last bit; otherwise it is
 * truncated and refused (§7.2.2 makes the tail part of the message). The one exception is a message
 * of no bytes at all: a sender that flushes an empty message right after another one gets nothing
 * from zlib, not even the 00 of §7.2.3.6, and all implementations read it as empty. */
#include "sluice/proto/ws/ws_inflate.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "sluice/proto/ws/ws_extension.h"

enum {
	SCRATCH_BYTES = 16384,
	IDLE_MAX = 4,
	/* data_type after a block that ended on the last bit of a byte. */
	BLOCK_HAS_ENDED = 128,
};

struct ws_inflaters {
	struct ws_inflater *idle;
	size_t n_idle, n_taken;
	char scratch[SCRATCH_BYTES];
};

struct ws_inflater {
	struct ws_inflaters *pool;
	struct ws_inflater *next; /* idle */
	size_t bytes;             /* allocated for it in all */
	z_stream stream;
	uint64_t produced;
	struct slice tail; /* its bytes that are still to be fed */
	bool begun;        /* there was some input */
	bool block_has_ended;
};

/* ---- zlib's memory ---- */

static void *allocate(void *opaque, uInt n, uInt size)
{
	struct ws_inflater *inflater = opaque;
	void *block = calloc(n, size);
	if (!block)
		return NULL;
	inflater->bytes += (size_t)n * size;
	return block;
}

/* zlib frees its memory only when the inflater is destroyed. */
static void release(void *opaque, void *block)
{
	(void)opaque;
	free(block);
}

/* ---- inflaters ---- */

static struct ws_inflater *create(struct ws_inflaters *pool)
{
	struct ws_inflater *inflater = calloc(1, sizeof(*inflater));
	if (!inflater)
		return NULL;
	inflater->pool = pool;
	inflater->bytes = sizeof(*inflater);
	inflater->stream.zalloc = allocate;
	inflater->stream.zfree = release;
	inflater->stream.opaque = inflater;
	/* Negative bits: raw deflate, without zlib's header and checksum. */
	if (inflateInit2(&inflater->stream, -WS_WINDOW_BITS_MAX) != Z_OK) {
		free(inflater);
		return NULL;
	}
	return inflater;
}

static void destroy(struct ws_inflater *inflater)
{
	inflateEnd(&inflater->stream);
	free(inflater);
}

/* ---- one step ---- */

/* Inflates until the input or the room is used up. */
static int run(struct ws_inflater *inflater, struct slice *input)
{
	z_stream *stream = &inflater->stream;
	do {
		uInt len = (uInt)MIN(input->len, UINT_MAX);
		stream->next_in = (const uint8_t *)input->at;
		stream->avail_in = len;
		int status = inflate(stream, Z_SYNC_FLUSH);
		*input = slice_make(
			(const char *)stream->next_in, input->len - (len - stream->avail_in));
		switch (status) {
		case Z_OK:
			inflater->block_has_ended = stream->data_type == BLOCK_HAS_ENDED;
			break;
		case Z_STREAM_END:
			inflater->block_has_ended = true;
			MUST(inflateResetKeep(stream) == Z_OK);
			break;
		case Z_BUF_ERROR:
			return 0;
		case Z_MEM_ERROR:
			return -ENOMEM;
		default:
			return -EBADMSG;
		}
	} while (input->len && stream->avail_out);
	return 0;
}

/* ---- public ---- */

struct ws_inflaters *ws_inflaters_create(void)
{
	return calloc(1, sizeof(struct ws_inflaters));
}

void ws_inflaters_destroy(struct ws_inflaters *pool)
{
	if (!pool)
		return;
	MUST(pool->n_taken == 0);
	while (pool->idle) {
		struct ws_inflater *inflater = pool->idle;
		pool->idle = inflater->next;
		destroy(inflater);
	}
	free(pool);
}

struct ws_inflater *ws_inflater_take(struct ws_inflaters *pool)
{
	struct ws_inflater *inflater = pool->idle;
	if (inflater) {
		pool->idle = inflater->next;
		pool->n_idle--;
		MUST(inflateReset(&inflater->stream) == Z_OK);
	} else {
		inflater = create(pool);
		if (!inflater)
			return NULL;
	}
	pool->n_taken++;
	inflater->produced = 0;
	inflater->tail = slice_make("\0\0\xFF\xFF", 4);
	inflater->begun = false;
	inflater->block_has_ended = false;
	return inflater;
}

void ws_inflater_give(struct ws_inflater *inflater)
{
	struct ws_inflaters *pool = inflater->pool;
	pool->n_taken--;
	if (pool->n_idle == IDLE_MAX) {
		destroy(inflater);
		return;
	}
	inflater->next = pool->idle;
	pool->idle = inflater;
	pool->n_idle++;
}

size_t ws_inflater_size(const struct ws_inflater *inflater)
{
	return inflater->bytes;
}

uint64_t ws_inflater_produced(const struct ws_inflater *inflater)
{
	return inflater->produced;
}

int ws_inflate(struct ws_inflater *inflater, struct slice *input, bool last, uint64_t limit,
	struct slice *ret_bytes)
{
	z_stream *stream = &inflater->stream;
	uint64_t left = limit > inflater->produced ? limit - inflater->produced : 0;
	uInt room = left < SCRATCH_BYTES ? (uInt)left + 1 : SCRATCH_BYTES;
	stream->next_out = (uint8_t *)inflater->pool->scratch;
	stream->avail_out = room;
	inflater->begun |= input->len > 0;
	if (last && !inflater->begun) {
		*ret_bytes = slice_make(inflater->pool->scratch, 0);
		return 0;
	}
	int error = run(inflater, input);
	if (!error && last && stream->avail_out)
		error = run(inflater, &inflater->tail);

	size_t len = room - stream->avail_out;
	bool too_much = len > left;
	*ret_bytes = slice_make(inflater->pool->scratch, too_much ? (size_t)left : len);
	inflater->produced += ret_bytes->len;
	if (too_much)
		return -EMSGSIZE;
	if (error)
		return error;
	if (!stream->avail_out)
		return 1;
	return last && !inflater->block_has_ended ? -EBADMSG : 0;
}
