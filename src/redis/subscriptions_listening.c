/* Receives the names of changed keys on a subscribed link.
 *
 * Redis sends them to the client whose ID tracking.c has passed. So the ID is queried (CLIENT ID)
 * before the first SUBSCRIBE, because RESP2 allows no other command afterwards, and one channel is
 * wanted besides the owner's. Redis does not publish on that channel: it writes an array of keys to
 * this client alone, or a nil that means all keys. Anybody may PUBLISH on the channel, but only
 * strings, which are ignored. */
#include "subscriptions_internal.h"

static const char invalidate[] = "__redis__:invalidate";

struct slice listening_channel(void)
{
	return slice_of(invalidate);
}

bool listening_is_channel(struct slice name)
{
	return slice_equal(name, slice_of(invalidate));
}

static void tell(struct subscriptions *subscriptions, uint64_t client, struct slice problem)
{
	subscriptions->events->on_listening(subscriptions, client, problem);
}

/* The reply arrives before the answer to SUBSCRIBE, which was sent later. */
static void on_client_id(void *context, const struct redisReply *reply)
{
	struct subscriptions *subscriptions = context;
	if (!reply || subscriptions->closing)
		return;
	if (reply->type == REDIS_REPLY_INTEGER && reply->integer > 0)
		subscriptions->client = (uint64_t)reply->integer;
	else
		tell(subscriptions, 0,
			reply->type == REDIS_REPLY_ERROR ? reply_text(reply)
							 : SLICE("unexpected reply to CLIENT ID"));
}

int listening_begin(struct subscriptions *subscriptions)
{
	const struct slice words[] = { SLICE("CLIENT"), SLICE("ID") };
	return subscriptions->listens ? redis_link_command(&subscriptions->link, words,
						COUNT_OF(words), on_client_id, subscriptions)
				      : 0;
}

/* Without a client ID, on_client_id has reported the problem. */
void listening_confirmed(struct subscriptions *subscriptions)
{
	if (subscriptions->client)
		tell(subscriptions, subscriptions->client, (struct slice){ 0 });
}

void listening_refused(struct subscriptions *subscriptions, struct slice reason)
{
	tell(subscriptions, 0, reason);
}

void listening_take(struct subscriptions *subscriptions, const struct redisReply *message)
{
	if (!subscriptions->listens)
		return;
	if (message->type == REDIS_REPLY_NIL)
		subscriptions->events->on_invalidated(subscriptions, (struct slice){ 0 });
	if (message->type != REDIS_REPLY_ARRAY)
		return;
	for (size_t i = 0; i < message->elements && !subscriptions->closing; i++) {
		struct slice key = reply_text(message->element[i]);
		if (key.at)
			subscriptions->events->on_invalidated(subscriptions, key);
	}
}
