/* From the identity to the channels. After each of these calls, the request is either answered,
 * open as a connection, or waiting for Redis; the caller must not use it any more. */
#ifndef SLUICE_CONN_OPENING_ADMIT_H
#define SLUICE_CONN_OPENING_ADMIT_H

#include "sluice/conn/opening/opening.h"

/* Waiting for Redis: for the log-in, then for the channels. */
extern const struct conn_phase opening_waiting;

/* The client's identity is known; NULL: anonymous. */
void admit(struct conn *conn, const struct identity *identity);

/* There is no log-in, or it is not valid. `problem`: one line, a literal. */
void admit_without(struct conn *conn, const char *problem);

#endif
