/* The messages of sluice.v1 to a page, as text without frames. */
#ifndef SLUICE_PROTO_ENVELOPE_H
#define SLUICE_PROTO_ENVELOPE_H

#include <stdbool.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"

enum { ENVELOPE_DATA_DEPTH = 128 /* a payload that is nested deeper is sent as a string */ };

/* Each function but the last appends one message. 0 or -ENOMEM (then the buffer is to be
 * discarded). Strings that are not JSON must be valid UTF-8; an `id` is JSON, as in
 * envelope_read.h; an absent slice is left out. */

/* `user`: absent for an anonymous connection. `channels`: made by envelope_list. */
MUST_CHECK int envelope_welcome(struct buffer *out, struct slice connection, struct slice user,
	struct slice channels, unsigned heartbeat_ms);
/* `type`: "subscribed", "unsubscribed" or "pong". `reason`: NULL or a literal. */
MUST_CHECK int envelope_answer(struct buffer *out, const char *type, struct slice id,
	struct slice channel, const char *reason);
/* `code` and `message`: literals. */
MUST_CHECK int envelope_error(
	struct buffer *out, struct slice id, const char *code, const char *message);
/* Publications may have been missed, on this channel or (absent) on all. */
MUST_CHECK int envelope_gap(struct buffer *out, struct slice channel);
MUST_CHECK int envelope_heartbeat(struct buffer *out);

/* `payload`: any bytes. Sent as "data", the payload itself if it is JSON, else as a string; or as
 * "base64" if it is not text. */
MUST_CHECK int envelope_publication(
	struct buffer *out, struct slice channel, struct slice payload, bool is_text);

/* Appends a string to the inside of a JSON array. */
MUST_CHECK int envelope_list(struct buffer *list, struct slice text);

#endif
