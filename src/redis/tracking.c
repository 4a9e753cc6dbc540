/* CLIENT TRACKING is sent before the next read, and Redis executes commands in order. So the read
 * is tracked, and on_tracked need not wait for the reply. If the reply is an error, only some
 * needless reads were made.
 *
 * Redis cannot notify a reader that its listener has gone: RESP2 has no message for it. None is
 * needed, because the listener's owner knows and passes the next client ID. */
#include "sluice/redis/tracking.h"

#include <inttypes.h>
#include <stdio.h>

static void on_reply(void *context, const struct redisReply *reply)
{
	struct tracking *tracking = context;
	if (!reply || reply->type == REDIS_REPLY_STATUS)
		return;
	tracking->events->on_refused(tracking,
		reply->type == REDIS_REPLY_ERROR ? reply_text(reply)
						 : SLICE("unexpected reply to CLIENT TRACKING"));
}

static void begin(struct tracking *tracking)
{
	char listener[24];
	if (!tracking->listener || !redis_link_is_up(tracking->reader))
		return;
	snprintf(listener, sizeof(listener), "%" PRIu64, tracking->listener);
	const struct slice words[] = { SLICE("CLIENT"), SLICE("TRACKING"), SLICE("ON"),
		SLICE("REDIRECT"), slice_of(listener) };
	/* If there is no room for this command, there is none for reads either, so start over with
	 * a new link. */
	if (redis_link_command(tracking->reader, words, COUNT_OF(words), on_reply, tracking) == 0)
		tracking->events->on_tracked(tracking);
	else
		redis_link_fail(tracking->reader, "cannot send a command");
}

void tracking_init(struct tracking *tracking, struct redis_link *reader,
	const struct tracking_events *events, void *owner)
{
	*tracking = (struct tracking){ .owner = owner, .events = events, .reader = reader };
}

void tracking_set_listener(struct tracking *tracking, uint64_t listener)
{
	tracking->listener = listener;
	begin(tracking);
}

void tracking_reader_is_up(struct tracking *tracking)
{
	begin(tracking);
}
