/* The echo of conformance runs, in builds with -Decho=enabled: see echo.c. */
#ifndef SLUICE_CONN_OPEN_ECHO_H
#define SLUICE_CONN_OPEN_ECHO_H

#include "sluice/conn/conn.h"

/* Called before the 101: the connection will echo, within the limits given in the query.
 * `window_bits`: of permessage-deflate, or 0. 0, or the status to refuse with, and why. */
int echo_prepare(
	struct conn *conn, struct slice query, unsigned window_bits, const char **ret_problem);

#endif
