/* For the sources of subscriptions: subscriptions.c, and below it subscriptions_listening.c, which
 * receives the names of changed keys, and subscriptions_retry.c, which asks again for channels that
 * Redis refused. */
#ifndef SLUICE_REDIS_SUBSCRIPTIONS_INTERNAL_H
#define SLUICE_REDIS_SUBSCRIPTIONS_INTERNAL_H

#include "sluice/redis/subscriptions.h"

/* ---- subscriptions_retry.c ---- */

/* Refused channels are asked for again, when it is time. To be called after each answer. */
void retry_schedule(struct subscriptions *subscriptions);

/* A refused channel is confirmed: somebody has mended the ACL, so the others are tried now. */
void retry_hurry(struct subscriptions *subscriptions);

/* The link is down, or will be closed. */
void retry_stop(struct subscriptions *subscriptions);

/* ---- subscriptions_listening.c ---- */

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
