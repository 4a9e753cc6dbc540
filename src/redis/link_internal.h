/* For the sources of link, each of which may call those below it: link.c (its life),
 * link_greeting.c (AUTH, SELECT, INFO, the first PING), link_heartbeat.c (the other PINGs),
 * link_commands.c (commands and their replies). */
#ifndef SLUICE_REDIS_LINK_INTERNAL_H
#define SLUICE_REDIS_LINK_INTERNAL_H

#include "sluice/redis/link.h"

/* ---- link_commands.c ---- */

/* Sends one of the link's own commands, also while greeting and however many commands are pending.
 * Fails the link if the command cannot be sent. `on_reply` gets the link as its context. */
void link_send_own(
	struct redis_link *link, const struct slice *words, size_t n, redis_reply_fn on_reply);

/* Gives every pending command NULL as its reply. */
void link_drop_pending(struct redis_link *link);

/* Hands a reply to the command that it answers. May fail or close the link. */
void link_dispatch(struct redis_link *link, const struct redisReply *reply);

/* Does the command that the next reply answers take the elements of an array? */
bool link_wants_elements(const struct redis_link *link);
void link_dispatch_element(struct redis_link *link, struct slice text);

enum { LINK_REASON_MAX = 256 };

/* What the reply to `command` says, an error, as one line for the operator. */
void link_describe(
	char reason[LINK_REASON_MAX], const char *command, const struct redisReply *reply);

/* ---- link_heartbeat.c ---- */

/* From now on a PING is sent every second. */
void link_heartbeat_begin(struct redis_link *link);
void link_heartbeat_end(struct redis_link *link);

/* ---- link_greeting.c ---- */

/* Sends AUTH, SELECT, INFO and PING; the replies bring the link up, or fail it. */
void link_greet(struct redis_link *link);

#endif
