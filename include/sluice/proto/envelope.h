/* The messages of sluice.v1: what a page sends (commands), and what it is sent. Texts only, no frames. */
#ifndef SLUICE_PROTO_ENVELOPE_H
#define SLUICE_PROTO_ENVELOPE_H

#include <stdbool.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"
#include "sluice/proto/channel_rules.h"

enum {
	ENVELOPE_ID_MAX = 64,      /* bytes of an id, as it is written between the quotes */
	ENVELOPE_DEPTH_MAX = 8,    /* how deep a command may be nested; more is not JSON here */
	ENVELOPE_DATA_DEPTH = 128, /* a payload that is nested deeper is sent as a string */
};

enum envelope_type { ENVELOPE_SUBSCRIBE, ENVELOPE_UNSUBSCRIBE, ENVELOPE_PING };

struct envelope_command {
	enum envelope_type type;
	struct slice id; /* JSON, borrowed from the text: a string or a number; absent: none */
	struct slice
		channel; /* in `room`; what is no channel's name may stand there. Not of a ping */
	char room[CHANNEL_NAME_MAX + 4];
};

/* Reads a command: an object with "type"; "channel", a string, unless it is a ping; and possibly "id", a
 * string of at most ENVELOPE_ID_MAX bytes or a whole number that JavaScript can tell from its neighbours.
 * Other members are passed over; none of these may stand there twice. `text` is valid UTF-8. 0; or -EINVAL,
 * `ret_problem` (one line, a literal), and in *ret_command nothing but the id, if that could be found. */
MUST_CHECK int envelope_read(
	struct slice text, struct envelope_command *ret_command, const char **ret_problem);

/* Each of the following appends one whole message. 0 or -ENOMEM (then the buffer is to be thrown away).
 * Texts that are not JSON need to be valid UTF-8; of an `id` see above. */

/* `user` is absent for nobody. `channels`: by envelope_list. */
MUST_CHECK int envelope_welcome(struct buffer *out, struct slice connection, struct slice user,
	struct slice channels, unsigned heartbeat_ms);
/* The answer "subscribed", "unsubscribed" or "pong"; with an absent channel, with none. `reason`: NULL or
 * a literal. */
MUST_CHECK int envelope_answer(struct buffer *out, const char *type, struct slice id,
	struct slice channel, const char *reason);
/* `code` and `message`: literals. */
MUST_CHECK int envelope_error(
	struct buffer *out, struct slice id, const char *code, const char *message);
/* Publications may have been missed, on this channel or (absent) on all. */
MUST_CHECK int envelope_gap(struct buffer *out, struct slice channel);
MUST_CHECK int envelope_heartbeat(struct buffer *out);

/* `payload`: any bytes. As "data" the payload itself when it is JSON, else the text as a string; when it is
 * no text, as "base64". */
MUST_CHECK int envelope_publication(
	struct buffer *out, struct slice channel, struct slice payload, bool is_text);

/* Appends a string to the inside of a JSON array. */
MUST_CHECK int envelope_list(struct buffer *list, struct slice text);

#endif
