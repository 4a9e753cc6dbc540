/* For the sources that make forms of a publication. */
#ifndef SLUICE_HUB_PUBLICATION_INTERNAL_H
#define SLUICE_HUB_PUBLICATION_INTERNAL_H

#include "sluice/base/buffer.h"
#include "sluice/hub/publication.h"
#include "sluice/proto/ws/ws_frame.h"

/* Appends a message to the run, which must belong to this channel or be empty. Unlike
 * publication_run_add it does not limit the run's length. 0 or -ENOMEM. */
MUST_CHECK int publication_run_append(struct publication_run *run, struct slice channel,
	enum ws_opcode opcode, struct slice payload);

/* Takes a whole frame off the front of a run's bytes, which are valid because we made them. Returns
 * the frame; `ret_header`: the length of its header. */
struct slice publication_next_frame(
	struct slice *rest, struct ws_frame *ret_frame, size_t *ret_header);

/* Makes one form of a publication, message by message: appends to `run` the message in this form
 * for one payload. `scratch` keeps its memory from message to message; its content has no meaning.
 * 0 or -ENOMEM. */
typedef int (*publication_maker)(struct publication_run *run, struct buffer *scratch,
	struct slice channel, enum ws_opcode opcode, struct slice payload);

/* The maker of PUBLICATION_ENVELOPED. */
MUST_CHECK int publication_append_enveloped(struct publication_run *run, struct buffer *scratch,
	struct slice channel, enum ws_opcode opcode, struct slice payload);

#endif
