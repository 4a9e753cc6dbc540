/* Between the parts of a link: its life (link.c), commands and their answers (link_commands.c), and
 * what it says on its own (link_greeting.c). */
#ifndef SLUICE_REDIS_LINK_INTERNAL_H
#define SLUICE_REDIS_LINK_INTERNAL_H

#include "sluice/redis/link.h"

enum link_state { LINK_WAITING, LINK_CONNECTING, LINK_GREETING, LINK_UP };

static inline bool link_is_connected(const struct redis_link *link)
{
	return !link->closing && (link->state == LINK_GREETING || link->state == LINK_UP);
}

/* As redis_link_command, in any state that has a stream, and however many are pending. */
MUST_CHECK int link_send(struct redis_link *link, const struct slice *words, size_t n,
	redis_reply_fn on_reply, void *context);

/* Tells all who wait for an answer that none will come. */
void link_tell_pending(struct redis_link *link);

/* Hands a reply to whom it belongs. May fail or close the link. */
void link_dispatch(struct redis_link *link, const struct redisReply *reply);

/* Sends AUTH, SELECT and PING; the answers bring the link up, or fail it. */
void link_greet(struct redis_link *link);

#endif
