/* How much may wait to be sent to a browser. */
#ifndef SLUICE_CONN_OPEN_QUEUE_H
#define SLUICE_CONN_OPEN_QUEUE_H

#include "sluice/conn/conn.h"

/* May `more` bytes be queued? Absent: they may. Else the reason to close the connection with 1013, which
 * has been counted; what waited is dropped. */
struct slice queue_limit(struct conn *conn, size_t more);

#endif
