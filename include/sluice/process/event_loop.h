/* A thread's libuv loop with what every thread of ours needs on it: the end of the turn, deadlines,
 * an inbox, and what streams share. */
#ifndef SLUICE_PROCESS_EVENT_LOOP_H
#define SLUICE_PROCESS_EVENT_LOOP_H

#include <stdint.h>
#include <uv.h>

#include "sluice/net/deadlines.h"
#include "sluice/net/inbox.h"
#include "sluice/net/stream.h"
#include "sluice/net/turn.h"

struct event_loop {
	uv_loop_t uv;
	struct turn turn;
	struct deadlines deadlines;
	struct inbox inbox; /* its calls get the owner */
	struct stream_loop streams;
	/* private */
	void (*on_turn)(void *owner, uint64_t busy_ns);
	uv_prepare_t turn_end;
	uint64_t turn_began_ns, idle_ns;
};

/* `on_turn` is called after each turn with the turn's busy time; NULL: nothing is measured. 0 or a
 * negative errno, after which the process ends. */
MUST_CHECK int event_loop_open(struct event_loop *loop, size_t read_buffer_size,
	void (*on_turn)(void *owner, uint64_t busy_ns), void *owner);

/* In the loop's own thread: closes all handles that event_loop_open has opened. There must be no
 * stream left. */
void event_loop_close(struct event_loop *loop);

/* Frees the memory. The loop must have run until no handle was left. */
void event_loop_finish(struct event_loop *loop);

#endif
