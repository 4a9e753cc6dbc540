/* The reader has an allowance of frames. It is renewed when bytes arrive and a new second has begun
 * on the loop's clock. So no timer is needed, and a browser that sends nothing costs nothing. */
#include "sluice/conn/open/ws_allowance.h"

#include "sluice/base/limit.h"
#include "sluice/conn/open/open_shared.h"
#include "sluice/proto/ws/ws_close.h"

void ws_allow_frames(struct conn *conn)
{
	uint32_t second = (uint32_t)(uv_now(conn->shared->streams->loop) / 1000);
	if (conn->second == second)
		return;
	conn->second = second;
	conn->commands_done = 0;
	const struct ws_reading *reading =
		container_of((uintptr_t)conn->reader.settings, struct ws_reading, settings);
	unsigned frames = reading->frames_per_second;
	ws_reader_allow_frames(&conn->reader, frames ? frames : UINT32_MAX);
}

/* A limit beyond the counter's range has no effect: the limit of frames is reached first. */
bool ws_allow_command(struct conn *conn)
{
	if (conn->commands_done >= conn_settings(conn)->limits.commands_per_second) {
		limit_hit(conn->shared->metrics, METRIC_LIMIT_COMMANDS_PER_SECOND);
		return false;
	}
	if (conn->commands_done < UINT16_MAX)
		conn->commands_done++;
	return true;
}

/* Then limits.command_bytes is the reader's limit, unless that of messages is lower. */
static bool takes_commands(const struct conn *conn)
{
	const struct settings *settings = conn_settings(conn);
	return conn_dialect(conn)->on_message &&
	       settings->limits.command_bytes <= settings->limits.message_bytes;
}

struct slice ws_reader_limit(struct conn *conn, unsigned code)
{
	struct metrics *metrics = conn->shared->metrics;
	if (code == WS_CLOSE_TOO_BIG && takes_commands(conn)) {
		limit_hit(metrics, METRIC_LIMIT_COMMAND_BYTES);
		return SLICE("longer than limits.command_bytes");
	} else if (code == WS_CLOSE_TOO_BIG) {
		limit_hit(metrics, METRIC_LIMIT_MESSAGE_BYTES);
	} else if (code == WS_CLOSE_POLICY && ws_reader_frames_left(&conn->reader) == 0) {
		limit_hit(metrics, METRIC_LIMIT_FRAMES_PER_SECOND);
		return SLICE("too many frames");
	} else if (code == WS_CLOSE_POLICY) {
		limit_hit(metrics, METRIC_LIMIT_FRAGMENTS);
		return SLICE("too many fragments");
	}
	return (struct slice){ 0 };
}
