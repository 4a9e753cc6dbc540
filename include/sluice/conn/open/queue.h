/* Limits the bytes that wait to be sent to a browser. */
#ifndef SLUICE_CONN_OPEN_QUEUE_H
#define SLUICE_CONN_OPEN_QUEUE_H

#include "sluice/conn/conn.h"

/* The slow path of queue_limit, for a connection that may have reached a limit. */
struct slice queue_limit_near(struct conn *conn, size_t more);

/* Does the queue stay within limits.queue_bytes with `more` bytes, even if the kernel takes
 * nothing? */
static inline bool queue_has_room(const struct conn *conn, size_t more)
{
	return stream_queued(&conn->stream) + more <= conn_settings(conn)->limits.queue_bytes &&
	       !stream_is_full(&conn->stream);
}

/* May `more` bytes be queued? Absent: yes. Else the reason to close the connection with 1013; the
 * close has been counted, and the queue has been dropped. */
static inline struct slice queue_limit(struct conn *conn, size_t more)
{
	if (queue_has_room(conn, more) && !stream_is_stuck(&conn->stream))
		return (struct slice){ 0 };
	return queue_limit_near(conn, more);
}

#endif
