/* The process' signals. SIGTERM and SIGINT ask it to stop, SIGHUP to read its configuration again;
 * SIGPIPE is ignored. */
#ifndef SLUICE_PROCESS_SIGNALS_H
#define SLUICE_PROCESS_SIGNALS_H

#include <uv.h>

#include "sluice/base/defs.h"

/* Both are called in the loop's thread. */
struct signals_events {
	void (*on_stop)(void *owner, const char *name); /* "SIGTERM" or "SIGINT"; each time */
	void (*on_reload)(void *owner);
};

struct signals {
	/* private */
	const struct signals_events *events;
	void *owner;
	uv_signal_t handles[3];
};

/* 0 or a negative errno, after which the process ends. */
MUST_CHECK int signals_open(
	struct signals *signals, uv_loop_t *loop, const struct signals_events *events, void *owner);
void signals_close(struct signals *signals);

/* Ignores SIGPIPE. Call it before any socket is open. */
void signals_begin(void);

/* Ignores SIGTERM and SIGINT from here on. For use after the loop has ended and libuv's handlers
 * are gone: another signal must not change the exit status. */
void signals_end(void);

#endif
