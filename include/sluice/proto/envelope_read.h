/* The commands of sluice.v1 from a page. */
#ifndef SLUICE_PROTO_ENVELOPE_READ_H
#define SLUICE_PROTO_ENVELOPE_READ_H

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"
#include "sluice/proto/channel_name.h"

enum {
	ENVELOPE_ID_MAX = 64,   /* bytes of an id, as written between the quotes */
	ENVELOPE_DEPTH_MAX = 8, /* deeper nesting of a command is refused */
};

enum envelope_type { ENVELOPE_SUBSCRIBE, ENVELOPE_UNSUBSCRIBE, ENVELOPE_PING };

struct envelope_command {
	enum envelope_type type;
	struct slice id;      /* JSON, borrowed from the text: a string or a number; absent: none */
	struct slice channel; /* in `room`, not yet checked; not set for a ping */
	char room[CHANNEL_NAME_MAX + 4];
};

/* Reads a command: an object with "type"; "channel", a string, unless it is a ping; and optionally
 * "id", a string of at most ENVELOPE_ID_MAX bytes or an integer that JavaScript represents exactly.
 * Other members are ignored; these three must not be duplicate. `text` is valid UTF-8. 0; or
 * -EINVAL with `ret_problem` (one line, a literal); then only the id of *ret_command is set, if it
 * could be read. */
MUST_CHECK int envelope_read(
	struct slice text, struct envelope_command *ret_command, const char **ret_problem);

#endif
