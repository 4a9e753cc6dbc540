/* Between the two halves of a link: its life (link.c) and what it says on its own (link_greeting.c). */
#ifndef SLUICE_REDIS_LINK_INTERNAL_H
#define SLUICE_REDIS_LINK_INTERNAL_H

#include "sluice/redis/link.h"

enum link_state { LINK_WAITING, LINK_CONNECTING, LINK_GREETING, LINK_UP };

static inline bool link_is_connected(const struct redis_link *link)
{
	return !link->closing && (link->state == LINK_GREETING || link->state == LINK_UP);
}

/* As redis_link_command, in any state that has a stream. */
MUST_CHECK int link_send(struct redis_link *link, const struct slice *words, size_t n,
	redis_reply_fn on_reply, void *context);

/* Sends AUTH, SELECT and PING; the answers bring the link up, or fail it. */
void link_greet(struct redis_link *link);

/* What a reply to PING is handed to, once the link is up. */
void link_on_pong(void *context, const struct redisReply *reply);

/* Fails the link because of the reply to `command`, whose error text becomes the reason. */
void link_fail_by_reply(
	struct redis_link *link, const char *command, const struct redisReply *reply);

#endif
