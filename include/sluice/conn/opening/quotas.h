/* Checks a connection against the limits of the process when it opens. What it takes from a quota,
 * conn.c gives back when the connection ends. */
#ifndef SLUICE_CONN_OPENING_QUOTAS_H
#define SLUICE_CONN_OPENING_QUOTAS_H

#include "sluice/conn/opening/opening.h"

/* All: 0, or the status to refuse with, and why. A purpose that only looks takes nothing, except
 * that it counts as an upgrade of this second: it costs Redis as much as one. */
MUST_CHECK int opening_take_quotas(struct conn *conn, const char **ret_problem);

/* Before Redis is asked for the session or ticket of the request, which may be made up. */
MUST_CHECK int opening_take_look_up(struct conn *conn, const char **ret_problem);

/* The client is admitted; `identity`: NULL: without a log-in. */
MUST_CHECK int opening_take_upgrade(
	struct conn *conn, const struct identity *identity, const char **ret_problem);
MUST_CHECK int opening_take_user_share(
	struct conn *conn, const struct identity *identity, const char **ret_problem);

#endif
