/* A run grows in one block: header, channel name, frames. Until it is taken it has one owner and
 * may move; the pointers in it are set when it is taken. The block is given away as it is, with up
 * to half of it unused: trimming would cost a copy, and a run lives only until the slowest has read
 * it. */
#include "sluice/hub/publication.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/proto/utf8.h"
#include "sluice/proto/ws_frame.h"

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

int publication_run_add(struct publication_run *run, struct slice channel, struct slice payload)
{
	uint8_t header[WS_SERVER_HEADER_MAX];
	enum ws_opcode opcode = utf8_is_valid(payload) ? WS_TEXT : WS_BINARY;
	size_t header_len = ws_frame_format(header, opcode, true, payload.len);
	size_t frame_len = header_len + payload.len;
	if (frame_len > UINT32_MAX / 2)
		return -ENOMEM;
	if (run->publication && !belongs(run, channel, frame_len))
		return -EAGAIN;
	int error = run->publication ? reserve(run, frame_len) : begin(run, channel, frame_len);
	if (error)
		return error;
	struct publication *publication = run->publication;
	char *end = run_frames(publication) + publication->chunk.len;
	memcpy(end, header, header_len);
	if (payload.len)
		memcpy(end + header_len, payload.at, payload.len);
	publication->chunk.len += (uint32_t)frame_len;
	publication->count++;
	return 0;
}

static void release(struct chunk *chunk)
{
	struct publication *publication = container_of(chunk, struct publication, chunk);
	for (size_t i = 0; i < PUBLICATION_FORMS; i++) {
		struct chunk *compressed = atomic_load(&publication->compressed[i]);
		if (compressed && compressed != chunk)
			chunk_unref(compressed);
	}
	pthread_mutex_destroy(&publication->compressing);
}

/* It moves no more. */
static void settle(struct publication *publication)
{
	publication->channel = run_channel(publication);
	publication->chunk.bytes = run_frames(publication);
	publication->chunk.release = release;
	pthread_mutex_init(&publication->compressing, NULL);
	for (size_t i = 0; i < PUBLICATION_FORMS; i++)
		atomic_init(&publication->compressed[i], NULL);
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
