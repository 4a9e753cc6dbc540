/* What a connection may have of the process when it opens. What is taken is given back by conn.c when the
 * connection ends. */
#ifndef SLUICE_CONN_OPENING_QUOTAS_H
#define SLUICE_CONN_OPENING_QUOTAS_H

#include "sluice/conn/opening/opening.h"

/* Both: 0, or the status to refuse with, and why. A purpose that only looks takes nothing but an upgrade of
 * this second, as it asks as much of Redis as an upgrade. */
MUST_CHECK int opening_take_quotas(struct conn *conn, const char **ret_problem);
MUST_CHECK int opening_take_user_share(
	struct conn *conn, const struct identity *identity, const char **ret_problem);

#endif
