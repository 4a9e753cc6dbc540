/* For the sources of subscriptions: subscriptions.c, and below it subscriptions_listening.c, which
 * receives the names of changed keys. */
#ifndef SLUICE_REDIS_SUBSCRIPTIONS_INTERNAL_H
#define SLUICE_REDIS_SUBSCRIPTIONS_INTERNAL_H

#include "sluice/redis/subscriptions.h"

/* The channel on which Redis sends changed keys. */
struct slice listening_channel(void);
bool listening_is_channel(struct slice name);

/* The link is up, and nothing is subscribed on it yet. 0 or what redis_link_command returns. */
MUST_CHECK int listening_begin(struct subscriptions *subscriptions);

/* The channel is confirmed, or Redis denies it to us. */
void listening_confirmed(struct subscriptions *subscriptions);
void listening_refused(struct subscriptions *subscriptions, struct slice reason);

/* A message on the channel. */
void listening_take(struct subscriptions *subscriptions, const struct redisReply *message);

#endif
