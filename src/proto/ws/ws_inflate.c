/* Inflates what browsers send. A few octets can inflate to a thousand times as many, and the state
 * for it is 40 KiB, so both are bounded here, whatever is sent:
 *
 * Memory. An inflater is taken when the first octet of a compressed message comes and given back
 * with its last (client_no_context_takeover: nothing is kept between two messages), so connections
 * that say nothing own none, and a worker needs as many as there are messages half arrived. What is
 * taken counts as buffered, so the limit on that bounds them. A few are kept for the next messages,
 * the others are freed.
 *
 * Output. Each step fills at most the pool's scratch, and never goes further than one octet beyond
 * the message's limit: that one shows that there is too much, and the rest is not inflated.
 *
 * Time. A step reads input or gives output, so it is linear in both; blocks that hold nothing are
 * paid for by the octets that they are made of. A block with BFINAL ends zlib's stream but not the
 * message (RFC 7692 §7.2.3.4); the stream goes on as it was, with its window: to give it the window
 * of a new stream would cost 32 KiB of copying for each of these two octets.
 *
 * The end. The tail that the sender left out, 00 00 ff ff, is fed after the last octet. The message
 * is complete when a block, or what BFINAL pads it with, ends on its very last bit; else data is
 * missing, and the message is refused as a cut one (§7.2.2 takes the tail as part of it). The one
 * exception is a message of no octets at all: a sender that flushes an empty message right after
 * another gets nothing from zlib, not even the 00 of §7.2.3.6, and everybody reads it as empty. */
#include "sluice/proto/ws/ws_inflate.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "sluice/base/buffered.h"
#include "sluice/proto/ws/ws_extension.h"

enum {
	SCRATCH_BYTES = 16384,
	IDLE_MAX = 4,
	/* What data_type says when a block has ended and no bit is left of the last octet. */
	BLOCK_HAS_ENDED = 128,
};

struct ws_inflaters {
	struct ws_inflater *idle;
	size_t n_idle, n_taken;
	char scratch[SCRATCH_BYTES];
};

struct ws_inflater {
	struct ws_inflaters *pool;
	struct ws_inflater *next; /* idle one */
	bool taken;
	size_t bytes; /* all that is allocated for it */
	z_stream stream;
	uint64_t produced;
	struct slice tail; /* what is still to be fed of it */
	bool begun;        /* there was some input */
	bool block_has_ended;
};

/* ---- what zlib allocates ---- */

static void *allocate(void *opaque, uInt n, uInt size)
{
	struct ws_inflater *inflater = opaque;
	void *block = calloc(n, size);
	if (!block)
		return NULL;
	inflater->bytes += (size_t)n * size;
	if (inflater->taken)
		buffered_add((size_t)n * size);
	return block;
}

/* Only with the inflater: until then zlib keeps what it has. */
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
	/* Negative bits: raw, without zlib's header and checksum. */
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

/* Until the input or the room is used up. */
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
	buffered_add(inflater->bytes);
	inflater->taken = true;
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
	buffered_remove(inflater->bytes);
	inflater->taken = false;
	if (pool->n_idle == IDLE_MAX) {
		destroy(inflater);
		return;
	}
	inflater->next = pool->idle;
	pool->idle = inflater;
	pool->n_idle++;
}

int ws_inflate(struct ws_inflater *inflater, struct slice *input, bool last, uint64_t limit,
	struct slice *ret_octets)
{
	z_stream *stream = &inflater->stream;
	uint64_t left = limit > inflater->produced ? limit - inflater->produced : 0;
	uInt room = left < SCRATCH_BYTES ? (uInt)left + 1 : SCRATCH_BYTES;
	stream->next_out = (uint8_t *)inflater->pool->scratch;
	stream->avail_out = room;
	inflater->begun |= input->len > 0;
	if (last && !inflater->begun) {
		*ret_octets = slice_make(inflater->pool->scratch, 0);
		return 0;
	}
	int error = run(inflater, input);
	if (!error && last && stream->avail_out)
		error = run(inflater, &inflater->tail);

	size_t len = room - stream->avail_out;
	bool too_much = len > left;
	*ret_octets = slice_make(inflater->pool->scratch, too_much ? (size_t)left : len);
	inflater->produced += ret_octets->len;
	if (too_much)
		return -EMSGSIZE;
	if (error)
		return error;
	if (!stream->avail_out)
		return 1;
	return last && !inflater->block_has_ended ? -EBADMSG : 0;
}
