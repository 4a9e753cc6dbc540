/* Sends commands, and matches each reply to its command.
 *
 *	reply -+-> push "message"                            -> on_push
 *	       |-> push "subscribe" or "unsubscribe"         -> on_push: one answer to the oldest command
 *	       |-> error, and the oldest is a (UN)SUBSCRIBE  -> on_refused: its only answer
 *	       '-> anything else                             -> the on_reply of the oldest command
 *
 * Redis answers in order, so a reply belongs to the oldest pending command; only publications come
 * in between. A SUBSCRIBE or UNSUBSCRIBE of n channels is answered by n pushes, or by one error for
 * the whole command, because Redis checks the permissions for all channels first. Any other reply
 * fails the link: if a reply were matched to the wrong command, one browser could get another's
 * session.
 *
 * When Redis is slower than we send commands, the memory of pending commands must not grow without
 * bound, so their number is limited. The link's own commands are exempt: the PING must get through
 * to detect that Redis hangs, and only one is pending at a time. */
#include "link_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum answer {
	ANSWER_REPLY,  /* one reply, to on_reply */
	ANSWER_PUSHES, /* one push for each channel, to the events */
};

struct pending_command {
	struct list link;
	enum answer answer;
	redis_reply_fn on_reply;     /* of ANSWER_REPLY */
	redis_element_fn on_element; /* NULL: an array goes to on_reply as a whole */
	void *context;               /* theirs */
	size_t channels, answered;   /* of ANSWER_PUSHES */
};

static struct pending_command *oldest(const struct redis_link *link)
{
	return list_is_empty(&link->pending)
		       ? NULL
		       : container_of(link->pending.next, struct pending_command, link);
}

static void forget(struct redis_link *link, struct pending_command *command)
{
	list_remove(&command->link);
	link->pending_count--;
	free(command);
}

static int send_pending(
	struct redis_link *link, const struct slice *words, size_t n, struct pending_command what)
{
	struct pending_command *command = malloc(sizeof(*command));
	if (!command)
		return -ENOMEM;
	int error = redis_transport_send(&link->transport, words, n);
	if (error) {
		free(command);
		return error;
	}
	*command = what;
	list_append(&link->pending, &command->link);
	link->pending_count++;
	return 0;
}

static int send_for_reply(struct redis_link *link, const struct slice *words, size_t n,
	redis_reply_fn on_reply, void *context)
{
	return send_pending(link, words, n,
		(struct pending_command){
			.answer = ANSWER_REPLY, .on_reply = on_reply, .context = context });
}

void link_send_own(
	struct redis_link *link, const struct slice *words, size_t n, redis_reply_fn on_reply)
{
	if (redis_transport_is_open(&link->transport) &&
		send_for_reply(link, words, n, on_reply, link) != 0)
		redis_link_fail(link, "cannot send a command");
}

void link_drop_pending(struct redis_link *link)
{
	struct list pending; /* struct pending_command, by .link */
	list_take(&pending, &link->pending);
	link->pending_count = 0;
	for (struct list *node; (node = list_pop(&pending));) {
		struct pending_command *command = container_of(node, struct pending_command, link);
		if (command->answer == ANSWER_REPLY)
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
	struct pending_command *command = oldest(link);
	if (slice_equal(reply_text(reply->element[0]), SLICE("message"))) {
		link->events->on_push(link, reply);
	} else if (!command || command->answer != ANSWER_PUSHES) {
		redis_link_fail(link, "unexpected answer to SUBSCRIBE or UNSUBSCRIBE");
	} else {
		if (++command->answered == command->channels)
			forget(link, command);
		link->events->on_push(link, reply);
	}
}

/* Is this the error that answers a subscription command as a whole? */
static bool is_refusal(const struct pending_command *command, const struct redisReply *reply)
{
	return command->answer == ANSWER_PUSHES && !command->answered &&
	       reply->type == REDIS_REPLY_ERROR;
}

void link_dispatch(struct redis_link *link, const struct redisReply *reply)
{
	if (is_push(link, reply)) {
		take_push(link, reply);
		return;
	}
	struct pending_command *command = oldest(link);
	bool refused = command && is_refusal(command, reply);
	if (!command || (command->answer == ANSWER_PUSHES && !refused)) {
		redis_link_fail(link, "unexpected reply");
		return;
	}
	struct pending_command what = *command;
	forget(link, command);
	if (refused)
		link->events->on_refused(link, what.channels, reply);
	else
		what.on_reply(what.context, reply);
}

/* While the elements arrive, the command stays the oldest: replies come in order. */
bool link_wants_elements(const struct redis_link *link)
{
	const struct pending_command *command = oldest(link);
	return command && command->on_element;
}

void link_dispatch_element(struct redis_link *link, struct slice text)
{
	const struct pending_command *command = oldest(link);
	command->on_element(command->context, text);
}

/* ---- for the owner ---- */

bool redis_link_is_up(const struct redis_link *link)
{
	return link->up && redis_transport_is_open(&link->transport);
}

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
	return error ? error : send_for_reply(link, words, n, on_reply, context);
}

void redis_link_take_elements(struct redis_link *link, redis_element_fn on_element)
{
	MUST(!list_is_empty(&link->pending));
	container_of(link->pending.previous, struct pending_command, link)->on_element = on_element;
}

int redis_link_subscription_command(struct redis_link *link, const struct slice *words, size_t n)
{
	int error = check_room(link);
	if (!error)
		error = send_pending(link, words, n,
			(struct pending_command){ .answer = ANSWER_PUSHES, .channels = n - 1 });
	if (!error)
		link->subscribed = true;
	return error;
}

void redis_link_fail(struct redis_link *link, const char *reason)
{
	redis_transport_fail(&link->transport, reason);
}

/* Redis' error text is logged as the reason, but must never contain the password. Some proxies
 * quote what they do not understand, so the reply to AUTH is cut at its first quotation mark. */
void link_describe(
	char reason[LINK_REASON_MAX], const char *command, const struct redisReply *reply)
{
	struct slice text = reply_text(reply);
	if (reply->type != REDIS_REPLY_ERROR) {
		snprintf(reason, LINK_REASON_MAX, "unexpected reply to %s", command);
		return;
	}
	if (strcmp(command, "AUTH") == 0)
		text = reply_before_quote(text);
	text.len = MIN(text.len, (size_t)(LINK_REASON_MAX / 2));
	snprintf(reason, LINK_REASON_MAX, "%s: %.*s", command, SLICE_ARGS(text));
	for (char *c = reason; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			*c = '?';
	}
}

void redis_link_fail_by_reply(
	struct redis_link *link, const char *command, const struct redisReply *reply)
{
	char reason[LINK_REASON_MAX];
	link_describe(reason, command, reply);
	redis_link_fail(link, reason);
}
