/* Queues in which publications wait for others.
 *
 * With a delay of 0, the default, a publication waits until the end of the read that brought it.
 * This costs no time, and publications that arrive together leave together. With a longer delay,
 * the first publication starts the timer, and everything that arrives before it fires is handed
 * over in one turn of the loop. So each connection is written to once instead of once per
 * publication, and writing is most of the cost of a delivery.
 *
 * All publications with the same delay wait in one queue, whatever their channel, so they leave in
 * the order in which they arrived. Between channels with different delays there is no order.
 *
 * There is one queue for each different delay in the configuration, and one timer. The size of a
 * queue is limited: during a flood, publications are handed over before their time. */
#include "sluice/feed/batches.h"

#include <errno.h>

enum { BATCH_BYTES_MAX = 1024 * 1024 };

static void append(struct batch *batch, struct publication *publication)
{
	publication->next = NULL;
	*batch->last = publication;
	batch->last = &publication->next;
	batch->bytes += publication->chunk.len;
}

static void end_run(struct batch *batch)
{
	struct publication *publication = publication_run_take(&batch->run);
	if (publication)
		append(batch, publication);
}

static void hand_over(struct batches *batches, struct batch *batch)
{
	end_run(batch);
	struct publication *publication = batch->first;
	batch->first = NULL;
	batch->last = &batch->first;
	batch->bytes = 0;
	batch->due = 0;
	while (publication) {
		struct publication *next = publication->next;
		batches->events->on_publication(batches, publication);
		publication_unref(publication);
		publication = next;
	}
}

static void on_timer(uv_timer_t *timer);

static void set_timer(struct batches *batches)
{
	uint64_t now = uv_now(batches->timer.loop), earliest = UINT64_MAX;
	for (size_t i = 0; i < batches->n; i++)
		if (batches->all[i].due)
			earliest = MIN(earliest, batches->all[i].due);
	if (earliest == UINT64_MAX)
		uv_timer_stop(&batches->timer);
	else
		uv_timer_start(&batches->timer, on_timer, earliest > now ? earliest - now : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct batches *batches = container_of(timer, struct batches, timer);
	uint64_t now = uv_now(timer->loop);
	for (size_t i = 0; i < batches->n; i++)
		if (batches->all[i].due && batches->all[i].due <= now)
			hand_over(batches, &batches->all[i]);
	set_timer(batches);
}

static struct batch *batch_of(struct batches *batches, struct slice channel)
{
	const struct settings *settings = batches->settings;
	size_t i = 0;
	if (batches->n == 1)
		return &batches->all[0];
	unsigned ms = channel_rules_batch_ms(
		settings->rules, settings->n_rules, channel, settings->delivery_batch_ms);
	while (i < batches->n - 1 && batches->all[i].ms != ms)
		i++;
	return &batches->all[i];
}

static void add_time(struct batches *batches, unsigned ms)
{
	for (size_t i = 0; i < batches->n; i++)
		if (batches->all[i].ms == ms)
			return;
	MUST(batches->n < SETTINGS_BATCHES_MAX);
	struct batch *batch = &batches->all[batches->n++];
	*batch = (struct batch){ .ms = ms };
	batch->last = &batch->first;
}

static void set_times(struct batches *batches, const struct settings *settings)
{
	batches->settings = settings;
	batches->n = 0;
	add_time(batches, settings->delivery_batch_ms);
	for (size_t i = 0; i < settings->n_rules; i++)
		if (settings->rules[i].batch_ms >= 0)
			add_time(batches, (unsigned)settings->rules[i].batch_ms);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct batches *batches = container_of(handle, struct batches, timer);
	batches->events->on_closed(batches);
}

int batches_open(struct batches *batches, uv_loop_t *loop, const struct settings *settings,
	const struct batches_events *events, void *owner)
{
	*batches = (struct batches){ .events = events, .owner = owner };
	set_times(batches, settings);
	return uv_timer_init(loop, &batches->timer);
}

void batches_close(struct batches *batches)
{
	batches_flush(batches);
	uv_close((uv_handle_t *)&batches->timer, on_timer_closed);
}

void batches_set_settings(struct batches *batches, const struct settings *settings)
{
	batches_flush(batches);
	set_times(batches, settings);
}

int batches_add(struct batches *batches, struct slice channel, struct slice payload)
{
	struct batch *batch = batch_of(batches, channel);
	int error = publication_run_add(&batch->run, channel, payload);
	if (error != -EAGAIN)
		return error;
	end_run(batch);
	if (batch->bytes > BATCH_BYTES_MAX)
		hand_over(batches, batch);
	return publication_run_add(&batch->run, channel, payload);
}

void batches_end_read(struct batches *batches)
{
	bool changed = false;
	for (size_t i = 0; i < batches->n; i++) {
		struct batch *batch = &batches->all[i];
		if (!batch->ms || batches->hurries) {
			hand_over(batches, batch);
		} else if (!batch->due && (batch->first || batch->run.publication)) {
			batch->due = uv_now(batches->timer.loop) + batch->ms;
			changed = true;
		}
	}
	if (changed)
		set_timer(batches);
}

void batches_flush(struct batches *batches)
{
	for (size_t i = 0; i < batches->n; i++)
		hand_over(batches, &batches->all[i]);
	set_timer(batches);
}

void batches_stop_waiting(struct batches *batches)
{
	batches->hurries = true;
	batches_flush(batches);
}
