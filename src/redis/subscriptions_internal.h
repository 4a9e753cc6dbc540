/* Between the parts of subscriptions: channels (subscriptions.c), and what Redis says of changed keys
 * (subscriptions_listening.c). */
#ifndef SLUICE_REDIS_SUBSCRIPTIONS_INTERNAL_H
#define SLUICE_REDIS_SUBSCRIPTIONS_INTERNAL_H

#include "sluice/redis/subscriptions.h"

/* The channel that is wanted for our own sake. */
bool listening_is_channel(struct slice name);

/* The link is up, and nothing is subscribed on it yet. 0 or what redis_link_command gives. */
MUST_CHECK int listening_begin(struct subscriptions *subscriptions);

/* The channel is confirmed, or Redis denies it. */
void listening_confirmed(struct subscriptions *subscriptions);
void listening_refused(struct subscriptions *subscriptions, struct slice why);

/* What was said on the channel. */
void listening_take(struct subscriptions *subscriptions, const struct redisReply *said);

#endif
