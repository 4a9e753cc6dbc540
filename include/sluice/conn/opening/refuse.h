/* Answers to requests that do not become an open connection. Each function that answers is the last thing
 * that is done with the connection. */
#ifndef SLUICE_CONN_OPENING_REFUSE_H
#define SLUICE_CONN_OPENING_REFUSE_H

#include "sluice/conn/opening/opening.h"

/* Sends a complete HTTP answer and ends the connection. */
void opening_answer(struct conn *conn, struct slice answer);

/* The same with a refusal. `problem`: one line, a literal. */
void opening_refuse(struct conn *conn, int status, const char *problem);

/* For want of Redis or memory: `error` is what sessions_look_up or bridge_subscribe has given. */
void opening_refuse_for_redis(struct conn *conn, int error);

/* The request is not awaited any longer: refuses if something of it has come, else aborts. */
void opening_put_out(struct conn *conn, int status, const char *problem);

/* The log's part of a refusal, for whoever is refused in another way. */
void opening_log_refusal(struct conn *conn, int status, const char *problem);

#endif
