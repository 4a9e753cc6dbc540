/* From who it is to what it may see. Each is the last thing that is done with the request until Redis has
 * answered: an answer, or the connection is open. */
#ifndef SLUICE_CONN_OPENING_ADMIT_H
#define SLUICE_CONN_OPENING_ADMIT_H

#include "sluice/conn/opening/opening.h"

/* Waiting for Redis: for the log-in, then for the channels. */
extern const struct conn_phase opening_waiting;

/* It is known who it is; NULL: anonymous. */
void admit(struct conn *conn, const struct identity *identity);

/* There is no log-in, or none that is good. `problem`: one line, a literal. */
void admit_without(struct conn *conn, const char *problem);

#endif
