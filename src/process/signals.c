#include "sluice/process/signals.h"

#include <signal.h>

static void on_stop(uv_signal_t *handle, int number)
{
	const struct signals *signals = handle->data;
	signals->events->on_stop(signals->owner, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void on_reload(uv_signal_t *handle, int number)
{
	(void)number;
	const struct signals *signals = handle->data;
	signals->events->on_reload(signals->owner);
}

static const struct {
	int number;
	uv_signal_cb callback;
} rows[] = { { SIGTERM, on_stop }, { SIGINT, on_stop }, { SIGHUP, on_reload } };

int signals_open(
	struct signals *signals, uv_loop_t *loop, const struct signals_events *events, void *owner)
{
	*signals = (struct signals){ .events = events, .owner = owner };
	int error = 0;
	for (size_t i = 0; i < COUNT_OF(rows) && !error; i++) {
		uv_signal_t *handle = &signals->handles[i];
		error = uv_signal_init(loop, handle);
		handle->data = signals;
		if (!error)
			error = uv_signal_start(handle, rows[i].callback, rows[i].number);
	}
	return error;
}

void signals_close(struct signals *signals)
{
	for (size_t i = 0; i < COUNT_OF(signals->handles); i++)
		uv_close((uv_handle_t *)&signals->handles[i], NULL);
}

void signals_begin(void)
{
	signal(SIGPIPE, SIG_IGN);
}

void signals_end(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
}
