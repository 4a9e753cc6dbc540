/* The process' signals. SIGTERM and SIGINT ask it to stop, SIGHUP to read its configuration again;
 * SIGPIPE, SIGUSR1 and SIGUSR2 are ignored. */
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

/* The signals are ignored from here on: none may change the exit status. */
void signals_close(struct signals *signals);

/* At the start of every other thread: the loop's thread alone receives the signals. */
void signals_block(void);

/* Ignores SIGPIPE, and the user signals, whose default ends the process without a drain. Call it
 * before any socket is open. */
void signals_begin(void);

#endif
