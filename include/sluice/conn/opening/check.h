/* A request for {path}/check: would an upgrade be accepted? */
#ifndef SLUICE_CONN_OPENING_CHECK_H
#define SLUICE_CONN_OPENING_CHECK_H

#include "sluice/conn/opening/opening.h"

/* The first: does the path ask for it? If so, the second answers, or begins to ask Redis. */
bool check_is_asked(const struct conn *conn);
void check_begin(struct conn *conn);

#endif
