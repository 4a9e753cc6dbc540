/* The channels that Redis denies to us.
 *
 *	asked --NOPERM--> resting --wanted_ask_refused--> asked --NOPERM--> resting
 *	                                                        --confirmed--> no longer refused
 *
 * An ACL may be mended at any time, and Redis tells nobody. So a refused channel is asked for again
 * for as long as it is wanted. When, the owner decides: there is no clock here. In between, the
 * channel rests. It counts as refused until an answer says otherwise, also while it is asked for
 * again, so that nobody waits for an answer that is known.
 *
 * Our own channels and the automatic ones go first, because few of them concern many clients. The
 * others take turns. If the command itself is denied, one channel is as good as all to find out
 * that it is allowed again. */
#include "wanted_internal.h"

#include "sluice/base/defs.h"

/* Redis 6: "NOPERM this user has no permissions to run the 'subscribe' command or its subcommand";
 * Redis 7: "NOPERM User sluice has no permissions to run the 'subscribe' command". About channels:
 * "NOPERM this user has no permissions to access one of the channels used as arguments". */
bool wanted_denies_command(struct slice reason)
{
	static const char phrase[] = "permissions to run the ";
	return reason.len && memmem(reason.at, reason.len, phrase, sizeof(phrase) - 1);
}

static void rest(struct wanted *wanted, struct wanted_channel *channel)
{
	channel->resting = true;
	list_append(&wanted->resting[channel->class], &channel->link);
}

void wanted_refuse(
	struct wanted *wanted, struct wanted_channel *channel, bool clear, struct slice reason)
{
	bool probing = channel->probing;
	wanted_await_no_answer(channel);
	channel->asked = probing;
	if (probing && channel->wanted)
		return;
	channel->alone = channel->alone || !wanted->barred;
	if (!clear || !channel->wanted) {
		wanted_mark_changed(wanted, channel);
		return;
	}
	bool anew = !channel->refused;
	wanted_forget_refusal(wanted, channel);
	channel->refused = true;
	channel->class = (uint8_t)wanted->events->class_of(wanted, wanted_name(channel));
	wanted->refused[channel->class]++;
	rest(wanted, channel);
	wanted_await_no_more(wanted, channel);
	if (anew)
		wanted->events->on_refused(wanted, wanted_name(channel), reason);
}

bool wanted_forget_refusal(struct wanted *wanted, struct wanted_channel *channel)
{
	if (!channel->refused)
		return false;
	wanted->refused[channel->class]--;
	if (channel->resting)
		list_remove(&channel->link);
	channel->refused = channel->resting = false;
	return true;
}

void wanted_ask_refused(struct wanted *wanted, size_t max)
{
	size_t left = wanted->barred ? MIN(max, (size_t)1) : max;
	for (size_t class = WANTED_CLASSES; class -- > 0;) {
		struct list *node;
		for (; left && (node = list_pop(&wanted->resting[class])); left--) {
			struct wanted_channel *channel =
				container_of(node, struct wanted_channel, link);
			channel->resting = false;
			wanted_mark_changed(wanted, channel);
		}
	}
}

bool wanted_has_refused(const struct wanted *wanted)
{
	for (size_t class = 0; class < WANTED_CLASSES; class ++)
		if (!list_is_empty(&wanted->resting[class]))
			return true;
	return false;
}

size_t wanted_refused_count(const struct wanted *wanted, enum wanted_class class)
{
	return wanted->refused[class];
}

bool wanted_is_barred(const struct wanted *wanted)
{
	return wanted->barred;
}
