/* Takes publications from their home to the hubs: directly to the home worker's own hub, and
 * through the inbox of every other worker that wants the channel. The bytes that wait in an inbox
 * are limited. A run beyond the limit is dropped, and the worker's subscribers are notified of the
 * gap. */
#include <errno.h>
#include <stdlib.h>

#include "bridge_internal.h"

struct delivery {
	struct bridge *to;
	struct publication *publication;
};

/* The memory that a run takes in an inbox. For small runs most of it is overhead, not frames. */
static size_t weight(const struct publication *publication)
{
	return sizeof(*publication) + publication->channel_len + publication->chunk.len +
	       sizeof(struct delivery) + sizeof(struct inbox_message);
}

static void deliver_publication(void *owner, void *subject)
{
	(void)owner;
	struct delivery *delivery = subject;
	struct bridge *bridge = delivery->to;
	atomic_fetch_sub(&bridge->backlog, weight(delivery->publication));
	hub_publish(&bridge->hub, delivery->publication);
	publication_unref(delivery->publication);
	free(delivery);
}

static int post_publication(struct bridge *to, struct publication *publication)
{
	struct delivery *delivery = malloc(sizeof(*delivery));
	if (!delivery)
		return -ENOMEM;
	*delivery = (struct delivery){ to, publication_ref(publication) };
	int error = inbox_post(to->setup.inbox, deliver_publication, delivery);
	if (error) {
		publication_unref(publication);
		free(delivery);
	}
	return error;
}

static void post_or_drop(struct bridge *home, struct bridge *to, struct publication *publication)
{
	size_t more = weight(publication);
	if (atomic_fetch_add(&to->backlog, more) <= BRIDGE_BACKLOG_MAX &&
		post_publication(to, publication) == 0)
		return;
	atomic_fetch_sub(&to->backlog, more);
	metrics_add(home->setup.metrics, METRIC_PUBLICATIONS_DROPPED_TOTAL, publication->count);
	bridge_dropped_on_the_way(home, to);
}

void bridge_deliver(struct bridge *home, struct publication *publication)
{
	uint64_t workers = homes_workers(&home->homes, publication_channel(publication));
	for (unsigned worker = 0; workers; worker++, workers >>= 1) {
		if (!(workers & 1))
			continue;
		if (worker == home->setup.self)
			hub_publish(&home->hub, publication);
		else
			post_or_drop(home, home->setup.all[worker], publication);
	}
}
