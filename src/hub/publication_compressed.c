/* The compressed frames of a run.
 *
 * A run is compressed once for each window size in use, however many connections receive it.
 * Without context takeover (RFC 7692 §7.1.1.1) the compressed bytes depend only on the payload and
 * the window, so all connections of all workers share them. They are made just before the run is
 * sent to the first of these connections, because the channel's home does not know what its
 * subscribers negotiated.
 *
 * Frames that are compressed for a small window are valid for any larger one too. So the eight
 * windows share three sets of frames, each made for the smallest of its windows. Otherwise a client
 * that opens a connection for every window would have everything compressed eight times.
 *
 * Two workers may need the same frames at the same time. The second waits for the first:
 * compressing them itself would take as long, and waiting uses no CPU.
 *
 * If compression gains nothing, the uncompressed frames are stored instead, so this is tried only
 * once. */
#include "sluice/hub/publication_compressed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "publication_internal.h"
#include "sluice/base/buffer.h"
#include "sluice/proto/ws/ws_extension.h"

/* State while the frames for one window are made. */
struct compression {
	struct buffer frames;
	unsigned window_bits;
	size_t threshold;
	struct ws_deflater *deflater;
	bool gained; /* at least one payload was compressed */
};

static const uint8_t windows[PUBLICATION_WINDOWS] = { WS_WINDOW_BITS_MIN, 12, WS_WINDOW_BITS_MAX };

/* The largest of our windows that a client with this window can read. */
static unsigned window_for(unsigned window_bits)
{
	unsigned number = PUBLICATION_WINDOWS - 1;
	while (number && windows[number] > window_bits)
		number--;
	return number;
}

/* Appends the payload as a compressed frame. 0; -E2BIG: the frame would not be smaller; or
 * -ENOMEM. */
static int append_compressed(
	struct compression *compression, enum ws_opcode opcode, struct slice payload)
{
	/* The header is written in front when the length is known. It is at most as long as the
	 * uncompressed frame's. */
	int error = buffer_reserve(&compression->frames, WS_SERVER_HEADER_MAX + payload.len);
	if (error)
		return error;
	char *frame = compression->frames.bytes + compression->frames.len;
	size_t len = payload.len; /* the room: a payload that does not shrink does not fit */
	error = ws_deflate(compression->deflater, compression->window_bits, payload,
		frame + WS_SERVER_HEADER_MAX, &len);
	if (error)
		return error;
	size_t header_len = ws_frame_format_compressed((uint8_t *)frame, opcode, true, len);
	memmove(frame + header_len, frame + WS_SERVER_HEADER_MAX, len);
	compression->frames.len += header_len + len;
	compression->gained = true;
	return 0;
}

static int append_frame(struct compression *compression, struct slice whole,
	const struct ws_frame *frame, size_t header_len)
{
	struct slice payload = slice_make(whole.at + header_len, whole.len - header_len);
	int error = -E2BIG;
	if (payload.len && payload.len >= compression->threshold)
		error = append_compressed(compression, frame->opcode, payload);
	return error == -E2BIG ? buffer_append_slice(&compression->frames, whole) : error;
}

/* With a reference, unless it is the run's own; NULL: no memory. */
static struct chunk *make(struct publication *publication, struct compression *compression)
{
	struct slice rest = slice_make(publication->chunk.bytes, publication->chunk.len);
	int error = 0;
	while (rest.len && !error) {
		struct ws_frame frame;
		size_t header_len;
		struct slice whole = publication_next_frame(&rest, &frame, &header_len);
		error = append_frame(compression, whole, &frame, header_len);
	}
	if (error)
		return NULL;
	if (!compression->gained)
		return &publication->chunk;
	return chunk_create(compression->frames.bytes, compression->frames.len);
}

struct chunk *publication_compressed(struct publication *publication, unsigned window_bits,
	size_t threshold, struct ws_deflater *deflater)
{
	unsigned number = window_for(window_bits);
	_Atomic(struct chunk *) *place = &publication->compressed[number];
	struct chunk *chunk = atomic_load_explicit(place, memory_order_acquire);
	if (chunk)
		return chunk;
	struct compression compression = {
		.window_bits = windows[number], .threshold = threshold, .deflater = deflater
	};
	pthread_mutex_lock(&publication->making);
	chunk = atomic_load_explicit(place, memory_order_relaxed);
	if (!chunk) {
		chunk = make(publication, &compression);
		atomic_store_explicit(place, chunk, memory_order_release);
	}
	pthread_mutex_unlock(&publication->making);
	buffer_finish(&compression.frames);
	return chunk ? chunk : &publication->chunk;
}
