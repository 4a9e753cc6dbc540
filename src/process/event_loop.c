#include "sluice/process/event_loop.h"

#include <errno.h>
#include <stdlib.h>

/* libuv counts the time that the loop has waited. The rest of the time between the ends of two
 * turns is the turn's busy time. */
static void on_turn_end(uv_prepare_t *handle)
{
	struct event_loop *loop = container_of(handle, struct event_loop, turn_end);
	uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(&loop->uv);
	if (loop->turn_began_ns)
		loop->on_turn(
			loop->inbox.owner, now - loop->turn_began_ns - (idle - loop->idle_ns));
	loop->turn_began_ns = now;
	loop->idle_ns = idle;
}

/* Started before turn_open: libuv runs the prepare handle that was started last first, so the tasks
 * at the end of the turn are measured too. */
static int measure_turns(struct event_loop *loop)
{
	int error = uv_prepare_init(&loop->uv, &loop->turn_end);
	if (error || !loop->on_turn)
		return error;
	error = uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME);
	if (!error)
		error = uv_prepare_start(&loop->turn_end, on_turn_end);
	uv_unref((uv_handle_t *)&loop->turn_end);
	return error;
}

static int open_streams(struct event_loop *loop, size_t read_buffer_size)
{
	loop->streams = (struct stream_loop){
		.loop = &loop->uv,
		.turn = &loop->turn,
		.read_buffer = malloc(read_buffer_size),
		.read_buffer_size = read_buffer_size,
	};
	return loop->streams.read_buffer ? stream_loop_open(&loop->streams) : -ENOMEM;
}

int event_loop_open(struct event_loop *loop, size_t read_buffer_size,
	void (*on_turn)(void *owner, uint64_t busy_ns), void *owner)
{
	*loop = (struct event_loop){ .on_turn = on_turn };
	int error = uv_loop_init(&loop->uv);
	if (!error)
		error = measure_turns(loop);
	if (!error)
		error = turn_open(&loop->turn, &loop->uv);
	if (!error)
		error = deadlines_open(&loop->deadlines, &loop->uv);
	if (!error)
		error = inbox_open(&loop->inbox, &loop->uv, owner);
	return error ? error : open_streams(loop, read_buffer_size);
}

void event_loop_close(struct event_loop *loop)
{
	uv_close((uv_handle_t *)&loop->turn_end, NULL);
	deadlines_close(&loop->deadlines);
	turn_close(&loop->turn);
	stream_loop_close(&loop->streams);
	inbox_close(&loop->inbox);
}

void event_loop_finish(struct event_loop *loop)
{
	inbox_finish(&loop->inbox);
	free(loop->streams.read_buffer);
	MUST(uv_loop_close(&loop->uv) == 0);
}
