/* The answers to the commands of sluice.v1. Each is sent at once, or ends the connection when it does not
 * fit behind what still waits: a caller must expect the connection to be gone, its memory still there. */
#ifndef SLUICE_CONN_OPEN_V1_ANSWER_H
#define SLUICE_CONN_OPEN_V1_ANSWER_H

#include "sluice/conn/conn.h"

/* As envelope_answer and envelope_error in proto/envelope.h. */
void v1_answer(struct conn *conn, const char *type, struct slice id, struct slice channel,
	const char *reason);
void v1_error(struct conn *conn, struct slice id, const char *code, const char *message);

#endif
