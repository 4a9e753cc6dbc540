#include "sluice/conn/open/ws_message.h"

#include <string.h>

#include "sluice/proto/ws/ws_frame.h"

/* The header goes right before the text, into the room that was left for the longest header. */
struct chunk *ws_message(struct buffer *text, struct slice more)
{
	uint8_t header[WS_SERVER_HEADER_MAX];
	struct chunk *chunk = NULL;
	size_t len = ws_frame_format(header, WS_TEXT, true, text->len - sizeof(header));
	if (buffer_append_slice(text, more) == 0) {
		char *frame = text->bytes + sizeof(header) - len;
		memcpy(frame, header, len);
		chunk = chunk_create(frame, text->len - sizeof(header) + len);
	}
	buffer_finish(text);
	return chunk;
}
