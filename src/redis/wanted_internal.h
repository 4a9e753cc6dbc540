/* For the sources of wanted: wanted.c, and below it wanted_refused.c, which keeps the refused
 * channels. */
#ifndef SLUICE_REDIS_WANTED_INTERNAL_H
#define SLUICE_REDIS_WANTED_INTERNAL_H

#include "sluice/redis/wanted.h"

struct wanted_channel {
	struct list link; /* in `unanswered` or `resting`, or perhaps in `changed` */
	bool unanswered : 1, wanted : 1, asked : 1, refused : 1, resting : 1, confirmed : 1,
		awaited : 1;
	bool probing : 1; /* asked although it is confirmed */
	bool alone : 1;   /* was refused together with others: needs a command of its own */
	uint8_t class;    /* enum wanted_class, while it is refused */
	struct table_key name;
};

static inline struct slice wanted_name(const struct wanted_channel *channel)
{
	return table_key_bytes(&channel->name);
}

/* An unanswered channel is checked when its answer arrives. */
static inline void wanted_note(struct wanted *wanted, struct wanted_channel *channel)
{
	if (!list_is_linked(&channel->link))
		list_append(&wanted->changed, &channel->link);
}

static inline void wanted_mark_changed(struct wanted *wanted, struct wanted_channel *channel)
{
	wanted_note(wanted, channel);
	if (!wanted->stopped)
		wanted->events->on_changed(wanted);
}

static inline void wanted_await_no_more(struct wanted *wanted, struct wanted_channel *channel)
{
	if (!channel->awaited)
		return;
	channel->awaited = false;
	wanted->awaited--;
}

static inline void wanted_await_no_answer(struct wanted_channel *channel)
{
	if (channel->unanswered)
		list_remove(&channel->link);
	channel->unanswered = channel->probing = false;
}

/* ---- wanted_refused.c ---- */

/* Is this the reason why a command is denied, whatever its channels? */
bool wanted_denies_command(struct slice reason);

/* Redis denies us the command in which the channel was. `clear`: because of this channel. */
void wanted_refuse(
	struct wanted *wanted, struct wanted_channel *channel, bool clear, struct slice reason);

/* The channel is not refused any more. Returns whether it was. */
bool wanted_forget_refusal(struct wanted *wanted, struct wanted_channel *channel);

#endif
