/* A run grows in one block: header, channel name, frames. Until it is taken it has one owner and
 * may move, so its pointers are set when it is taken. Up to half of the block stays unused:
 * trimming would cost a copy, and a run lives only until the slowest subscriber has received it. */
#include "sluice/hub/publication.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "publication_internal.h"
#include "sluice/proto/text/utf8.h"

enum { RUN_BYTES_MAX = 1024 * 1024 };

static char *run_channel(struct publication *publication)
{
	return (char *)(publication + 1);
}

static char *run_frames(struct publication *publication)
{
	return run_channel(publication) + publication->channel_len;
}

/* Makes room for `more` bytes of frames. */
static int reserve(struct publication_run *run, size_t more)
{
	struct publication *old = run->publication;
	size_t used = sizeof(*old) + old->channel_len + old->chunk.len;
	if (run->capacity - used >= more)
		return 0;
	size_t capacity = MAX(run->capacity * 2, used + more);
	struct publication *grown = realloc(old, capacity);
	if (!grown)
		return -ENOMEM;
	run->publication = grown;
	run->capacity = capacity;
	return 0;
}

static int begin(struct publication_run *run, struct slice channel, size_t frame_len)
{
	size_t capacity = sizeof(struct publication) + channel.len + frame_len;
	struct publication *publication = malloc(capacity);
	if (!publication)
		return -ENOMEM;
	atomic_init(&publication->chunk.refs, 1);
	publication->chunk.len = 0;
	publication->count = 0;
	publication->channel_len = (uint32_t)channel.len;
	memcpy(run_channel(publication), channel.at, channel.len);
	run->publication = publication;
	run->capacity = capacity;
	return 0;
}

static bool belongs(const struct publication_run *run, struct slice channel, size_t frame_len)
{
	struct publication *publication = run->publication;
	return slice_equal(
		       channel, slice_make(run_channel(publication), publication->channel_len)) &&
	       publication->chunk.len + frame_len <= RUN_BYTES_MAX;
}

/* The length of a frame with this payload, header included. */
static size_t framed_len(struct slice payload)
{
	uint8_t header[WS_SERVER_HEADER_MAX];
	return ws_frame_format(header, WS_TEXT, true, payload.len) + payload.len;
}

int publication_run_append(struct publication_run *run, struct slice channel, enum ws_opcode opcode,
	struct slice payload)
{
	size_t len = framed_len(payload);
	if (len + (run->publication ? run->publication->chunk.len : 0) > UINT32_MAX / 2)
		return -ENOMEM;
	int error = run->publication ? reserve(run, len) : begin(run, channel, len);
	if (error)
		return error;
	struct publication *publication = run->publication;
	char *end = run_frames(publication) + publication->chunk.len;
	end += ws_frame_format((uint8_t *)end, opcode, true, payload.len);
	if (payload.len)
		memcpy(end, payload.at, payload.len);
	publication->chunk.len += (uint32_t)len;
	publication->count++;
	return 0;
}

int publication_run_add(struct publication_run *run, struct slice channel, struct slice payload)
{
	if (run->publication && !belongs(run, channel, framed_len(payload)))
		return -EAGAIN;
	return publication_run_append(
		run, channel, utf8_is_valid(payload) ? WS_TEXT : WS_BINARY, payload);
}

struct slice publication_next_frame(
	struct slice *rest, struct ws_frame *ret_frame, size_t *ret_header)
{
	const uint8_t *header = (const uint8_t *)rest->at;
	*ret_header = ws_frame_header_len(header);
	MUST(ws_frame_parse(header, ret_frame) == 0);
	struct slice whole = slice_make(rest->at, *ret_header + ret_frame->payload_len);
	*rest = slice_skip(*rest, whole.len);
	return whole;
}

static void release(struct chunk *chunk)
{
	struct publication *publication = container_of(chunk, struct publication, chunk);
	for (size_t i = 0; i < PUBLICATION_WINDOWS; i++) {
		struct chunk *compressed = atomic_load(&publication->compressed[i]);
		if (compressed && compressed != chunk)
			chunk_unref(compressed);
	}
	for (size_t i = 0; i < COUNT_OF(publication->forms); i++) {
		struct publication *form = atomic_load(&publication->forms[i]);
		if (form)
			publication_unref(form);
	}
	pthread_mutex_destroy(&publication->making);
}

/* From here on the run does not move. */
static void settle(struct publication *publication)
{
	publication->channel = run_channel(publication);
	publication->chunk.bytes = run_frames(publication);
	publication->chunk.release = release;
	pthread_mutex_init(&publication->making, NULL);
	for (size_t i = 0; i < PUBLICATION_WINDOWS; i++)
		atomic_init(&publication->compressed[i], NULL);
	for (size_t i = 0; i < COUNT_OF(publication->forms); i++)
		atomic_init(&publication->forms[i], NULL);
	chunk_settle(&publication->chunk);
}

struct publication *publication_run_take(struct publication_run *run)
{
	struct publication *publication = run->publication;
	if (publication)
		settle(publication);
	*run = (struct publication_run){ 0 };
	return publication;
}
