/* Lays out our text messages as frames (RFC 6455 §5.6). */
#ifndef SLUICE_CONN_OPEN_WS_MESSAGE_H
#define SLUICE_CONN_OPEN_WS_MESSAGE_H

#include "sluice/base/buffer.h"
#include "sluice/base/chunk.h"

/* The text, begun with open_text_begin, as one frame, followed by `more`. Finishes the buffer.
 * Returns a reference; NULL: no memory. */
struct chunk *ws_message(struct buffer *text, struct slice more);

#endif
