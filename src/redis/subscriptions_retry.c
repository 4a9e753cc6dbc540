/* When refused channels are asked for again.
 *
 * A round asks for at most MANY of them. The wait for the next round is drawn from the upper half
 * of a bound, which doubles from FIRST_MS to LAST_MS, so that an ACL that is mended takes effect
 * within seconds, and many gateways do not ask at the same moment. While more channels are refused
 * than a round has, the bound is at most CROWDED_MS: that is 128 small commands a second at most,
 * however many channels clients with bad intentions keep refused.
 *
 * A round in which a channel is confirmed shows that the ACL has changed. Then the next round is
 * larger and follows at once, and so on until none is confirmed. */
#include "subscriptions_internal.h"

#include "sluice/base/random.h"

enum { FIRST_MS = 250, LAST_MS = 4000, CROWDED_MS = 1000, HURRY_MS = 1, MANY = 128, MOST = 1024 };

static void on_retry_due(struct deadline *deadline)
{
	struct subscriptions *subscriptions = container_of(deadline, struct subscriptions, retry);
	uint32_t longest = LAST_MS;
	wanted_ask_refused(&subscriptions->wanted, subscriptions->hurries ? MOST : MANY);
	if (wanted_has_refused(&subscriptions->wanted))
		longest = CROWDED_MS;
	subscriptions->hurries = false;
	subscriptions->retry_ms = MIN(subscriptions->retry_ms * 2, longest);
	retry_schedule(subscriptions);
}

void retry_schedule(struct subscriptions *subscriptions)
{
	if (!wanted_has_refused(&subscriptions->wanted) || deadline_is_set(&subscriptions->retry))
		return;
	uint32_t wait = subscriptions->hurries ? HURRY_MS : random_wait(subscriptions->retry_ms);
	deadline_set(
		subscriptions->link.transport.deadlines, &subscriptions->retry, wait, on_retry_due);
}

void retry_hurry(struct subscriptions *subscriptions)
{
	subscriptions->hurries = true;
	subscriptions->retry_ms = FIRST_MS;
	deadline_clear(subscriptions->link.transport.deadlines, &subscriptions->retry);
	retry_schedule(subscriptions);
}

void retry_stop(struct subscriptions *subscriptions)
{
	subscriptions->hurries = false;
	subscriptions->retry_ms = FIRST_MS;
	deadline_clear(subscriptions->link.transport.deadlines, &subscriptions->retry);
}
