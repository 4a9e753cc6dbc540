/* For the sources of publication only. */
#ifndef SLUICE_HUB_PUBLICATION_INTERNAL_H
#define SLUICE_HUB_PUBLICATION_INTERNAL_H

#include "sluice/hub/publication.h"
#include "sluice/proto/ws/ws_frame.h"

/* Appends a message to the run, which must be of this channel, or none; however long it is by now. 0 or
 * -ENOMEM. */
MUST_CHECK int publication_run_append(struct publication_run *run, struct slice channel,
	enum ws_opcode opcode, struct slice payload);

/* Takes a whole frame off the front of a run's bytes, which are ours and therefore right. Gives it;
 * `ret_header`: how long its header is. */
struct slice publication_next_frame(
	struct slice *rest, struct ws_frame *ret_frame, size_t *ret_header);

#endif
