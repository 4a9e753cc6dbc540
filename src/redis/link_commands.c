/* What is sent, and whose answer a reply is.
 *
 *	reply -+-> push "message"                        -> on_push
 *	       |-> push "subscribe" or "unsubscribe"     -> on_push: one of the oldest's answers
 *	       |-> error, the oldest is a (UN)SUBSCRIBE  -> on_refused: its only answer
 *	       '-> anything else                         -> the oldest's on_reply
 *
 * Redis answers in order, so a reply belongs to the oldest pending command; only publications come
 * in between. A SUBSCRIBE or UNSUBSCRIBE of n channels is a command like others, answered by n
 * pushes, or by one error for the whole of it: Redis looks at the rights to all channels before it
 * begins. Whatever fits neither ends the link: once it is not certain whose answer a reply is, one
 * browser's session could be taken for another's.
 *
 * A Redis that is slower than those who ask must not cost memory without end, so from some number
 * of pending commands on no more are taken. What the link says on its own (PING) always is: it is
 * what finds out that Redis hangs, and there is one at a time. */
#include "link_internal.h"

#include <errno.h>
#include <stdlib.h>

struct redis_pending {
	struct list link;
	redis_reply_fn on_reply; /* NULL: a subscription command */
	void *context;
	size_t channels, answered; /* of a subscription command */
};

static struct redis_pending *oldest(const struct redis_link *link)
{
	return list_is_empty(&link->pending)
		       ? NULL
		       : container_of(link->pending.next, struct redis_pending, link);
}

static void forget(struct redis_link *link, struct redis_pending *command)
{
	list_remove(&command->link);
	link->pending_count--;
	free(command);
}

static int send_words(struct redis_link *link, const struct slice *words, size_t n)
{
	link->command.len = 0;
	int error = resp_format(&link->command, words, n);
	if (!error)
		error = stream_send_bytes(&link->stream, link->command.bytes, link->command.len);
	return error == -EPIPE ? -ENOTCONN : error;
}

static int send_pending(
	struct redis_link *link, const struct slice *words, size_t n, struct redis_pending what)
{
	struct redis_pending *command = malloc(sizeof(*command));
	if (!command)
		return -ENOMEM;
	int error = send_words(link, words, n);
	if (error) {
		free(command);
		return error;
	}
	*command = what;
	list_append(&link->pending, &command->link);
	link->pending_count++;
	return 0;
}

int link_send(struct redis_link *link, const struct slice *words, size_t n, redis_reply_fn on_reply,
	void *context)
{
	return send_pending(
		link, words, n, (struct redis_pending){ .on_reply = on_reply, .context = context });
}

void link_tell_pending(struct redis_link *link)
{
	struct list pending; /* struct redis_pending, by .link */
	list_take(&pending, &link->pending);
	link->pending_count = 0;
	for (struct list *node; (node = list_pop(&pending));) {
		struct redis_pending *command = container_of(node, struct redis_pending, link);
		if (command->on_reply)
			command->on_reply(command->context, NULL);
		free(command);
	}
}

/* ---- replies ---- */

static bool is_push(const struct redis_link *link, const struct redisReply *reply)
{
	return link->subscribed && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3;
}

static void take_push(struct redis_link *link, const struct redisReply *reply)
{
	struct redis_pending *command = oldest(link);
	if (slice_equal(resp_text(reply->element[0]), SLICE("message"))) {
		link->events->on_push(link, reply);
	} else if (!command || command->on_reply) {
		redis_link_fail(link, "a subscription that was not asked for");
	} else {
		if (++command->answered == command->channels)
			forget(link, command);
		link->events->on_push(link, reply);
	}
}

void link_dispatch(struct redis_link *link, const struct redisReply *reply)
{
	if (is_push(link, reply)) {
		take_push(link, reply);
		return;
	}
	struct redis_pending *command = oldest(link);
	bool refused = command && !command->on_reply && !command->answered &&
		       reply->type == REDIS_REPLY_ERROR;
	if (!command || (!command->on_reply && !refused)) {
		redis_link_fail(link, "a reply that nothing was asked for");
		return;
	}
	struct redis_pending what = *command;
	forget(link, command);
	if (refused)
		link->events->on_refused(link, what.channels, reply);
	else
		what.on_reply(what.context, reply);
}

/* ---- the door ---- */

static int check_room(const struct redis_link *link)
{
	if (!redis_link_is_up(link))
		return -ENOTCONN;
	return link->pending_count < REDIS_PENDING_MAX ? 0 : -ENOBUFS;
}

int redis_link_command(struct redis_link *link, const struct slice *words, size_t n,
	redis_reply_fn on_reply, void *context)
{
	int error = link->subscribed ? -ENOTCONN : check_room(link);
	return error ? error : link_send(link, words, n, on_reply, context);
}

int redis_link_subscription_command(struct redis_link *link, const struct slice *words, size_t n)
{
	int error = check_room(link);
	if (!error)
		error = send_pending(link, words, n, (struct redis_pending){ .channels = n - 1 });
	if (!error)
		link->subscribed = true;
	return error;
}
