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

static void block(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		sigaddset(set, rows[i].number);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

/* libuv restores the default action, which would end the process by the signal. Every other thread
 * blocks these signals, so they wait until they are ignored. */
void signals_close(struct signals *signals)
{
	sigset_t set;
	block(&set);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uv_close((uv_handle_t *)&signals->handles[i], NULL);
		signal(rows[i].number, SIG_IGN);
	}
}

void signals_block(void)
{
	sigset_t set;
	block(&set);
}

void signals_begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
}
