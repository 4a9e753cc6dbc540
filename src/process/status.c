#include "sluice/process/status.h"

#include "sluice/base/buffered.h"

int status_print_reasons(const struct status *status, struct buffer *out)
{
	int error = status->draining ? buffer_printf(out, "draining\n") : 0;
	for (unsigned i = 0; i < status->n && !error; i++) {
		const struct worker *worker = &status->workers[i];
		if (!link_state_is_up(&worker->command_link))
			error = buffer_printf(
				out, "worker %u: the link for commands to Redis is down\n", i);
		if (!error && !bridge_is_up(&worker->bridge))
			error = buffer_printf(
				out, "worker %u: the link for subscriptions to Redis is down\n", i);
	}
	return error;
}

static int print_links(const struct status *status, struct buffer *out)
{
	int error =
		buffer_printf(out, "# HELP sluice_redis_link_up Whether the link to Redis is up.\n"
				   "# TYPE sluice_redis_link_up gauge\n");
	for (unsigned i = 0; i < status->n && !error; i++)
		error = buffer_printf(out,
			"sluice_redis_link_up{worker=\"%u\",link=\"command\"} %d\n"
			"sluice_redis_link_up{worker=\"%u\",link=\"subscribe\"} %d\n",
			i, link_state_is_up(&status->workers[i].command_link), i,
			bridge_is_up(&status->workers[i].bridge));
	return error;
}

int status_print_metrics(const struct status *status, struct buffer *out)
{
	struct metrics *blocks[HOMES_WORKERS_MAX];
	for (unsigned i = 0; i < status->n; i++)
		blocks[i] = &status->workers[i].metrics;
	int error = metrics_print(blocks, status->n, out);
	if (!error)
		error = print_links(status, out);
	if (error)
		return error;
	return buffer_printf(out,
		"# HELP sluice_buffered_bytes Memory of queued data, counting each publication "
		"once.\n"
		"# TYPE sluice_buffered_bytes gauge\n"
		"sluice_buffered_bytes %zu\n"
		"# HELP sluice_incoming_bytes Memory of handshakes, requests and messages that are "
		"not complete.\n"
		"# TYPE sluice_incoming_bytes gauge\n"
		"sluice_incoming_bytes %zu\n"
		"# HELP sluice_build_info The version of this program.\n"
		"# TYPE sluice_build_info gauge\n"
		"sluice_build_info{version=\"" SLUICE_VERSION "\"} 1\n",
		buffered_bytes(), holders_total_bytes(&status->workers[0].setup->quota->incoming));
}
