/* Hearing of changed keys, on a link that is subscribed.
 *
 * Redis has to be told which link to tell, by its number. That is asked for (CLIENT ID) before the first
 * SUBSCRIBE, for RESP2 allows no other command afterwards, and one channel is wanted for our own sake. Redis
 * does not publish there: it writes to the one link that tracking names, an array of keys or, when all are
 * meant, a nil. Anybody may PUBLISH on it, too, but only texts, so they are told apart. */
#include "subscriptions_internal.h"

static const char invalidate[] = "__redis__:invalidate";

bool listening_is_channel(struct slice name)
{
	return slice_equal(name, slice_of(invalidate));
}

static void tell(struct subscriptions *subscriptions, uint64_t client, struct slice problem)
{
	subscriptions->events->on_listening(subscriptions, client, problem);
}

/* Before the answer to SUBSCRIBE, which was sent behind it. */
static void on_client_id(void *context, const struct redisReply *reply)
{
	struct subscriptions *subscriptions = context;
	if (!reply || subscriptions->closing)
		return;
	if (reply->type == REDIS_REPLY_INTEGER && reply->integer > 0)
		subscriptions->client = (uint64_t)reply->integer;
	else
		tell(subscriptions, 0,
			reply->type == REDIS_REPLY_ERROR ? resp_text(reply)
							 : SLICE("CLIENT ID gave no number"));
}

int listening_begin(struct subscriptions *subscriptions)
{
	const struct slice words[] = { SLICE("CLIENT"), SLICE("ID") };
	return subscriptions->listens ? redis_link_command(&subscriptions->link, words,
						COUNT_OF(words), on_client_id, subscriptions)
				      : 0;
}

/* Without a number that was told already. */
void listening_confirmed(struct subscriptions *subscriptions)
{
	if (subscriptions->client)
		tell(subscriptions, subscriptions->client, (struct slice){ 0 });
}

void listening_refused(struct subscriptions *subscriptions, struct slice why)
{
	tell(subscriptions, 0, why);
}

void listening_take(struct subscriptions *subscriptions, const struct redisReply *said)
{
	if (!subscriptions->listens)
		return;
	if (said->type == REDIS_REPLY_NIL)
		subscriptions->events->on_invalidated(subscriptions, (struct slice){ 0 });
	if (said->type != REDIS_REPLY_ARRAY)
		return;
	for (size_t i = 0; i < said->elements && !subscriptions->closing; i++) {
		struct slice key = resp_text(said->element[i]);
		if (key.at)
			subscriptions->events->on_invalidated(subscriptions, key);
	}
}

int subscriptions_listen(struct subscriptions *subscriptions)
{
	subscriptions->listens = true;
	return subscriptions_want(subscriptions, slice_of(invalidate));
}
