/* The answers to commands of sluice.v1. Each is sent at once, or ends the connection if the queue
 * has no room for it. So after each call the connection may have ended, but its memory is still
 * there. */
#ifndef SLUICE_CONN_OPEN_V1_ANSWER_H
#define SLUICE_CONN_OPEN_V1_ANSWER_H

#include "sluice/conn/conn.h"

/* As envelope_answer and envelope_error in proto/envelope.h. */
void v1_answer(struct conn *conn, const char *type, struct slice id, struct slice channel,
	const char *reason);
void v1_error(struct conn *conn, struct slice id, const char *code, const char *message);

#endif
