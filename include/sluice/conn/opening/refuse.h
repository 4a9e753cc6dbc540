/* Answers requests that do not become an open connection. After a function that answers, the caller
 * must not use the connection any more. */
#ifndef SLUICE_CONN_OPENING_REFUSE_H
#define SLUICE_CONN_OPENING_REFUSE_H

#include "sluice/conn/opening/opening.h"

/* Sends a complete HTTP answer and ends the connection. */
void opening_answer(struct conn *conn, struct slice answer);

/* The same for a refusal. `problem`: one line, a literal. */
void opening_refuse(struct conn *conn, int status, const char *problem);

/* Refuses because Redis or memory is missing: `error` is the result of sessions_look_up or
 * bridge_subscribe. */
void opening_refuse_for_redis(struct conn *conn, int error);

/* The request is not awaited any longer (it has taken too long, or the worker drains): refuses it if
 * a part of it has arrived, else aborts the connection. */
void opening_give_up(struct conn *conn, int status, const char *problem);

/* The event handler of the phases before the 101: the same, with 503. */
void opening_on_limit(struct conn *conn, enum holding_limit limit);

/* Only logs a refusal that is sent in another way. */
void opening_log_refusal(struct conn *conn, int status, const char *problem);

#endif
