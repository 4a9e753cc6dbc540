#include "sluice/conn/opening/opening.h"

#include <stdlib.h>

#include "sluice/base/log.h"

void opening_leave_half_open(struct opening *opening)
{
	list_remove(&opening->in_half_open);
	quota_give_share(opening->conn->shared->quota, opening->half_open);
	opening->half_open = NULL;
}

static void forget_asked(struct table *asked)
{
	TABLE_EACH (name, asked) {
		table_remove(asked, name);
		free(name);
	}
}

void opening_leave(struct conn *conn)
{
	struct opening *opening = conn->opening;
	if (!opening)
		return;
	conn->opening = NULL;
	conn_holds_nothing(conn);
	stream_admit(&conn->stream);
	opening_leave_half_open(opening);
	session_waiter_cancel(&opening->waiter);
	ticket_waiter_cancel(&opening->ticket);
	forget_asked(&opening->asked);
	http_request_finish(&opening->request);
	buffer_finish(&opening->user);
	pool_give(&conn->shared->opening->pool, opening);
}

void opening_on_end(struct conn *conn, int error)
{
	char text[TLS_ERROR_MAX];
	if (error)
		log_debug("connection failed",
			log_text("reason", stream_error_text(&conn->stream, error, text)));
	conn_abort(conn);
}

void opening_shared_init(struct opening_shared *shared)
{
	list_init(&shared->half_open);
	pool_init(&shared->pool, sizeof(struct opening));
}

void opening_shared_finish(struct opening_shared *shared)
{
	pool_finish(&shared->pool);
}
